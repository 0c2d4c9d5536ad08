"""What rows of Bybit mean, and that a broken field of any of them is named."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.instrument import Contract, MarginRelease
from bot.domain.ledger import RowKind
from bot.domain.market import Bars
from bot.errors import Incomplete
from bot.exchanges.bybit import ledger, parse
from bot.exchanges.numbers import table
from bot.margin.assess import assess
from tests.kit.builders import an_instrument
from tests.kit.bybit_golden import REPLIES
from tests.kit.spoiled import JUNK, drop, put, ways

TERMS = parse.Terms(symbol="SOL/USDT:USDT", taker_fee=D("0.00055"), is_isolated=True)
NOW_MS = 1767614400000


def result(key: str) -> Any:
    return REPLIES[key]["result"]


HELD = result("GET /v5/position/list?settleCoin=USDT")["list"][0]
CONTRACT = result("GET /v5/market/instruments-info")["list"][0]
LIMITS = result("GET /v5/market/risk-limit?symbol=SOLUSDT")["list"]
LINE = result("GET /v5/account/transaction-log")["list"][1]
MOVED = result("GET /v5/asset/transfer/query-inter-transfer-list")["list"][0]


def position(body: Any) -> None:
    assess(parse.position(table(body, "row"), TERMS), an_instrument())


def rules(body: Any) -> None:
    parse.instrument(
        table(body, "row"), (), taker_fee=D("0.001"), margin_step=D("0.1"),
        margin_release=MarginRelease.UNKNOWN,
    )  # fmt: skip


def rows_of(body: Any) -> list[dict[str, Any]]:
    return [table(row, "row") for row in table({"x": body}, "x")["x"]]


PARSERS: dict[str, tuple[Callable[[Any], object], Any]] = {
    "position": (position, HELD),
    "contract": (rules, CONTRACT),
    "tier": (lambda b: parse.tiers([table(b, "row")], "SOLUSDT"), LIMITS[0]),
    "stop": (
        lambda b: parse.stop(table(b, "row"), "SOL/USDT:USDT"),
        result("GET /v5/order/realtime?orderFilter=StopOrder")["list"][0],
    ),
    "balances": (
        lambda b: parse.unified_wallet(parse.balances(table(b, "wallet"))["USDT"], None, []),
        result("GET /v5/account/wallet-balance"),
    ),
    "funds": (
        lambda b: parse.funding_wallets(table(b, "funds"), frozenset({"USDT"})),
        result("GET /v5/asset/transfer/query-account-coins-balance"),
    ),
    "market": (
        lambda b: parse.market(
            table(b, "mark"), "SOL", at_ms=NOW_MS, bars=Bars(), depth=table(b, "book")
        ),
        result("GET /v5/market/tickers?symbol=SOLUSDT")["list"][0]
        | result("GET /v5/market/orderbook"),
    ),
    "bars": (
        lambda b: parse.bars(table(b, "bars"), "SOL", seconds=3600, now_ms=NOW_MS),
        result("GET /v5/market/mark-price-kline"),
    ),
    "line": (
        lambda b: ledger.log_rows([table(b, "row")], [], {}, newest_ms=NOW_MS),
        LINE,
    ),
    "transfer": (lambda b: ledger.transfer_rows([table(b, "row")], []), MOVED),
}


def as_received(body: Any) -> Any:
    """Return a body as the adapter gets it: every number as it was written."""
    return json.loads(json.dumps(body), parse_float=str, parse_constant=str)


def broken_bodies(body: Any) -> Iterator[Any]:
    for way in ways(body):
        yield drop(body, way)
        for junk in JUNK:
            yield put(body, way, junk)


@pytest.mark.parametrize("name", PARSERS)
def test_any_field_that_is_junk_or_absent_is_read_or_named(name: str) -> None:
    read, body = PARSERS[name]
    read(as_received(body))
    refused = 0
    for broken in broken_bodies(body):
        if name == "balances":  # a coin that vanished is missed by who asked for it
            with contextlib.suppress(Incomplete, KeyError):
                read(as_received(broken))
            continue
        try:
            read(as_received(broken))
        except Incomplete as error:
            refused += 1
            assert str(error)  # noqa: PT017 - either is right
    assert refused > len(JUNK) or name == "balances"


@given(
    marks=st.lists(st.integers(10_000, 20_000), min_size=2, max_size=2),
    added=st.integers(0, 5_000_000),
    leverage=st.integers(1, 50),
    is_long=st.booleans(),
)
def test_what_stands_behind_a_position_does_not_move_with_mark(
    marks: list[int], added: int, leverage: int, is_long: bool
) -> None:
    """The venue's figure does: value at mark over the setting, fee of closing, what was added."""
    found = []
    for cents in marks:
        mark, entry, side = D(cents) / 100, D(150), 1 if is_long else -1
        fee = 50 * entry * (1 - D(side) / leverage) * TERMS.taker_fee
        shown = 50 * mark / leverage + fee + D(added) / 10_000
        row = HELD | {
            "markPrice": str(mark),
            "leverage": str(leverage),
            "positionIM": format(shown.quantize(D("1e-8")), "f"),
            "side": "Buy" if is_long else "Sell",
        }
        found.append(parse.position(row, TERMS).margin)
    wanted = D(50) * 150 / leverage + D(added) / 10_000
    assert all(abs(margin - wanted) <= D("2e-8") for margin in found)


