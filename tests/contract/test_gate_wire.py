"""Unmodified ccxt against the paper exchange in Gate's words."""

import contextlib
import json
from collections.abc import AsyncIterator
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
from bot.paper.gate.codes import WireError
from bot.paper.gate.desk import GateDesk
from bot.paper.gate.listing import CLOSING, demand
from bot.paper.gate.request import Request, signed
from bot.paper.gate.room import Room
from bot.paper.gate.routes import ROUTES, WRITES, found
from bot.paper.pace import Stepped
from bot.paper.values import Refused
from tests.kit.gate import Rig, serving
from tests.kit.paper import KEYS, START, a_hedged_engine, an_engine
from tests.kit.rigs import plain

USDT = {"settle": "usdt"}
SOL = {"settle": "usdt", "contract": "SOL_USDT"}
MARGIN = "/api/v4/futures/usdt/positions/SOL_USDT/margin"
ACCOUNTS = "/api/v4/futures/usdt/accounts"


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
        rig, ccxt.gate, "https://api.gateio.ws", defaultType="swap", unifiedAccount=False
    ) as client:
        yield client


async def test_ccxt_reads_markets_positions_balance_and_prices(venue: Any, rig: Rig) -> None:
    markets = await venue.load_markets()
    btc = markets["BTC/USDT:USDT"]
    assert (btc["contractSize"], btc["precision"]["amount"], btc["linear"]) == (0.001, 1, True)
    assert markets["BTC/USD:BTC"]["inverse"]
    positions = await venue.fetch_positions(None, {"settle": "usdt", "holding": True})
    (position,) = [p for p in positions if p["contracts"]]
    assert (position["symbol"], position["contracts"]) == ("SOL/USDT:USDT", 50)
    assert (position["side"], position["marginMode"]) == ("long", "isolated")
    balance = await venue.fetch_balance({"settle": "usdt"})
    assert balance["USDT"]["free"] == float(rig.engine.available())
    spot = await venue.fetch_balance({"type": "spot"})
    assert spot["USDT"]["total"] == 5000
    bars = await venue.fetch_ohlcv("BTC/USDT:USDT", "1h", limit=48, params={"price": "mark"})
    assert len(bars) == 48
    assert bars[0][0] < bars[-1][0]
    book = await venue.fetch_order_book("BTC/USDT:USDT", limit=20)
    assert book["bids"][0][0] < book["asks"][0][0]
    ticker = await venue.fetch_ticker("SOL/USDT:USDT")
    assert D(str(ticker["markPrice"])) == rig.engine.quotes["SOLUSDT"].mark
    assert (await venue.fetch_funding_rate("BTC/USDT:USDT"))["fundingRate"] > 0
    tiers = await venue.fetch_market_leverage_tiers("BTC/USDT:USDT")
    steps = rig.engine.contracts["BTCUSDT"].brackets
    assert [t["maintenanceMarginRate"] for t in tiers] == [float(step.rate) for step in steps]
    assert [D(t["info"]["deduction"]) for t in tiers] == [step.cum for step in steps]
    assert await venue.fetch_time() == rig.engine.now_ms


async def test_ccxt_moves_margin_places_reads_and_cancels_orders(venue: Any, rig: Rig) -> None:
    await venue.load_markets()
    moved = await venue.add_margin("SOL/USDT:USDT", 12.75)
    assert (moved["amount"], moved["total"]) == (None, 762.75)  # nothing else is told
    moved = await venue.reduce_margin("SOL/USDT:USDT", 5)
    assert moved["total"] == 757.75
    placed = await venue.create_order(
        "SOL/USDT:USDT", "limit", "sell", 10, 149,
        {"reduceOnly": True, "clientOrderId": "t-one", "timeInForce": "IOC"},
    )  # fmt: skip
    assert (placed["filled"], placed["status"]) == (10, "closed")
    again = await venue.fetch_order("t-one", "SOL/USDT:USDT")
    assert again["id"] == placed["id"]
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(40)
    stop = await venue.create_order(
        "SOL/USDT:USDT", "market", "sell", 5, None,
        {"stopLossPrice": 120, "price_type": 1, "reduceOnly": True, "timeInForce": "IOC"},
    )  # fmt: skip
    (listed,) = await venue.privateFuturesGetSettlePriceOrders(USDT | {"status": "open"})
    assert (listed["trigger"]["price"], str(listed["id"])) == ("120", stop["id"])
    gone = await venue.cancel_order(stop["id"], "SOL/USDT:USDT", {"trigger": True})
    assert gone["info"]["finish_as"] == "cancelled"
    assert await venue.privateFuturesGetSettlePriceOrders(USDT | {"status": "open"}) == []


