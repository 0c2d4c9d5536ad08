"""Unmodified ccxt against the paper exchange in OKX's words."""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import ccxt.async_support as ccxt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.instrument import Contract, MarginTier
from bot.margin import by_rule
from bot.margin.by_rule import Terms
from bot.margin.rules import Mode
from bot.margin.venues import rule_for
from bot.paper.desk import Asked, Keys, Reply
from bot.paper.fronts import ruled
from bot.paper.okx.codes import WireError
from bot.paper.okx.desk import OkxDesk
from bot.paper.okx.limits import LIMITS
from bot.paper.okx.listing import TIERS, demand, face
from bot.paper.okx.request import Request, signed
from bot.paper.okx.room import Room
from bot.paper.okx.routes import ROUTES
from bot.paper.pace import Stepped
from bot.paper.values import Refused
from tests.kit.okx import Rig, serving
from tests.kit.paper import KEYS, START, an_engine
from tests.kit.rigs import plain

SOL = "SOL-USDT-SWAP"
MARGIN = "/api/v5/account/position/margin-balance"


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    """An exchange on loopback where 50 SOL are held with 10x."""
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10)
    async with serving(engine, authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[Any]:
    async with plain(
        rig,
        ccxt.okx,
        "https://www.okx.com",
        defaultType="swap",
        createOrder="privatePostTradeOrder",
    ) as client:
        yield client


async def test_ccxt_reads_markets_positions_balance_and_prices(venue: Any, rig: Rig) -> None:
    markets = await venue.load_markets()
    btc = markets["BTC/USDT:USDT"]
    assert (btc["contractSize"], btc["precision"]["amount"], btc["linear"]) == (0.01, 0.1, True)
    assert markets["BTC/USD:BTC"]["inverse"]
    (position,) = await venue.fetch_positions()
    assert (position["symbol"], position["contracts"]) == ("SOL/USDT:USDT", 50)
    assert position["side"] == "long"
    assert position["marginMode"] == "isolated"
    free = rig.engine.available()
    assert (await venue.fetch_balance())["USDT"]["free"] == float(free)
    funding = await venue.fetch_balance({"type": "funding"})
    assert funding["USDT"]["total"] == 5000
    mark = await venue.fetch_mark_price("SOL/USDT:USDT")
    assert D(str(mark["markPrice"])) == rig.engine.quotes["SOLUSDT"].mark
    bars = await venue.fetch_mark_ohlcv("BTC/USDT:USDT", "1h", limit=48)
    assert len(bars) == 48
    assert bars[0][0] < bars[-1][0]
    book = await venue.fetch_order_book("BTC/USDT:USDT", limit=20)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert (await venue.fetch_funding_rate("BTC/USDT:USDT"))["fundingRate"] > 0
    tiers = await venue.fetch_market_leverage_tiers("BTC/USDT:USDT", {"marginMode": "isolated"})
    assert [tier["maintenanceMarginRate"] for tier in tiers] == [
        float(step.maintenance) for step in TIERS["BTC"]
    ]
    assert (await venue.fetch_position_mode())["hedged"] is False
    assert (await venue.fetch_trading_fee("BTC/USDT:USDT"))["taker"] == 0.0005


async def test_ccxt_places_reads_and_cancels_orders(venue: Any, rig: Rig) -> None:
    await venue.load_markets()
    placed = await venue.create_order(
        "SOL/USDT:USDT", "limit", "sell", 10, 149,
        {"reduceOnly": True, "tdMode": "isolated", "clOrdId": "one", "timeInForce": "IOC"},
    )  # fmt: skip
    assert placed["filled"] is None  # accepted, and nothing else is told
    done = await venue.fetch_order(None, "SOL/USDT:USDT", {"clOrdId": "one"})
    assert (done["filled"], done["status"]) == (10, "closed")
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(40)
    stop = await venue.create_order(
        "SOL/USDT:USDT", "market", "sell", 5, None,
        {"stopLossPrice": 120, "reduceOnly": True, "tdMode": "isolated"},
    )  # fmt: skip
    (listed,) = (await venue.privateGetTradeOrdersAlgoPending({"ordType": "conditional"}))["data"]
    assert (listed["slTriggerPx"], listed["algoId"]) == ("120", stop["id"])
    await venue.cancel_orders([stop["id"]], "SOL/USDT:USDT", {"trigger": True})
    pending = await venue.privateGetTradeOrdersAlgoPending({"ordType": "conditional"})
    assert pending["data"] == []


async def test_ccxt_changes_settings_and_gets_the_venues_refusals(venue: Any) -> None:
    await venue.load_markets()
    await venue.set_leverage(25, "BTC/USDT:USDT", {"mgnMode": "isolated"})
    with pytest.raises(ccxt.ExchangeError, match="59107"):
        await venue.set_leverage(2, "SOL/USDT:USDT", {"mgnMode": "isolated"})
    with pytest.raises(ccxt.ExchangeError, match="59000"):
        await venue.set_position_mode(True)


STOP = {
    "instId": SOL, "tdMode": "isolated", "side": "sell", "posSide": "net",
    "ordType": "conditional", "sz": "5", "slTriggerPx": "120", "slTriggerPxType": "mark",
    "slOrdPx": "-1", "reduceOnly": True, "clOrdId": "mine", "algoClOrdId": "mine",
}  # fmt: skip


async def test_a_conditional_order_is_known_to_its_own_endpoints_only(venue: Any) -> None:
    (placed,) = (await venue.privatePostTradeOrderAlgo(dict(STOP)))["data"]
    assert (placed["sCode"], placed["algoClOrdId"]) == ("0", "mine")
    with pytest.raises(ccxt.OrderNotFound, match="51603"):
        await venue.privateGetTradeOrder({"instId": SOL, "clOrdId": "mine"})
    where = [{"instId": SOL, "algoId": placed["algoId"]}]
    (gone,) = (await venue.privatePostTradeCancelAlgos(where))["data"]
    assert gone["sCode"] == "0"
    (again,) = (await venue.privateGetTradeOrderAlgo({"algoClOrdId": "mine"}))["data"]
    assert again["state"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound, match="51400"):
        await venue.privatePostTradeCancelAlgos(where)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"slTriggerPx": "999"}, "51280", id="would fire at once"),
        pytest.param({"side": "buy", "slTriggerPx": "1"}, "51278", id="would fire at once, buying"),
        pytest.param({"posSide": "long"}, "51000", id="a leg in net mode"),
        pytest.param({"ordType": "oco"}, "51000", id="another type"),
        pytest.param({"slOrdPx": "119"}, "51000", id="not at market"),
        pytest.param({"algoClOrdId": "a-b"}, "51000", id="a sign in the name"),
        pytest.param({"closeFraction": "1", "reduceOnly": False}, "51000", id="all, may grow"),
        pytest.param({"tdMode": "cross"}, "51169", id="the other margin mode"),
    ],
)
async def test_a_conditional_order_the_venue_refuses_has_its_code(
    venue: Any, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(ccxt.BaseError, match=code):
        await venue.privatePostTradeOrderAlgo(STOP | changes)


async def test_the_id_of_an_order_is_taken_once(venue: Any) -> None:
    await venue.privatePostTradeOrderAlgo(dict(STOP))
    with pytest.raises(ccxt.BaseError, match="51065"):
        await venue.privatePostTradeOrderAlgo(dict(STOP))
    order = {
        "instId": SOL, "tdMode": "isolated", "side": "sell", "ordType": "ioc", "sz": "1",
        "px": "149", "reduceOnly": True, "clOrdId": "two",
    }  # fmt: skip
    await venue.privatePostTradeOrder(dict(order))
    with pytest.raises(ccxt.InvalidOrder, match="51016"):
        await venue.privatePostTradeOrder(dict(order))


async def test_with_legs_the_side_makes_an_order_reducing_and_the_flag_says_nothing(
    rig: Rig, venue: Any
) -> None:
    rig.engine.holdings.clear()
    rig.engine.hedge_mode = True
    rig.engine.hold("SOLUSDT", D(50), leverage=10)
    rig.engine.hold("SOLUSDT", D(-20), leverage=10)
    with pytest.raises(ccxt.BaseError, match="51000"):
        await venue.privatePostTradeOrderAlgo(dict(STOP))
    await venue.privatePostTradeOrderAlgo(STOP | {"posSide": "long"})
    order = {
        "instId": SOL, "tdMode": "isolated", "side": "buy", "posSide": "short", "ordType": "ioc",
        "sz": "999", "px": "151", "reduceOnly": True, "clOrdId": "two",
    }  # fmt: skip
    await venue.privatePostTradeOrder(order)
    assert ("SOLUSDT", "SHORT") not in rig.engine.holdings  # and no more was bought
    assert rig.engine.holdings["SOLUSDT", "LONG"].amount == D(50)


async def test_margin_moves_and_transfers_take_raw_amounts_and_leave_bills(
    venue: Any, rig: Rig
) -> None:
    add = {"instId": SOL, "posSide": "net", "type": "add", "amt": "12.75"}
    (done,) = (await venue.privatePostAccountPositionMarginBalance(add))["data"]
    assert (done["amt"], done["type"]) == ("12.75", "add")
    assert rig.engine.margin_moves[-1].amount == D("12.75")
    found = await venue.privateGetAccountBills({"type": "6", "subType": "160"})
    assert [row["posBalChg"] for row in found["data"]] == ["12.75"]
    move = {"ccy": "USDT", "amt": "10.5", "from": "6", "to": "18", "clientId": "mine"}
    (moved,) = (await venue.privatePostAssetTransfer(move))["data"]
    (state,) = (await venue.privateGetAssetTransferState({"clientId": "mine"}))["data"]
    assert (state["state"], state["transId"]) == ("success", moved["transId"])
    with pytest.raises(ccxt.BaseError, match="50071"):
        await venue.privatePostAssetTransfer(move)
    assert len(rig.engine.transfers) == 1
    bills = (await venue.privateGetAccountBills({"type": "1"}))["data"]
    assert [(row["balChg"], row["subType"]) for row in bills] == [("10.5", "11")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"amt": "999999"}, "51119", id="too little there"),
        pytest.param({"type": "reduce", "amt": "750"}, "59301", id="too much out"),
        pytest.param({"instId": "BTC-USDT-SWAP"}, "59300", id="nothing held"),
        pytest.param({"instId": "BTC-USD-SWAP"}, "51001", id="not traded here"),
        pytest.param({"amt": "-5"}, "51000", id="negative"),
        pytest.param({"amt": None}, "50014", id="no amount"),
        pytest.param({"amt": [5]}, "51000", id="a list"),
        pytest.param({"posSide": "long"}, "51000", id="a leg in net mode"),
    ],
)
async def test_a_margin_move_the_venue_refuses_has_its_code(
    venue: Any, changes: dict[str, Any], code: str
) -> None:
    move = {"instId": SOL, "posSide": "net", "type": "add", "amt": "1"} | changes
    with pytest.raises(ccxt.BaseError, match=code):
        await venue.privatePostAccountPositionMarginBalance(move)


