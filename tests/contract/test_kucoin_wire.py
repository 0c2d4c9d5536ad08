"""Unmodified ccxt against the paper exchange in KuCoin's words."""

import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal as D
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ccxt.async_support as ccxt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.instrument import Contract, MarginTier
from bot.exchanges.gateway import open_session
from bot.margin import by_rule
from bot.margin.by_rule import Terms
from bot.margin.rules import Mode
from bot.margin.venues import rule_for
from bot.paper.desk import Asked, Keys, Reply
from bot.paper.fronts import ruled
from bot.paper.kucoin.codes import HOSTS, WireError
from bot.paper.kucoin.desk import KucoinDesk
from bot.paper.kucoin.limits import POOL
from bot.paper.kucoin.listing import LEVELS, demand
from bot.paper.kucoin.request import Request, signed
from bot.paper.kucoin.room import Room
from bot.paper.kucoin.routes import ROUTES
from bot.paper.kucoin.shape import written
from bot.paper.pace import Stepped
from bot.paper.values import Refused
from tests.kit.kucoin import Rig, serving
from tests.kit.paper import KEYS, START, a_hedged_engine, an_engine
from tests.kit.rigs import plain

SOL = "SOLUSDTM"
DEPOSIT = "/api/v1/position/margin/deposit-margin"
OVERVIEW = "/api/v1/account-overview"


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
        rig, ccxt.kucoinfutures, *(f"https://{host}" for host in HOSTS), hf=False
    ) as client:
        yield client


async def test_ccxt_reads_markets_positions_balance_and_prices(venue: Any, rig: Rig) -> None:
    markets = await venue.load_markets(params={"marginables": False})
    sol = markets["SOL/USDT:USDT"]
    assert (sol["id"], sol["contractSize"], sol["linear"]) == (SOL, 0.1, True)
    assert markets["BTC/USDT:USDT"]["id"] == "XBTUSDTM"
    assert markets["BTC/USD:BTC"]["inverse"]
    (position,) = await venue.fetch_positions()
    assert (position["symbol"], position["contracts"]) == ("SOL/USDT:USDT", 500)
    assert (position["side"], position["marginMode"]) == ("long", "isolated")
    free = rig.engine.available()
    assert (await venue.fetch_balance({"type": "swap", "currency": "USDT"}))["USDT"][
        "free"
    ] == float(free)
    mark = await venue.fetch_mark_price("SOL/USDT:USDT")
    assert D(str(mark["markPrice"])) == rig.engine.quotes["SOLUSDT"].mark
    since = rig.pace.now_ms - 48 * 3_600_000
    bars = await venue.fetch_ohlcv("BTC/USDT:USDT", "1h", since, 24)
    assert since <= bars[0][0] < bars[-1][0]
    book = await venue.fetch_order_book("BTC/USDT:USDT", limit=100)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert (await venue.fetch_funding_rate("BTC/USDT:USDT"))["fundingRate"] > 0
    tiers = await venue.fetch_market_leverage_tiers("BTC/USDT:USDT")
    assert [tier["maintenanceMarginRate"] for tier in tiers] == [
        float(step.maintenance) for step in LEVELS["BTC"]
    ]


async def test_ccxt_adds_margin_and_takes_it_out(venue: Any, rig: Rig) -> None:
    await venue.load_markets(params={"marginables": False})
    before = rig.engine.holdings["SOLUSDT", "BOTH"].margin
    await venue.add_margin("SOL/USDT:USDT", 12.75)
    assert rig.engine.holdings["SOLUSDT", "BOTH"].margin == before + D("12.75")
    await venue.futuresPrivatePostMarginWithdrawMargin({"symbol": SOL, "withdrawAmount": "2.75"})
    assert rig.engine.margin_moves[-1].amount == D("-2.75")
    room = await venue.futuresPrivateGetMarginMaxWithdrawMargin({"symbol": SOL})
    assert D(room["data"]) == rig.engine.removable(rig.engine.holdings["SOLUSDT", "BOTH"])


