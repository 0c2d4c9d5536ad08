import math
from dataclasses import fields, replace
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.domain.market import Bars
from bot.domain.position import Position, Side
from bot.files import KINDS
from bot.leverage import distance
from bot.margin.assess import assess
from strategies.fixed_leverage import FixedLeverage
from strategies.fixed_leverage import Settings as FixedSettings
from strategies.flexible_leverage import FlexibleLeverage
from strategies.flexible_leverage import Settings as FlexibleSettings
from strategies.hazard import Hazard
from strategies.hazard import Settings as HazardSettings
from strategies.liquidation_buffer import LiquidationBuffer
from strategies.liquidation_buffer import Settings as BufferSettings
from strategies.volatility_target import Settings as TargetSettings
from strategies.volatility_target import VolatilityTarget
from tests.kit.builders import a_market, a_position, an_instrument, tiers


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


def moving(hourly: float, hours: int = 241) -> Bars:
    """Return bars whose every hourly log return is of one size."""
    close = tuple(60000 * math.exp(hourly * (hour % 2)) for hour in range(hours))
    return Bars(high=(60000 * math.exp(hourly),) * hours, low=(60000.0,) * hours, close=close)


@pytest.mark.parametrize(
    ("side", "leverage"), [(Side.LONG, 5.48639), (Side.SHORT, 4.49626)], ids=["long", "short"]
)
def test_volatility_target_gives_the_published_numbers(side: Side, leverage: float) -> None:
    position = a_position(size=str(side.sign))
    risk = assess(position, an_instrument(table=tiers(("0", "0.02", "0"))))
    market = replace(a_market(), bars=moving(0.008))
    band = VolatilityTarget(TargetSettings()).choose(risk, market)
    assert band.volatility == D("0.008")
    assert band.horizon == 8 * 3600

    def a_log(level: D) -> float:
        return distance.to_log(level, side)

    assert a_log(band.distance.target) == pytest.approx(0.181019, abs=2e-6)
    assert a_log(band.distance.trigger) == pytest.approx(0.144815, abs=2e-6)
    assert a_log(band.distance.give_back) == pytest.approx(0.253427, abs=2e-6)
    assert a_log(band.distance.emergency) == pytest.approx(0.181019 / 2, abs=2e-6)
    # The distance is rounded up to six digits: five times that in leverage.
    assert float(band.leverage.target) == pytest.approx(leverage, abs=5e-5)


def test_volatility_target_gives_leverage_that_is_inverse_to_volatility() -> None:
    strategy = VolatilityTarget(TargetSettings(multiple=D(4), hours=1, least=D("0.001")))
    market = a_market()
    calm, storm = (
        strategy.choose(risk_of(a_position()), replace(market, bars=moving(hourly)))
        for hourly in (0.002, 0.004)
    )
    assert float(calm.distance.target) == pytest.approx(4 * 0.002, rel=0.01)
    assert float(storm.distance.target / calm.distance.target) == pytest.approx(2, rel=0.01)


def test_volatility_target_never_stands_nearer_than_its_least_in_a_dead_market() -> None:
    market = replace(a_market(), bars=moving(0.0))
    for size in ("1", "-1"):
        band = VolatilityTarget(TargetSettings()).choose(risk_of(a_position(size=size)), market)
        assert abs(band.distance.trigger - D("0.03")) <= D("0.000001")


