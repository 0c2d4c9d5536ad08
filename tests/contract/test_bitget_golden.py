"""Every request of the Bitget adapter, byte for byte, and what a documented reply means.

``golden/bitget_requests.json`` is what leaves, without key, time and signature.
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
from tests.kit.bitget_golden import BITGET, REPLIES
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
    written,
    written_by_a_careless_adapter,
    written_by_a_generous_library,
)

REQUESTS: dict[str, list[str]] = kept("bitget_requests.json")
MIX = "/api/v2/mix"
BILLS = f"GET {MIX}/account/bill"
PENDING = f"GET {MIX}/order/orders-plan-pending"
ENDED = f"GET {MIX}/order/orders-plan-history"
MOVED = "GET /api/v2/spot/account/transferRecords"


def changed(path: str, **changes: Any) -> dict[str, Any]:
    """Return the reply of a path whose object has other fields."""
    body = REPLIES[path]
    return {path: body | {"data": body["data"] | changes}}


def listed(path: str, name: str, **changes: Any) -> dict[str, Any]:
    """Return the reply of a path with other fields in the first row of its page."""
    body = REPLIES[path]
    first, *rest = body["data"][name]
    return {path: body | {"data": body["data"] | {name: [first | changes, *rest]}}}


HEDGE = changed(f"GET {MIX}/account/account", posMode="hedge_mode")
NOT_KNOWN = {"code": "40109", "msg": "The data of the order cannot be found", "data": None}
NO_PLANS = changed(PENDING, entrustedList=None, endId=None)
NO_ROWS: dict[str, Any] = {"code": "00000", "msg": "success", "data": []}
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
    LONG, D(50), D("750.0625"), D("151.12"), D("136.055"), D(10), MarginMode.ISOLATED,
    {("futures", D("12000.5"), D("11999.25")), ("spot", D("4999.625"), D("4999.125"))},
    ("2146760", D(50), D(140), True),
    (NOON - timedelta(milliseconds=250), D("151.1"), D(5), (151.0, 151.12)),
    (D("0.0106"), D(50), D("0.000072")),
    PositionMode.ONE_WAY,
)  # fmt: skip


async def old_ledger(stand: Stand) -> object:
    return len(await stand.venue.rows(NOON - timedelta(days=31)))


def filled(**changes: Any) -> dict[str, Any]:
    return changed(f"GET {MIX}/order/detail", **changes)


CASES: dict[str, Case] = {
    "start": Case(does=nothing, means=None),
    "start, demo": Case(does=nothing, means=None, mode="testnet"),
    "add margin, demo": Case(
        does=sends(margin(AddMargin)), means=(DONE, D("12.75")), mode="testnet"
    ),
    "look": Case(does=look, means=SEEN),
    "look, nothing in the spot account": Case(
        does=sees_spot_total,
        means=D(0),
        replies={
            "GET /api/v2/spot/account/assets": {
                "code": "00000",
                "msg": "success",
                "data": [{"coin": "USDT", "available": "0", "frozen": "0", "locked": "0"}],
            }
        },
    ),
    "glance": Case(does=glances(SYMBOL), means={"SOL/USDT:USDT": D("151.12")}),
    "add margin": Case(does=sends(margin(AddMargin)), means=(DONE, D("12.75"))),
    "add margin, hedge long": Case(
        does=sends(margin(AddMargin)), means=(DONE, D("12.75")), replies=HEDGE
    ),
    "add margin, answered with null": Case(
        does=sends(margin(AddMargin)),
        means=(DONE, D("12.75")),
        replies={f"POST {MIX}/account/set-margin": NO_ROWS | {"data": None}},
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
        replies=filled(baseVolume="4", state="canceled"),
    ),
    "reduce, hedge long": Case(does=sends(order(LONG)), means=(DONE, D(7)), replies=HEDGE),
    "reduce, hedge short": Case(does=sends(order(SHORT)), means=(DONE, D(7)), replies=HEDGE),
    "place a stop under a long": Case(does=sends(stop(LONG)), means=(DONE, D(1))),
    "place a stop over a short": Case(does=sends(stop(SHORT)), means=(DONE, D(1))),
    "place a stop, hedge long": Case(does=sends(stop(LONG)), means=(DONE, D(1)), replies=HEDGE),
    "place a stop, hedge short": Case(does=sends(stop(SHORT)), means=(DONE, D(1)), replies=HEDGE),
    "place a stop for all that is open": Case(
        does=sends(stop(LONG, None)), means=(Outcome.REJECTED, None)
    ),
    "cancel a stop": Case(does=sends(CANCEL), means=(DONE, D(1))),
    "settle an add": Case(does=settles(margin(AddMargin)), means=D("12.75")),
    "settle a remove": Case(does=settles(margin(RemoveMargin)), means=D("12.75")),
    "settle an add that is not there": Case(
        does=settles(margin(AddMargin)),
        means=D(0),
        replies={
            f"{BILLS}?businessType=append_margin": NO_ROWS | {"data": {"bills": [], "endId": None}}
        },
    ),
    "settle a transfer": Case(does=settles(transfer("spot", "futures")), means=D("10.5")),
    "settle a transfer that is not known": Case(
        does=settles(transfer("spot", "futures")), means=D(0), replies={MOVED: NO_ROWS}
    ),
    "settle a reduction": Case(does=settles(order(LONG)), means=D(7)),
    "settle a reduction that is not known": Case(
        does=settles(order(LONG)), means=D(0), replies={f"GET {MIX}/order/detail": NOT_KNOWN}
    ),
    "settle a stop": Case(does=settles(stop(LONG)), means=D(1)),
    "settle a stop that is not known": Case(does=settles(stop(LONG)), means=D(0), replies=NO_PLANS),
    "settle a cancel": Case(does=settles(CANCEL), means=D(1), replies=NO_PLANS),
    "settle a cancel of what still rests": Case(does=settles(CANCEL), means=D(0)),
    "settle a cancel of what has fired": Case(
        does=settles(CANCEL),
        means=D(0),
        replies=NO_PLANS
        | listed(f"{ENDED}?orderId=2146760", "entrustedList", planStatus="executed"),
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
    "ledger of more than a month": Case(does=old_ledger, means=8),
    "marks of each hour": Case(does=reads_marks(SYMBOL), means=[151.0, 151.12]),
}


# what the table catches: each of these is one line of a careless adapter


@pytest.mark.parametrize(
    ("name", "careless"),
    [
        pytest.param("add margin", having(amount="12.7"), id="rounded"),
        pytest.param("add margin", having(amount=12.75), id="a number"),
        pytest.param("add margin", having(amount="12.750"), id="another spelling"),
        pytest.param("add margin", having(amount="-12.75"), id="the other direction"),
        pytest.param("remove margin", having(amount="12.75"), id="margin that comes, not goes"),
        pytest.param("add margin", having(marginCoin="USDC"), id="another coin"),
        pytest.param("add margin", having(productType="USDC-FUTURES"), id="another account"),
        pytest.param("add margin, hedge long", having(holdSide="short"), id="another leg"),
        pytest.param("add margin, hedge long", without("holdSide"), id="no leg"),
        pytest.param("reduce a long", without("reduceOnly"), id="no reduce-only flag"),
        pytest.param("reduce a long", having(side="buy"), id="the side that grows it"),
        pytest.param("reduce a long", having(force="gtc"), id="an order that rests"),
        pytest.param("reduce a long", having(marginMode="crossed"), id="the library's margin mode"),
        pytest.param("reduce, hedge long", having(side="sell"), id="the other leg"),
        pytest.param("reduce, hedge long", having(tradeSide="open"), id="an order that opens"),
        pytest.param("place a stop under a long", having(triggerType="fill_price"), id="on last"),
        pytest.param("place a stop under a long", having(planType="profit_plan"), id="no loss"),
        pytest.param(
            "transfer in", having(fromType="usdt_futures", toType="spot"), id="the way back"
        ),
        pytest.param("transfer in", having(amount="1.05E+1"), id="an exponent"),
    ],
)
async def test_the_table_catches_a_careless_request(
    monkeypatch: pytest.MonkeyPatch, name: str, careless: Careless
) -> None:
    done = await written_by_a_careless_adapter(monkeypatch, BITGET, CASES[name], careless)
    (posted,) = done.posts
    assert posted not in REQUESTS[name]


async def test_a_parameter_that_the_library_adds_by_itself_stops_the_request() -> None:
    done = await written_by_a_generous_library(BITGET, margin(AddMargin), channel="broker")
    assert done.found == (Outcome.REJECTED, "request_mismatch")
    assert done.requests == []


@pytest.mark.parametrize("kind", [AddMargin, RemoveMargin])
async def test_an_equal_move_from_before_the_send_is_no_evidence(
    kind: type[AddMargin | RemoveMargin],
) -> None:
    """Also where the venue shows more than it was asked for."""
    word = "append_margin" if kind is AddMargin else "reduce_margin"
    before = str(int(NOON.timestamp() * 1000) - 501)
    action: Action = margin(kind)
    async with standing(
        BITGET, listed(f"{BILLS}?businessType={word}", "bills", cTime=before)
    ) as stand:
        assert await stand.settle(action) == 0


@pytest.mark.parametrize("size", ["0.05", "7.01", "NaN", "-1", "0"])
async def test_a_size_that_is_no_multiple_of_the_lot_never_leaves(size: str) -> None:
    async with standing(BITGET) as stand:
        before = len(stand.recorder.requests)
        outcome, _ = await stand.send(replace(order(LONG), size=D(size)))
        assert outcome is Outcome.REJECTED
        assert len(stand.recorder.requests) == before


@pytest.mark.parametrize("action", [stop(LONG), CANCEL])
async def test_the_list_that_a_stop_leaves_is_read_before_the_one_that_it_enters(
    action: Action,
) -> None:
    """One that fires between two answers would else be in neither."""
    done = await written(BITGET, Case(does=settles(action), means=D(1), replies=NO_PLANS))
    lists = [request.url.partition("?")[0].rpartition("/")[2] for request in done.requests]
    assert lists == ["orders-plan-pending", "orders-plan-history"]
