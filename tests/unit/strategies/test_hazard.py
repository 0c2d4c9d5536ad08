import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.domain.band import LeverageBand
from bot.domain.market import BookLevel
from bot.domain.position import Position
from bot.errors import StrategyError
from bot.leverage import distance, tail
from bot.leverage.library import Library
from bot.leverage.model import UNKNOWN_CAP, required_distance
from bot.leverage.tolerance import window_tolerance
from bot.margin.assess import assess
from bot.ports import Strategy
from strategies.hazard import Settings
from tests.kit.builders import COIN, NOON, a_coin_instrument, a_position, an_instrument, tiers
from tests.kit.hazard import a_walk, a_walked_market, ignorant, shipped

WALK = a_walk(1)


def risk_of(position: Position) -> Any:
    return assess(position, an_instrument(position.symbol))


def asked(strategy: Strategy, **walk: Any) -> LeverageBand:
    bars = a_walk(1, **walk) if walk else WALK
    return strategy.choose(risk_of(a_position()), a_walked_market(bars))


def test_the_trigger_is_the_distance_the_models_require() -> None:
    strategy = shipped(hazard=2, reaction=7200, least="0.001")
    band = asked(strategy)
    library: Library = strategy._settings.models  # type: ignore[attr-defined]  # of hazard alone
    side = a_position().side
    need = required_distance(
        WALK, side, 2.0, window_tolerance(2.0, hours=2.0), library.of("BTC/USDT:USDT"), now=NOON
    )
    assert need.a_log is not None
    assert need.tail is not None
    assert need.sigma_h is not None
    assert distance.to_log(band.distance.trigger, side) == pytest.approx(need.a_log, abs=2e-6)
    assert band.horizon == 8 * 3600
    assert float(band.volatility or 0) == pytest.approx(need.sigma_h / math.sqrt(8), abs=1e-6)
    at = risk_of(a_position()).distance
    chance = tail.hit(need.tail, distance.to_log(at, side) / need.sigma_h)
    assert float(band.hit_probability or 0) == pytest.approx(chance, rel=5e-3)
    assert band.why == "hazard 2 a year at the trigger, own forecast, pooled tail"


def test_who_stands_at_the_trigger_has_the_tolerated_chance_over_the_window() -> None:
    band = asked(shipped())
    position = a_position(margin="6000")
    for _ in range(40):  # the margin that puts it there
        risk = risk_of(position)
        short = band.distance.trigger - risk.distance
        position = replace(position, margin=position.margin + short * 55_000)
    standing = shipped().choose(risk_of(position), a_walked_market(WALK))
    assert float(standing.hit_probability or 0) == pytest.approx(
        window_tolerance(1.0, hours=1.0), rel=0.02
    )


def test_a_storm_asks_for_more_distance_and_who_tolerates_more_for_less() -> None:
    assert (
        asked(shipped(), sigma=0.012).distance.trigger
        > asked(shipped(), sigma=0.004).distance.trigger * 2
    )
    assert (
        asked(shipped(hazard=12)).distance.trigger < asked(shipped(hazard="0.1")).distance.trigger
    )


def test_it_never_stands_nearer_than_its_least_and_never_aims_beyond_its_most() -> None:
    quiet = asked(shipped(least="0.2"), sigma=0.0005).distance
    assert abs(quiet.trigger - D("0.2")) <= D("0.000002")
    levels = asked(shipped(), sigma=0.2).distance
    assert levels.emergency <= levels.trigger < levels.target < levels.give_back < 1
    assert levels.target <= D("0.500002")


@pytest.mark.parametrize(
    ("bars", "why"),
    [
        pytest.param(a_walk(1, hours=23), "too few or too broken", id="listed yesterday"),
        pytest.param(replace(WALK, opened_at=None), "must be dated", id="no date"),
        pytest.param(replace(WALK, seconds=300), "must be hourly", id="of five minutes"),
        pytest.param(
            replace(WALK, opened_at=NOON - timedelta(days=90)), "ended more than a month", id="old"
        ),
        pytest.param(replace(WALK, low=WALK.low[1:]), "must have one shape", id="columns differ"),
        pytest.param(
            replace(WALK, close=(*WALK.close[:-7], *([math.nan] * 7))), "too broken", id="broken"
        ),
    ],
)
def test_without_a_forecast_it_stands_at_its_widest_and_gives_nothing_back(
    bars: Any, why: str
) -> None:
    band = shipped().choose(risk_of(a_position()), a_walked_market(bars))
    assert why in band.why
    assert not band.may_give_back
    assert abs(band.distance.target - D("0.5")) <= D("0.000002")
    assert band.distance.trigger > asked(shipped()).distance.give_back
    assert band.hit_probability is None
    assert "no_forecast" in band.flags