def asked(desk: OkxDesk, *, body: str = "", **changes: str) -> tuple[int, str]:
    """Ask for the account as a client of our own would; status and code."""
    stamp = changes.pop("stamp", desk_time(desk))
    method = "POST" if body else "GET"
    path = MARGIN if body else "/api/v5/account/balance"
    request = Asked(method=method, path=path, query="" if body else "ccy=USDT", body=body.encode())
    headers = {
        "ok-access-key": KEYS.key,
        "ok-access-passphrase": KEYS.password,
        "ok-access-timestamp": stamp,
        "ok-access-sign": signed(request, stamp, KEYS.secret),
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    reply: Reply = desk.answer(
        Asked(method=method, path=path, query=request.query, body=request.body, headers=headers)
    )
    return reply.status, json.loads(reply.text)["code"]


def desk_time(desk: OkxDesk, shift: float = 0.0) -> str:
    at = datetime.fromtimestamp(desk.pace.now_ms / 1000, UTC) + timedelta(seconds=shift)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def a_desk() -> OkxDesk:
    engine = ruled("okx", an_engine())
    engine.hold("SOLUSDT", D(50), leverage=10)
    pace = Stepped(engine, speed=1.0)
    return OkxDesk(engine, pace)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ok_access_key": ""}, "50103"),
        ({"ok_access_passphrase": ""}, "50104"),
        ({"ok_access_sign": ""}, "50106"),
        ({"ok_access_timestamp": ""}, "50107"),
        ({"ok_access_key": "unknown"}, "50111"),
        ({"ok_access_passphrase": "wrong"}, "50105"),
        ({"ok_access_sign": "wrong"}, "50113"),
        ({"ok_access_timestamp": "noon"}, "50112"),
        ({"ok_access_timestamp": "2026-01-05T12:00:00"}, "50112"),
    ],
)
def test_a_wrong_header_is_seen(changes: dict[str, str], code: str) -> None:
    assert asked(a_desk(), **changes) == (401, code)