def test_the_record_of_a_cross_position_shows_no_added_margin() -> None:
    """Fields of a row that the venue returned: of a short of 0.01 at 30x nothing was added."""
    row = HELD | {
        "side": "Sell", "size": "0.01", "avgPrice": "3642.075", "markPrice": "3642.33",
        "leverage": "30", "positionIM": "1.23480936", "positionMM": "0.20281586",
    }  # fmt: skip
    margin = parse.position(row, TERMS).margin
    assert abs(margin - D("36.42075") / 30) < D("1e-6")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"side": "Sell", "positionIdx": 1}, "must fit positionIdx 1", id="leg"),
        pytest.param({"side": "None"}, "side", id="no side"),
        pytest.param({"positionIdx": 3}, "positionIdx", id="no leg"),
        pytest.param({"autoAddMargin": 2}, "autoAddMargin", id="no flag"),
        pytest.param({"leverage": "0"}, "leverage", id="no leverage"),
        pytest.param({"positionIM": ""}, "positionIM", id="no margin"),
    ],
)
def test_a_row_that_contradicts_itself_is_named(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Incomplete, match=why):
        parse.position(HELD | changes, TERMS)


def test_no_liquidation_price_is_none_and_not_zero() -> None:
    assert parse.position(HELD | {"liqPrice": ""}, TERMS).venue_liquidation_price is None
    assert parse.position(HELD | {"liqPrice": "0"}, TERMS).venue_liquidation_price is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"maintenanceMargin": "0.5"}, "must fit a leverage", id="in percent"),
        pytest.param({"symbol": "BTCUSDT"}, "must be of SOLUSDT", id="of another"),
        pytest.param({"mmDeduction": "-1"}, "mmDeduction", id="negative"),
    ],
)
def test_a_table_of_tiers_that_cannot_be_relied_on_is_named(
    changes: dict[str, str], why: str
) -> None:
    with pytest.raises(Incomplete, match=why):
        parse.tiers([LIMITS[0] | changes], "SOLUSDT")
    with pytest.raises(Incomplete, match="must not be empty"):
        parse.tiers([], "SOLUSDT")


def test_tiers_begin_where_the_one_below_ends_whatever_their_order() -> None:
    first, second = parse.tiers(LIMITS[::-1], "SOLUSDT")
    assert (first.notional_floor, first.maintenance_amount) == (D(0), D(0))
    assert (second.notional_floor, second.maintenance_amount) == (D(10000), D(35))


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        pytest.param({}, None, id="trades on"),
        pytest.param({"deliveryTime": str(NOW_MS)}, datetime(2026, 1, 5, 12, tzinfo=UTC), id="day"),
        pytest.param({"status": "Closed"}, datetime(1970, 1, 1, tzinfo=UTC), id="ended"),
    ],
)
def test_when_a_contract_ends_is_read(changes: dict[str, str], ends: datetime | None) -> None:
    found = parse.instrument(
        CONTRACT | changes, (), taker_fee=D("0.001"), margin_step=D("0.1"),
        margin_release=MarginRelease.STAYS,
    )  # fmt: skip
    assert found.closes_at == ends


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"stopOrderType": "TakeProfit"}, id="takes profit"),
        pytest.param({"stopOrderType": ""}, id="is no stop"),
        pytest.param({"reduceOnly": False, "closeOnTrigger": False}, id="opens"),
        pytest.param({"positionIdx": 2}, id="opens the other leg"),
        pytest.param({"triggerDirection": 1}, id="rises"),
    ],
)
def test_what_is_no_stop_of_a_position_is_none(changes: dict[str, Any]) -> None:
    _, row = PARSERS["stop"]
    assert parse.stop(row | changes, "SOL/USDT:USDT") is None


def test_a_line_is_split_into_its_parts_or_left_whole_where_they_are_not_its_sum() -> None:
    row = LINE | {"cashFlow": "-3", "fee": "0.5", "funding": "0.25", "change": "-3.25"}
    found = ledger.log_rows([row], [], {"SOLUSDT": "SOL/USDT:USDT"}, newest_ms=NOW_MS)
    assert {(r.kind, r.amount) for r in found} == {
        (RowKind.REALIZED_PNL, D(-3)),
        (RowKind.FEE, D("-0.5")),
        (RowKind.FUNDING, D("0.25")),
    }
    (whole,) = ledger.log_rows([row | {"change": "-9"}], [], {}, newest_ms=NOW_MS)
    assert (whole.kind, whole.amount, whole.symbol) == (RowKind.OTHER, D(-9), "SOLUSDT")