def test_a_coin_without_fitted_tails_carries_three_times_at_most() -> None:
    band = asked(ignorant())
    assert band.leverage.trigger <= D(str(UNKNOWN_CAP)) * D("1.0001")
    assert {"leverage_capped", "short_history", "extrapolated"} <= set(band.flags)
    assert not band.may_give_back


def test_a_coin_nobody_fitted_has_the_tails_of_those_that_were() -> None:
    other = "ABC/USDT:USDT"
    risk = risk_of(a_position(other))
    band = shipped().choose(risk, a_walked_market(WALK, symbol=other))
    assert band.why.endswith("pooled forecast, pooled tail")
    assert "leverage_capped" not in band.flags


def test_what_must_be_survived_is_a_floor_and_the_rest_is_told(tmp_path: Path) -> None:
    file = tmp_path / "stress.toml"
    file.write_text(
        "[[scenario]]\nname = 'quarter'\ndate = ''\nsource = 'made up'\ncoins = ['BTC']\n"
        "hours = 1\nfall = 0.25\nmust_survive = true\n"
        "[[scenario]]\nname = 'half'\ndate = ''\nsource = 'made up'\ncoins = ['*']\n"
        "hours = 1\nfall = 0.5\n"
    )
    band = asked(shipped(stress=file))
    assert abs(band.distance.trigger - D("0.25")) <= D("0.000002")
    assert band.unsurvived == ("quarter", "half")  # it stands at about 9 %
    assert asked(shipped(stress="none")).unsurvived == ()


def test_target_and_give_back_follow_from_costs_if_asked() -> None:
    few, many = asked(shipped(move_cost="0.2")), asked(shipped(move_cost="20"))
    assert few.distance.trigger == many.distance.trigger
    assert few.distance.target < many.distance.target
    assert few.distance.give_back < many.distance.give_back
    assert asked(shipped(move_cost=10**6)).distance.target <= D("0.51")


def test_what_runs_while_an_action_is_on_its_way_lies_between_the_levels() -> None:
    slow = asked(shipped(reaction=7200, fast=3600, action=3600, target="1.01", give_back="1.02"))
    quick = asked(shipped(reaction=7200, fast=5, action=5, target="1.01", give_back="1.02"))
    side = a_position().side
    levels = [distance.to_log(getattr(slow.distance, n), side) for n in ("trigger", "target")]
    assert slow.distance.trigger == quick.distance.trigger
    assert levels[1] - levels[0] > 2 * float(slow.volatility or 0)
    assert slow.distance.give_back > quick.distance.give_back
    assert slow.distance.emergency >= quick.distance.emergency


@pytest.mark.parametrize(
    ("own", "why"),
    [
        ({"target": "2"}, "1 < target < give_back"),
        ({"least": "0.6"}, "0 < least < most"),
        ({"action": "30"}, "0 < action <= fast <= reaction"),
        ({"idle_rate": "0"}, "idle_rate > 0"),
        ({"move_cost": "-1"}, "move_cost must be >= 0"),
        ({"hazard": "-1"}, "hazard must be > 0"),
        ({"models": "/nowhere.json"}, "strategy.models: /nowhere.json cannot be read"),
        ({"stress": "/nowhere.toml"}, "strategy.stress: /nowhere.toml cannot be read"),
    ],
)
def test_settings_that_cannot_be_are_named(own: dict[str, str], why: str) -> None:
    with pytest.raises(StrategyError, match=why):
        shipped(**own)


def test_the_empty_value_is_allowed() -> None:
    assert Settings().models.of("BTC/USDT:USDT").tails == {}


def looked(**change: Any) -> LeverageBand:
    return shipped().choose(risk_of(a_position()), replace(a_walked_market(WALK), **change))


