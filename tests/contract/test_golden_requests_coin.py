"""Every request of the adapter at the host of coin-margined contracts, byte for byte.

``golden/coin_requests.json`` is what leaves, without time and signature.
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
)
from bot.domain.instrument import Contract
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionKey, PositionMode, Side
from bot.errors import Incomplete
from bot.exchanges.binance import adapter
from bot.exchanges.binance.dialect import COIN_DIALECT
from bot.exchanges.binance.write import write_for
from bot.exchanges.dialect import Write
from tests.kit.builders import NOON
from tests.kit.golden import COIN_LONG as LONG
from tests.kit.golden import COIN_REPLIES as REPLIES
from tests.kit.golden import GOLDEN, NAME, Stand, coin_margin, coin_transfer, standing
from tests.kit.recorder import Recorded

REQUESTS: dict[str, list[str]] = json.loads((GOLDEN / "coin_requests.json").read_text())
SHORT = PositionKey("BTC/USD:BTC", Side.SHORT)
HEDGE = {"GET /dapi/v1/positionSide/dual": {"dualSidePosition": True}}
MOVED = D("0.00123456")
Does = Callable[[Stand], Awaitable[object]]
DONE = Outcome.DONE


def order(key: PositionKey) -> ReducePosition:
    return ReducePosition(key=key, size=D(700), limit_price=D("59700.0"))


def stop(key: PositionKey, size: D | None = D(12_000)) -> PlaceStop:
    return PlaceStop(key=key, size=size, stop_price=D("55000.0"), is_needed=True)


CANCEL = CancelStop(key=LONG, stop_id="2146760", client_id=NAME)


async def look(stand: Stand) -> object:
    seen = await stand.venue.observe()
    (position,) = seen.account.positions
    wallets = {(w.name, w.currency, w.total, w.free) for w in seen.account.wallets}
    (resting,) = seen.account.stops
    (market,), (rules,) = seen.markets, seen.instruments
    tier = rules.tiers[1]
    return (
        position.key, position.size, position.margin, position.mark_price,
        position.venue_liquidation_price, position.venue_maintenance_margin,
        position.leverage_setting, position.margin_mode, wallets,
        (resting.stop_id, resting.size, resting.stop_price, resting.is_ours),
        (market.mark_at, market.bids[0].size, market.bars.close),
        (rules.contract, rules.settle, rules.size_step, rules.max_market_size),
        (tier.notional_floor, tier.maintenance_rate, tier.maintenance_amount),
        seen.account.position_mode,
    )  # fmt: skip


SEEN = (
    LONG, D(12_000), D("0.02"), D(60_000), D("54672.261182"), D("0.0008"), D(10),
    MarginMode.ISOLATED,
    {("futures", "BTC", D("0.3005"), D("0.3004")), ("spot", "BTC", D("0.1255"), D("0.125"))},
    ("2148627", D(12_000), D(55_000), True),
    (NOON - timedelta(milliseconds=250), D(43_100), (59_900.0, 60_000.0)),
    (Contract.INVERSE, "BTC", D(100), D(6_000_000)),
    (D(5), D("0.005"), D("0.005")),
    PositionMode.ONE_WAY,
)  # fmt: skip


async def glance(stand: Stand) -> object:
    return await stand.venue.glance(["BTC/USD:BTC"])


async def ledger(stand: Stand) -> object:
    found = await stand.venue.rows(NOON - timedelta(hours=2))
    return {(row.kind, row.amount, row.asset, row.symbol) for row in found}


async def history(stand: Stand) -> object:
    found = await stand.venue.marks("BTC/USD:BTC", NOON - timedelta(hours=2))
    return [candle.close for candle in found]


async def keys_seen(stand: Stand) -> object:
    return [str(p.key) for p in (await stand.venue.observe()).account.positions]


def sends(action: Action) -> Does:
    return lambda stand: stand.send(action)


def settles(action: Action) -> Does:
    return lambda stand: stand.settle(action)


async def nothing(stand: Stand) -> object:
    del stand
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One operation and what its documented reply means."""

    does: Does
    means: object
    replies: dict[str, Any] | None = None
    mode: str = "paper"


def _filled(**changes: Any) -> dict[str, Any]:
    return {"POST /dapi/v1/order": REPLIES["POST /dapi/v1/order"] | changes}


