"""Unmodified ccxt against the paper exchange: what a real client sends and parses."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import aiohttp
import ccxt.async_support as ccxt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock import VenueClock
from bot.exchanges.gateway import open_session, texts_of
from bot.paper.binance.codes import HOSTS, WireError
from bot.paper.binance.request import Request, check_signature, kind_of, parsed
from bot.paper.binance.routes import ROUTES
from bot.paper.desk import Keys
from bot.paper.faults import Fault
from bot.paper.values import Refused
from tests.kit.binance import Rig, raw_client
from tests.kit.coins import a_coin_engine
from tests.kit.paper import KEYS


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[Any]:
    """Plain ccxt: only its session is ours, so that it finds the paper exchange."""
    session = open_session(rig.gateway, texts_of(ccxt.binanceusdm().urls["api"]))
    client = ccxt.binanceusdm(
        {
            "apiKey": KEYS.key,
            "secret": KEYS.secret,
            "session": session,
            "enableRateLimit": False,
            "options": {"fetchMargins": False},
        }
    )
    client.nonce = lambda: rig.pace.now_ms
    yield client
    await client.close()
    await session.close()


async def test_ccxt_reads_markets_positions_balance_and_prices(venue: Any) -> None:
    markets = await venue.load_markets()
    assert markets["SOL/USDT:USDT"]["precision"]["amount"] == 1
    (position,) = await venue.fetch_positions()
    assert (position["symbol"], position["contracts"]) == ("SOL/USDT:USDT", 50)
    assert (await venue.fetch_balance())["USDT"]["total"] > 0
    assert (await venue.fetch_ticker("BTC/USDT:USDT"))["last"] > 0
    assert len(await venue.fetch_ohlcv("BTC/USDT:USDT", "1h", limit=48)) == 48
    book = await venue.fetch_order_book("BTC/USDT:USDT", limit=20)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert (await venue.fetch_funding_rate("BTC/USDT:USDT"))["fundingRate"] > 0
    assert (await venue.fetch_leverage_tiers(["BTC/USDT:USDT"]))["BTC/USDT:USDT"]
    assert (await venue.fetch_position_mode())["hedged"] is False


async def test_ccxt_places_reads_and_cancels_orders(venue: Any) -> None:
    await venue.load_markets()
    symbol = "SOL/USDT:USDT"
    done = await venue.create_order(
        symbol, "market", "sell", 10, None, {"reduceOnly": True, "newClientOrderId": "one"}
    )
    assert (done["filled"], done["status"]) == (10, "closed")
    again = await venue.fetch_order(None, symbol, {"origClientOrderId": "one"})
    assert again["filled"] == 10
    assert (await venue.fetch_my_trades(symbol))[-1]["amount"] > 0
    rests = await venue.create_order(symbol, "limit", "buy", 1, 148)
    assert len(await venue.fetch_open_orders(symbol)) == 1
    await venue.cancel_order(rests["id"], symbol)
    assert await venue.fetch_open_orders(symbol) == []
    stop = await venue.create_order(
        symbol, "market", "sell", 5, None, {"stopLossPrice": 120, "reduceOnly": True}
    )
    assert stop["id"]
    listed = await venue.fapiPrivateGetOpenAlgoOrders({})
    assert [row["triggerPrice"] for row in listed] == ["120"]


STOP = {
    "algoType": "CONDITIONAL", "symbol": "SOLUSDT", "side": "SELL", "type": "STOP_MARKET",
    "triggerPrice": "120.00", "workingType": "MARK_PRICE", "quantity": "5",
    "clientAlgoId": "mine",
}  # fmt: skip


async def test_a_conditional_order_is_known_to_its_own_endpoints_only(venue: Any) -> None:
    placed = await venue.fapiPrivatePostAlgoOrder(STOP | {"reduceOnly": "true"})
    assert (placed["algoStatus"], placed["workingType"]) == ("NEW", "MARK_PRICE")
    assert await venue.fapiPrivateGetAllOrders({"symbol": "SOLUSDT"}) == []
    assert await venue.fapiPrivateGetOpenOrders({"symbol": "SOLUSDT"}) == []
    with pytest.raises(ccxt.ExchangeError, match="-2013"):
        await venue.fapiPrivateGetOrder({"symbol": "SOLUSDT", "origClientOrderId": "mine"})
    gone = await venue.fapiPrivateDeleteAlgoOrder({"algoId": placed["algoId"]})
    assert str(gone["code"]) == "200"
    again = await venue.fapiPrivateGetAlgoOrder({"clientAlgoId": "mine"})
    assert again["algoStatus"] == "CANCELED"
    with pytest.raises(ccxt.ExchangeError, match="-2011"):
        await venue.fapiPrivateDeleteAlgoOrder({"algoId": placed["algoId"]})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"triggerPrice": "999.00"}, -2021, id="would fire at once"),
        pytest.param({"closePosition": "true"}, -4137, id="quantity and all"),
        pytest.param(
            {"closePosition": "true", "quantity": "", "reduceOnly": "true"}, -1106, id="both flags"
        ),
        pytest.param({"positionSide": "LONG"}, -4061, id="a leg in one-way mode"),
        pytest.param({"type": "TAKE_PROFIT"}, -1130, id="another type"),
    ],
)
async def test_a_conditional_order_the_venue_refuses_has_its_code(
    venue: Any, changes: dict[str, str], code: int
) -> None:
    with pytest.raises(ccxt.BaseError, match=str(code)):
        await venue.fapiPrivatePostAlgoOrder(STOP | changes)


async def test_the_id_of_a_conditional_order_is_taken_once(venue: Any) -> None:
    await venue.fapiPrivatePostAlgoOrder(STOP)
    with pytest.raises(ccxt.BaseError, match="-4116"):
        await venue.fapiPrivatePostAlgoOrder(STOP)


async def test_in_hedge_mode_the_leg_makes_a_stop_reducing_and_the_flag_is_refused(
    rig: Rig, venue: Any
) -> None:
    rig.engine.holdings.clear()
    rig.engine.hedge_mode = True
    rig.engine.hold("SOLUSDT", D(50), leverage=10)
    with pytest.raises(ccxt.BaseError, match="-1106"):
        await venue.fapiPrivatePostAlgoOrder(STOP | {"reduceOnly": "true"})
    with pytest.raises(ccxt.BaseError, match="-4061"):
        await venue.fapiPrivatePostAlgoOrder(STOP)
    placed = await venue.fapiPrivatePostAlgoOrder(STOP | {"positionSide": "LONG"})
    assert placed["positionSide"] == "LONG"


async def test_ccxt_changes_settings_and_gets_the_venues_refusals(venue: Any) -> None:
    await venue.load_markets()
    await venue.set_leverage(25, "BTC/USDT:USDT")
    with pytest.raises(ccxt.MarginModeAlreadySet):
        await venue.set_margin_mode("isolated", "BTC/USDT:USDT")
    with pytest.raises(ccxt.ExchangeError, match="-4161"):
        await venue.set_leverage(2, "SOL/USDT:USDT")


async def test_ccxt_moves_money_between_wallets(venue: Any) -> None:
    await venue.sapiPostAssetTransfer({"type": "MAIN_UMFUTURE", "asset": "USDT", "amount": "10.5"})
    history = await venue.sapiGetAssetTransfer({"type": "MAIN_UMFUTURE"})
    assert [row["amount"] for row in history["rows"]] == ["10.5"]
    rights = await venue.sapiGetAccountApiRestrictions()
    assert rights["enableWithdrawals"] is False


async def test_the_librarys_own_margin_call_is_seen_to_round_by_the_lot(
    venue: Any, rig: Rig
) -> None:
    await venue.load_markets()
    await venue.add_margin("SOL/USDT:USDT", 12.75)
    assert rig.engine.margin_moves[-1].amount == D(12)  # the trap the adapter must not fall into


async def test_too_little_money_is_its_own_error(venue: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await venue.fapiPrivatePostPositionMargin(
            {"symbol": "SOLUSDT", "amount": "999999", "type": 1}
        )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"secret": "wrong"}, -1022, id="signature"),
        pytest.param({"api_key": "unknown"}, -2015, id="key"),
    ],
)
async def test_a_wrong_key_or_signature_is_seen(
    rig: Rig, changes: dict[str, str], code: int
) -> None:
    async with raw_client(rig, **changes) as client:
        with pytest.raises(Exception, match=str(code)):
            await client.read(client.api.fapiPrivateV3GetAccount, {})


@pytest.mark.parametrize(
    "shift", [pytest.param(-6000, id="late"), pytest.param(60_000_000_000, id="ahead")]
)
async def test_a_wrong_time_is_seen(rig: Rig, shift: int) -> None:
    rig.pace._speed = 1.0
    async with raw_client(rig) as client:
        clock = VenueClock(rig.pace)
        wrong = rig.pace.now() + timedelta(milliseconds=shift)
        clock.anchor(wrong, monotonic=rig.pace.monotonic(), uncertainty=0.0)
        client.api.plimsoll_clock = clock
        with pytest.raises(Exception, match="-1021"):
            await client.read(client.api.fapiPrivateV3GetAccount, {})


async def test_too_many_requests_are_429_and_then_a_ban(venue: Any, rig: Rig) -> None:
    rig.faults.add(Fault(kind="rate_429", times=1))
    statuses = []
    for _ in range(8):
        try:
            await venue.fapiPublicGetPing()
        except ccxt.DDoSProtection as error:
            statuses.append("418" in str(error) or " 418" in str(error))
    assert len(statuses) == 8
    assert statuses[-1]


async def test_a_host_that_is_not_the_venues_is_refused(rig: Rig) -> None:
    session = open_session(rig.gateway, ["https://fapi.binance.com/fapi/v1"])
    with pytest.raises(aiohttp.ClientConnectorDNSError):
        await session.get("https://example.com/")
    await session.close()
    assert "fapi.binance.com" in HOSTS


async def test_an_unknown_path_is_a_coded_404(rig: Rig) -> None:
    session = open_session(rig.gateway, ["https://fapi.binance.com/"])
    async with session.get("https://fapi.binance.com/fapi/v9/nothing") as answer:
        assert answer.status == 404
        assert (await answer.json())["code"] == -5000
    await session.close()


words = st.text(max_size=12) | st.sampled_from(
    [
        "BTCUSDT",
        "BTCUSD_PERP",
        "BTC",
        "MAIN_CMFUTURE",
        "1",
        "-1",
        "1e400",
        "NaN",
        "BUY",
        "LIMIT",
        "MARKET",
        "IOC",
        "true",
        "0",
    ]
)
names = st.sampled_from(
    [
        "symbol", "side", "type", "quantity", "price", "timeInForce", "reduceOnly", "amount",
        "positionSide", "leverage", "marginType", "startTime", "endTime", "limit", "asset",
        "interval", "orderId", "origClientOrderId", "dualSidePosition", "size", "current",
        "stopPrice", "algoType", "triggerPrice", "closePosition", "workingType", "algoId",
        "clientAlgoId",
    ]
)  # fmt: skip


@settings(max_examples=300)
@given(st.sampled_from(sorted(ROUTES)), st.dictionaries(names, words, max_size=8))
def test_whatever_is_asked_gets_an_answer_or_a_code(
    found: tuple[str, str], parameters: dict[str, str]
) -> None:
    engine = a_coin_engine()
    engine.hold("BTCUSDT", D("0.1"), leverage=10)
    engine.hold("BTCUSD_PERP", D(1000), leverage=10)
    request = Request(parameters=parameters, now_ms=engine.now_ms, kind=kind_of(found[1]))
    with contextlib.suppress(WireError, Refused):
        ROUTES[found].handler(engine, request)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_is_a_valid_signature(query: str, body: str) -> None:
    with pytest.raises(WireError):
        check_signature(query, body, parsed(query, body, 0), Keys(), _Still())


class _Still:
    now_ms = 0
    speed = 1.0

    def charge(self, milliseconds: int) -> None:
        del milliseconds
