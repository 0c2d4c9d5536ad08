"""Every request of the OKX adapter, byte for byte, and what a documented reply means.

``golden/okx_requests.json`` is what leaves, without key, time and signature.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionKey, PositionMode, Side
from bot.exchanges.dialect import Write
from bot.exchanges.okx import adapter as okx
from bot.exchanges.okx.dialect import DIALECT
from bot.exchanges.okx.write import write_for
from tests.kit.builders import NOON
from tests.kit.golden import GOLDEN, LONG, NAME, margin, transfer
from tests.kit.okx_golden import REPLIES, OkxStand, is_signed_well, line, signed_at, standing
from tests.kit.recorder import Recorded

FILE = GOLDEN / "okx_requests.json"
REQUESTS: dict[str, list[str]] = json.loads(FILE.read_text())
SHORT = PositionKey("SOL/USDT:USDT", Side.SHORT)
Does = Callable[[OkxStand], Awaitable[object]]
DONE = Outcome.DONE
CONFIG = "GET /api/v5/account/config"
MARGIN = "POST /api/v5/account/position/margin-balance"


def changed(path: str, **changes: Any) -> dict[str, Any]:
    """Return the reply of a path with other fields in its first row."""
    body = REPLIES[path]
    return {path: body | {"data": [body["data"][0] | changes, *body["data"][1:]]}}


HEDGE = changed(CONFIG, posMode="long_short_mode")
NOT_KNOWN = {"code": "51603", "data": [], "msg": "Order does not exist"}
NO_ROWS: dict[str, Any] = {"code": "0", "data": [], "msg": ""}


def order(key: PositionKey) -> ReducePosition:
    return ReducePosition(key=key, size=D(7), limit_price=D("149.00"))


def stop(key: PositionKey, size: D | None = D(50)) -> PlaceStop:
    return PlaceStop(key=key, size=size, stop_price=D("140.00"), is_needed=True)


CANCEL = CancelStop(key=LONG, stop_id="2146760", client_id=NAME)


async def look(stand: OkxStand) -> object:
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


async def spot_total(stand: OkxStand) -> object:
    found = (await stand.venue.observe()).account.wallet("spot", "USDT")
    return found and found.total


async def glance(stand: OkxStand) -> object:
    return await stand.venue.glance(["SOL/USDT:USDT"])


async def ledger(stand: OkxStand) -> object:
    found = await stand.venue.rows(NOON - timedelta(hours=2))
    return {(row.kind, row.amount, row.symbol) for row in found}


async def old_ledger(stand: OkxStand) -> object:
    return len(await stand.venue.rows(NOON - timedelta(days=8)))


async def history(stand: OkxStand) -> object:
    found = await stand.venue.marks("SOL/USDT:USDT", NOON - timedelta(hours=2))
    return [candle.close for candle in found]


def sends(action: Action) -> Does:
    return lambda stand: stand.send(action)


def settles(action: Action) -> Does:
    return lambda stand: stand.settle(action)


async def nothing(stand: OkxStand) -> object:
    del stand
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One operation and what its documented reply means."""

    does: Does
    means: object
    replies: dict[str, Any] | None = None
    mode: str = "paper"


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
        does=spot_total, means=D(0), replies={"GET /api/v5/asset/balances": NO_ROWS}
    ),
    "glance": Case(does=glance, means={"SOL/USDT:USDT": D("151.12")}),
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
        does=ledger,
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
    "marks of each hour": Case(does=history, means=[151.0, 151.12]),
}


async def recorded(case: Case) -> tuple[list[Recorded], object, OkxStand]:
    """What leaves for one operation, without the start, unless that is the operation."""
    async with standing(case.replies, mode=case.mode) as stand:
        before = 0 if case.does is nothing else len(stand.recorder.requests)
        found = await case.does(stand)
        return stand.recorder.requests[before:], found, stand


@pytest.mark.parametrize("name", CASES)
async def test_exactly_the_golden_requests_leave_and_their_replies_are_understood(
    name: str,
) -> None:
    case = CASES[name]
    requests, found, _ = await recorded(case)
    assert sorted(map(line, requests)) == REQUESTS[name]
    assert found == case.means


def test_every_operation_has_its_golden_requests_and_no_other_has() -> None:
    assert set(CASES) == set(REQUESTS)


