"""What Bitget's words mean, one by one: codes, requests, tiers, wallets, stops, the budgets."""

import json
from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Contract, MarginRelease, MarginTier
from bot.domain.position import PositionMode, Side
from bot.errors import Incomplete
from bot.exchanges.bitget import parse
from bot.exchanges.bitget.dialect import CODES, is_reduce_only, sent, told
from bot.exchanges.bitget.limits import ALLOWED, BUDGETS, OTHER, cost
from bot.exchanges.quota import KEPT, Lane, Meter
from bot.margin import by_rule, isolated
from bot.margin.by_rule import Terms
from bot.margin.rules import Mode
from bot.margin.venues import rule_for
from bot.paper.bitget.shape import contract_row
from bot.paper.instruments import CONTRACTS
from tests.kit.spoiled import JUNK

values = st.recursive(
    st.sampled_from(JUNK) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "data", "msg", "x"]), inner, max_size=4)
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
        ({"code": "00000", "msg": "success", "data": ""}, None),
        ({"code": "40008", "msg": "expired", "data": None}, 40008),
        ({"code": "00001", "msg": ""}, 1),
        ({"code": 40008, "msg": ""}, None),
        ({"code": "\uff14", "msg": ""}, None),
        ({"msg": "success"}, None),
        ("<html></html>", None),
    ],
)
def test_a_code_is_digits_that_are_not_those_of_success(body: Any, expected: int | None) -> None:
    assert told(body)[0] == expected


def test_codes_that_say_nothing_of_the_effect_are_in_no_set_that_proves_one() -> None:
    inside = {40010, 40015, 40725, 40782, 40908, 40909, 40910, 42013, 43059, 43137, 45001}
    earlier = {40786, 43118, 45034, 50060}
    assert not (inside | earlier) & (CODES.no_effect | CODES.throttled)
    assert CODES.denied <= CODES.no_effect
    assert not CODES.throttled & CODES.no_effect


words = st.dictionaries(st.text("abcXYZ", min_size=1, max_size=4), st.text(max_size=6), max_size=4)


@given(words)
def test_an_object_says_what_it_was_given(parameters: dict[str, str]) -> None:
    assert dict(sent("", json.dumps(parameters))) == parameters


@given(st.lists(words, max_size=3))
def test_a_list_inside_says_what_each_of_its_parts_was_given(parts: list[dict[str, str]]) -> None:
    expected = {f"l.{n}.{key}": word for n, part in enumerate(parts) for key, word in part.items()}
    assert dict(sent("", json.dumps({"l": parts}))) == expected


def test_a_field_that_is_said_twice_is_counted_twice() -> None:
    assert sent("", '{"amount":"1","amount":"-1"}') == [("amount", "1"), ("amount", "-1")]


ORDER, STOP = "/api/v2/mix/order/place-order", "/api/v2/mix/order/place-tpsl-order"


@pytest.mark.parametrize(
    ("path", "said", "expected"),
    [
        (ORDER, {"side": "sell", "reduceOnly": "YES"}, True),
        (ORDER, {"side": "sell", "reduceOnly": "NO"}, False),
        (ORDER, {"side": "sell"}, False),
        (ORDER, {"side": "buy", "tradeSide": "close"}, True),
        (ORDER, {"side": "buy", "tradeSide": "open", "reduceOnly": "YES"}, False),
        (STOP, {"planType": "loss_plan"}, True),
        (STOP, {"planType": "normal_plan"}, False),
        (STOP, {}, False),
        ("/api/v2/spot/wallet/transfer", {"reduceOnly": "YES"}, None),
    ],
)
def test_with_legs_a_word_and_without_them_the_flag_tells_what_only_shrinks(
    path: str, said: dict[str, str], expected: bool | None
) -> None:
    assert is_reduce_only("POST", path, said) is expected


def table_of(rates: list[int]) -> tuple[parse.Tier, ...]:
    """Return a table of a step each 5,000, of rates in thousandths."""
    rows = [
        {"startUnit": str(5000 * n), "keepMarginRate": str(D(rate) / 1000), "leverage": "10"}
        for n, rate in enumerate(rates)
    ]
    return parse.table(rows, "X")