async def test_ccxt_places_reads_and_cancels_orders(venue: Any, rig: Rig) -> None:
    await venue.load_markets(params={"marginables": False})
    placed = await venue.create_order(
        "SOL/USDT:USDT", "limit", "sell", 100, 149,
        {"reduceOnly": True, "marginMode": "isolated", "clientOid": "one", "timeInForce": "IOC"},
    )  # fmt: skip
    assert placed["filled"] is None  # accepted, and nothing else is told
    done = await venue.fetch_order(None, "SOL/USDT:USDT", {"clientOid": "one"})
    assert (done["filled"], done["status"]) == (100, "closed")
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(40)
    stop = await venue.create_order(
        "SOL/USDT:USDT", "market", "sell", 50, None,
        {"stopLossPrice": 120, "marginMode": "isolated", "clientOid": "two"},
    )  # fmt: skip
    (listed,) = (await venue.futuresPrivateGetStopOrders())["data"]["items"]
    assert (listed["stopPrice"], listed["id"], listed["clientOid"]) == ("120", stop["id"], "two")
    await venue.cancel_order(stop["id"])
    assert (await venue.futuresPrivateGetStopOrders())["data"]["items"] == []
    gone = (await venue.futuresPrivateGetOrdersOrderId({"orderId": stop["id"]}))["data"]
    assert (gone["status"], gone["cancelExist"]) == ("done", True)


async def test_ccxt_transfers_in_by_name_and_out_without(venue: Any, rig: Rig) -> None:
    move = {
        "clientOid": "mine", "type": "INTERNAL", "currency": "USDT", "amount": "10.5",
        "fromAccountType": "MAIN", "toAccountType": "CONTRACT",
    }  # fmt: skip
    assert (await venue.privatePostAccountsUniversalTransfer(move))["data"]["orderId"]
    with pytest.raises(ccxt.BaseError, match="300018"):
        await venue.privatePostAccountsUniversalTransfer(move)
    out = {"recAccountType": "MAIN", "currency": "USDT", "amount": "2.5"}
    done = (await venue.futuresPrivatePostTransferOut(out))["data"]
    assert (done["status"], done["amount"]) == ("PROCESSING", "2.5")
    found = await venue.futuresPrivateGetTransactionHistory()
    assert [(row["type"], row["amount"]) for row in found["data"]["dataList"]] == [
        ("TransferOut", 2.5), ("TransferIn", 10.5),
    ]  # fmt: skip
    accounts = await venue.privateGetAccounts({"currency": "USDT", "type": "main"})
    assert accounts["data"][0]["available"] == "4992"
    assert len(rig.engine.transfers) == 2


async def test_results_of_eight_hours_are_one_line_that_is_open_until_they_are_over(
    venue: Any, rig: Rig
) -> None:
    async def lines() -> list[tuple[str, D, int]]:
        found = (await venue.futuresPrivateGetTransactionHistory({"type": "RealisedPNL"}))["data"]
        rows = found["dataList"]
        return [(row["status"], D(str(row["amount"])), row["offset"]) for row in rows]

    for number in range(2):
        order = {
            "clientOid": f"o{number}", "symbol": SOL, "side": "sell", "type": "market",
            "size": 10, "reduceOnly": True,
        }  # fmt: skip
        await venue.futuresPrivatePostOrders(order)
    booked = sum(line.amount for line in rig.engine.income)
    ((status, amount, offset),) = await lines()
    assert (status, offset) == ("Pending", -1)
    assert abs(amount - booked) < D("1e-8")
    await rig.pace.sleep(8 * 3600)
    statuses = {status for status, _, _ in await lines()}
    assert "Completed" in statuses