def test_a_request_is_taken_for_thirty_seconds_and_no_longer() -> None:
    desk = a_desk()
    assert asked(desk, stamp=desk_time(desk, -29.9)) == (200, "0")
    assert asked(desk, stamp=desk_time(desk, -30.1)) == (401, "50102")
    assert asked(desk, stamp=desk_time(desk, 30.1)) == (401, "50102")


def test_the_signature_covers_the_body() -> None:
    desk = a_desk()
    body = '{"instId":"SOL-USDT-SWAP","posSide":"net","type":"add","amt":"1"}'
    assert asked(desk, body=body) == (200, "0")
    other = Asked(method="POST", path=MARGIN, body=body.replace('"1"', '"2"').encode())
    forged = signed(other, desk_time(desk), KEYS.secret)
    assert asked(desk, body=body, ok_access_sign=forged) == (401, "50113")


def test_a_revoked_key_is_refused() -> None:
    desk = a_desk()
    desk.keys = Keys(is_valid=False)
    assert asked(desk) == (401, "50111")


def test_too_many_requests_in_two_seconds_are_429_with_a_code_and_soon_forgotten() -> None:
    desk = a_desk()
    limit = LIMITS["GET", "/api/v5/account/balance"]
    assert [asked(desk)[0] for _ in range(limit + 1)] == [200] * limit + [429]
    assert asked(desk) == (429, "50011")
    desk.engine.advance(desk.engine.now_ms + 2000)
    assert asked(desk) == (200, "0")


