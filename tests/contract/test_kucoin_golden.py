"""Every request of the KuCoin adapter, byte for byte, and what a documented reply means.

``golden/kucoin_requests.json`` is what leaves, without key, time and signature.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import Action, AddMargin, CancelStop, RemoveMargin
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionMode
from bot.errors import Incomplete
from tests.kit.builders import NOON
from tests.kit.golden import (
    DONE,
    LONG,
    NAME,
    SHORT,
    SYMBOL,
    Careless,
    Case,
    Stand,
    glances,
    having,
    kept,
    margin,
    nothing,
    order,
    reads_marks,
    reads_rows,
    sees_spot_total,
    sends,
    settles,
    standing,
    stop,
    transfer,
    without,
    written_by_a_careless_adapter,
    written_by_a_generous_library,
)
from tests.kit.kucoin_golden import KUCOIN, REPLIES

REQUESTS: dict[str, list[str]] = kept("kucoin_requests.json")
MODE = "GET /api/v2/position/getPositionMode"
POSITIONS = "GET /api/v1/positions"
DEPOSIT = "POST /api/v1/position/margin/deposit-margin"
WITHDRAW = "POST /api/v1/margin/withdrawMargin"
BY_NAME = "GET /api/v1/orders/byClientOid"
STOPS = "GET /api/v1/stopOrders"
STOP_ID = "235303670076489728"
BY_NUMBER = f"GET /api/v1/orders/{STOP_ID}"
TRANSACTIONS = "GET /api/v1/transaction-history"


def changed(path: str, **changes: Any) -> dict[str, Any]:
    """Return the reply of a path with other fields in its object or its first row."""
    body = REPLIES[path]
    data = body["data"]
    if isinstance(data, list):
        return {path: body | {"data": [data[0] | changes, *data[1:]]}}
    return {path: body | {"data": data | changes}}


HEDGE = changed(MODE, positionMode=1)
NOT_KNOWN = {"code": "100001", "msg": "error.getOrder.orderNotExist"}
NO_STOPS = changed(STOPS, items=[], totalNum=0, totalPage=0)
NO_LINES: dict[str, Any] = {"code": "200000", "data": {"hasMore": False, "dataList": []}}
OPEN: dict[str, Any] = {BY_NAME: REPLIES[STOPS] | {"data": REPLIES[STOPS]["data"]["items"][0]}}
LEDGER = "GET /api/v1/accounts/ledgers"
GONE = {
    "id": "611a1e7c6a053300067a88d9", "currency": "USDT", "amount": "10.5", "fee": "0",
    "balance": "0", "accountType": "MAIN", "bizType": "Transfer", "direction": "out",
    "createdAt": 1767614400100, "context": '{"orderId":"6705f7248c6954000733ecac"}',
}  # fmt: skip
LEFT = changed(LEDGER, items=[GONE], totalNum=1, totalPage=1)
CANCEL = CancelStop(key=LONG, stop_id=STOP_ID, client_id=NAME)


async def look(stand: Stand) -> object:
    seen = await stand.venue.observe()
    (position,) = seen.account.positions
    wallets = {(w.name, w.total, w.free) for w in seen.account.wallets}
    (resting,) = seen.account.stops
    market = seen.markets[0]
    (tier,) = seen.instruments[0].tiers
    return (
        position.key, position.size, position.margin, position.mark_price,
        position.venue_liquidation_price, position.leverage_setting, position.margin_mode,
        wallets, (resting.stop_id, resting.size, resting.stop_price, resting.is_ours),
        (market.mark_at, market.bids[0].price, market.bids[0].size, market.bars.close),
        (tier.maintenance_rate, tier.max_leverage, market.funding_rate),
        seen.account.position_mode,
    )  # fmt: skip


SEEN = (
    LONG, D(50), D("750.0625"), D("151.12"), D("136.445"), D(10), MarginMode.ISOLATED,
    {("futures", D("12000.5"), D("11990.75")), ("spot", D("4999.625"), D("4999.125"))},
    (STOP_ID, D(50), D(140), True),
    (NOON - timedelta(milliseconds=250), D("151.1"), D(5), (151.0, 151.12)),
    (D("0.0106"), D(40), D("0.000072")),
    PositionMode.ONE_WAY,
)  # fmt: skip


def moves(does: AddMargin | RemoveMargin, before: str, after: str, **hedge: Any) -> Case:
    """Return the settling of a move that a position shows between two looks at it."""

    async def settling(stand: Stand) -> object:
        stand.recorder.replies |= changed(POSITIONS, posMargin=before, **hedge)
        await stand.venue.observe()
        lost: Any = TimeoutError()
        stand.recorder.replies[DEPOSIT] = stand.recorder.replies[WITHDRAW] = lost
        await stand.send(does)
        stand.recorder.replies |= changed(POSITIONS, posMargin=after, **hedge)
        stand.recorder.requests.clear()
        return await stand.settle(does)

    return Case(does=settling, means=None)


CASES: dict[str, Case] = {
    "start": Case(does=nothing, means=None),
    "look": Case(does=look, means=SEEN),
    "look, nothing listed in the funding account": Case(
        does=sees_spot_total,
        means=D(0),
        replies={"GET /api/v1/accounts": {"code": "200000", "data": []}},
    ),
    "glance": Case(does=glances(SYMBOL), means={"SOL/USDT:USDT": D("151.12")}),
    "add margin": Case(does=sends(margin(AddMargin)), means=(DONE, D("12.75"))),
    "add margin, hedge long": Case(
        does=sends(margin(AddMargin)),
        means=(DONE, D("12.75")),
        replies=HEDGE | changed(DEPOSIT, positionSide="LONG"),
    ),
    "remove margin": Case(does=sends(margin(RemoveMargin)), means=(DONE, D("12.75"))),
    "remove margin, hedge short": Case(
        does=sends(margin(RemoveMargin, SHORT)), means=(DONE, D("12.75")), replies=HEDGE
    ),
    "transfer in": Case(does=sends(transfer("spot", "futures")), means=(DONE, D("10.5"))),
    "transfer out": Case(does=sends(transfer("futures", "spot")), means=(DONE, D("10.5"))),
    "reduce a long": Case(does=sends(order(LONG)), means=(DONE, D(7))),
    "reduce a short": Case(does=sends(order(SHORT)), means=(DONE, D(7))),
    "reduce a long, partly filled": Case(
        does=sends(order(LONG)),
        means=(DONE, D(4)),
        replies=changed(BY_NAME, filledSize=40, cancelExist=True),
    ),
    "reduce, hedge long": Case(does=sends(order(LONG)), means=(DONE, D(7)), replies=HEDGE),
    "reduce, hedge short": Case(does=sends(order(SHORT)), means=(DONE, D(7)), replies=HEDGE),
    "place a stop under a long": Case(does=sends(stop(LONG)), means=(DONE, D(1)), replies=OPEN),
    "place a stop over a short": Case(does=sends(stop(SHORT)), means=(DONE, D(1)), replies=OPEN),
    "place a stop for all that is open": Case(
        does=sends(stop(LONG, None)), means=(DONE, D(1)), replies=OPEN
    ),
    "place a stop, hedge short": Case(
        does=sends(stop(SHORT)), means=(DONE, D(1)), replies=HEDGE | OPEN
    ),
    "cancel a stop": Case(does=sends(CANCEL), means=(DONE, D(1))),
    "settle an add": replace(moves(margin(AddMargin), "750.0625", "762.8125"), means=D("12.75")),
    "settle a remove": replace(
        moves(margin(RemoveMargin), "750.0625", "737.3125"), means=D("12.75")
    ),
    "settle an add that is not there": replace(
        moves(margin(AddMargin), "750.0625", "750.0625"), means=D(0)
    ),
    "settle an add beside another": replace(
        moves(margin(AddMargin), "750.0625", "763.8125"), means=None
    ),
    "settle a transfer in": Case(does=settles(transfer("spot", "futures")), means=D("10.5")),
    "settle a transfer out": Case(does=settles(transfer("futures", "spot")), means=D("10.5")),
    "settle a transfer that is not there": Case(
        does=settles(transfer("spot", "futures")),
        means=D(0),
        replies={f"{TRANSACTIONS}?type=TransferIn": NO_LINES},
    ),
    "settle a transfer that is on its way": Case(
        does=settles(transfer("spot", "futures")),
        means=None,
        replies={f"{TRANSACTIONS}?type=TransferIn": NO_LINES, **LEFT},
    ),
    "settle a reduction": Case(does=settles(order(LONG)), means=D(7)),
    "settle a reduction that is not known": Case(
        does=settles(order(LONG)), means=D(0), replies={BY_NAME: NOT_KNOWN}
    ),
    "settle a stop": Case(does=settles(stop(LONG)), means=D(1), replies=OPEN),
    "settle a stop that only the list knows": Case(
        does=settles(stop(LONG)), means=D(1), replies={BY_NAME: NOT_KNOWN}
    ),
    "settle a stop that is not known": Case(
        does=settles(stop(LONG)), means=D(0), replies={BY_NAME: NOT_KNOWN, **NO_STOPS}
    ),
    "settle a cancel": Case(does=settles(CANCEL), means=D(1)),
    "settle a cancel of what has fired": Case(
        does=settles(CANCEL), means=D(0), replies=changed(BY_NUMBER, stopTriggered=True)
    ),
    "settle a cancel of what is long forgotten": Case(
        does=settles(CANCEL), means=D(1), replies={BY_NUMBER: NOT_KNOWN, **NO_STOPS}
    ),
    "ledger": Case(
        does=reads_rows("kind", "amount", "symbol"),
        means={
            (RowKind.TRANSFER_IN, D("10.5"), ""),
            (RowKind.TRANSFER_OUT, D("-10.5"), ""),
            (RowKind.FUNDING, D("-0.5436"), "SOL/USDT:USDT"),
        },
    ),
    "marks of each hour": Case(does=reads_marks(SYMBOL), means=[151.0, 151.12]),
}


# what the table catches: each of these is one line of a careless adapter


@pytest.mark.parametrize(
    ("name", "careless"),
    [
        pytest.param("add margin", having(margin="12"), id="rounded"),
        pytest.param("add margin", having(margin=12.75), id="a number"),
        pytest.param("add margin", having(margin="12.750"), id="another spelling"),
        pytest.param("add margin", having(margin="-12.75"), id="negative"),
        pytest.param("add margin", having(bizNo="8d3c6a2f"), id="random name"),
        pytest.param("add margin", without("bizNo"), id="no name"),
        pytest.param("add margin", having(currency="USDT"), id="a parameter too many"),
        pytest.param("add margin, hedge long", without("positionSide"), id="no leg"),
        pytest.param("add margin, hedge long", having(positionSide="SHORT"), id="another leg"),
        pytest.param("remove margin", having(withdrawAmount="-12.75"), id="negative, out"),
        pytest.param("reduce a long", without("reduceOnly"), id="no reduce-only flag"),
        pytest.param("reduce a long", having(clientOid="e847386590ce4dBC"), id="random id"),
        pytest.param("reduce a long", having(side="buy"), id="the side that grows it"),
        pytest.param("reduce a long", without("timeInForce"), id="an order that rests"),
        pytest.param("reduce a long", having(marginMode="CROSS"), id="another margin mode"),
        pytest.param("reduce a long", having(leverage=1), id="the library's leverage"),
        pytest.param("reduce a long", having(size=7), id="coins for lots"),
        pytest.param("place a stop under a long", having(stopPriceType="TP"), id="on last price"),
        pytest.param("place a stop under a long", having(stop="up"), id="the other way"),
        pytest.param("transfer in", having(fromAccountType="CONTRACT"), id="the way back"),
        pytest.param("transfer in", having(amount="1E+1"), id="an exponent"),
        pytest.param("transfer in", without("clientOid"), id="no name of a transfer"),
        pytest.param("transfer out", having(recAccountType="TRADE"), id="to another wallet"),
    ],
)
async def test_the_table_catches_a_careless_request(
    monkeypatch: pytest.MonkeyPatch, name: str, careless: Careless
) -> None:
    done = await written_by_a_careless_adapter(monkeypatch, KUCOIN, CASES[name], careless)
    (posted,) = done.posts
    assert posted not in REQUESTS[name]


async def test_a_parameter_that_the_library_adds_by_itself_stops_the_request() -> None:
    done = await written_by_a_generous_library(KUCOIN, margin(AddMargin), remark="broker")
    assert done.found == (Outcome.REJECTED, "request_mismatch")
    assert done.posts == []


@pytest.mark.parametrize(
    ("action", "word"),
    [(transfer("spot", "futures"), "TransferIn"), (transfer("futures", "spot"), "TransferOut")],
)
async def test_an_equal_move_from_before_the_send_is_no_evidence(action: Action, word: str) -> None:
    """Also where the venue shows more than it was asked for."""
    path = f"{TRANSACTIONS}?type={word}"
    (line,) = REPLIES[path]["data"]["dataList"]
    old = line | {"time": int(NOON.timestamp() * 1000) - 501}
    async with standing(KUCOIN, changed(path, dataList=[old])) as stand:
        assert await stand.settle(action) == 0


async def test_an_equal_move_that_left_before_the_send_is_no_evidence_either() -> None:
    old = GONE | {"createdAt": int(NOON.timestamp() * 1000) - 501}
    replies = {f"{TRANSACTIONS}?type=TransferIn": NO_LINES}
    replies |= changed(LEDGER, items=[old], totalNum=1, totalPage=1)
    async with standing(KUCOIN, replies) as stand:
        assert await stand.settle(transfer("spot", "futures")) == 0


@pytest.mark.parametrize(
    "changes",
    [{"status": "FAILURE"}, {"currency": "USDC"}, {"amount": "10"}, {"applyId": ""},
     {"recAccountType": "TRADE"}],
)  # fmt: skip
async def test_a_transfer_out_that_was_not_taken_as_asked_is_unknown(
    changes: dict[str, Any],
) -> None:
    async with standing(KUCOIN, changed("POST /api/v2/transfer-out", **changes)) as stand:
        assert await stand.send(transfer("futures", "spot")) == (Outcome.UNKNOWN, None)


@pytest.mark.parametrize(
    "changes",
    [{"isActive": True}, {"status": "other"}, {"clientOid": "plother"}, {"symbol": "XBTUSDTM"},
     {"filledSize": 71}],
)  # fmt: skip
async def test_an_order_that_contradicts_itself_or_is_another_proves_nothing(
    changes: dict[str, Any],
) -> None:
    async with standing(KUCOIN, changed(BY_NAME, **changes)) as stand:
        with pytest.raises(Incomplete):
            await stand.settle(order(LONG))


async def test_another_page_than_was_asked_for_proves_nothing() -> None:
    replies = {BY_NAME: NOT_KNOWN} | changed(STOPS, currentPage=2)
    async with standing(KUCOIN, replies) as stand:
        with pytest.raises(Incomplete, match="page 1"):
            await stand.settle(stop(LONG))


async def test_a_bar_beside_the_hours_asked_for_is_left_out() -> None:
    path = "GET /api/v1/kline/query"
    last = REPLIES[path]["data"][-1]
    beside = [last[0] + 3_600_001, *last[1:]]
    replies = {path: REPLIES[path] | {"data": [*REPLIES[path]["data"], beside]}}
    async with standing(KUCOIN, replies) as stand:
        found = await stand.venue.marks(SYMBOL, NOON - timedelta(hours=2))
        assert [candle.close for candle in found] == [151.0, 151.12]


@pytest.mark.parametrize("size", ["0.05", "7.01", "NaN", "-1", "0"])
async def test_a_size_that_is_no_number_of_lots_never_leaves(size: str) -> None:
    async with standing(KUCOIN) as stand:
        before = len(stand.recorder.requests)
        outcome, _ = await stand.send(replace(order(LONG), size=D(size)))
        assert outcome is Outcome.REJECTED
        assert len(stand.recorder.requests) == before
