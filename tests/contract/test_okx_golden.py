"""Every request of the OKX adapter, byte for byte, and what a documented reply means.

``golden/okx_requests.json`` is what leaves, without key, time and signature.
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
from tests.kit.okx_golden import OKX, REPLIES

REQUESTS: dict[str, list[str]] = kept("okx_requests.json")
CONFIG = "GET /api/v5/account/config"
MARGIN = "POST /api/v5/account/position/margin-balance"


def changed(path: str, **changes: Any) -> dict[str, Any]:
    """Return the reply of a path with other fields in its first row."""
    body = REPLIES[path]
    return {path: body | {"data": [body["data"][0] | changes, *body["data"][1:]]}}


HEDGE = changed(CONFIG, posMode="long_short_mode")
NOT_KNOWN = {"code": "51603", "data": [], "msg": "Order does not exist"}
NO_ROWS: dict[str, Any] = {"code": "0", "data": [], "msg": ""}
CANCEL = CancelStop(key=LONG, stop_id="2146760", client_id=NAME)


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
    LONG, D(50), D("750.0625"), D("151.12"), D("136.045"), D(10), MarginMode.ISOLATED,
    {("futures", D("12000.5"), D("11999.25")), ("spot", D("4999.625"), D("4999.125"))},
    ("2146760", D(50), D(140), True),
    (NOON - timedelta(milliseconds=250), D("151.1"), D(5), (151.0, 151.12)),
    (D("0.0105"), D(40), D("0.000072")),
    PositionMode.ONE_WAY,
)  # fmt: skip


async def old_ledger(stand: Stand) -> object:
    return len(await stand.venue.rows(NOON - timedelta(days=8)))


def filled(**changes: Any) -> dict[str, Any]:
    return changed("GET /api/v5/trade/order", **changes)


CASES: dict[str, Case] = {
    "start": Case(does=nothing, means=None),
    "start, test hosts": Case(does=nothing, means=None, mode="testnet"),
    "add margin, test hosts": Case(
        does=sends(margin(AddMargin)), means=(DONE, D("12.75")), mode="testnet"
    ),
    "look": Case(does=look, means=SEEN),
    "look, nothing listed in the funding account": Case(
        does=sees_spot_total, means=D(0), replies={"GET /api/v5/asset/balances": NO_ROWS}
    ),
    "glance": Case(does=glances(SYMBOL), means={"SOL/USDT:USDT": D("151.12")}),
    "add margin": Case(does=sends(margin(AddMargin)), means=(DONE, D("12.75"))),
    "add margin, hedge long": Case(
        does=sends(margin(AddMargin)),
        means=(DONE, D("12.75")),
        replies=HEDGE | changed(MARGIN, posSide="long"),
    ),
    "remove margin": Case(
        does=sends(margin(RemoveMargin)),
        means=(DONE, D("12.75")),
        replies=changed(MARGIN, type="reduce"),
    ),
    "remove margin, hedge short": Case(
        does=sends(margin(RemoveMargin, SHORT)),
        means=(DONE, D("12.75")),
        replies=HEDGE | changed(MARGIN, type="reduce", posSide="short"),
    ),
    "transfer in": Case(does=sends(transfer("spot", "futures")), means=(DONE, D("10.5"))),
    "transfer out": Case(
        does=sends(transfer("futures", "spot")),
        means=(DONE, D("10.5")),
        replies=changed("POST /api/v5/asset/transfer", **{"from": "18", "to": "6"}),
    ),
    "reduce a long": Case(does=sends(order(LONG)), means=(DONE, D(7))),
    "reduce a short": Case(does=sends(order(SHORT)), means=(DONE, D(7))),
    "reduce a long, partly filled": Case(
        does=sends(order(LONG)),
        means=(DONE, D(4)),
        replies=filled(accFillSz="40", state="canceled"),
    ),
    "reduce, hedge long": Case(does=sends(order(LONG)), means=(DONE, D(7)), replies=HEDGE),
    "reduce, hedge short": Case(does=sends(order(SHORT)), means=(DONE, D(7)), replies=HEDGE),
    "place a stop under a long": Case(does=sends(stop(LONG)), means=(DONE, D(1))),
    "place a stop over a short": Case(does=sends(stop(SHORT)), means=(DONE, D(1))),
    "place a stop for all that is open": Case(does=sends(stop(LONG, None)), means=(DONE, D(1))),
    "place a stop, hedge short": Case(does=sends(stop(SHORT)), means=(DONE, D(1)), replies=HEDGE),
    "cancel a stop": Case(does=sends(CANCEL), means=(DONE, D(1))),
    "settle an add": Case(does=settles(margin(AddMargin)), means=D("12.75")),
    "settle a remove": Case(
        does=settles(margin(RemoveMargin)),
        means=D("12.75"),
        replies=changed(
            "GET /api/v5/account/bills?type=6", subType="161", balChg="12.75", posBalChg="-12.75"
        ),
    ),
    "settle an add that is not there": Case(
        does=settles(margin(AddMargin)),
        means=D(0),
        replies={"GET /api/v5/account/bills?type=6": NO_ROWS},
    ),
    "settle a transfer": Case(does=settles(transfer("spot", "futures")), means=D("10.5")),
    "settle a transfer whose name is not known": Case(
        does=settles(transfer("spot", "futures")),
        means=D("10.5"),
        replies={"GET /api/v5/asset/transfer-state": NO_ROWS},
    ),
    "settle a reduction": Case(does=settles(order(LONG)), means=D(7)),
    "settle a reduction that is not known": Case(
        does=settles(order(LONG)), means=D(0), replies={"GET /api/v5/trade/order": NOT_KNOWN}
    ),
    "settle a stop": Case(does=settles(stop(LONG)), means=D(1)),
    "settle a stop that is not known": Case(
        does=settles(stop(LONG)),
        means=D(0),
        replies={
            "GET /api/v5/trade/order-algo": NOT_KNOWN,
            "GET /api/v5/trade/orders-algo-pending": NO_ROWS,
        },
    ),
    "settle a cancel": Case(
        does=settles(CANCEL),
        means=D(1),
        replies=changed("GET /api/v5/trade/order-algo", state="canceled"),
    ),
    "settle a cancel of what has fired": Case(
        does=settles(CANCEL),
        means=D(0),
        replies=changed("GET /api/v5/trade/order-algo", state="effective"),
    ),
    "ledger": Case(
        does=reads_rows("kind", "amount", "symbol"),
        means={
            (RowKind.MARGIN_ADDED, D("12.75"), "SOL/USDT:USDT"),
            (RowKind.TRANSFER_IN, D("10.5"), ""),
            (RowKind.FEE, D("-0.01"), "SOL/USDT:USDT"),
            (RowKind.REALIZED_PNL, D("0.25"), "SOL/USDT:USDT"),
        },
    ),
    "ledger of more than a week": Case(
        does=old_ledger,
        means=4,
        replies={"GET /api/v5/account/bills-archive": REPLIES["GET /api/v5/account/bills"]},
    ),
    "marks of each hour": Case(does=reads_marks(SYMBOL), means=[151.0, 151.12]),
}


# what the table catches: each of these is one line of a careless adapter


@pytest.mark.parametrize(
    ("name", "careless"),
    [
        pytest.param("add margin", having(amt="12"), id="rounded"),
        pytest.param("add margin", having(amt=12.75), id="a number"),
        pytest.param("add margin", having(amt="12.750"), id="another spelling"),
        pytest.param("add margin", having(type="reduce"), id="another direction"),
        pytest.param("add margin", having(amt="-12.75"), id="negative"),
        pytest.param("add margin", having(ccy="USDT"), id="a parameter too many"),
        pytest.param("add margin, hedge long", having(posSide="net"), id="no leg"),
        pytest.param("add margin, hedge long", having(posSide="short"), id="another leg"),
        pytest.param("reduce a long", without("reduceOnly"), id="no reduce-only flag"),
        pytest.param("reduce a long", having(clOrdId="e847386590ce4dBC"), id="random id"),
        pytest.param("reduce a long", having(side="buy"), id="the side that grows it"),
        pytest.param("reduce a long", having(ordType="limit"), id="an order that rests"),
        pytest.param("reduce a long", having(tdMode="cross"), id="the library's margin mode"),
        pytest.param("reduce a long", having(sz="7"), id="coins for contracts"),
        pytest.param("place a stop under a long", without("slTriggerPxType"), id="on last price"),
        pytest.param("transfer in", having(**{"from": "18", "to": "6"}), id="the way back"),
        pytest.param("transfer in", having(amt="1E+1"), id="an exponent"),
        pytest.param("transfer in", without("clientId"), id="no name"),
    ],
)
async def test_the_table_catches_a_careless_request(
    monkeypatch: pytest.MonkeyPatch, name: str, careless: Careless
) -> None:
    done = await written_by_a_careless_adapter(monkeypatch, OKX, CASES[name], careless)
    (posted,) = done.posts
    assert posted not in REQUESTS[name]


@pytest.mark.parametrize(
    ("name", "field"),
    [("reduce a long", "clOrdId"), ("place a stop under a long", "algoClOrdId")],
)
async def test_an_order_without_our_name_never_leaves(
    monkeypatch: pytest.MonkeyPatch, name: str, field: str
) -> None:
    """The library would give it a random one, by which nothing could be settled."""
    done = await written_by_a_careless_adapter(monkeypatch, OKX, CASES[name], without(field))
    assert done.requests == []
    assert done.found == (Outcome.REJECTED, None)


async def test_a_parameter_that_the_library_adds_by_itself_stops_the_request() -> None:
    done = await written_by_a_generous_library(OKX, margin(AddMargin), tag="broker")
    assert done.found == (Outcome.REJECTED, "request_mismatch")
    assert done.requests == []


@pytest.mark.parametrize(
    ("action", "path"),
    [
        (margin(AddMargin), "GET /api/v5/account/bills?type=6"),
        (transfer("spot", "futures"), "GET /api/v5/account/bills?type=1"),
    ],
)
async def test_an_equal_move_from_before_the_send_is_no_evidence(action: Action, path: str) -> None:
    """Also where the venue shows more than it was asked for."""
    old = changed(path, ts=str(int(NOON.timestamp() * 1000) - 501))
    async with standing(OKX, old | {"GET /api/v5/asset/transfer-state": NO_ROWS}) as stand:
        assert await stand.settle(action) == 0


@pytest.mark.parametrize("size", ["0.05", "7.01", "NaN", "-1", "0"])
async def test_a_size_that_is_no_number_of_contracts_never_leaves(size: str) -> None:
    async with standing(OKX) as stand:
        before = len(stand.recorder.requests)
        outcome, _ = await stand.send(replace(order(LONG), size=D(size)))
        assert outcome is Outcome.REJECTED
        assert len(stand.recorder.requests) == before