@pytest.mark.parametrize(
    ("change", "flags", "gives_back"),
    [
        ({}, (), True),
        ({"funding_rate": D("0.0005")}, (), True),
        ({"funding_rate": D("-0.001")}, ("funding_strained",), True),
        ({"funding_rate": D("0.0029")}, ("funding_strained",), True),
        ({"funding_rate": D("0.003")}, ("funding_strained",), False),
        ({"index_price": D(60_500)}, ("basis_strained",), True),
        ({"index_price": D(61_000)}, ("basis_strained",), False),
        ({"index_price": D(0)}, ("regime_unread",), False),
        ({"bids": ()}, (), True),
        ({"bids": (BookLevel(price=D(59_990), size=D("0.999")),)}, ("thin_book",), True),
    ],
)
def test_what_a_look_strains_is_named(
    change: dict[str, Any], flags: tuple[str, ...], gives_back: bool
) -> None:
    usual, found = looked(), looked(**change)
    assert found.flags == (*usual.flags, *flags)
    assert found.may_give_back is gives_back


def test_a_short_is_closed_by_buying_and_a_long_by_selling() -> None:
    thin = (BookLevel(price=D(60_000), size=D("0.999")),)
    for size, side, other in (("1", "bids", "asks"), ("-1", "asks", "bids")):
        risk, market = risk_of(a_position(size=size)), a_walked_market(WALK)
        books = {"bids": replace(market, bids=thin), "asks": replace(market, asks=thin)}
        here, there = (shipped().choose(risk, books[book]) for book in (side, other))
        assert "thin_book" in here.flags
        assert "thin_book" not in there.flags


def test_all_strain_raises_the_forecast_by_a_twentieth() -> None:
    calm, wild = looked(), looked(funding_rate=D("0.01"))
    assert calm.volatility is not None
    assert wild.volatility is not None
    assert float(wild.volatility / calm.volatility) == pytest.approx(math.exp(0.05), rel=1e-3)
    assert wild.distance.trigger > calm.distance.trigger


@pytest.mark.parametrize("side", [1, -1])
def test_an_inverse_position_stands_as_far_as_a_linear_one_with_the_leverage_of_the_other_side(
    side: int,
) -> None:
    strategy = shipped()
    flat = tiers(("0", "0.005", "0"))
    coin = a_position(COIN, size=str(60000 * side), margin="0.1")
    linear = a_position(size=str(side), margin="6000")
    inverse_risk = assess(coin, a_coin_instrument(table=flat))
    linear_risk = assess(linear, an_instrument(table=flat))
    inverse = strategy.choose(inverse_risk, a_walked_market(WALK, symbol=COIN))
    plain = strategy.choose(linear_risk, a_walked_market(WALK))
    assert inverse.distance.trigger == plain.distance.trigger
    a_log = distance.to_log(inverse.distance.trigger, coin.side)
    # Of its value, which rises against a long and falls against a short.
    needed = 1.005 * math.exp(a_log) - 1 if side > 0 else 1 - 0.995 * math.exp(-a_log)
    assert float(inverse.leverage.trigger) == pytest.approx(1 / needed, rel=1e-6)
    assert (inverse.leverage.trigger < plain.leverage.trigger) is (side > 0)


@pytest.mark.parametrize("side", [1, -1])
def test_the_cost_of_a_move_spaces_the_band_of_an_inverse_position(side: int) -> None:
    strategy = shipped(move_cost="5")
    risk = assess(a_position(COIN, size=str(60000 * side), margin="0.1"), a_coin_instrument())
    band = strategy.choose(risk, a_walked_market(WALK, symbol=COIN))
    levels = band.distance
    assert levels.trigger < levels.target < levels.give_back
    # The value does not matter, only its share: ten times as much is spaced alike.
    more = assess(a_position(COIN, size=str(180000 * side), margin="0.3"), a_coin_instrument())
    assert strategy.choose(more, a_walked_market(WALK, symbol=COIN)).distance == levels


def test_a_coin_of_which_nothing_is_known_caps_leverage_in_coin() -> None:
    risk = assess(a_position("NEW/USD:NEW", size="60000", margin="0.1"), a_coin_instrument())
    band = ignorant().choose(risk, a_walked_market(WALK, symbol="NEW/USD:NEW"))
    assert band.leverage.trigger == pytest.approx(D(str(UNKNOWN_CAP)), rel=D("0.001"))