def _placed(**changes: Any) -> dict[str, Any]:
    return {"POST /dapi/v1/algoOrder": REPLIES["POST /dapi/v1/algoOrder"] | changes}


def held(*rows: dict[str, Any]) -> dict[str, Any]:
    """The replies while further positions are held, each as changes of the one that is."""
    flat, one, other = REPLIES["GET /dapi/v1/positionRisk"]
    account = REPLIES["GET /dapi/v1/account"]
    listed = account["positions"]
    return {
        "GET /dapi/v1/positionRisk": [flat, one, other, *(one | row for row in rows)],
        "GET /dapi/v1/account": account
        | {"positions": [*listed, *(listed[1] | row for row in rows)]},
    }


NOT_KNOWN = {"GET /dapi/v1/algoOrder": {"code": -2013, "msg": "Order does not exist."}}

CASES: dict[str, Case] = {
    "start": Case(does=nothing, means=None),
    "start, test hosts": Case(does=nothing, means=None, mode="testnet"),
    "look": Case(does=look, means=SEEN),
    "look, a contract held that is not configured": Case(
        does=keys_seen,
        means=["BTC/USD:BTC long", "ETH/USD:ETH short"],
        replies=held({"symbol": "ETHUSD_PERP", "positionAmt": "-30"}),
    ),
    "glance": Case(does=glance, means={"BTC/USD:BTC": D(60_000)}),
    "add margin": Case(does=sends(coin_margin(AddMargin)), means=(DONE, MOVED)),
    "add margin, hedge long": Case(
        does=sends(coin_margin(AddMargin)), means=(DONE, MOVED), replies=HEDGE
    ),
    "add margin, hedge short": Case(
        does=sends(coin_margin(AddMargin, SHORT)), means=(DONE, MOVED), replies=HEDGE
    ),
    "remove margin": Case(does=sends(coin_margin(RemoveMargin)), means=(DONE, MOVED)),
    "remove margin, hedge short": Case(
        does=sends(coin_margin(RemoveMargin, SHORT)), means=(DONE, MOVED), replies=HEDGE
    ),
    "transfer in": Case(does=sends(coin_transfer("spot", "futures")), means=(DONE, D("0.05"))),
    "transfer out": Case(does=sends(coin_transfer("futures", "spot")), means=(DONE, D("0.05"))),
    "reduce a long": Case(does=sends(order(LONG)), means=(DONE, D(700))),
    "reduce a long, partly filled": Case(
        does=sends(order(LONG)),
        means=(DONE, D(400)),
        replies=_filled(executedQty="4", status="EXPIRED"),
    ),
    "reduce, hedge short": Case(
        does=sends(order(SHORT)),
        means=(DONE, D(700)),
        replies=HEDGE | _filled(positionSide="SHORT", side="BUY"),
    ),
    "place a stop under a long": Case(does=sends(stop(LONG)), means=(DONE, D(1))),
    "place a stop for all that is open": Case(
        does=sends(stop(LONG, None)),
        means=(DONE, D(1)),
        replies=_placed(closePosition=True, reduceOnly=False),
    ),
    "place a stop, hedge short": Case(
        does=sends(stop(SHORT)),
        means=(DONE, D(1)),
        replies=HEDGE | _placed(side="BUY", positionSide="SHORT", reduceOnly=False),
    ),
    "cancel a stop": Case(does=sends(CANCEL), means=(DONE, D(1))),
    "settle an add": Case(does=settles(coin_margin(AddMargin)), means=MOVED),
    "settle a remove": Case(
        does=settles(coin_margin(RemoveMargin)),
        means=D(0),
        replies={"GET /dapi/v1/positionMargin/history": []},
    ),
    "settle a transfer in": Case(does=settles(coin_transfer("spot", "futures")), means=D("0.05")),
    "settle a transfer out": Case(does=settles(coin_transfer("futures", "spot")), means=D(0)),
    "settle a reduction": Case(does=settles(order(LONG)), means=D(400)),
    "settle a stop": Case(does=settles(stop(LONG)), means=D(1)),
    "settle a stop that is not known": Case(
        does=settles(stop(LONG)), means=D(0), replies=NOT_KNOWN
    ),
    "settle a cancel": Case(does=settles(CANCEL), means=D(0)),
    "ledger": Case(
        does=ledger,
        means={
            (RowKind.MARGIN_ADDED, MOVED, "BTC", "BTC/USD:BTC"),
            (RowKind.TRANSFER_IN, D("0.05"), "BTC", ""),
            (RowKind.FEE, D("-0.00000833"), "BTC", "BTC/USD:BTC"),
        },
    ),
    "marks of each hour": Case(does=history, means=[59_900.0, 60_000.0]),
}