rising = st.lists(st.integers(1, 300), min_size=1, max_size=5, unique=True).map(sorted)


@given(
    rising,
    st.decimals("0.1", "200", places=1),
    st.sampled_from([1, -1]),
    st.decimals("1", "1000", places=2),
    st.decimals("0.0001", "0.001", places=4),
    st.decimals("0.01", "0.5", places=3),
)
def test_our_liquidation_price_of_a_position_is_never_further_than_that_of_the_venues_rule(
    rates: list[int], size: D, side: int, price: D, fee: D, share: D
) -> None:
    """Its steps jump; ours is one step, of the position and of where it is liquidated."""
    steps = table_of(rates)
    rule = rule_for(
        venue="bitget", mode=Mode.ISOLATED, contract=Contract.LINEAR, day=datetime.now(UTC).date()
    )
    theirs = by_rule.liquidation_price(
        rule,
        Terms(
            size=side * size, entry_price=price, margin=size * price * share,
            tiers=tuple(
                MarginTier(
                    notional_floor=step.floor, maintenance_rate=step.rate,
                    maintenance_amount=D(0), max_leverage=D(10),
                )
                for step in steps
            ),
            closing_fee=fee,
        ),
    )  # fmt: skip
    row = {
        "symbol": "X", "total": str(size), "markPrice": str(price),
        "liquidationPrice": "" if theirs is None else format(theirs, "f"),
        "keepMarginRate": str(parse.at(steps, size * price).rate),
    }  # fmt: skip
    ours = isolated.liquidation_price(
        Contract.LINEAR,
        (parse.tier(steps, "X", held=[parse.held(row)], fee=fee),),
        size=side * size,
        entry_price=price,
        margin=size * price * share,
    )
    if theirs is None:
        return
    assert ours is not None
    assert side * (ours - theirs) >= -theirs * D("1e-15")


def test_a_short_that_is_liquidated_where_a_step_begins_is_in_it_however_that_is_rounded() -> None:
    steps = table_of([1, 2])  # the second one from 5,000
    row = {
        "symbol": "X", "total": "16.6", "markPrice": "270.8", "keepMarginRate": "0.001",
        "liquidationPrice": "301.2",
    }  # fmt: skip
    assert parse.tier(steps, "X", held=[parse.held(row)], fee=D(0)).maintenance_rate == D("0.002")


def test_in_the_lowest_step_it_is_the_venues_price() -> None:
    row = {"symbol": "X", "total": "1", "markPrice": "100", "keepMarginRate": "0.01"}
    found = parse.tier(table_of([10, 20]), "X", held=[parse.held(row)], fee=D("0.0006"))
    assert (found.maintenance_rate, found.max_leverage) == (D("0.0106"), D(10))


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"startUnit": "1", "keepMarginRate": "0.01", "leverage": "10"}],
        [{"startUnit": "0", "keepMarginRate": "0", "leverage": "10"}],
        [
            {"startUnit": "0", "keepMarginRate": "0.02", "leverage": "10"},
            {"startUnit": "5", "keepMarginRate": "0.01", "leverage": "10"},
        ],
        [
            {"startUnit": "0", "keepMarginRate": "0.01", "leverage": "10"},
            {"startUnit": "0", "keepMarginRate": "0.02", "leverage": "10"},
        ],
    ],
)
def test_a_table_that_cannot_be_is_named(rows: list[dict[str, str]]) -> None:
    with pytest.raises(Incomplete):
        parse.table(rows, "BTC/USDT:USDT")