@pytest.mark.parametrize("body", ["[", "[1]", '"x"', "7"])
def test_a_body_that_is_no_object_has_a_code(body: str) -> None:
    assert asked(a_desk(), body=body) == (400, "50002")


def test_an_unknown_path_is_a_404() -> None:
    reply = a_desk().answer(Asked(method="GET", path="/api/v5/nothing"))
    assert reply.status == 404


@pytest.mark.parametrize("amount", ["50", "-50"])
async def test_the_shown_liquidation_price_is_that_of_the_venues_rule_and_one_tick(
    amount: str,
) -> None:
    engine = ruled("okx", an_engine())
    engine.hold("SOLUSDT", D(amount), leverage=10)
    holding, contract = engine.holdings["SOLUSDT", "BOTH"], engine.contracts["SOLUSDT"]
    rule = rule_for(venue="okx", mode=Mode.ISOLATED, contract=Contract.LINEAR, day=START.date())
    tiers, floor = [], D(0)
    for step in TIERS["SOL"]:
        tiers.append(
            MarginTier(
                notional_floor=floor, maintenance_rate=step.maintenance, maintenance_amount=D(0),
                max_leverage=D(step.leverage),
            )
        )  # fmt: skip
        floor = step.most * face(contract)
    price = by_rule.liquidation_price(
        rule,
        Terms(
            size=holding.amount, entry_price=holding.entry, margin=holding.margin,
            tiers=tuple(tiers), closing_fee=contract.taker,
        ),
    )  # fmt: skip
    assert price is not None
    shown = by_rule.finished(rule, price, size=holding.amount, tick=contract.tick)
    room = Room(engine=engine, keys=KEYS)
    (row,) = ROUTES["GET", "/api/v5/account/positions"].handler(
        room, Request(parameters={}, now_ms=0)
    )
    assert isinstance(row, dict)
    assert abs(D(row["liqPx"]) - shown) < shown * D("1e-12")


def test_an_exchange_of_this_venue_liquidates_by_size_and_with_the_fee() -> None:
    engine = an_engine()
    contract = engine.contracts["BTCUSDT"]
    assert demand(contract, D(1), D(60000)) == 60000 * D("0.0045")
    assert demand(contract, D(5), D(60000)) == 300_000 * D("0.0045")
    assert demand(contract, D("5.001"), D(60000)) == D("5.001") * 60000 * D("0.0065")
    engine.hold("SOLUSDT", D(50), leverage=10)
    holding = engine.holdings["SOLUSDT", "BOTH"]
    before = engine.maintenance(holding)
    ruled("okx", engine)
    assert engine.maintenance(holding) > before


words = st.text(max_size=12) | st.sampled_from(
    [SOL, "BTC-USDT-SWAP", "1", "-1", "1e400", "NaN", "buy", "sell", "ioc", "limit", "market",
     "true", "0", "net", "long", "SWAP", "isolated", "add", "reduce", "6", "18", "USDT",
     "conditional", "mark", "1H"]
)  # fmt: skip
values = words | st.booleans() | st.integers() | st.none() | st.just([1])
names = st.sampled_from(
    ["instId", "side", "ordType", "sz", "px", "tdMode", "reduceOnly", "amt", "posSide", "lever",
     "mgnMode", "begin", "end", "limit", "ccy", "bar", "ordId", "clOrdId", "posMode", "type",
     "slTriggerPx", "slOrdPx", "closeFraction", "slTriggerPxType", "algoId", "algoClOrdId",
     "instType", "instFamily", "from", "to", "clientId", "transId", "after", "before"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.sampled_from(sorted(ROUTES)), st.dictionaries(names, values, max_size=9))
def test_whatever_is_asked_gets_an_answer_or_a_code(
    found: tuple[str, str], parameters: dict[str, Any]
) -> None:
    engine = ruled("okx", an_engine())
    engine.hold("SOLUSDT", D(50), leverage=10)
    one = Request(parameters=parameters, now_ms=engine.now_ms)
    request = Request(parameters=parameters, now_ms=engine.now_ms, items=(one,))
    with contextlib.suppress(WireError, Refused):
        ROUTES[found].handler(Room(engine=engine, keys=Keys()), request)
