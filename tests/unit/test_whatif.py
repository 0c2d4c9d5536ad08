import math
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.position import Side
from bot.errors import BotError
from bot.files import KINDS, read
from bot.leverage import distance, tail
from bot.leverage.library import Library
from bot.leverage.model import required_distance
from bot.leverage.tolerance import window_tolerance, yearly_hazard
from bot.margin.assess import assess
from bot.views import risk_text, risks
from bot.whatif import answer, parse
from tests.kit.builders import NOON, ONE_TIER, a_position, an_instrument
from tests.kit.hazard import a_walk, a_walked_market, shipped

LIBRARY: Library = read(KINDS[Library], None, setting="models", archive=None).value
WALK = a_walk(1)


def asked(library: Library = LIBRARY, **change: str) -> dict[str, Any]:
    fields = {
        "symbol": "BTC/USDT:USDT", "side": "long", "size": "1", "entry": "60000", "mark": "60000",
        "margin": "6000",
    } | change  # fmt: skip
    return answer(parse(fields), library)


@pytest.mark.parametrize("hours", [1, 8, 24])
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("symbol", ["BTC/USDT:USDT", "NEW/USDT:USDT"])
def test_the_leverage_that_is_told_is_that_of_the_distance_a_decision_requires(
    hours: int, side: Side, symbol: str
) -> None:
    alpha = window_tolerance(1.0, hours=hours)
    need = required_distance(WALK, side, hours, alpha, LIBRARY.of(symbol), now=NOON)
    assert need.a_log is not None
    assert need.sigma_h is not None
    found = asked(symbol=symbol, side=side.value, volatility=str(need.sigma_h / math.sqrt(hours)))
    leverage = D(found["highest_permissible_leverage"][f"{hours}h"])
    margin = str(60_000 / leverage)
    held = a_position(size=str(side.sign), margin=margin)
    stands = assess(held, an_instrument(table=ONE_TIER)).distance
    assert stands is not None
    # Distances are rounded up to six digits.
    assert distance.to_log(stands, side) == pytest.approx(need.a_log, abs=2e-6)


def test_a_hazard_without_measure_is_told_as_five_percent_of_the_windows() -> None:
    most = str(yearly_hazard(tail.EXCEEDANCE, hours=1))
    name = "highest_permissible_leverage"
    for symbol in ("BTC/USDT:USDT", "NEW/USDT:USDT"):
        usual = asked(symbol=symbol, hazard=most)[name]
        assert asked(symbol=symbol, hazard="1000000000")[name] == usual


@pytest.mark.parametrize("margin", ["1000", "3000", "6000"])
def test_the_chance_that_is_told_is_that_of_the_record(margin: str) -> None:
    risk = assess(a_position(margin=margin), an_instrument(table=ONE_TIER))
    band = shipped(reaction=3600).choose(risk, a_walked_market(WALK))
    assert band.volatility is not None
    assert band.hit_probability is not None
    found = asked(margin=margin, volatility=str(band.volatility))
    assert found["hit_probability"]["1h"] == pytest.approx(float(band.hit_probability), rel=0.01)


def test_without_models_the_prior_stands_and_no_more_than_3x() -> None:
    found = asked(Library(), volatility="0.0001")
    allowed = found["highest_permissible_leverage"]
    assert {hours: float(x) for hours, x in allowed.items()} == pytest.approx(
        {"1h": 3, "8h": 3, "24h": 3}, rel=1e-6
    )
    assert found["tail"] == "prior of large coins, shape raised to 0.35, 3x at most"
    assert found["next_action"]["kind"] == "add_margin"
    assert "hourly mark prices" in asked()["tail"]


@given(st.sampled_from(list(Side)), st.floats(0.0005, 0.02), st.floats(1.01, 5))
def test_a_wilder_market_is_never_told_to_permit_more(
    side: Side, volatility: float, wilder: float
) -> None:
    calm = asked(side=side.value, volatility=f"{volatility:.8f}")
    wild = asked(side=side.value, volatility=f"{volatility * wilder:.8f}")
    for hours in ("1h", "8h", "24h"):
        assert wild["hit_probability"][hours] >= calm["hit_probability"][hours]
        less, more = (found["highest_permissible_leverage"][hours] for found in (wild, calm))
        assert D(less) <= D(more)


def test_the_command_reads_the_models_it_is_given(tmp_path: Path) -> None:
    given = {"side": "long", "size": "1", "entry": "60000", "mark": "60000", "margin": "6000"}
    (usual,) = risks(given, None)
    (unknown,) = risks(given, None, models="none")
    assert "pooled" in risk_text(usual)
    assert "3x at most" in risk_text(unknown)
    with pytest.raises(BotError, match=r"strategy\.models"):
        list(risks(given, None, models=str(tmp_path / "missing.json")))


@pytest.mark.parametrize(
    ("side", "price", "opposite"),
    [("long", "54818.18181818", "short"), ("short", "66333.33333333", "long")],
)
def test_a_contract_that_settles_in_its_coin_is_asked_about_in_coin(
    side: str, price: str, opposite: str
) -> None:
    # V8 of the specification: 10,000 US dollars at 10x.
    coin = {"symbol": "BTC/USD:BTC", "size": "10000", "margin": str(D(1) / 60)}
    found = asked(LIBRARY, **coin, side=side)
    assert found["liquidation_price"] == price
    assert found["notional"] == "0.16666667"
    # The same distance carries other leverage: that of the other side of a linear contract.
    name = "highest_permissible_leverage"
    linear = {s: asked(side=s)[name]["1h"] for s in ("long", "short")}
    assert D(linear["long"]) > D(linear["short"])
    ours = {s: asked(LIBRARY, **coin, side=s)[name]["1h"] for s in ("long", "short")}
    assert D(ours["short"]) > D(ours["long"])
    assert D(ours[side]) == pytest.approx(D(linear[opposite]), rel=D("0.02"))
    assert "0.00083333 [BTC]" in risk_text(found)
    assert "300 [quote]" in risk_text(asked())