ORDER: dict[str, Any] = {
    "clientOid": "mine", "symbol": SOL, "side": "sell", "type": "limit", "size": 10,
    "price": "149", "timeInForce": "IOC", "reduceOnly": True, "marginMode": "ISOLATED",
}  # fmt: skip
STOP: dict[str, Any] = {
    "clientOid": "mine", "symbol": SOL, "side": "sell", "type": "market", "size": 50,
    "stop": "down", "stopPriceType": "MP", "stopPrice": "120", "reduceOnly": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("order", "code"),
    [
        pytest.param(STOP | {"stopPrice": "999"}, "300000", id="would fire at once"),
        pytest.param(STOP | {"stop": "up"}, "400100", id="takes profit"),
        pytest.param(STOP | {"stopPriceType": "XP"}, "400100", id="watches nothing"),
        pytest.param(STOP | {"positionSide": "LONG"}, "330011", id="a leg in one-way mode"),
        pytest.param(ORDER | {"marginMode": "CROSS"}, "330005", id="the other margin mode"),
        pytest.param(ORDER | {"side": "buy"}, "300009", id="nothing to close"),
        pytest.param(ORDER | {"clientOid": ""}, "400100", id="no name"),
        pytest.param(ORDER | {"clientOid": "a b"}, "400100", id="a sign in the name"),
        pytest.param(ORDER | {"size": "1.5"}, "400100", id="half a lot"),
        pytest.param(ORDER | {"price": "1"}, "300011", id="far from mark"),
        pytest.param(ORDER | {"symbol": "XBTUSDM"}, "100003", id="not traded here"),
    ],
)
async def test_an_order_the_venue_refuses_has_its_code(
    venue: Any, order: dict[str, Any], code: str
) -> None:
    with pytest.raises(ccxt.BaseError, match=code):
        await venue.futuresPrivatePostOrders(order)


async def test_the_name_of_an_order_is_taken_once(venue: Any, rig: Rig) -> None:
    await venue.futuresPrivatePostOrders(dict(STOP))
    with pytest.raises(ccxt.BaseError, match="300018"):
        await venue.futuresPrivatePostOrders(dict(ORDER))
    assert len(rig.engine.orders) == 1
    with pytest.raises(ccxt.OrderNotFound, match="100001"):
        await venue.futuresPrivateGetOrdersByClientOid({"clientOid": "other"})
    with pytest.raises(ccxt.BaseError, match="100004"):
        await venue.futuresPrivateDeleteOrdersOrderId({"orderId": "77"})


async def test_with_legs_an_order_names_its_leg_and_closes_no_more_than_it(
    authority: Path,
) -> None:
    async with serving(a_hedged_engine(), authority) as rig:
        session = open_session(rig.gateway, [f"https://{host}" for host in HOSTS])
        keys = {"apiKey": KEYS.key, "secret": KEYS.secret, "password": KEYS.password}
        client = ccxt.kucoinfutures({**keys, "session": session, "enableRateLimit": False})
        client.nonce = lambda: rig.pace.now_ms
        try:
            with pytest.raises(ccxt.InvalidOrder, match="330012"):
                await client.futuresPrivatePostOrders(dict(ORDER))
            close = ORDER | {"side": "buy", "positionSide": "SHORT", "size": 9990, "price": "151"}
            await client.futuresPrivatePostOrders(close)
            add = {"symbol": SOL, "positionSide": "LONG", "margin": "5", "bizNo": "a"}
            await client.futuresPrivatePostPositionMarginDepositMargin(add)
            (row,) = (await client.futuresPrivateGetPositions())["data"]
        finally:
            await client.close()
            await session.close()
        assert ("SOLUSDT", "SHORT") not in rig.engine.holdings  # and no more was bought
        assert (row["positionSide"], row["currentQty"]) == ("LONG", 500)
        assert rig.engine.margin_moves[-1].side == "LONG"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"margin": "999999"}, "300003", id="too little there"),
        pytest.param({"symbol": "XBTUSDTM"}, "Position does not exist", id="nothing held"),
        pytest.param({"margin": "-5"}, "400100", id="negative"),
        pytest.param({"margin": None}, "400100", id="no amount"),
        pytest.param({"margin": [5]}, "400100", id="a list"),
        pytest.param({"bizNo": None}, "400100", id="no name"),
        pytest.param({"positionSide": "LONG"}, "400100", id="a leg in one-way mode"),
    ],
)
async def test_a_margin_move_the_venue_refuses_has_its_code(
    venue: Any, changes: dict[str, Any], code: str
) -> None:
    move = {"symbol": SOL, "margin": "1", "bizNo": "one"} | changes
    with pytest.raises(ccxt.BaseError, match=code):
        await venue.futuresPrivatePostPositionMarginDepositMargin(move)


