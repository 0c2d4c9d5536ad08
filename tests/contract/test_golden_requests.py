"""Every request of the Binance adapter, byte for byte, and what a documented reply means.

``golden/requests.json`` is what leaves, without time and signature.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import AddMargin, CancelStop, RemoveMargin
from bot.domain.intent import Outcome
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionMode
from bot.exchanges.binance.dialect import DIALECT
from tests.kit.binance_golden import BINANCE, REPLIES, BinanceRecorded
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
    sees_keys,
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

REQUESTS: dict[str, list[str]] = kept("requests.json")
HEDGE = {"GET /fapi/v1/positionSide/dual": {"dualSidePosition": True}}
NOTHING_IN_SPOT: dict[str, Any] = {"POST /sapi/v3/asset/getUserAsset": []}

CANCEL = CancelStop(key=LONG, stop_id="2146760", client_id=NAME)


async def look(stand: Stand) -> object:
    seen = await stand.venue.observe()
    (position,) = seen.account.positions
    wallets = {(w.name, w.total, w.free) for w in seen.account.wallets}
    (resting,) = seen.account.stops
    market = seen.markets[0]
    tier = seen.instruments[0].tiers[1]
    return (
        position.key, position.size, position.margin, position.mark_price,
        position.venue_liquidation_price, position.leverage_setting, position.margin_mode,
        wallets, (resting.stop_id, resting.size, resting.stop_price, resting.is_ours),
        (market.mark_at, market.bids[0].price, market.bars.close),
        (tier.notional_floor, tier.maintenance_rate, tier.maintenance_amount),
        seen.account.position_mode,
    )  # fmt: skip


SEEN = (
    LONG, D(50), D(750), D("151.12"), D("136.04328137"), D(10), MarginMode.ISOLATED,
    {("futures", D("12000.5"), D("11999.25")), ("spot", D("4999.625"), D("4999.125"))},
    ("2148627", D(50), D(140), True),
    (NOON - timedelta(milliseconds=250), D("151.1"), (151.0, 151.12)),
    (D(10000), D("0.01"), D(35)),
    PositionMode.ONE_WAY,
)  # fmt: skip


async def glance_at_many(stand: Stand) -> object:
    return len(await stand.venue.glance(MANY))


def _filled(**changes: Any) -> dict[str, Any]:
    return {"POST /fapi/v1/order": REPLIES["POST /fapi/v1/order"] | changes}


def _placed(**changes: Any) -> dict[str, Any]:
    return {"POST /fapi/v1/algoOrder": REPLIES["POST /fapi/v1/algoOrder"] | changes}


def _many() -> dict[str, Any]:
    """The replies of a venue that lists a dozen contracts."""
    info, brackets, premiums = (
        REPLIES[f"GET /fapi/v1/{name}"]
        for name in ("exchangeInfo", "leverageBracket", "premiumIndex")
    )
    names = [f"A{number}USDT" for number in range(11)]
    more = [info["symbols"][1] | {"symbol": n, "baseAsset": n.removesuffix("USDT")} for n in names]
    return {
        "GET /fapi/v1/exchangeInfo": info | {"symbols": info["symbols"] + more},
        "GET /fapi/v1/leverageBracket": brackets + [brackets[1] | {"symbol": n} for n in names],
        "GET /fapi/v1/premiumIndex": premiums + [premiums[1] | {"symbol": n} for n in names],
    }


MANY = [f"A{number}/USDT:USDT" for number in range(11)]


def _beside() -> dict[str, Any]:
    """The replies while a contract is held that is not configured."""
    row = REPLIES["GET /fapi/v3/positionRisk"][0]
    account = REPLIES["GET /fapi/v3/account"]
    changes = {"symbol": "BTCUSDT", "positionAmt": "-0.100"}
    listed = [*account["positions"], account["positions"][0] | changes]
    return {
        "GET /fapi/v3/positionRisk": [row, row | changes],
        "GET /fapi/v3/account": account | {"positions": listed},
    }


NOT_KNOWN = {"GET /fapi/v1/algoOrder": {"code": -2013, "msg": "Order does not exist."}}

CASES: dict[str, Case] = {
    "start": Case(does=nothing, means=None),
    "start, test hosts": Case(does=nothing, means=None, mode="testnet"),
    "look": Case(does=look, means=SEEN),
    "look, nothing listed in the spot wallet": Case(
        does=sees_spot_total, means=D(0), replies=NOTHING_IN_SPOT
    ),
    "look, a contract held that is not configured": Case(
        does=sees_keys,
        means=["BTC/USDT:USDT short", "SOL/USDT:USDT long"],
        replies=_beside(),
    ),
    "glance at many": Case(does=glance_at_many, means=11, replies=_many()),
    "glance": Case(does=glances(SYMBOL), means={"SOL/USDT:USDT": D("151.12")}),
    "add margin": Case(does=sends(margin(AddMargin)), means=(DONE, D("12.75"))),
    "add margin, hedge long": Case(
        does=sends(margin(AddMargin)), means=(DONE, D("12.75")), replies=HEDGE
    ),
    "add margin, hedge short": Case(
        does=sends(margin(AddMargin, SHORT)), means=(DONE, D("12.75")), replies=HEDGE
    ),
    "remove margin": Case(does=sends(margin(RemoveMargin)), means=(DONE, D("12.75"))),
    "remove margin, hedge short": Case(
        does=sends(margin(RemoveMargin, SHORT)), means=(DONE, D("12.75")), replies=HEDGE
    ),
    "transfer in": Case(does=sends(transfer("spot", "futures")), means=(DONE, D("10.5"))),
    "transfer out": Case(does=sends(transfer("futures", "spot")), means=(DONE, D("10.5"))),
    "reduce a long": Case(does=sends(order(LONG)), means=(DONE, D(7))),
    "reduce a short": Case(
        does=sends(order(SHORT)), means=(DONE, D(7)), replies=_filled(side="BUY")
    ),
    "reduce a long, partly filled": Case(
        does=sends(order(LONG)),
        means=(DONE, D(4)),
        replies=_filled(executedQty="4", status="EXPIRED"),
    ),
    "reduce, hedge long": Case(
        does=sends(order(LONG)), means=(DONE, D(7)), replies=HEDGE | _filled(positionSide="LONG")
    ),
    "reduce, hedge short": Case(
        does=sends(order(SHORT)),
        means=(DONE, D(7)),
        replies=HEDGE | _filled(positionSide="SHORT", side="BUY"),
    ),
    "place a stop under a long": Case(does=sends(stop(LONG)), means=(DONE, D(1))),
    "place a stop over a short": Case(
        does=sends(stop(SHORT)), means=(DONE, D(1)), replies=_placed(side="BUY")
    ),
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
    "settle an add": Case(does=settles(margin(AddMargin)), means=D("12.75")),
    "settle a remove": Case(
        does=settles(margin(RemoveMargin)),
        means=D(0),
        replies={"GET /fapi/v1/positionMargin/history": []},
    ),
    "settle a transfer in": Case(does=settles(transfer("spot", "futures")), means=D("10.5")),
    "settle a transfer out": Case(does=settles(transfer("futures", "spot")), means=D(0)),
    "settle a reduction": Case(does=settles(order(LONG)), means=D(4)),
    "settle a stop": Case(does=settles(stop(LONG)), means=D(1)),
    "settle a stop that is not known": Case(
        does=settles(stop(LONG)), means=D(0), replies=NOT_KNOWN
    ),
    "settle a cancel of what is not known": Case(
        does=settles(CANCEL), means=D(1), replies=NOT_KNOWN
    ),
    "settle a cancel": Case(does=settles(CANCEL), means=D(0)),
    "ledger": Case(
        does=reads_rows("kind", "amount", "symbol"),
        means={
            (RowKind.MARGIN_ADDED, D("12.75"), "SOL/USDT:USDT"),
            (RowKind.TRANSFER_IN, D("10.5"), ""),
            (RowKind.FEE, D("-0.01"), "SOL/USDT:USDT"),
        },
    ),
    "marks of each hour": Case(does=reads_marks(SYMBOL), means=[151.0, 151.12]),
}


@given(data=st.data())
def test_a_change_of_any_one_byte_is_another_line(data: st.DataObject) -> None:
    """The table compares whole lines of raw text, so no byte of a request is left out of it."""
    url = "https://fapi.binance.com/fapi/v1/positionMargin"
    body = "symbol=SOLUSDT&amount=12.75&type=1&recvWindow=5000"
    whole = BinanceRecorded(method="POST", url=url, body=body, headers={})
    at = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.sampled_from("0123456789abcXYZ.&=%-").filter(lambda c: c != body[at]))
    changed = replace(whole, body=body[:at] + other + body[at + 1 :])
    assert changed.line != whole.line


# what the table catches: each of these is one line of a careless adapter


@pytest.mark.parametrize(
    ("name", "careless"),
    [
        pytest.param("add margin", having(amount="12"), id="rounded by the lot"),
        pytest.param("add margin", having(amount="12.750"), id="another spelling"),
        pytest.param("add margin", having(type="2"), id="another direction"),
        pytest.param("add margin", having(amount="-12.75"), id="negative"),
        pytest.param("add margin", having(positionSide="BOTH"), id="a parameter too many"),
        pytest.param("add margin, hedge short", without("positionSide"), id="no leg"),
        pytest.param("add margin, hedge short", having(positionSide="LONG"), id="another leg"),
        pytest.param("reduce a long", without("reduceOnly"), id="no reduce-only flag"),
        pytest.param("reduce a long", having(newClientOrderId="x-cvBPrNm9a1b2"), id="random id"),
        pytest.param("reduce a long", having(side="BUY"), id="the side that grows it"),
        pytest.param("reduce a long", having(timeInForce="GTC"), id="an order that rests"),
        pytest.param("reduce, hedge long", having(reduceOnly="true"), id="flag beside a leg"),
        pytest.param("place a stop under a long", without("workingType"), id="on last price"),
        pytest.param("transfer in", having(type="UMFUTURE_MAIN"), id="the way back"),
        pytest.param("transfer in", having(amount="1E+1"), id="an exponent"),
    ],
)
async def test_the_table_catches_a_careless_request(
    monkeypatch: pytest.MonkeyPatch, name: str, careless: Careless
) -> None:
    done = await written_by_a_careless_adapter(monkeypatch, BINANCE, CASES[name], careless)
    (posted,) = done.posts
    assert posted not in REQUESTS[name]


async def test_a_stop_without_our_name_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library would give it a random one, by which nothing could be settled."""
    case, careless = CASES["place a stop under a long"], without("clientAlgoId")
    done = await written_by_a_careless_adapter(monkeypatch, BINANCE, case, careless)
    assert done.requests == []
    assert done.found == (Outcome.REJECTED, None)


async def test_the_table_catches_a_wider_window() -> None:
    wider = replace(BINANCE, dialect=replace(DIALECT, window_ms=10_000))
    (found,) = (await written(wider, CASES["add margin"])).lines
    (golden,) = REQUESTS["add margin"]
    assert found == golden.replace("recvWindow=5000", "recvWindow=10000") != golden


async def test_a_parameter_that_the_library_adds_by_itself_stops_the_request() -> None:
    done = await written_by_a_generous_library(BINANCE, margin(AddMargin), newOrderRespType="FULL")
    assert done.found == (Outcome.REJECTED, "request_mismatch")
    assert done.requests == []


async def test_an_equal_transfer_from_before_the_send_is_no_evidence() -> None:
    row = REPLIES["GET /sapi/v1/asset/transfer?type=MAIN_UMFUTURE"]["rows"][0]
    before = row | {"timestamp": int(NOON.timestamp() * 1000) - 501}
    old = {"GET /sapi/v1/asset/transfer?type=MAIN_UMFUTURE": {"total": 1, "rows": [before]}}
    async with standing(BINANCE, old) as stand:
        assert await stand.settle(transfer("spot", "futures")) == 0