def test_volatility_target_never_asks_for_more_than_its_most() -> None:
    market = replace(a_market(), bars=moving(0.2))
    for size in ("1", "-1"):
        band = VolatilityTarget(TargetSettings()).choose(risk_of(a_position(size=size)), market)
        assert abs(band.distance.target - D("0.5")) <= D("0.000001")
        assert band.distance.trigger < band.distance.target < band.distance.give_back < 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"multiple": D(0)}, "multiple must be > 0"),
        ({"hours": 0}, "hours must be > 0"),
        ({"trigger": D(1)}, "trigger < 1"),
        ({"give_back": D(1)}, "1 < give_back"),
        ({"emergency": D("0.9")}, "emergency <= trigger"),
        ({"emergency": D(0)}, "0 < emergency"),
        ({"least": D("0.5")}, "least < most"),
        ({"most": D("0.91")}, "most <= 0.90"),
        ({"least": D("0.45")}, "most must leave room"),
        ({"trigger": D("0.9999999")}, "distances must satisfy"),
        ({"least": D("0.0000001")}, "distances must satisfy"),
    ],
)
def test_volatility_target_refuses_settings_that_give_no_band(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        VolatilityTarget(TargetSettings(**changes))


def flexible(leverage: str, **changes: Any) -> Any:
    """Return the band of a position with an effective leverage."""
    margin = D(60000) / D(leverage)
    strategy = FlexibleLeverage(FlexibleSettings(**changes))
    return strategy.choose(risk_of(a_position(margin=str(margin))), a_market())


def test_flexible_leverage_has_the_levels_of_the_token() -> None:
    band = flexible("2")
    assert (band.leverage.give_back, band.leverage.trigger) == (D("1.7"), D("2.3"))
    assert band.leverage.emergency == D("2.7")
    assert band.distance.trigger < band.distance.target < band.distance.give_back


@pytest.mark.parametrize(
    ("leverage", "target"),
    [
        pytest.param("2.25", "2.2375", id="a twentieth of the way"),
        pytest.param("2.6", "2.27", id="above the maximum: just inside it"),
        pytest.param("2.857142857", "2.27", id="a ripcord: just inside the maximum"),
        pytest.param("1.5", "1.73", id="below the minimum: just inside it"),
    ],
)
def test_flexible_leverage_aims_where_the_token_would_inside_its_band(
    leverage: str, target: str
) -> None:
    assert math.isclose(flexible(leverage).leverage.target, D(target), rel_tol=1e-8)


def test_flexible_leverage_without_slowness_goes_home() -> None:
    assert flexible("2.6", recentering_speed=D(1)).leverage.target == D(2)
    # A ripcord does not: it ends just inside the maximum.
    assert flexible("2.8", recentering_speed=D(1)).leverage.target == D("2.27")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum": D("2.3"), "target": D("2.3")}, "minimum must be < maximum"),
        ({"target": D("2.4")}, "target <= maximum"),
        ({"ripcord": D("2.2")}, "maximum <= ripcord"),
        ({"inset": D(0)}, "inset must be between"),
        ({"inset": D("0.5")}, "inset must be between"),
        ({"recentering_speed": D(2)}, "recentering_speed"),
        ({"cooldown": -1}, "cooldown must be in"),
        ({"interval": 10**9 + 1}, "interval must be in"),
        ({"cooldown": 60, "interval": 59}, "interval >= cooldown"),
    ],
)
def test_flexible_leverage_refuses_settings_that_give_no_band(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        FlexibleLeverage(FlexibleSettings(**changes))


def test_a_leverage_without_a_liquidation_price_is_named() -> None:
    with pytest.raises(ValueError, match=r"give_back leverage of BTC/USDT:USDT long"):
        flexible("2", minimum=D("0.9"))


def test_the_example_configuration_has_every_setting_of_every_strategy_with_its_default() -> None:
    text = (Path(__file__).parents[3] / "config" / "live.example.toml").read_text()
    section = text.partition("[strategy]")[2].partition("[limits]")[0]
    told: dict[str, dict[str, str]] = {}
    for line in section.splitlines():
        key, equals, rest = line.removeprefix("# ").partition(" = ")
        if key == "path":
            settings = told.setdefault(rest.split('"')[1], {})
        elif equals:
            settings[key] = rest.split()[0].strip('"')
    known: dict[str, Any] = {
        f"{cls.__module__}:{cls.__name__}": settings
        for cls, settings in (
            (FixedLeverage, FixedSettings),
            (FlexibleLeverage, FlexibleSettings),
            (Hazard, HazardSettings),
            (LiquidationBuffer, BufferSettings),
            (VolatilityTarget, TargetSettings),
        )
    }
    assert told == {
        path: {
            field.name: (
                KINDS[field.type].usual
                if isinstance(field.type, type) and field.type in KINDS
                else str(field.default)
            )
            for field in fields(settings)
        }
        for path, settings in known.items()
    }