async def test_ccxt_changes_settings_and_gets_the_venues_refusals(venue: Any) -> None:
    await venue.load_markets()
    await venue.set_leverage(25, "BTC/USDT:USDT")
    with pytest.raises(ccxt.InvalidOrder, match="LEVERAGE_TOO_LOW"):
        await venue.set_leverage(2, "SOL/USDT:USDT")
    with pytest.raises(ccxt.BadRequest, match="POSITION_HOLDING"):
        await venue.set_position_mode(True)


STOP: dict[str, Any] = {
    **USDT,
    "initial": {"contract": "SOL_USDT", "size": -5, "price": "0", "tif": "ioc",
                "reduce_only": True, "text": "t-mine"},
    "trigger": {"strategy_type": 0, "price_type": 1, "price": "120", "rule": 2},
    "order_type": "plan-close-long-position",
}  # fmt: skip


def stop(**changes: Any) -> dict[str, Any]:
    """Return a stop with changes; of its parts by the names of those."""
    initial = {k: v for k, v in changes.items() if k in STOP["initial"] or k == "close"}
    trigger = {k[8:]: v for k, v in changes.items() if k.startswith("trigger_")}
    rest = {k: v for k, v in changes.items() if k == "order_type"}
    made: dict[str, Any] = STOP | rest
    return made | {"initial": STOP["initial"] | initial, "trigger": STOP["trigger"] | trigger}


async def test_a_triggered_order_is_known_to_its_own_endpoints_only(venue: Any) -> None:
    placed = await venue.privateFuturesPostSettlePriceOrders(stop())
    named = {**USDT, "order_id": str(placed["id"])}
    with pytest.raises(ccxt.OrderNotFound, match="ORDER_NOT_FOUND"):
        await venue.privateFuturesGetSettleOrdersOrderId(named)
    gone = await venue.privateFuturesDeleteSettlePriceOrdersOrderId(named)
    assert (gone["status"], gone["finish_as"]) == ("finished", "cancelled")
    assert gone["initial"]["text"] == "t-mine"
    again = await venue.privateFuturesGetSettlePriceOrdersOrderId(named)
    assert again["finish_as"] == "cancelled"
    with pytest.raises(ccxt.BaseError, match="ORDER_FINISHED"):
        await venue.privateFuturesDeleteSettlePriceOrdersOrderId(named)


