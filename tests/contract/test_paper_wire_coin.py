"""Unmodified ccxt against the paper exchange's host of coin-margined contracts."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import ccxt.async_support as ccxt
import pytest

from bot.exchanges.gateway import open_session, texts_of
from bot.paper.engine import Engine
from bot.paper.faults import Fault
from tests.kit.binance import Rig, serving
from tests.kit.coins import a_coin_engine
from tests.kit.paper import KEYS

BTC, ETH = "BTC/USD:BTC", "ETH/USD:ETH"
HELD = D(12_000)
"""What the long is worth: 120 contracts. [USD]"""


@pytest.fixture
def engine() -> Engine:
    """An exchange with contracts of every kind; a long in coin and a linear one are held."""
    engine = a_coin_engine()
    engine.hold("BTCUSD_PERP", HELD, leverage=10)
    engine.hold("ETHUSDT", D(1), leverage=10)
    return engine


@pytest.fixture
async def rig(engine: Engine, authority: Path) -> AsyncIterator[Rig]:
    async with serving(engine, authority) as rig:
        yield rig


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[Any]:
    """Plain ccxt: only its session is ours, so that it finds the paper exchange."""
    session = open_session(rig.gateway, texts_of(ccxt.binancecoinm().urls["api"]))
    client = ccxt.binancecoinm(
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


async def test_ccxt_reads_inverse_markets_positions_and_wallets_and_no_others(venue: Any) -> None:
    markets = await venue.load_markets()
    assert sorted(markets) == [BTC, ETH]
    assert (markets[BTC]["contractSize"], markets[BTC]["precision"]["amount"]) == (100, 1)
    assert (markets[BTC]["inverse"], markets[BTC]["active"]) == (True, True)
    (position,) = [p for p in await venue.fetch_positions() if p["contracts"]]
    assert (position["symbol"], position["contracts"], position["side"]) == (BTC, 120, "long")
    assert position["marginMode"] == "isolated"
    balance = await venue.fetch_balance()
    assert {coin for coin in ("BTC", "ETH", "USDT", "USDC") if coin in balance} == {"BTC", "ETH"}
    assert (await venue.fetch_ticker(BTC))["last"] > 0
    assert len(await venue.fetch_ohlcv(BTC, "1h", limit=20)) > 0
    book = await venue.fetch_order_book(BTC, limit=20)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert (await venue.fetch_funding_rate(BTC))["fundingRate"] > 0
    tiers = (await venue.fetch_leverage_tiers([BTC]))[BTC]
    assert [tier["minNotional"] for tier in tiers] == [0, 5, 10, 20, 50]
    assert (await venue.fetch_position_mode())["hedged"] is False


async def test_the_other_host_lists_linear_contracts_and_dollars_only(venue: Any) -> None:
    info = await venue.fapiPublicGetExchangeInfo()
    assert {row["symbol"] for row in info["symbols"]} == {
        "BTCUSDT", "ETHUSDT", "BTCUSDC", "ETHUSDC",
    }  # fmt: skip
    account = await venue.fapiPrivateV3GetAccount()
    assert [row["asset"] for row in account["assets"]] == ["USDT", "USDC"]
    assert [row["symbol"] for row in account["positions"]] == ["ETHUSDT"]
    assert [row["symbol"] for row in await venue.fapiPrivateV3GetPositionRisk()] == ["ETHUSDT"]
    for call, symbol in (
        (venue.fapiPublicGetPremiumIndex, "BTCUSD_PERP"),
        (venue.dapiPublicGetPremiumIndex, "BTCUSDT"),
    ):
        with pytest.raises(ccxt.BadSymbol, match="-1121"):
            await call({"symbol": symbol})


async def test_a_position_row_carries_its_settings_and_no_wallet(
    venue: Any, engine: Engine
) -> None:
    rows = {row["symbol"]: row for row in await venue.dapiPrivateGetPositionRisk()}
    assert set(rows) == {"BTCUSD_PERP", "ETHUSD_PERP"}
    held = rows["BTCUSD_PERP"]
    assert (held["positionAmt"], held["leverage"], held["marginType"]) == ("120", "10", "isolated")
    own = D(held["isolatedMargin"]) - D(held["unRealizedProfit"])
    assert own == engine.holdings["BTCUSD_PERP", "BOTH"].margin
    assert not {"isolatedWallet", "maintMargin", "notional"} & set(held)
    assert (rows["ETHUSD_PERP"]["positionAmt"], rows["ETHUSD_PERP"]["leverage"]) == ("0", "20")
    account = await venue.dapiPrivateGetAccount()
    assert {r["symbol"]: r["positionAmt"] for r in account["positions"]} == {
        "BTCUSD_PERP": "120", "ETHUSD_PERP": "0",
    }  # fmt: skip


async def test_in_hedge_mode_each_symbol_has_three_rows(venue: Any, engine: Engine) -> None:
    engine.holdings.clear()
    engine.hedge_mode = True
    engine.hold("BTCUSD_PERP", HELD, leverage=10)
    rows = await venue.dapiPrivateGetPositionRisk({"pair": "BTCUSD"})
    assert [(row["positionSide"], row["positionAmt"]) for row in rows] == [
        ("BOTH", "0"), ("LONG", "120"), ("SHORT", "0"),
    ]  # fmt: skip


async def test_the_mark_comes_in_a_list_whether_asked_for_one_or_for_all(venue: Any) -> None:
    (one,) = await venue.dapiPublicGetPremiumIndex({"symbol": "BTCUSD_PERP"})
    every = await venue.dapiPublicGetPremiumIndex()
    assert [row["symbol"] for row in every] == ["BTCUSD_PERP", "ETHUSD_PERP"]
    assert one["markPrice"] == every[0]["markPrice"]


async def test_tiers_are_by_coins(venue: Any) -> None:
    table = await venue.dapiPrivateV2GetLeverageBracket({"symbol": "BTCUSD_PERP"})
    second = table[0]["brackets"][1]
    assert (second["qtyFloor"], second["qtyCap"], second["cum"]) == (5, 10, 0.005)


async def test_ccxt_places_reads_and_cancels_orders_in_contracts(
    venue: Any, engine: Engine
) -> None:
    await venue.load_markets()
    done = await venue.create_order(
        BTC, "market", "sell", 20, None, {"reduceOnly": True, "newClientOrderId": "one"}
    )
    assert done["filled"] == 20
    assert not {"avgPrice", "cumBase", "cumQuote"} & set(done["info"])
    assert engine.holdings["BTCUSD_PERP", "BOTH"].amount == D(10_000)
    again = await venue.fetch_order(None, BTC, {"origClientOrderId": "one"})
    assert again["filled"] == 20
    worth, average = D(again["info"]["cumBase"]), D(again["info"]["avgPrice"])
    assert abs(worth * average - 2000) < D("0.01")
    fill = (await venue.fetch_my_trades(BTC))[-1]
    assert fill["fee"]["currency"] == "BTC"
    rests = await venue.create_order(BTC, "limit", "buy", 1, 59000)
    assert len(await venue.fetch_open_orders(BTC)) == 1
    assert await venue.fapiPrivateGetOpenOrders({"symbol": "BTCUSDT"}) == []
    with pytest.raises(ccxt.OrderNotFound, match="-2013"):
        await venue.fapiPrivateGetOrder({"symbol": "BTCUSDT", "orderId": rests["id"]})
    await venue.cancel_order(rests["id"], BTC)
    assert await venue.fetch_open_orders(BTC) == []


STOP = {
    "algoType": "CONDITIONAL", "symbol": "BTCUSD_PERP", "side": "SELL", "type": "STOP_MARKET",
    "triggerPrice": "55000.0", "workingType": "MARK_PRICE", "quantity": "120",
    "clientAlgoId": "mine", "reduceOnly": "true",
}  # fmt: skip


async def test_a_stop_rests_among_the_conditional_orders_of_its_own_host(
    venue: Any, engine: Engine
) -> None:
    placed = await venue.dapiPrivatePostAlgoOrder(STOP)
    assert (placed["algoStatus"], placed["quantity"]) == ("NEW", "120")
    assert engine.order(client_id="mine").size == HELD
    assert [r["algoId"] for r in await venue.dapiPrivateGetOpenAlgoOrders()] == [placed["algoId"]]
    assert await venue.fapiPrivateGetOpenAlgoOrders() == []
    with pytest.raises(ccxt.BaseError, match="-2013"):
        await venue.fapiPrivateGetAlgoOrder({"clientAlgoId": "mine"})
    with pytest.raises(ccxt.BaseError, match="-4120"):
        await venue.dapiPrivatePostOrder({
            "symbol": "BTCUSD_PERP", "side": "SELL", "type": "STOP_MARKET", "quantity": "1",
            "stopPrice": "55000.0",
        })  # fmt: skip
    gone = await venue.dapiPrivateDeleteAlgoOrder({"algoId": placed["algoId"]})
    assert str(gone["code"]) == "200"


async def test_the_librarys_own_stop_goes_there_as_well(venue: Any) -> None:
    await venue.load_markets()
    await venue.create_order(
        BTC, "market", "sell", 5, None, {"stopLossPrice": 55000, "reduceOnly": True}
    )
    (listed,) = await venue.dapiPrivateGetOpenAlgoOrders({})
    assert D(listed["triggerPrice"]) == 55000


async def test_margin_moves_in_coin_and_its_history_says_so(venue: Any, engine: Engine) -> None:
    move = {"symbol": "BTCUSD_PERP", "amount": "0.00123456", "type": "1"}
    assert (await venue.dapiPrivatePostPositionMargin(move))["amount"] == 0.00123456
    assert engine.margin_moves[-1].amount == D("0.00123456")
    (row,) = await venue.dapiPrivateGetPositionMarginHistory({"symbol": "BTCUSD_PERP"})
    assert (row["amount"], row["asset"]) == ("0.00123456", "BTC")
    with pytest.raises(ccxt.BaseError, match="-1121"):
        await venue.dapiPrivatePostPositionMargin(move | {"symbol": "ETHUSDT"})
    with pytest.raises(ccxt.InsufficientFunds):
        await venue.dapiPrivatePostPositionMargin(move | {"amount": "5"})


async def test_coins_and_dollars_take_routes_of_their_own(venue: Any, engine: Engine) -> None:
    send = venue.sapiPostAssetTransfer
    before = engine.cross["BTC"]
    await send({"type": "MAIN_CMFUTURE", "asset": "BTC", "amount": "0.05"})
    assert engine.cross["BTC"] == before + D("0.05")
    for wrong in (("MAIN_UMFUTURE", "BTC"), ("MAIN_CMFUTURE", "USDT")):
        with pytest.raises(ccxt.BaseError, match="-1121"):
            await send({"type": wrong[0], "asset": wrong[1], "amount": "0.05"})
    await send({"type": "MAIN_UMFUTURE", "asset": "USDT", "amount": "7"})
    for route, amount in (("MAIN_CMFUTURE", "0.05"), ("MAIN_UMFUTURE", "7")):
        listed = await venue.sapiGetAssetTransfer({"type": route})
        assert [row["amount"] for row in listed["rows"]] == [amount]
    income = await venue.dapiPrivateGetIncome({"incomeType": "TRANSFER"})
    assert [(row["asset"], D(row["income"])) for row in income] == [("BTC", D("0.05"))]
    income = await venue.fapiPrivateGetIncome({"incomeType": "TRANSFER"})
    assert [row["asset"] for row in income] == ["USDT"]


async def test_bars_are_of_200_days_at_most_and_the_newest_of_their_span(
    venue: Any, rig: Rig
) -> None:
    await rig.pace.sleep(300)
    now = rig.pace.now_ms
    ask = {"symbol": "BTCUSD_PERP", "interval": "1m", "endTime": now, "limit": 2}
    rows = await venue.dapiPublicGetMarkPriceKlines(ask | {"startTime": now - 280_000})
    assert [int(row[0]) for row in rows] == [now // 60_000 * 60_000 - n for n in (60_000, 0)]
    far = now - int(timedelta(days=201).total_seconds()) * 1000
    with pytest.raises(ccxt.BaseError, match="-1130"):
        await venue.dapiPublicGetMarkPriceKlines(ask | {"startTime": far})


async def test_the_past_is_listed_a_hundred_orders_at_a_time(venue: Any) -> None:
    assert await venue.dapiPrivateGetAllOrders({"symbol": "BTCUSD_PERP", "limit": 100}) == []
    with pytest.raises(ccxt.BaseError, match="-1130"):
        await venue.dapiPrivateGetAllOrders({"symbol": "BTCUSD_PERP", "limit": 500})


async def test_both_hosts_count_against_one_limit(venue: Any, rig: Rig) -> None:
    used = rig.server.desk.weights["fapi"].used
    before = used(rig.pace.now_ms)
    await venue.dapiPublicGetPremiumIndex()
    await venue.fapiPublicGetPremiumIndex()
    assert used(rig.pace.now_ms) == before + 20
    rig.faults.add(Fault(kind="rate_429", times=1))
    for call in (venue.fapiPublicGetPing, venue.dapiPublicGetPing):
        with pytest.raises(ccxt.DDoSProtection):
            await call()
