from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.domain.position import Position
from bot.errors import StrategyError
from bot.margin.assess import assess
from bot.plugins import load_strategy
from strategies.fixed_leverage import FixedLeverage
from strategies.fixed_leverage import Settings as FixedSettings
from strategies.liquidation_buffer import LiquidationBuffer
from strategies.liquidation_buffer import Settings as BufferSettings
from tests.kit.builders import a_market, a_position, an_instrument


def risk_of(position: Position) -> Any:
    return assess(position, an_instrument(position.symbol))


def test_liquidation_buffer_keeps_its_distances() -> None:
    band = LiquidationBuffer(BufferSettings()).choose(risk_of(a_position()), a_market())
    assert (band.distance.trigger, band.distance.target) == (D("0.10"), D("0.15"))
    assert band.leverage.trigger > band.leverage.target > 1


def test_fixed_leverage_keeps_its_leverages() -> None:
    band = FixedLeverage(FixedSettings()).choose(risk_of(a_position()), a_market())
    assert (band.leverage.trigger, band.leverage.target) == (D(4), D(3))
    assert band.distance.trigger < band.distance.target < band.distance.give_back


def test_fixed_leverage_recentres_by_its_speed() -> None:
    settings = FixedSettings(recentering_speed=D("0.5"))
    position = a_position(size="1", margin="13333.33")  # 4.5x
    band = FixedLeverage(settings).choose(risk_of(position), a_market())
    # 4.5 * 0.5 + 3 * 0.5 = 3.75, kept below the middle of target and maximum
    assert band.leverage.target == D("3.5")


@pytest.mark.parametrize(
    ("path", "own", "message"),
    [
        pytest.param("nowhere.at:All", {}, "must be importable", id="no module"),
        pytest.param("strategies.hazard:Nothing", {}, "must define a class", id="no class"),
        pytest.param("strategies.hazard:Settings", {}, "must take one argument", id="no strategy"),
        pytest.param("/nowhere.py:X", {}, "must exist", id="no file"),
        pytest.param(
            "strategies.hazard:Hazard", {"hazzard": "1"}, "hazzard: is not a setting", id="key"
        ),
        pytest.param("strategies.hazard:Hazard", {"hazard": 1.5}, "must be quoted", id="float"),
        pytest.param(
            "strategies.hazard:Hazard", {"hazard": "much"}, "must be a number", id="no number"
        ),
        pytest.param("strategies.hazard:Hazard", {"hazard": "-1"}, "hazard must be > 0", id="sign"),
        pytest.param(
            "strategies.hazard:Hazard", {"target": "2"}, "1 < target < give_back", id="order"
        ),
        pytest.param(
            "strategies.liquidation_buffer:LiquidationBuffer",
            {"trigger": "0.2"},
            "distances must satisfy",
            id="impossible band",
        ),
        pytest.param(
            "strategies.fixed_leverage:FixedLeverage",
            {"target": "9"},
            "leverages must satisfy",
            id="impossible leverages",
        ),
    ],
)
def test_a_strategy_that_cannot_be_made_is_named(
    path: str, own: dict[str, Any], message: str
) -> None:
    with pytest.raises(StrategyError, match=message):
        load_strategy(path, own)


def test_a_users_own_file_works_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from dataclasses import dataclass\n"
        "from decimal import Decimal\n"
        "from strategies.liquidation_buffer import LiquidationBuffer, Settings as Base\n"
        "@dataclass(frozen=True, slots=True, kw_only=True)\n"
        "class Settings:\n"
        "    wide: Decimal = Decimal('0.3')\n"
        "class Mine:\n"
        "    def __init__(self, settings: Settings) -> None:\n"
        "        self._inner = LiquidationBuffer(Base(give_back=settings.wide))\n"
        "    def choose(self, risk, market):\n"
        "        return self._inner.choose(risk, market)\n"
    )
    strategy = load_strategy(f"{file}:Mine", {"wide": "0.4"})
    assert strategy.choose(risk_of(a_position()), a_market()).distance.give_back == D("0.4")


def test_a_users_file_that_fails_to_load_is_one_message(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("1 / 0\n")
    with pytest.raises(StrategyError, match="failed to load: ZeroDivisionError"):
        load_strategy(f"{file}:Mine", {})
