"""What OKX's words mean, one by one: codes, canonical requests, contracts, tiers, fees, bars."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Contract, MarginRelease
from bot.domain.market import Candle
from bot.errors import Incomplete
from bot.exchanges.amounts import amount_problem
from bot.exchanges.okx import parse
from bot.exchanges.okx.dialect import CODES, is_reduce_only, sent, told
from bot.exchanges.okx.limits import ALLOWED, BUDGETS, OTHER, UNIT, cost
from bot.exchanges.okx.write import _contracts
from bot.exchanges.quota import KEPT, Lane, Meter
from bot.margin import by_rule, isolated
from bot.margin.by_rule import Terms
from bot.margin.rules import Mode
from bot.margin.venues import rule_for
from bot.paper.instruments import CONTRACTS
from bot.paper.okx import market_data
from tests.kit.spoiled import JUNK

values = st.recursive(
    st.sampled_from(JUNK) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "data", "sCode", "msg", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(values)
def test_whatever_is_answered_has_a_code_or_none(body: Any) -> None:
    code, text = told(body)
    assert code is None or 0 < code < 10**9
    assert isinstance(text, str)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"code": "0", "data": [], "msg": ""}, None),
        ({"code": "0", "data": [{"sCode": "0"}], "msg": ""}, None),
        ({"code": "1", "data": [{"sCode": "51008", "sMsg": "no"}], "msg": ""}, 51008),
        ({"code": "2", "data": [{"sCode": "0"}, {"sCode": "51400"}], "msg": ""}, 51400),
        ({"code": "0", "data": [{"sCode": "51400"}], "msg": ""}, 51400),
        ({"code": "1", "data": [], "msg": "All operations failed"}, 1),
        ({"code": "50011", "data": [], "msg": ""}, 50011),
        ({"code": 50011, "msg": ""}, None),
        ("<html></html>", None),
    ],
)
def test_the_code_is_that_of_the_first_refused_item(body: Any, expected: int | None) -> None:
    assert told(body)[0] == expected


def test_codes_that_say_nothing_of_the_effect_are_in_no_set_that_proves_one() -> None:
    unsure = {1, 2, 50001, 50004, 50005, 50013, 50026, 58112, 51016, 51065, 50071}
    assert not unsure & (CODES.no_effect | CODES.throttled)
    assert CODES.denied <= CODES.no_effect
    assert not CODES.throttled & CODES.no_effect


words = st.dictionaries(st.text("abcXYZ", min_size=1, max_size=4), st.text(max_size=6), max_size=4)


@given(words)
def test_an_object_says_what_it_was_given(parameters: dict[str, str]) -> None:
    assert dict(sent("", json.dumps(parameters))) == parameters


@given(st.lists(words, max_size=3))
def test_a_list_says_what_each_of_its_parts_was_given(parts: list[dict[str, str]]) -> None:
    expected = {f"{n}.{key}": word for n, part in enumerate(parts) for key, word in part.items()}
    assert dict(sent("", json.dumps(parts))) == expected


def test_a_field_that_is_said_twice_is_counted_twice() -> None:
    assert sent("", '{"amt":"1","amt":"2"}') == [("amt", "1"), ("amt", "2")]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"reduceOnly": "true"}, True),
        ({"reduceOnly": "false"}, False),
        ({}, False),
        ({"posSide": "long", "side": "sell"}, True),
        ({"posSide": "short", "side": "buy"}, True),
        ({"posSide": "long", "side": "buy", "reduceOnly": "true"}, False),
        ({"posSide": "short", "side": "sell"}, False),
    ],
)
def test_with_legs_the_side_and_without_them_the_flag_tells_what_only_shrinks(
    said: dict[str, str], expected: bool
) -> None:
    for path in ("/api/v5/trade/order", "/api/v5/trade/order-algo"):
        assert is_reduce_only("POST", path, said) is expected
    assert is_reduce_only("POST", "/api/v5/asset/transfer", said) is None


steps = st.sampled_from([D("0.01"), D("0.1"), D(1), D(10), D(1000), D("0.0001")])


@given(steps, steps, st.integers(1, 10**9))
def test_coins_become_exactly_as_many_contracts_and_back(coins: D, lot: D, count: int) -> None:
    size = lot * coins * count
    told_size = _contracts(size, coins)
    assert D(told_size) * coins == size
    assert "E" not in told_size
    assert amount_problem(size, lot * coins) == ""


def test_a_size_that_is_no_number_of_contracts_is_not_sent() -> None:
    assert _contracts(D(1), D(3)) == ""


rates = st.lists(st.integers(1, 400), min_size=1, max_size=5, unique=True).map(sorted)


@given(
    rates,
    st.decimals("0.1", "2000", places=1),
    st.sampled_from([1, -1]),
    st.decimals("1", "100000", places=2),
    st.decimals("0.0001", "0.001", places=4),
    st.decimals("0.01", "0.5", places=3),
)
def test_our_liquidation_price_of_a_position_is_that_of_the_venues_rule(
    found: list[int], size: D, side: int, price: D, fee: D, share: D
) -> None:
    """The step of the size and the fee, as one table, are what the rule takes apart."""
    table = parse.table(
        [
            {"minSz": str(100 * n), "maxSz": str(100 * (n + 1)), "mmr": str(D(rate) / 1000),
             "maxLever": "10"}
            for n, rate in enumerate(found)
        ],
        "X",
    )  # fmt: skip
    tier = parse.tiers(table, "X", held=size, fee=fee)
    ours = isolated.liquidation_price(
        Contract.LINEAR, (tier,), size=side * size, entry_price=price, margin=size * price * share
    )
    raw = [parse.tiers(table, "X", held=step.most, fee=D(0)).maintenance_rate for step in table]
    chosen = raw[next((n for n, step in enumerate(table) if size <= step.most), len(raw) - 1)]
    rule = rule_for(
        venue="okx", mode=Mode.ISOLATED, contract=Contract.LINEAR, day=datetime.now(UTC).date()
    )
    theirs = by_rule.liquidation_price(
        rule,
        Terms(
            size=side * size, entry_price=price, margin=size * price * share,
            tiers=by_rule.flat(chosen), closing_fee=fee,
        ),
    )  # fmt: skip
    if ours is None or theirs is None:
        assert ours == theirs
    else:
        assert abs(ours - theirs) <= theirs * D("1e-20")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"minSz": "1", "maxSz": "5", "mmr": "0.01", "maxLever": "10"}],
        [{"minSz": "0", "maxSz": "5", "mmr": "0", "maxLever": "10"}],
        [
            {"minSz": "0", "maxSz": "5", "mmr": "0.02", "maxLever": "10"},
            {"minSz": "5", "maxSz": "9", "mmr": "0.01", "maxLever": "10"},
        ],
        [
            {"minSz": "0", "maxSz": "9", "mmr": "0.01", "maxLever": "10"},
            {"minSz": "5", "maxSz": "9", "mmr": "0.02", "maxLever": "10"},
        ],
    ],
)
def test_a_table_that_cannot_be_is_named(rows: list[dict[str, str]]) -> None:
    with pytest.raises(Incomplete):
        parse.table(rows, "BTC/USDT:USDT")


@pytest.mark.parametrize(
    ("row", "fee"),
    [
        ({"takerU": "-0.0008", "taker": "-0.0003"}, D("0.0008")),
        ({"takerU": "-0.0002"}, D("0.0005")),
        ({"takerU": "0.0001"}, D("0.0005")),
        ({"takerU": "", "feeGroup": [{"taker": "-0.0006"}, {"taker": "-0.0009"}]}, D("0.0009")),
    ],
)
def test_closing_is_never_taken_to_cost_less_than_the_lowest_tier_or_what_is_told(
    row: dict[str, Any], fee: D
) -> None:
    assert parse.taker_fee(row, "USDT") == fee


@pytest.mark.parametrize("row", [{}, {"taker": "-0.0005"}, {"takerU": "-2"}, {"takerU": "x"}])
def test_a_fee_that_is_not_told_is_not_guessed(row: dict[str, str]) -> None:
    with pytest.raises(Incomplete):
        parse.taker_fee(row, "USDT")


def row_of(**changes: Any) -> dict[str, Any]:
    return market_data._instrument(CONTRACTS["BTCUSDT"]) | changes


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({}, None),
        ({"state": "suspend"}, None),
        ({"expTime": "1772355600000"}, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ({"state": "expired"}, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_swap_ends_when_the_venue_names_a_day_or_lists_it_no_more(
    changes: dict[str, str], ends: datetime | None
) -> None:
    found = parse.instrument(
        row_of(**changes),
        parse.tiers(
            (parse.Tier(most=D(5), rate=D("0.01"), max_leverage=D(10)),),
            "X", held=D(0), fee=D("0.0005"),
        ),
        fee=D("0.0005"),
        margin_step=D("0.01"),
        margin_release=MarginRelease.UNKNOWN,
    )  # fmt: skip
    assert found.closes_at == ends
    assert (found.symbol, found.size_step) == ("BTC/USDT:USDT", D("0.001"))


def held(**changes: str) -> dict[str, str]:
    row = {
        "instId": "SOL-USDT-SWAP", "pos": "5", "posSide": "net", "mgnMode": "isolated",
        "avgPx": "150", "markPx": "151", "margin": "75", "lever": "10", "liqPx": "136.01",
        "mmr": "4",
    }  # fmt: skip
    return row | changes


@pytest.mark.parametrize(
    ("changes", "size", "price"),
    [
        ({}, D(50), D("136.00")),
        ({"pos": "-5", "liqPx": "163.99"}, D(-50), D("164.00")),
        ({"posSide": "short", "liqPx": "163.99"}, D(-50), D("164.00")),
        ({"posSide": "long"}, D(50), D("136.00")),
        ({"liqPx": ""}, D(50), None),
        ({"liqPx": "0"}, D(50), None),
    ],
)
def test_a_position_is_in_coins_and_its_liquidation_price_is_not_the_shown_one_but_a_tick_off(
    changes: dict[str, str], size: D, price: D | None
) -> None:
    found = parse.position(
        held(**changes), "SOL/USDT:USDT", coins=D(10), tick=D("0.01"), is_planned=True
    )
    assert (found.size, found.venue_liquidation_price) == (size, price)


@pytest.mark.parametrize(
    "changes",
    [{"posSide": "long", "pos": "-5"}, {"posSide": "both"}, {"mgnMode": "quick"}, {"margin": ""}],
)
def test_a_position_that_contradicts_itself_is_named(changes: dict[str, str]) -> None:
    with pytest.raises(Incomplete):
        parse.position(
            held(**changes), "SOL/USDT:USDT", coins=D(10), tick=D("0.01"), is_planned=True
        )


def test_bars_begin_after_the_last_gap() -> None:
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    rows = [
        Candle(opened_at=noon + timedelta(hours=n), high=2.0, low=1.0, close=1.0 + n)
        for n in (0, 1, 3, 4)
    ]
    found = parse.bars(rows, seconds=3600)
    assert (found.opened_at, found.close) == (noon + timedelta(hours=3), (4.0, 5.0))
    assert parse.bars([], seconds=3600).opened_at is None


def test_every_endpoint_can_be_asked_in_every_lane_that_asks_it() -> None:
    for name in ALLOWED:
        method, _, path = name.partition(" ")
        assert not path or cost(method, path, "", "").budget == name
        for lane in Lane:
            wanted = lane not in (Lane.GLANCE, Lane.TELEMETRY) or ALLOWED[name] >= 10
            meter = Meter(BUDGETS.limits[name])
            assert not wanted or meter.left(lane, 0.0) >= UNIT, (name, lane, KEPT[lane])
    assert cost("GET", "/api/v5/unheard/of", "", "").budget == OTHER