@pytest.mark.parametrize("name", CASES)
async def test_every_private_request_is_signed_over_all_of_itself_with_the_journalled_time(
    name: str,
) -> None:
    requests, _, stand = await recorded(CASES[name])
    signed = [request for request in requests if "OK-ACCESS-SIGN" in request.headers]
    assert all(is_signed_well(request) for request in signed)
    assert {signed_at(request) for request in signed} <= {NOON}
    for request in stand.gate.requests:
        assert (request.signed_at, request.window_ms) == (NOON, DIALECT.window_ms)


@pytest.mark.parametrize(
    ("name", "only_shrinks"),
    [
        ("reduce a long", True),
        ("reduce, hedge short", True),
        ("place a stop under a long", True),
        ("place a stop, hedge short", True),
        ("place a stop for all that is open", True),
        ("add margin", None),
        ("cancel a stop", None),
    ],
)
async def test_the_guard_is_told_from_the_bytes_whether_an_order_can_only_shrink(
    name: str, only_shrinks: bool | None
) -> None:
    _, _, stand = await recorded(CASES[name])
    assert [request.is_reduce_only for request in stand.gate.requests] == [only_shrinks]


# what the table catches: each of these is one line of a careless adapter

Careless = Callable[[dict[str, Any]], dict[str, Any]]


def without(name: str) -> Careless:
    return lambda sent: {k: v for k, v in sent.items() if k != name}


def having(**more: Any) -> Careless:
    return lambda sent: sent | more


def canonical(sent: dict[str, Any]) -> dict[str, str]:
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in sent.items()}


async def recorded_of_a_careless_adapter(
    monkeypatch: pytest.MonkeyPatch, name: str, careless: Careless
) -> tuple[list[Recorded], object, OkxStand]:
    """What leaves where the adapter means another request than the operation."""

    def worse(*arguments: Any) -> Write | str:
        write = write_for(*arguments)
        assert isinstance(write, Write)
        sent = careless(write.given)
        expected = replace(write.expected, parameters=canonical(sent))
        return replace(write, expected=expected, typed=sent)

    monkeypatch.setattr(okx, "write_for", worse)
    return await recorded(CASES[name])


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
    requests, _, _ = await recorded_of_a_careless_adapter(monkeypatch, name, careless)
    assert sorted(map(line, requests)) != REQUESTS[name]


@pytest.mark.parametrize(
    ("name", "field"),
    [("reduce a long", "clOrdId"), ("place a stop under a long", "algoClOrdId")],
)
async def test_an_order_without_our_name_never_leaves(
    monkeypatch: pytest.MonkeyPatch, name: str, field: str
) -> None:
    """The library would give it a random one, by which nothing could be settled."""
    requests, found, _ = await recorded_of_a_careless_adapter(monkeypatch, name, without(field))
    assert requests == []
    assert found == (Outcome.REJECTED, None)


async def test_a_parameter_that_the_library_adds_by_itself_stops_the_request() -> None:
    async with standing() as stand:
        api = stand.venue._client.api
        sign = api.sign

        def generous(path: str, api_: Any, method: str, params: Any, *rest: Any) -> Any:
            return sign(path, api_, method, {**params, "tag": "broker"}, *rest)

        api.sign = generous
        before = len(stand.recorder.requests)
        done = await stand.venue.execute(stand.intent(margin(AddMargin)), stand.gate)
        assert (done.outcome, done.code) == (Outcome.REJECTED, "request_mismatch")
        assert len(stand.recorder.requests) == before


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "-5", "0", "1E-9"])
@pytest.mark.parametrize(
    "action", [margin(AddMargin), margin(RemoveMargin), transfer("spot", "futures")]
)
async def test_no_absurd_amount_reaches_the_wire(
    amount: str, action: AddMargin | RemoveMargin | Transfer
) -> None:
    action = replace(action, amount=D(amount))
    async with standing() as stand:
        before = len(stand.recorder.requests)
        outcome, applied = await stand.send(action)
        assert (outcome, applied) == (Outcome.REJECTED, None)
        assert len(stand.recorder.requests) == before


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
    async with standing(old | {"GET /api/v5/asset/transfer-state": NO_ROWS}) as stand:
        assert await stand.settle(action) == 0


@pytest.mark.parametrize("size", ["0.05", "7.01", "NaN", "-1", "0"])
async def test_a_size_that_is_no_number_of_contracts_never_leaves(size: str) -> None:
    async with standing() as stand:
        before = len(stand.recorder.requests)
        outcome, _ = await stand.send(replace(order(LONG), size=D(size)))
        assert outcome is Outcome.REJECTED
        assert len(stand.recorder.requests) == before