async def recorded(case: Case) -> tuple[list[Recorded], object, Stand]:
    """What leaves for one operation, without the start, unless that is the operation."""
    async with standing(case.replies, mode=case.mode, in_coin=True) as stand:
        before = 0 if case.does is nothing else len(stand.recorder.requests)
        found = await case.does(stand)
        return stand.recorder.requests[before:], found, stand


@pytest.mark.parametrize("name", CASES)
async def test_exactly_the_golden_requests_leave_and_their_replies_are_understood(
    name: str,
) -> None:
    case = CASES[name]
    requests, found, stand = await recorded(case)
    assert sorted(request.line for request in requests) == REQUESTS[name]
    assert found == case.means
    signed = [request for request in requests if "signature=" in request.raw]
    assert all(request.is_signed_well for request in signed)
    for request in stand.gate.requests:
        assert (request.signed_at, request.window_ms) == (NOON, COIN_DIALECT.window_ms)


def test_every_operation_has_its_golden_requests_and_no_other_has() -> None:
    assert set(CASES) == set(REQUESTS)


def test_nothing_is_asked_of_the_host_of_linear_contracts() -> None:
    assert not [line for lines in REQUESTS.values() for line in lines if "fapi" in line]


Careless = Callable[[dict[str, str]], dict[str, str]]


def without(name: str) -> Careless:
    return lambda sent: {k: v for k, v in sent.items() if k != name}


def having(**more: str) -> Careless:
    return lambda sent: sent | more


@pytest.mark.parametrize(
    ("name", "careless"),
    [
        pytest.param("add margin", having(amount="0.001234"), id="rounded"),
        pytest.param("add margin", having(amount="1.23456E-3"), id="an exponent"),
        pytest.param("add margin, hedge short", having(positionSide="LONG"), id="another leg"),
        pytest.param("reduce a long", having(quantity="700"), id="dollars for contracts"),
        pytest.param("reduce a long", without("reduceOnly"), id="no reduce-only flag"),
        pytest.param("place a stop under a long", having(quantity="12000"), id="the same"),
        pytest.param("place a stop under a long", without("workingType"), id="on last price"),
        pytest.param("transfer in", having(type="MAIN_UMFUTURE"), id="the other futures wallet"),
    ],
)
async def test_the_table_catches_a_careless_request(
    monkeypatch: pytest.MonkeyPatch, name: str, careless: Careless
) -> None:
    def worse(*arguments: Any) -> Write | str:
        write = write_for(*arguments)
        assert isinstance(write, Write)
        sent = careless(dict(write.expected.parameters))
        return replace(write, expected=replace(write.expected, parameters=sent))

    monkeypatch.setattr(adapter, "write_for", worse)
    requests, _, _ = await recorded(CASES[name])
    ((found,), (golden,)) = ([request.line for request in requests], REQUESTS[name])
    assert found != golden


@pytest.mark.parametrize("size", ["750", "50", "0", "-700", "NaN"])
async def test_a_part_of_a_contract_never_leaves(size: str) -> None:
    async with standing(in_coin=True) as stand:
        before = len(stand.recorder.requests)
        for action in (replace(order(LONG), size=D(size)), stop(LONG, D(size))):
            assert await stand.send(action) == (Outcome.REJECTED, None)
        assert len(stand.recorder.requests) == before


async def test_a_position_in_a_contract_that_ends_is_never_seen_as_flat() -> None:
    async with standing(
        held({"symbol": "BTCUSD_260327", "positionAmt": "5"}), in_coin=True
    ) as stand:
        with pytest.raises(Incomplete, match="BTCUSD_260327"):
            await stand.venue.observe()