async def test_too_much_out_is_refused_and_a_repeated_name_processed_once(
    venue: Any, rig: Rig
) -> None:
    with pytest.raises(ccxt.BaseError, match="300000"):
        await venue.futuresPrivatePostMarginWithdrawMargin({"symbol": SOL, "withdrawAmount": "750"})
    move = {"symbol": SOL, "margin": "1", "bizNo": "one"}
    await venue.futuresPrivatePostPositionMarginDepositMargin(move)
    with pytest.raises(ccxt.BaseError, match="300018"):
        await venue.futuresPrivatePostPositionMarginDepositMargin(move)
    assert len(rig.engine.margin_moves) == 1


def mac(text: str) -> str:
    """Sign as a client of our own would."""
    digest = hmac.new(KEYS.secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def asked(
    desk: KucoinDesk,
    *,
    body: str = "",
    shift_ms: int = 0,
    changes: Mapping[str, str] = MappingProxyType({}),
) -> Reply:
    """Ask for the account, or with a body for more margin."""
    stamp = str(desk.pace.now_ms + shift_ms)
    method, path, query = ("POST", DEPOSIT, "") if body else ("GET", OVERVIEW, "currency=USDT")
    whole = f"{path}?{query}" if query else path
    headers = {
        "kc-api-key": KEYS.key,
        "kc-api-passphrase": mac(KEYS.password),
        "kc-api-timestamp": stamp,
        "kc-api-key-version": "2",
        "kc-api-sign": mac(f"{stamp}{method}{whole}{body}"),
        **changes,
    }
    return desk.answer(
        Asked(method=method, path=path, query=query, body=body.encode(), headers=headers)
    )


def code_of(reply: Reply) -> tuple[int, str]:
    return reply.status, json.loads(reply.text)["code"]


def a_desk() -> KucoinDesk:
    engine = ruled("kucoinfutures", an_engine())
    engine.hold("SOLUSDT", D(50), leverage=10)
    return KucoinDesk(engine, Stepped(engine, speed=1.0))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kc-api-key": ""}, "400001"),
        ({"kc-api-passphrase": ""}, "400001"),
        ({"kc-api-sign": ""}, "400001"),
        ({"kc-api-timestamp": ""}, "400001"),
        ({"kc-api-key": "unknown"}, "400003"),
        ({"kc-api-passphrase": KEYS.password}, "400004"),
        ({"kc-api-key-version": "1"}, "400004"),
        ({"kc-api-sign": "wrong"}, "400005"),
    ],
)
def test_a_wrong_header_is_seen(changes: dict[str, str], code: str) -> None:
    assert code_of(asked(a_desk(), changes=changes)) == (401, code)


@pytest.mark.parametrize("version", ["2", "3"])
def test_the_third_word_is_signed_since_keys_of_version_two(version: str) -> None:
    assert code_of(asked(a_desk(), changes={"kc-api-key-version": version})) == (200, "200000")
    plain = {"kc-api-key-version": "1", "kc-api-passphrase": KEYS.password}
    assert code_of(asked(a_desk(), changes=plain)) == (200, "200000")


def test_a_request_is_taken_for_five_seconds_and_no_longer() -> None:
    desk = a_desk()
    assert code_of(asked(desk, shift_ms=-4900)) == (200, "200000")
    assert code_of(asked(desk, shift_ms=-5100)) == (400, "400002")
    assert code_of(asked(desk, shift_ms=5100)) == (400, "400002")
    assert code_of(asked(desk, changes={"kc-api-timestamp": "noon"})) == (400, "400002")


def test_the_signature_covers_the_body() -> None:
    desk = a_desk()
    body = '{"symbol":"SOLUSDTM","margin":"1","bizNo":"one"}'
    assert code_of(asked(desk, body=body)) == (200, "200000")
    other = Asked(method="POST", path=DEPOSIT, body=body.replace('"1"', '"2"').encode())
    forged = signed(other, str(desk.pace.now_ms), KEYS.secret)
    assert code_of(asked(desk, body=body, changes={"kc-api-sign": forged})) == (401, "400005")


def test_a_revoked_key_is_refused() -> None:
    desk = a_desk()
    desk.keys = Keys(is_valid=False)
    assert code_of(asked(desk)) == (401, "400003")


def test_too_much_weight_is_429_with_a_code_and_says_when_it_is_over() -> None:
    desk = a_desk()
    for left in range(POOL - 5, -1, -5):
        reply = asked(desk)
        assert reply.status == 200
        assert reply.headers["gw-ratelimit-remaining"] == str(left)
    refused = asked(desk)
    assert code_of(refused) == (429, "429000")
    desk.engine.advance(desk.engine.now_ms + int(refused.headers["gw-ratelimit-reset"]))
    assert code_of(asked(desk)) == (200, "200000")