def test_equal_lines_have_ids_that_differ_and_stay() -> None:
    twice = [dict(LINE), dict(LINE)]
    found = ledger.log_rows(twice, [], {}, newest_ms=NOW_MS)
    assert len({row.id for row in found}) == 2
    assert ledger.log_rows(twice, [], {}, newest_ms=NOW_MS) == found


def test_a_spot_trade_is_no_line_of_the_contract_of_the_same_name() -> None:
    row = LINE | {"category": "spot", "type": "CURRENCY_BUY", "cashFlow": "5", "fee": "0",
                  "change": "5"}  # fmt: skip
    (found,) = ledger.log_rows([row], [], {"SOLUSDT": "SOL/USDT:USDT"}, newest_ms=NOW_MS)
    assert (found.symbol, found.kind) == ("", RowKind.OTHER)


def test_a_new_transfer_that_only_the_log_has_waits_for_the_other_list() -> None:
    row = LINE | {"type": "TRANSFER_IN", "change": "10.5", "symbol": "", "category": ""}
    assert ledger.log_rows([row], [], {}, newest_ms=NOW_MS - 60_000) == ()
    (outside,) = ledger.log_rows([row], [], {}, newest_ms=NOW_MS)
    assert (outside.kind, outside.other) == (RowKind.TRANSFER_IN, "")
    assert ledger.log_rows([row], [MOVED], {}, newest_ms=NOW_MS) == ()


# inverse contracts

ETHER = {
    "symbol": "ETHUSD", "side": "Buy", "size": "200", "positionIdx": 0, "autoAddMargin": 0,
    "avgPrice": "1812.70004844", "markPrice": "1812.90", "liqPrice": "1550.80", "leverage": "12",
    "positionIM": "0.01926611", "positionMM": "0",
}  # fmt: skip
"""The venue's own example of an answer to adding 0.01 ether to a position of 200 dollars."""


def test_the_margin_behind_an_inverse_position_is_that_of_the_venues_own_example() -> None:
    """Whose initial margin is still the one at entry: today's is at mark, which is close to it."""
    terms = replace(TERMS, symbol="ETH/USD:ETH", taker_fee=D("0.0006"), contract=Contract.INVERSE)
    at_entry = ETHER | {"markPrice": ETHER["avgPrice"]}
    wanted = D(200) / D("1812.70004844") / 12 + D("0.01")
    assert abs(parse.position(at_entry, terms).margin - wanted) < D("0.00000002")
    assert abs(parse.position(ETHER, terms).margin - wanted) < D("0.000002")


@given(
    side=st.sampled_from([1, -1]),
    size=st.integers(1, 10**7),
    entry=st.integers(10**4, 10**7),
    moved=st.decimals("0.5", "2", places=4),
    leverage=st.integers(1, 100),
    added=st.integers(0, 10**6),
)
def test_what_was_added_to_an_inverse_position_is_found_whatever_the_mark(
    side: int, size: int, entry: int, moved: D, leverage: int, added: int
) -> None:
    price, more, fee = D(entry) / 100, D(added) / 10_000, D("0.00055")
    mark = price * moved
    closing = size / price * (1 + D(side) / leverage) * fee  # at the bankruptcy price
    row = ETHER | {
        "side": "Buy" if side > 0 else "Sell", "size": str(size), "avgPrice": str(price),
        "markPrice": str(mark), "leverage": str(leverage),
        "positionIM": str(size / mark / leverage + closing + more),
    }  # fmt: skip
    terms = replace(TERMS, taker_fee=fee, contract=Contract.INVERSE)
    found = parse.position(row, terms)
    assert found.size == side * size
    assert abs(found.margin - size / price / leverage - more) <= D("0.00000001")


def test_an_inverse_contract_has_no_smallest_value_but_its_smallest_size() -> None:
    row = CONTRACT | {"baseCoin": "BTC", "quoteCoin": "USD", "settleCoin": "BTC"}
    row |= {"lotSizeFilter": {k: v for k, v in CONTRACT["lotSizeFilter"].items()
                              if k != "minNotionalValue"}}  # fmt: skip
    made = parse.instrument(
        row, (), taker_fee=D("0.001"), margin_step=D("0.001"),
        margin_release=MarginRelease.UNKNOWN, contract=Contract.INVERSE,
    )  # fmt: skip
    assert (made.symbol, made.settle, made.min_notional) == ("BTC/USD:BTC", "BTC", D(0))
    assert parse.is_planned(made)
    with pytest.raises(Incomplete, match="minNotionalValue"):
        rules(row)