async def test_a_stop_for_all_that_is_open_says_so(venue: Any) -> None:
    whole = stop(size=0, close=True, order_type="close-long-position")
    await venue.privateFuturesPostSettlePriceOrders(whole)
    (row,) = await venue.privateFuturesGetSettlePriceOrders(USDT | {"status": "open"})
    assert (row["initial"]["is_close"], row["initial"]["size"]) == (True, 0)


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        pytest.param({"trigger_price": "999"}, "AUTO_TRIGGER_PRICE_LESS_LAST", id="fires at once"),
        pytest.param(
            {"size": 5, "trigger_price": "1", "trigger_rule": 1,
             "order_type": "plan-close-short-position"},
            "AUTO_TRIGGER_PRICE_GREATE_LAST", id="fires at once, buying",
        ),
        pytest.param({"size": 5}, "AUTO_INVALID_PARAM", id="of the other side"),
        pytest.param({"order_type": "close-short-position"}, "AUTO_INVALID", id="of the other leg"),
        pytest.param({"size": 0}, "AUTO_INVALID_PARAM", id="all, and does not say so"),
        pytest.param({"reduce_only": False}, "AUTO_INVALID_PARAM", id="may grow"),
        pytest.param({"price": "119"}, "AUTO_INVALID_PARAM", id="not at market"),
        pytest.param({"price": 0}, "INVALID_REQUEST_BODY", id="a number for a word"),
        pytest.param({"text": "mine"}, "INVALID_PARAM_VALUE", id="a name without its prefix"),
        pytest.param({"text": "t-" + "a" * 29}, "INVALID_PARAM_VALUE", id="a long name"),
        pytest.param({"contract": "XYZ_USDT"}, "CONTRACT_NOT_FOUND", id="another contract"),
    ],
)  # fmt: skip
async def test_a_triggered_order_the_venue_refuses_has_its_label(
    venue: Any, changes: dict[str, Any], label: str
) -> None:
    with pytest.raises(ccxt.BaseError, match=label):
        await venue.privateFuturesPostSettlePriceOrders(stop(**changes))


ORDER = {**SOL, "size": -1, "price": "149", "tif": "ioc", "reduce_only": True, "text": "t-two"}


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        pytest.param({"size": 1}, "REDUCE_EXCEEDED", id="nothing to reduce"),
        pytest.param({"price": "1"}, "PRICE_TOO_DEVIATED", id="price out of bounds"),
        pytest.param({"price": "149.001"}, "INVALID_PARAM_VALUE", id="not on a tick"),
        pytest.param({"price": 149}, "INVALID_REQUEST_BODY", id="a number for a word"),
        pytest.param({"size": "0.5"}, "INVALID_PARAM_VALUE", id="a part of a contract"),
        pytest.param({"size": -9999999}, "SIZE_TOO_LARGE", id="too many"),
        pytest.param({"text": "t-a b"}, "INVALID_PARAM_VALUE", id="a sign in the name"),
        pytest.param({"tif": "poc"}, "INVALID_PARAM_VALUE", id="another time in force"),
    ],
)
async def test_an_order_the_venue_refuses_has_its_label(
    venue: Any, changes: dict[str, Any], label: str
) -> None:
    with pytest.raises(ccxt.BaseError, match=label):
        await venue.privateFuturesPostSettleOrders(ORDER | changes)


async def test_a_name_is_taken_once_and_found_for_an_hour(venue: Any, rig: Rig) -> None:
    await venue.privateFuturesPostSettleOrders(dict(ORDER))
    with pytest.raises(ccxt.BaseError, match="ORDER_EXISTS"):
        await venue.privateFuturesPostSettleOrders(dict(ORDER))
    await venue.privateFuturesGetSettleOrdersOrderId({**USDT, "order_id": "t-two"})
    rig.engine.advance(rig.engine.now_ms + 3_601_000)
    with pytest.raises(ccxt.OrderNotFound):
        await venue.privateFuturesGetSettleOrdersOrderId({**USDT, "order_id": "t-two"})
    (fill,) = await venue.privateFuturesGetSettleMyTradesTimerange(dict(SOL))
    assert (fill["text"], fill["size"]) == ("t-two", "-1")


