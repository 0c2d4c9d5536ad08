"""Unmodified ccxt and requests signed by hand against inverse contracts in the words of Bybit."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.paper.bybit.desk import BybitDesk
from bot.paper.fronts import ruled
from bot.paper.pace import Stepped
from tests.kit.bybit import (
    INVERSE,
    Rig,
    code_of,
    plain_ccxt,
    result_of,
    signed,
)
from tests.kit.coins import a_coin_account
from tests.kit.paper import FAST

SYMBOL = "BTC/USD:BTC"
ORDER = {
    "category": "inverse", "symbol": "BTCUSD", "side": "Sell", "orderType": "Limit", "qty": "701",
    "price": "59500.00", "timeInForce": "IOC", "positionIdx": 0, "reduceOnly": True,
    "orderLinkId": "mine",
}  # fmt: skip
STOP = {
    "category": "inverse", "symbol": "BTCUSD", "side": "Sell", "orderType": "Market",
    "qty": "12000", "triggerPrice": "55000.0", "triggerDirection": 2, "triggerBy": "MarkPrice",
    "positionIdx": 0, "reduceOnly": True, "closeOnTrigger": True, "orderLinkId": "stop",
}  # fmt: skip
MARGIN = {"category": "inverse", "symbol": "BTCUSD", "positionIdx": 0, "margin": "0.0123"}


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    async with INVERSE.serving(a_coin_account(), authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[Any]:
    options = {"fetchMarkets": {"types": ["inverse"]}, "fetchCurrencies": False}
    async with plain_ccxt(rig, options=options) as client:
        await client.load_markets()
        yield client


@pytest.fixture
def desk() -> BybitDesk:
    engine = ruled("bybit", a_coin_account())
    return BybitDesk(engine, Stepped(engine, speed=FAST))


def post(desk: BybitDesk, path: str, body: dict[str, Any]) -> int:
    return code_of(desk, signed(desk, "POST", path, json.dumps(body)))


def symbols(desk: BybitDesk, path: str, said: str) -> list[str]:
    return [row["symbol"] for row in result_of(desk, "GET", path, said)["list"]]


async def test_ccxt_reads_markets_positions_balance_and_prices(venue: Any, rig: Rig) -> None:
    market = venue.markets[SYMBOL]
    assert (market["inverse"], market["settle"]) == (True, "BTC")
    assert (market["contractSize"], market["precision"]["amount"]) == (1, 1)
    positions = await venue.fetch_positions(None, {"subType": "inverse"})
    assert {(p["symbol"], p["contracts"], p["side"]) for p in positions} == {
        (SYMBOL, 12_000, "long"), ("ETH/USD:ETH", 900, "short"),
    }  # fmt: skip
    held = next(p for p in positions if p["symbol"] == SYMBOL)
    assert held["notional"] == pytest.approx(12_000 / float(rig.engine.quotes["BTCUSD_PERP"].mark))
    assert (await venue.fetch_balance())["BTC"]["total"] == pytest.approx(0.4)
    assert (await venue.fetch_ticker(SYMBOL))["last"] > 0
    assert await venue.fetch_ohlcv(SYMBOL, "1h", limit=6, params={"price": "mark"})
    book = await venue.fetch_order_book(SYMBOL, limit=20)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert book["bids"][0][1] == int(book["bids"][0][1])  # dollars
    tiers = await venue.fetch_leverage_tiers([SYMBOL])
    assert tiers[SYMBOL][1]["maintenanceMarginRate"] == 0.005
    assert (await venue.fetch_trading_fee(SYMBOL))["taker"] == 0.0005


async def test_ccxt_places_reads_and_cancels_orders_in_dollars(venue: Any, rig: Rig) -> None:
    done = await venue.create_order(
        SYMBOL, "limit", "sell", 701, 59_500, {"reduceOnly": True, "timeInForce": "IOC"}
    )
    again = await venue.fetch_order(done["id"], SYMBOL, {"acknowledged": True})
    assert (again["filled"], again["status"]) == (701, "closed")
    (trade,) = rig.engine.trades
    assert again["average"] == pytest.approx(float(trade.price))
    assert rig.engine.holdings["BTCUSD_PERP", "BOTH"].amount == 11_299
    rests = await venue.create_order(SYMBOL, "limit", "buy", 100, 59_000)
    assert [o["id"] for o in await venue.fetch_open_orders(SYMBOL)] == [rests["id"]]
    await venue.cancel_order(rests["id"], SYMBOL)
    assert await venue.fetch_open_orders(SYMBOL) == []


def test_each_category_lists_its_own_contracts_and_no_other(desk: BybitDesk) -> None:
    desk.engine.hold("BTCUSDT", D("0.1"), leverage=10)
    market, inverse = "/v5/market/", ["BTCUSD", "ETHUSD"]
    for path in (f"{market}instruments-info", f"{market}tickers", "/v5/account/fee-rate"):
        assert symbols(desk, path, "category=inverse") == inverse
        linear = symbols(desk, path, "category=linear")
        assert not {*linear} & {*inverse}
        assert "BTCUSDT" in linear
    assert {*symbols(desk, f"{market}risk-limit", "category=inverse")} == {*inverse}
    path = "/v5/position/list"
    assert symbols(desk, path, "category=inverse") == inverse
    assert symbols(desk, path, "category=inverse&settleCoin=ETH") == ["ETHUSD"]
    assert symbols(desk, path, "category=linear&settleCoin=USDT") == ["BTCUSDT"]
    assert symbols(desk, path, "category=linear&settleCoin=BTC") == []
    assert post(desk, "/v5/order/create", STOP) == 0
    path = "/v5/order/realtime"
    assert symbols(desk, path, "category=inverse") == ["BTCUSD"]
    assert symbols(desk, path, "category=inverse&settleCoin=ETH") == []
    assert symbols(desk, path, "category=linear&settleCoin=BTC") == []


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"category": "linear"}, id="another category"),
        pytest.param({"symbol": "BTCUSDT"}, id="a contract of another category"),
        pytest.param({"symbol": "BTCUSD_PERP"}, id="another venue's name"),
        pytest.param({"category": "spot"}, id="no derivative"),
    ],
)
def test_a_contract_is_only_found_in_its_category(desk: BybitDesk, said: dict[str, str]) -> None:
    for path, body in (
        ("/v5/position/add-margin", MARGIN),
        ("/v5/order/create", ORDER),
        ("/v5/order/cancel", {**ORDER, "orderId": "x"}),
        ("/v5/position/set-leverage", {**MARGIN, "buyLeverage": "20", "sellLeverage": "20"}),
    ):
        assert post(desk, path, {**body, **said}) == 10001
    assert desk.engine.orders == {}
    assert desk.engine.margin_moves == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"margin": "0.00001"}, 10001, id="too fine"),
        pytest.param({"margin": "9"}, 110014, id="more than there is"),
        pytest.param({"margin": "-0.01"}, 110011, id="more than it lets out"),
        pytest.param({"symbol": "ETHUSD", "positionIdx": 1}, 10001, id="a leg"),
    ],
)
def test_a_margin_move_in_coin_that_is_refused_has_its_code(
    desk: BybitDesk, change: dict[str, Any], code: int
) -> None:
    before = dict(desk.engine.cross)
    assert post(desk, "/v5/position/add-margin", MARGIN | change) == code
    assert desk.engine.cross == before


def test_margin_moves_in_coin_and_the_answer_is_of_the_category(desk: BybitDesk) -> None:
    before = desk.engine.holdings["BTCUSD_PERP", "BOTH"].margin
    done = result_of(desk, "POST", "/v5/position/add-margin", json.dumps(MARGIN))
    assert desk.engine.holdings["BTCUSD_PERP", "BOTH"].margin == before + D("0.0123")
    assert (done["category"], done["symbol"], done["size"]) == ("inverse", "BTCUSD", "12000")
    assert post(desk, "/v5/position/add-margin", MARGIN | {"margin": "-0.0023"}) == 0
    assert desk.engine.margin_moves[-1].amount == D("-0.0023")


def test_the_margin_that_is_shown_is_the_one_of_the_venues_own_example() -> None:
    """Of its page on adding margin: 200 dollars of ether at 12x, to which 0.01 were added."""
    engine = ruled("bybit", a_coin_account())
    contract = engine.contracts["ETHUSD_PERP"]
    holding = engine.holdings["ETHUSD_PERP", "BOTH"]
    holding.amount, holding.entry = D(200), D("1812.70004844")
    engine.leverage[contract.id] = 12
    holding.margin = D(200) / holding.entry / 12 + D("0.01")
    engine.contracts[contract.id] = replace(contract, taker=D("0.0006"))
    quote = replace(engine.quotes[contract.id], mark=holding.entry)
    engine.quotes = {**engine.quotes, contract.id: quote}
    desk = BybitDesk(engine, Stepped(engine, speed=FAST))
    (row,) = result_of(desk, "GET", "/v5/position/list", "category=inverse&symbol=ETHUSD")["list"]
    assert row["positionValue"] == "0.11033265"
    assert abs(D(row["positionIM"]) - D("0.01926611")) <= D("0.00000001")  # it rounds up


def test_an_inverse_perpetual_has_no_hedge_mode(desk: BybitDesk) -> None:
    desk.engine.holdings.clear()
    ask = {"category": "inverse", "coin": "BTC", "mode": 3}
    assert post(desk, "/v5/position/switch-mode", ask) == 110029
    assert not desk.engine.hedge_mode
    assert post(desk, "/v5/position/switch-mode", ask | {"category": "linear"}) == 0


def test_the_log_names_category_symbol_and_coin(desk: BybitDesk) -> None:
    assert post(desk, "/v5/order/create", ORDER) == 0
    desk.engine.pay_funding()
    rows = result_of(desk, "GET", "/v5/account/transaction-log", "accountType=UNIFIED")["list"]
    assert {(r["category"], r["symbol"], r["currency"]) for r in rows} == {
        ("inverse", "BTCUSD", "BTC"), ("inverse", "ETHUSD", "ETH"),
    }  # fmt: skip
    assert {r["type"] for r in rows} == {"TRADE", "SETTLEMENT"}


def test_a_wallet_of_a_coin_holds_the_margin_of_its_own_orders(desk: BybitDesk) -> None:
    rests = ORDER | {"side": "Buy", "price": "58000.0", "timeInForce": "GTC", "reduceOnly": False}
    assert post(desk, "/v5/order/create", rests) == 0
    found = result_of(desk, "GET", "/v5/account/wallet-balance", "accountType=UNIFIED&coin=BTC,ETH")
    btc, eth = found["list"][0]["coin"]
    assert D(btc["totalOrderIM"]) == pytest.approx(D(701) / D(58000) / 10, abs=D("1e-8"))
    assert eth["totalOrderIM"] == "0.00000000"


def test_what_was_added_counts_by_the_fee_of_the_other_side_than_in_dollars() -> None:
    engine = ruled("bybit", a_coin_account())
    engine.hold("BTCUSDT", D("0.1"), leverage=10)
    engine.grosses_added = True
    keys = (("BTCUSD_PERP", D("0.01")), ("ETHUSD_PERP", D("0.1")), ("BTCUSDT", D(100)))
    shares = []
    for symbol, more in keys:
        holding = engine.holdings[symbol, "BOTH"]
        before = engine.backing(holding)
        engine.move_margin(symbol, "BOTH", more, add=True)
        shares.append((engine.backing(holding) - before) / more)
    less, more_, linear = shares
    assert less == pytest.approx(1 / D("1.0005"), rel=D("1e-6"))  # an inverse long
    assert more_ == pytest.approx(1 / D("0.9995"), rel=D("1e-6"))  # an inverse short
    assert linear == pytest.approx(1 / D("0.9995"), rel=D("1e-6"))  # a linear long