@pytest.mark.parametrize("body", ["[", "[1]", '"x"', "7"])
def test_a_body_that_is_no_object_has_a_code(body: str) -> None:
    assert code_of(asked(a_desk(), body=body)) == (400, "400100")


def test_an_unknown_path_is_a_404() -> None:
    assert code_of(a_desk().answer(Asked(method="GET", path="/api/v1/nothing"))) == (404, "404000")


@pytest.mark.parametrize("amount", ["50", "-50"])
def test_the_shown_liquidation_price_is_that_of_the_venues_rule(amount: str) -> None:
    engine = ruled("kucoinfutures", an_engine())
    engine.hold("SOLUSDT", D(amount), leverage=10)
    holding, contract = engine.holdings["SOLUSDT", "BOTH"], engine.contracts["SOLUSDT"]
    rule = rule_for(venue="kucoin", mode=Mode.ISOLATED, contract=Contract.LINEAR, day=START.date())
    tier = MarginTier(
        notional_floor=D(0), maintenance_rate=LEVELS["SOL"][0].maintenance,
        maintenance_amount=D(0), max_leverage=D(75),
    )  # fmt: skip
    price = by_rule.liquidation_price(
        rule,
        Terms(
            size=holding.amount, entry_price=holding.entry, margin=holding.margin,
            tiers=(tier,), closing_fee=contract.taker,
        ),
    )  # fmt: skip
    assert price is not None
    (row,) = ROUTES["GET", "/api/v1/positions"].handler(
        Room(engine=engine, keys=KEYS), Request(parameters={}, now_ms=0)
    )
    shown = json.loads(written(row), parse_float=D)["liquidationPrice"]
    assert abs(shown - price) < price * D("1e-12")


def test_an_exchange_of_this_venue_liquidates_at_the_level_of_the_size_and_with_the_fee() -> None:
    engine = an_engine()
    contract = engine.contracts["BTCUSDT"]
    assert demand(contract, D(1), D(60000)) == 60000 * D("0.0045")
    assert demand(contract, D("5.001"), D(60000)) == D("5.001") * 60000 * D("0.0065")
    engine.hold("SOLUSDT", D(50), leverage=10)
    holding = engine.holdings["SOLUSDT", "BOTH"]
    before = engine.maintenance(holding)
    ruled("kucoinfutures", engine)
    assert engine.maintenance(holding) > before


words = st.text(max_size=12) | st.sampled_from(
    [SOL, "XBTUSDTM", ".KXBTUSDT", "1", "-1", "1e400", "NaN", "buy", "sell", "IOC", "limit",
     "market", "true", "0", "BOTH", "LONG", "SHORT", "ISOLATED", "MP", "up", "down", "MAIN",
     "CONTRACT", "USDT", "INTERNAL", "60", "main"]
)  # fmt: skip
values = words | st.booleans() | st.integers() | st.none() | st.just([1])
names = st.sampled_from(
    ["symbol", "side", "type", "size", "price", "marginMode", "reduceOnly", "closeOrder", "margin",
     "withdrawAmount", "positionSide", "bizNo", "clientOid", "stop", "stopPrice", "stopPriceType",
     "timeInForce", "currency", "amount", "fromAccountType", "toAccountType", "recAccountType",
     "startAt", "endAt", "offset", "maxCount", "currentPage", "pageSize", "granularity", "from",
     "to", "positionMode"]
)  # fmt: skip


@settings(max_examples=100)
@given(st.sampled_from(sorted(ROUTES)), st.dictionaries(names, values, max_size=9), words)
def test_whatever_is_asked_gets_an_answer_or_a_code(
    found: tuple[str, str], parameters: dict[str, Any], rest: str
) -> None:
    engine = ruled("kucoinfutures", an_engine())
    engine.hold("SOLUSDT", D(50), leverage=10)
    request = Request(parameters=parameters, now_ms=engine.now_ms, rest=rest)
    with contextlib.suppress(WireError, Refused):
        written(ROUTES[found].handler(Room(engine=engine, keys=Keys()), request))