async def test_with_legs_margin_has_its_own_endpoint_and_the_flag_tells_what_closes(
    rig: Rig, venue: Any
) -> None:
    rig.engine.holdings.clear()
    rig.engine.hedge_mode = True
    rig.engine.hold("SOLUSDT", D(50), leverage=10)
    rig.engine.hold("SOLUSDT", D(-20), leverage=10)
    with pytest.raises(ccxt.BaseError, match="POSITION_DUAL_MODE"):
        await venue.privateFuturesPostSettlePositionsContractMargin({**SOL, "change": "1"})
    rows = await venue.privateFuturesPostSettleDualCompPositionsContractMargin(
        {**SOL, "change": "1.5", "dual_side": "dual_short"}
    )
    assert {row["mode"]: row["margin"] for row in rows} == {
        "dual_long": "750",
        "dual_short": "301.5",
    }
    await venue.privateFuturesPostSettleOrders(ORDER | {"size": 999, "price": "151"})
    assert ("SOLUSDT", "SHORT") not in rig.engine.holdings  # and no more was bought
    assert rig.engine.holdings["SOLUSDT", "LONG"].amount == D(50)
    opened = ORDER | {"size": 3, "price": "151", "reduce_only": False, "text": "t-three"}
    await venue.privateFuturesPostSettleOrders(opened)
    assert rig.engine.holdings["SOLUSDT", "LONG"].amount == D(53)


async def test_transfers_have_no_name_and_stand_in_both_books(venue: Any, rig: Rig) -> None:
    move = {"currency": "USDT", "from": "spot", "to": "futures", "amount": "10.5", "settle": "usdt"}
    told = await venue.privateWalletPostTransfers(move)
    assert list(told) == ["tx_id"]
    (line,) = await venue.privateFuturesGetSettleAccountBook(USDT | {"type": "dnw"})
    assert (line["change"], line["contract"]) == ("10.5", "")
    (other,) = await venue.privateSpotGetAccountBook({"currency": "USDT"})
    assert other["change"] == "-10.5"
    await venue.privateWalletPostTransfers(move)  # nothing stops a second one
    assert len(rig.engine.transfers) == 2


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        pytest.param({"amount": "999999"}, "BALANCE_NOT_ENOUGH", id="too little there"),
        pytest.param(
            {"from": "futures", "to": "spot", "amount": "999999"},
            "FUTURES_BALANCE_NOT_ENOUGH", id="too little there",
        ),
        pytest.param({"amount": "-5"}, "INVALID_PARAM_VALUE", id="negative"),
        pytest.param({"to": "spot"}, "INVALID_PARAM_VALUE", id="to itself"),
        pytest.param({"to": "margin"}, "INVALID_PARAM_VALUE", id="elsewhere"),
        pytest.param({"settle": "btc"}, "INVALID_CURRENCY", id="of another account"),
        pytest.param({"amount": None}, "MISSING_REQUIRED_PARAM", id="no amount"),
    ],
)  # fmt: skip
async def test_a_transfer_the_venue_refuses_has_its_label(
    venue: Any, changes: dict[str, Any], label: str
) -> None:
    move = {"currency": "USDT", "from": "spot", "to": "futures", "amount": "1", "settle": "usdt"}
    with pytest.raises(ccxt.BaseError, match=label):
        await venue.privateWalletPostTransfers(move | changes)


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        pytest.param({"change": "999999"}, "BALANCE_NOT_ENOUGH", id="too little there"),
        pytest.param({"change": "-750"}, "REMOVE_TOO_MUCH", id="too much out"),
        pytest.param({"change": "0"}, "INVALID_PARAM_VALUE", id="nothing"),
        pytest.param({"change": "1e2"}, "INVALID_PARAM_VALUE", id="no plain digits"),
        pytest.param({"contract": "BTC_USDT"}, "POSITION_EMPTY", id="nothing held"),
        pytest.param({"contract": "BTC_USD"}, "CONTRACT_NOT_FOUND", id="not traded here"),
    ],
)
async def test_a_margin_move_the_venue_refuses_has_its_label(
    venue: Any, changes: dict[str, Any], label: str
) -> None:
    with pytest.raises(ccxt.BaseError, match=label):
        await venue.privateFuturesPostSettlePositionsContractMargin(
            {**SOL, "change": "1"} | changes
        )


