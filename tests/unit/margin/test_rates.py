from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.margin.rates import RATES, AccountRate, Direction, rate_for
from bot.margin.rules import Mode, NoRule
from bot.margin.solver import INFINITE


@pytest.mark.parametrize(
    ("venue", "mode", "healthy", "lost"),
    [
        pytest.param("binance", Mode.CROSS, "0.4", "1", id="binance rises"),
        pytest.param("bybit", Mode.CROSS, "0.99", "1.2", id="bybit rises"),
        pytest.param("okx", Mode.MULTI_ASSET, "6.06", "1", id="okx falls"),
        pytest.param("binance", Mode.PORTFOLIO, "1.06", "1.05", id="uniMMR falls"),
        pytest.param("okx", Mode.CROSS, "1.01", "-3", id="without equity"),
        pytest.param("bybit", Mode.CROSS, "0", "-2", id="maintenance over lost equity"),
    ],
)
def test_a_rate_is_read_in_its_own_direction(
    venue: str, mode: Mode, healthy: str, lost: str
) -> None:
    rate = rate_for(venue=venue, mode=mode)
    assert not rate.is_liquidatable(D(healthy))
    assert rate.is_liquidatable(D(lost))


def test_each_venue_watches_one_number_by_its_own_name() -> None:
    known = [(o.venue, o.mode.value, o.name, o.direction.value, o.limit) for o in RATES]
    assert known == [
        ("binance", "cross", "totalMaintMargin/totalMarginBalance", "rises", 1),
        ("binance", "multi_asset", "totalMaintMargin/totalMarginBalance", "rises", 1),
        ("binance", "portfolio", "uniMMR", "falls", D("1.05")),
        ("bybit", "cross", "accountMMRate", "rises", 1),
        ("bybit", "portfolio", "accountMMRate", "rises", 1),
        ("okx", "isolated", "mgnRatio", "falls", 1),
        ("okx", "cross", "mgnRatio", "falls", 1),
        ("okx", "multi_asset", "mgnRatio", "falls", 1),
        ("okx", "portfolio", "mgnRatio", "falls", 1),
        ("bitget", "isolated", "marginRatio", "rises", 1),
        ("kucoin", "cross", "riskRatio", "rises", 1),
    ]


@pytest.mark.parametrize("one", RATES, ids=[f"{one.venue} {one.mode}" for one in RATES])
def test_half_the_maintenance_of_equity_uses_half_of_the_limit_whatever_the_direction(
    one: AccountRate,
) -> None:
    used = one.usage(one.of(equity=D(200), maintenance=D(100)))
    falls = one.direction is Direction.FALLS
    assert used == (one.limit / 2 if falls else 1 / (2 * one.limit))
    more = one.usage(one.of(equity=D(200), maintenance=D(150)))
    assert more is not None
    assert more > used
    assert one.is_liquidatable(one.of(equity=D(-1), maintenance=D(100)))
    assert one.is_liquidatable(one.of(equity=D(-1), maintenance=D(0)))
    assert not one.is_liquidatable(one.of(equity=D(1), maintenance=D(0)))
    assert not one.is_liquidatable(one.of(equity=D(0), maintenance=D(0)))


def test_what_divides_by_nothing_is_infinite_on_the_side_where_it_stands() -> None:
    rises, falls = rate_for(venue="bybit", mode=Mode.CROSS), rate_for(venue="okx", mode=Mode.CROSS)
    assert rises.of(equity=D(0), maintenance=D(1)) == INFINITE
    assert falls.of(equity=D(1), maintenance=D(0)) == INFINITE


def test_an_account_worth_less_than_one_has_a_rate_like_any_other() -> None:
    rises, falls = rate_for(venue="bybit", mode=Mode.CROSS), rate_for(venue="okx", mode=Mode.CROSS)
    assert rises.of(equity=D("0.5"), maintenance=D("0.25")) == D("0.5")
    assert falls.of(equity=D("0.5"), maintenance=D("0.25")) == 2


@pytest.mark.parametrize(
    ("venue", "mode", "rate", "stage"),
    [
        pytest.param("binance", Mode.PORTFOLIO, "1.6", "", id="free"),
        pytest.param("binance", Mode.PORTFOLIO, "1.4", "warned", id="warned"),
        pytest.param("binance", Mode.PORTFOLIO, "1.1", "reduce_only", id="reduce only"),
        pytest.param("binance", Mode.PORTFOLIO, "0", "liquidation", id="nothing left"),
        pytest.param("kucoin", Mode.CROSS, "0.96", "orders_cancelled", id="orders go first"),
        pytest.param("kucoin", Mode.CROSS, "-1", "liquidation", id="equity below 0"),
        pytest.param("bybit", Mode.CROSS, "2", "", id="no stages known"),
        pytest.param("binance", Mode.PORTFOLIO, "1.5", "warned", id="just warned"),
        pytest.param("binance", Mode.PORTFOLIO, "1.51", "", id="just before"),
        pytest.param("kucoin", Mode.CROSS, "0.95", "orders_cancelled", id="just cancelled"),
        pytest.param("kucoin", Mode.CROSS, "1", "liquidation", id="just all of it"),
    ],
)
def test_stages_before_liquidation_are_told_by_name(
    venue: str, mode: Mode, rate: str, stage: str
) -> None:
    assert rate_for(venue=venue, mode=mode).stage(D(rate)) == stage


def test_a_stage_that_begins_where_nothing_is_left_is_reached_there_and_not_before() -> None:
    empty = replace(rate_for(venue="okx", mode=Mode.CROSS), stages=(("empty", D(0)),))
    assert [empty.stage(D(rate)) for rate in ("2", "0.5", "0", "-1")] == ["", "", "empty", "empty"]


def test_a_limit_other_than_one_is_where_all_of_it_is_used() -> None:
    early = replace(rate_for(venue="bybit", mode=Mode.CROSS), limit=D("0.8"))
    assert early.usage(D("0.4")) == D("0.5")
    assert early.is_liquidatable(D("0.8"))
    assert rate_for(venue="binance", mode=Mode.PORTFOLIO).usage(D("0.5")) == D("2.1")


def test_an_account_without_a_known_rate_is_named() -> None:
    with pytest.raises(NoRule, match="no account rate for cross at dydx; known are: binance cross"):
        rate_for(venue="dydx", mode=Mode.CROSS)