async def test_the_margin_of_a_cross_position_is_none_of_its_own() -> None:
    flat, one, other = REPLIES["GET /dapi/v1/positionRisk"]
    cross = one | {"marginType": "cross", "isolatedMargin": "0.00000000"}
    async with standing({"GET /dapi/v1/positionRisk": [flat, cross, other]}, in_coin=True) as stand:
        (position,) = (await stand.venue.observe()).account.positions
        assert (position.margin_mode, position.margin) == (MarginMode.CROSS, D(0))


@pytest.mark.parametrize(
    ("exact", "margin"), [("0.02000001", D("0.02000001")), ("0.0201", None), ("", None)]
)
async def test_an_exact_margin_is_believed_if_it_is_the_same(exact: str, margin: D | None) -> None:
    flat, one, other = REPLIES["GET /dapi/v1/positionRisk"]
    rows = [flat, one | {"isolatedWallet": exact}, other]
    async with standing({"GET /dapi/v1/positionRisk": rows}, in_coin=True) as stand:
        if margin is None:
            with pytest.raises(Incomplete, match="isolatedWallet"):
                await stand.venue.observe()
        else:
            assert (await stand.venue.observe()).account.positions[0].margin == margin


async def test_margin_that_the_venue_adds_by_itself_is_seen_of_the_very_position() -> None:
    flat, one, other = REPLIES["GET /dapi/v1/positionRisk"]
    rows = [flat, one | {"isAutoAddMargin": "true"}, other]
    async with standing({"GET /dapi/v1/positionRisk": rows}, in_coin=True) as stand:
        (position,) = (await stand.venue.observe()).account.positions
        assert position.venue_adds_margin


async def test_a_contract_in_parts_is_no_contract_that_is_understood() -> None:
    info = json.loads(json.dumps(REPLIES["GET /dapi/v1/exchangeInfo"]))
    info["symbols"][1]["filters"][1]["stepSize"] = "0.1"
    with pytest.raises(Incomplete, match="stepSize"):
        async with standing({"GET /dapi/v1/exchangeInfo": info}, in_coin=True):
            pass


async def test_one_request_brings_the_marks_of_all_since_one_weighs_as_much() -> None:
    spot = REPLIES["GET /api/v3/account"]
    more = [*spot["balances"], spot["balances"][0] | {"asset": "ETH"}]
    both = {"GET /api/v3/account": spot | {"balances": more}}
    async with standing(both, in_coin=True, symbols=2) as stand:
        seen = await stand.venue.observe()
        assert [market.mark_price for market in seen.markets] == [60_000, 3_000]
        assert len([line for line in stand.recorder.lines() if "premiumIndex" in line]) == 1


async def test_a_list_of_marks_without_ours_is_no_look() -> None:
    others = [row for row in REPLIES["GET /dapi/v1/premiumIndex"] if "PERP" not in row["symbol"]]
    async with standing({"GET /dapi/v1/premiumIndex": others}, in_coin=True) as stand:
        with pytest.raises(Incomplete, match="mark of BTC/USD:BTC"):
            await stand.venue.observe()
        with pytest.raises(Incomplete, match="BTCUSD_PERP"):
            await stand.venue.glance(["BTC/USD:BTC"])


async def test_a_page_of_orders_that_may_lack_ours_proves_nothing() -> None:
    # Ours may have been booked up to half a second before it was sent, by our clock.
    row = REPLIES["GET /dapi/v1/allOrders"][0] | {"clientOrderId": "another", "time": 1767614399501}
    full = {"GET /dapi/v1/allOrders": [row] * 100}
    async with standing(full, in_coin=True) as stand:
        with pytest.raises(Incomplete, match="reach back"):
            await stand.settle(order(LONG))
    older = {"GET /dapi/v1/allOrders": [row | {"time": 1767614399500}, *[row] * 99]}
    async with standing(older, in_coin=True) as stand:
        assert await stand.settle(order(LONG)) == 0


async def test_a_full_page_of_margin_moves_proves_nothing() -> None:
    row = REPLIES["GET /dapi/v1/positionMargin/history"][0] | {"amount": "0.5"}
    full = {"GET /dapi/v1/positionMargin/history": [row] * 50}
    async with standing(full, in_coin=True) as stand:
        with pytest.raises(Incomplete, match="one page"):
            await stand.settle(coin_margin(AddMargin))