def asked(desk: GateDesk, *, change: str = "", **headers: str) -> tuple[int, str]:
    """Ask for the account, or move margin, as a client of our own would; status and label."""
    method, path = ("POST", MARGIN) if change else ("GET", ACCOUNTS)
    stamp = headers.get("timestamp", str(desk.pace.now_ms // 1000))
    request = Asked(method=method, path=path, query=f"change={change}" if change else "")
    given = {"key": KEYS.key, "timestamp": stamp, "sign": signed(request, stamp, KEYS.secret)}
    reply: Reply = desk.answer(
        Asked(method=method, path=path, query=request.query, headers=given | headers)
    )
    body = json.loads(reply.text)
    return reply.status, body.get("label", "")


def a_desk() -> GateDesk:
    engine = ruled("gate", an_engine())
    engine.hold("SOLUSDT", D(50), leverage=10)
    return GateDesk(engine, Stepped(engine, speed=1.0))


@pytest.mark.parametrize(
    ("headers", "label"),
    [
        ({"key": ""}, "MISSING_REQUIRED_HEADER"),
        ({"sign": ""}, "MISSING_REQUIRED_HEADER"),
        ({"timestamp": ""}, "MISSING_REQUIRED_HEADER"),
        ({"key": "unknown"}, "INVALID_KEY"),
        ({"sign": "wrong"}, "INVALID_SIGNATURE"),
        ({"timestamp": "noon"}, "REQUEST_EXPIRED"),
        ({"timestamp": "1767614400000"}, "REQUEST_EXPIRED"),
    ],
)
def test_a_wrong_header_is_seen(headers: dict[str, str], label: str) -> None:
    assert asked(a_desk(), **headers) == (401, label)


def test_a_request_is_taken_for_sixty_seconds_and_no_longer() -> None:
    desk = a_desk()
    now = desk.pace.now_ms // 1000
    assert asked(desk, timestamp=str(now - 60)) == (200, "")
    assert asked(desk, timestamp=str(now - 61)) == (401, "REQUEST_EXPIRED")
    assert asked(desk, timestamp=str(now + 61)) == (401, "REQUEST_EXPIRED")


def test_the_signature_covers_the_query() -> None:
    desk = a_desk()
    assert asked(desk, change="1") == (200, "")
    other = Asked(method="POST", path=MARGIN, query="change=2")
    forged = signed(other, str(desk.pace.now_ms // 1000), KEYS.secret)
    assert asked(desk, change="1", sign=forged) == (401, "INVALID_SIGNATURE")


def test_a_revoked_key_is_refused() -> None:
    desk = a_desk()
    desk.keys = Keys(is_valid=False)
    assert asked(desk) == (401, "INVALID_KEY")


def test_too_many_requests_in_ten_seconds_are_429_with_a_label_and_soon_forgotten() -> None:
    desk = a_desk()
    assert [asked(desk)[0] for _ in range(201)] == [200] * 200 + [429]
    assert asked(desk) == (429, "TOO_MANY_REQUESTS")
    told = desk.answer(Asked(method="GET", path=ACCOUNTS)).headers
    assert told["X-Gate-RateLimit-Requests-Remain"] == "0"
    reset = int(told["X-Gate-RateLimit-Reset-Timestamp"]) * 1000
    assert desk.engine.now_ms < reset <= desk.engine.now_ms + 11_000
    desk.engine.advance(desk.engine.now_ms + 10_000)
    assert asked(desk) == (200, "")


@pytest.mark.parametrize("body", ["[", "[1]", '"x"', "7"])
async def test_a_body_that_is_no_object_has_a_label(body: str) -> None:
    desk = a_desk()
    stamp = str(desk.pace.now_ms // 1000)
    request = Asked(method="POST", path="/api/v4/wallet/transfers", body=body.encode())
    headers = {"key": KEYS.key, "timestamp": stamp, "sign": signed(request, stamp, KEYS.secret)}
    reply = desk.answer(
        Asked(method=request.method, path=request.path, body=request.body, headers=headers)
    )
    assert json.loads(reply.text)["label"] == "INVALID_REQUEST_BODY"


@pytest.mark.parametrize("path", ["/api/v4/nothing", "/nothing", "/api/v4/futures/usdt"])
def test_an_unknown_path_is_a_404(path: str) -> None:
    assert a_desk().answer(Asked(method="GET", path=path)).status == 404


@pytest.mark.parametrize("amount", ["50", "-50"])
def test_the_shown_liquidation_price_is_that_of_the_venues_rule(amount: str) -> None:
    engine = ruled("gate", an_engine())
    engine.hold("SOLUSDT", D(amount), leverage=10)
    holding, contract = engine.holdings["SOLUSDT", "BOTH"], engine.contracts["SOLUSDT"]
    rule = rule_for(venue="gate", mode=Mode.ISOLATED, contract=Contract.LINEAR, day=START.date())
    tier = MarginTier(
        notional_floor=D(0), maintenance_rate=contract.brackets[0].rate, maintenance_amount=D(0),
        max_leverage=D(10),
    )  # fmt: skip
    price = by_rule.liquidation_price(
        rule,
        Terms(
            size=holding.amount, entry_price=holding.entry, margin=holding.margin, tiers=(tier,),
            closing_fee=contract.taker,
        ),
    )  # fmt: skip
    assert price is not None
    shown = by_rule.finished(rule, price, size=holding.amount, tick=contract.tick)
    route = found("GET", "/api/v4/futures/usdt/positions")
    assert route is not None
    asked_for = Request(parameters={"settle": "usdt", "holding": "true"}, now_ms=0)
    (row,) = route[0].handler(Room(engine=engine, keys=KEYS), asked_for)
    assert D(row["liq_price"]) == shown


def test_an_exchange_of_this_venue_liquidates_with_the_cost_of_closing() -> None:
    engine = an_engine()
    contract = engine.contracts["BTCUSDT"]
    assert demand(contract, D("0.5"), D(60000)) == 30_000 * (D("0.004") + CLOSING)
    assert demand(contract, D(1), D(60000)) == 60_000 * (D("0.005") + CLOSING) - 50
    engine.hold("SOLUSDT", D(50), leverage=10)
    holding = engine.holdings["SOLUSDT", "BOTH"]
    before = engine.maintenance(holding)
    ruled("gate", engine)
    assert engine.maintenance(holding) > before


def test_the_endpoints_that_move_something_are_listed_as_such() -> None:
    assert {(route.method, route.template) for route in ROUTES} >= WRITES


words = st.text(max_size=12) | st.sampled_from(
    ["SOL_USDT", "BTC_USD", "1", "-1", "1e400", "NaN", "ioc", "gtc", "true", "0", "usdt", "btc",
     "dual_long", "dual_short", "open", "finished", "spot", "futures", "USDT", "1h",
     "mark_SOL_USDT", "t-a", "dnw", "close-long-position"]
)  # fmt: skip
values = words | st.booleans() | st.integers() | st.none() | st.just([1])
names = st.sampled_from(
    ["settle", "contract", "size", "price", "tif", "reduce_only", "text", "change", "dual_side",
     "leverage", "dual_mode", "from", "to", "limit", "offset", "currency", "interval", "order_id",
     "status", "type", "amount", "holding", "order_type", "initial", "trigger", "rule",
     "price_type", "strategy_type", "close", "auto_size"]
)  # fmt: skip
parts = st.dictionaries(names, values, max_size=6)


@settings(max_examples=150)
@given(st.sampled_from(ROUTES), st.dictionaries(names, values | parts, max_size=9), st.booleans())
def test_whatever_is_asked_gets_an_answer_or_a_label(
    route: Any, parameters: dict[str, Any], has_legs: bool
) -> None:
    if has_legs:
        engine = ruled("gate", a_hedged_engine())
    else:
        engine = ruled("gate", an_engine())
        engine.hold("SOLUSDT", D(50), leverage=10)
    request = Request(parameters={"settle": "usdt", **parameters}, now_ms=engine.now_ms)
    with contextlib.suppress(WireError, Refused):
        route.handler(Room(engine=engine, keys=Keys()), request)