@pytest.mark.parametrize("fee", ["", "0", "-0.0006", "1", "x", None])
def test_a_fee_that_is_not_told_is_not_guessed(fee: str | None) -> None:
    with pytest.raises(Incomplete):
        parse.taker_fee({"symbol": "BTCUSDT", "takerFeeRate": fee})


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({}, None),
        ({"symbolStatus": "maintain"}, None),
        ({"offTime": "1772355600000"}, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ({"symbolStatus": "off"}, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_contract_ends_when_the_venue_names_a_day_or_lists_it_no_more(
    changes: dict[str, str], ends: datetime | None
) -> None:
    found = parse.instrument(
        contract_row(CONTRACTS["BTCUSDT"]) | changes,
        parse.tier(table_of([10]), "X", held=(), fee=D("0.0006")),
        margin_step=D("0.01"),
        margin_release=MarginRelease.UNKNOWN,
    )
    assert found.closes_at == ends
    assert (found.symbol, found.price_step) == ("BTC/USDT:USDT", D("0.1"))


def account(**changes: str) -> dict[str, str]:
    row = {
        "accountEquity": "1050", "unrealizedPL": "20", "available": "900", "maxTransferOut": "890",
    }  # fmt: skip
    return row | changes


@pytest.mark.parametrize(
    ("changes", "total", "free"),
    [
        ({}, D(930), D(890)),
        ({"maxTransferOut": "1000"}, D(930), D(900)),
        ({"unrealizedPL": "-20"}, D(970), D(890)),
        ({"unrealizedPL": "", "isolatedUnrealizedPL": "15", "crossedUnrealizedPL": "5"},
            D(930), D(890)),
    ],
)  # fmt: skip
def test_a_wallet_is_without_profit_and_margins(changes: dict[str, str], total: D, free: D) -> None:
    found = parse.futures_wallet(account(**changes), D(100))
    assert (found.total, found.free) == (total, free)


@pytest.mark.parametrize(
    "changes", [{"unrealizedPL": ""}, {"accountEquity": ""}, {"available": "-1"}]
)
def test_a_wallet_without_a_number_is_named(changes: dict[str, str]) -> None:
    with pytest.raises(Incomplete):
        parse.futures_wallet(account(**changes), D(0))


STOPPED = {
    "planType": "loss_plan", "orderId": "7", "clientOid": "x", "size": "5", "triggerPrice": "140",
    "triggerType": "mark_price", "side": "sell", "posSide": "net",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "mode", "held", "side"),
    [
        ({}, PositionMode.ONE_WAY, Side.LONG, Side.LONG),
        ({"side": "buy"}, PositionMode.ONE_WAY, Side.LONG, Side.LONG),
        ({"side": "buy"}, PositionMode.ONE_WAY, None, Side.SHORT),
        ({"posSide": "short"}, PositionMode.HEDGE, Side.LONG, Side.SHORT),
        ({"posSide": "long", "side": "buy"}, PositionMode.HEDGE, None, Side.LONG),
    ],
)
def test_a_stop_is_of_the_leg_that_it_names_or_of_the_one_position_there_is(
    changes: dict[str, str], mode: PositionMode, held: Side | None, side: Side
) -> None:
    found = parse.stop(STOPPED | changes, "SOL/USDT:USDT", mode, held=held)
    assert found is not None
    assert (found.key.side, found.size) == (side, D(5))


def test_a_plan_that_takes_profit_is_no_stop_and_one_of_the_whole_position_has_no_size() -> None:
    mode = PositionMode.ONE_WAY
    profit = STOPPED | {"planType": "profit_plan"}
    assert parse.stop(profit, "SOL/USDT:USDT", mode, held=None) is None
    whole = parse.stop(STOPPED | {"planType": "pos_loss"}, "SOL/USDT:USDT", mode, held=None)
    assert whole is not None
    assert whole.size is None


def test_every_endpoint_can_be_asked_in_every_lane_that_asks_it() -> None:
    for name in ALLOWED:
        method, _, path = name.partition(" ")
        assert not path or cost(method, path, "", "").budget == name
        for lane in Lane:
            wanted = lane not in (Lane.GLANCE, Lane.TELEMETRY) or ALLOWED[name] >= 20
            meter = Meter(BUDGETS.limits[name])
            needed = cost(method, path, "", "").weight
            assert not wanted or meter.left(lane, 0.0) >= needed, (name, lane, KEPT[lane])
    assert cost("GET", "/api/v2/unheard/of", "", "").budget == OTHER
