"""Every request of the adapter at the host of coin-margined contracts, byte for byte.

``golden/coin_requests.json`` is what leaves, without time and signature.
"""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import AddMargin, CancelStop, PlaceStop, ReducePosition, RemoveMargin
from bot.domain.instrument import Contract
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionKey, PositionMode, Side
from bot.errors import Incomplete
from tests.kit.binance_golden import COIN, COIN_LONG, coin_margin, coin_transfer
from tests.kit.binance_golden import COIN_REPLIES as REPLIES
from tests.kit.builders import NOON
from tests.kit.golden import (
    DONE,
    NAME,
    Careless,
    Case,
    Stand,
    glances,
    having,
    kept,
    nothing,
    reads_marks,
    reads_rows,
    sees_keys,
    sends,
    settles,
    standing,
    without,
    written_by_a_careless_adapter,
)

REQUESTS: dict[str, list[str]] = kept("coin_requests.json")
SYMBOL = "BTC/USD:BTC"
LONG, SHORT = COIN_LONG, PositionKey(SYMBOL, Side.SHORT)
HEDGE = {"GET /dapi/v1/positionSide/dual": {"dualSidePosition": True}}
MOVED = D("0.00123456")


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
        does=sees_keys,
        means=["BTC/USD:BTC long", "ETH/USD:ETH short"],
        replies=held({"symbol": "ETHUSD_PERP", "positionAmt": "-30"}),
    ),
    "glance": Case(does=glances(SYMBOL), means={"BTC/USD:BTC": D(60_000)}),
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
        does=reads_rows("kind", "amount", "asset", "symbol"),
        means={
            (RowKind.MARGIN_ADDED, MOVED, "BTC", "BTC/USD:BTC"),
            (RowKind.TRANSFER_IN, D("0.05"), "BTC", ""),
            (RowKind.FEE, D("-0.00000833"), "BTC", "BTC/USD:BTC"),
        },
    ),
    "marks of each hour": Case(does=reads_marks(SYMBOL), means=[59_900.0, 60_000.0]),
}


def test_nothing_is_asked_of_the_host_of_linear_contracts() -> None:
    assert not [line for lines in REQUESTS.values() for line in lines if "fapi" in line]


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
    done = await written_by_a_careless_adapter(monkeypatch, COIN, CASES[name], careless)
    (posted,) = done.posts
    assert posted not in REQUESTS[name]


@pytest.mark.parametrize("size", ["750", "50", "0", "-700", "NaN"])
async def test_a_part_of_a_contract_never_leaves(size: str) -> None:
    async with standing(COIN) as stand:
        before = len(stand.recorder.requests)
        for action in (replace(order(LONG), size=D(size)), stop(LONG, D(size))):
            assert await stand.send(action) == (Outcome.REJECTED, None)
        assert len(stand.recorder.requests) == before


async def test_a_position_in_a_contract_that_ends_is_never_seen_as_flat() -> None:
    async with standing(COIN, held({"symbol": "BTCUSD_260327", "positionAmt": "5"})) as stand:
        with pytest.raises(Incomplete, match="BTCUSD_260327"):
            await stand.venue.observe()


async def test_the_margin_of_a_cross_position_is_none_of_its_own() -> None:
    flat, one, other = REPLIES["GET /dapi/v1/positionRisk"]
    cross = one | {"marginType": "cross", "isolatedMargin": "0.00000000"}
    async with standing(COIN, {"GET /dapi/v1/positionRisk": [flat, cross, other]}) as stand:
        (position,) = (await stand.venue.observe()).account.positions
        assert (position.margin_mode, position.margin) == (MarginMode.CROSS, D(0))


@pytest.mark.parametrize(
    ("exact", "margin"), [("0.02000001", D("0.02000001")), ("0.0201", None), ("", None)]
)
async def test_an_exact_margin_is_believed_if_it_is_the_same(exact: str, margin: D | None) -> None:
    flat, one, other = REPLIES["GET /dapi/v1/positionRisk"]
    rows = [flat, one | {"isolatedWallet": exact}, other]
    async with standing(COIN, {"GET /dapi/v1/positionRisk": rows}) as stand:
        if margin is None:
            with pytest.raises(Incomplete, match="isolatedWallet"):
                await stand.venue.observe()
        else:
            assert (await stand.venue.observe()).account.positions[0].margin == margin


async def test_margin_that_the_venue_adds_by_itself_is_seen_of_the_very_position() -> None:
    flat, one, other = REPLIES["GET /dapi/v1/positionRisk"]
    rows = [flat, one | {"isAutoAddMargin": "true"}, other]
    async with standing(COIN, {"GET /dapi/v1/positionRisk": rows}) as stand:
        (position,) = (await stand.venue.observe()).account.positions
        assert position.venue_adds_margin


async def test_a_contract_in_parts_is_no_contract_that_is_understood() -> None:
    info = json.loads(json.dumps(REPLIES["GET /dapi/v1/exchangeInfo"]))
    info["symbols"][1]["filters"][1]["stepSize"] = "0.1"
    with pytest.raises(Incomplete, match="stepSize"):
        async with standing(COIN, {"GET /dapi/v1/exchangeInfo": info}):
            pass


async def test_one_request_brings_the_marks_of_all_since_one_weighs_as_much() -> None:
    spot = REPLIES["GET /api/v3/account"]
    more = [*spot["balances"], spot["balances"][0] | {"asset": "ETH"}]
    both = {"GET /api/v3/account": spot | {"balances": more}}
    async with standing(COIN, both, symbols=2) as stand:
        seen = await stand.venue.observe()
        assert [market.mark_price for market in seen.markets] == [60_000, 3_000]
        assert len([line for line in stand.recorder.lines() if "premiumIndex" in line]) == 1


async def test_a_list_of_marks_without_ours_is_no_look() -> None:
    others = [row for row in REPLIES["GET /dapi/v1/premiumIndex"] if "PERP" not in row["symbol"]]
    async with standing(COIN, {"GET /dapi/v1/premiumIndex": others}) as stand:
        with pytest.raises(Incomplete, match="mark of BTC/USD:BTC"):
            await stand.venue.observe()
        with pytest.raises(Incomplete, match="BTCUSD_PERP"):
            await stand.venue.glance(["BTC/USD:BTC"])


async def test_a_page_of_orders_that_may_lack_ours_proves_nothing() -> None:
    # Ours may have been booked up to half a second before it was sent, by our clock.
    row = REPLIES["GET /dapi/v1/allOrders"][0] | {"clientOrderId": "another", "time": 1767614399501}
    full = {"GET /dapi/v1/allOrders": [row] * 100}
    async with standing(COIN, full) as stand:
        with pytest.raises(Incomplete, match="reach back"):
            await stand.settle(order(LONG))
    older = {"GET /dapi/v1/allOrders": [row | {"time": 1767614399500}, *[row] * 99]}
    async with standing(COIN, older) as stand:
        assert await stand.settle(order(LONG)) == 0


async def test_a_full_page_of_margin_moves_proves_nothing() -> None:
    row = REPLIES["GET /dapi/v1/positionMargin/history"][0] | {"amount": "0.5"}
    full = {"GET /dapi/v1/positionMargin/history": [row] * 50}
    async with standing(COIN, full) as stand:
        with pytest.raises(Incomplete, match="one page"):
            await stand.settle(coin_margin(AddMargin))
