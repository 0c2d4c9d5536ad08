"""What do rows of Hyperliquid mean, one by one?"""

import itertools
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import MarginRelease
from bot.domain.position import MarginMode
from bot.errors import Incomplete
from bot.exchanges.hyperliquid import parse
from bot.exchanges.hyperliquid.adapter import _check_whole
from bot.exchanges.hyperliquid.write import plain, worst
from bot.margin.assess import assess

PUBLISHED: dict[str, Any] = {
    "assetPositions": [{
        "position": {
            "coin": "ETH",
            "cumFunding": {"allTime": "514.085417", "sinceChange": "0.0", "sinceOpen": "0.0"},
            "entryPx": "2986.3",
            "leverage": {"rawUsd": "-95.059824", "type": "isolated", "value": 20},
            "liquidationPx": "2866.26936529", "marginUsed": "4.967826", "maxLeverage": 50,
            "positionValue": "100.02765", "returnOnEquity": "-0.0026789", "szi": "0.0335",
            "unrealizedPnl": "-0.0134",
        },
        "type": "oneWay",
    }],
    "crossMarginSummary": {
        "accountValue": "13104.514502", "totalMarginUsed": "0.0", "totalNtlPos": "0.0",
        "totalRawUsd": "13104.514502",
    },
    "marginSummary": {
        "accountValue": "13109.482328", "totalMarginUsed": "4.967826", "totalNtlPos": "100.02765",
        "totalRawUsd": "13009.454678",
    },
    "time": 1708622398623,
    "withdrawable": "13104.514502",
}  # fmt: skip
"""The sample on the venue's page on perpetuals."""


def listed(**changes: Any) -> dict[str, Any]:
    row = {"szDecimals": 4, "name": "ETH", "maxLeverage": 50, "marginTableId": 50} | changes
    tiers = [{"lowerBound": "0.0", "maxLeverage": 50}]
    return {
        "universe": [{"szDecimals": 0, "name": "OLD", "maxLeverage": 3, "marginTableId": 3}, row],
        "marginTables": [[50, {"description": "", "marginTiers": tiers}]],
    }


OLD, ETH = parse.coins(listed())


def test_the_published_sample_adds_up_and_its_liquidation_price_is_ours() -> None:
    (row,) = PUBLISHED["assetPositions"]
    found = parse.held(row["position"], ETH)
    _check_whole(PUBLISHED, [found])
    position = found.position
    # -95.059824 + 0.0335 * 2986.3
    assert (position.margin, position.mark_price) == (D("4.981226"), D("2985.9"))
    assert (position.margin_mode, position.leverage_setting) == (MarginMode.ISOLATED, D(20))
    assert position.margin + D("-0.0134") == found.used
    rules = parse.instrument(
        ETH, mark=D("2985.9"), taker_fee=D("0.00045"), margin_step=D("0.01"),
        margin_release=MarginRelease.UNKNOWN,
    )  # fmt: skip
    ours = assess(position, rules).liquidation_price
    assert ours is not None
    assert abs(ours - D("2866.26936529")) < D("1e-6") / D("0.0335")  # of six decimals of rawUsd
    wallet = parse.wallet(PUBLISHED, [])
    assert (wallet.total, wallet.free) == (D("13104.514502"), D("13104.514502"))


def test_a_small_table_number_is_a_leverage_and_odd_rules_are_no_matter_to_others() -> None:
    assert [(tier.max_leverage, tier.maintenance_rate) for tier in OLD.tiers] == [(D(3), D(1) / 6)]
    odd, fine = parse.coins(listed() | {"universe": [
        {"szDecimals": 9, "name": "ODD", "maxLeverage": 3, "marginTableId": 3},
        listed()["universe"][1],
    ]})  # fmt: skip
    assert "szDecimals of ODD" in odd.problem
    assert (fine.problem, fine.asset, fine.symbol) == ("", 1, "ETH/USDC:USDC")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"marginTableId": 51}, "marginTableId", id="no such table"),
        pytest.param({"maxLeverage": 40}, "marginTableId", id="another leverage"),
        pytest.param({"isDelisted": "no"}, "isDelisted", id="no flag"),
        pytest.param({"szDecimals": -1}, "szDecimals", id="below 0"),
        pytest.param({"szDecimals": None}, "szDecimals", id="none"),
    ],
)
def test_odd_rules_have_their_reason(changes: dict[str, Any], why: str) -> None:
    assert why in parse.coins(listed(**changes))[1].problem


@pytest.mark.parametrize(
    "tiers",
    [
        [],
        [{"lowerBound": "1.0", "maxLeverage": 50}],
        [{"lowerBound": "0.0", "maxLeverage": 50}, {"lowerBound": "0.0", "maxLeverage": 20}],
        [{"lowerBound": "0.0", "maxLeverage": 50}, {"lowerBound": "5.0", "maxLeverage": 60}],
        [{"lowerBound": "0.0", "maxLeverage": 0}],
    ],
)
def test_a_table_that_makes_no_sense_is_missed_by_who_needs_it(tiers: list[Any]) -> None:
    found = parse.coins(listed() | {"marginTables": [[50, {"marginTiers": tiers}]]})
    assert found[1].problem
    assert not found[0].problem


@pytest.mark.parametrize("names", [["ETH", "ETH"], []])
def test_names_stand_once_in_a_list_that_is_not_empty(names: list[str]) -> None:
    universe = [listed()["universe"][1] | {"name": name} for name in names]
    with pytest.raises(Incomplete, match="universe"):
        parse.coins(listed() | {"universe": universe})


@given(
    mark=st.decimals("0.00001", "200000", places=5),
    places=st.integers(0, 5),
    share=st.decimals("0.01", "1.99", places=2),
)
def test_every_multiple_of_our_step_is_a_price_up_to_twice_the_mark(
    mark: D, places: int, share: D
) -> None:
    step = parse.price_step(mark, places)
    price = (mark * share / step).to_integral_value() * step
    assert price == 0 or parse.is_price(price, places)


@given(
    trigger=st.decimals("0.001", "200000", places=3),
    places=st.integers(0, 5),
    is_buy=st.booleans(),
)
def test_the_worst_price_of_a_stop_is_one_the_venue_takes_behind_its_trigger(
    trigger: D, places: int, is_buy: bool
) -> None:
    price = worst(trigger, places, is_buy=is_buy)
    assert price > 0
    assert parse.is_price(price, places)
    step = parse.price_step(trigger, places)
    assert price >= trigger if is_buy else price <= max(trigger, step)


@given(st.decimals("-99999", "99999", allow_nan=False, places=9))
def test_plain_digits_are_the_same_number_without_zeros_behind(value: D) -> None:
    text = plain(value)
    assert D(text) == value
    assert "E" not in text.upper()
    assert not ("." in text and text.endswith(("0", ".")))


def test_bars_are_over_and_follow_each_other() -> None:
    hour = 3_600_000
    rows = [
        {"t": n * hour, "s": "ETH", "o": "1", "h": "3", "l": "1", "c": str(n)}
        for n in (1, 2, 4, 5, 6)
    ]
    found = parse.bars(parse.candles(rows, "ETH", "ETH"), seconds=3600, now_ms=6 * hour + hour // 2)
    assert found.close == (4.0, 5.0)
    for turned in itertools.permutations(rows[:2]):
        if list(turned) != rows[:2]:
            with pytest.raises(Incomplete, match="ascend"):
                parse.candles(list(turned), "ETH", "ETH")
