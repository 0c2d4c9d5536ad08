"""Every parser of a venue's rows, and rows of the paper exchange for each."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.domain.instrument import Contract, MarginRelease
from bot.domain.market import Bars
from bot.domain.position import MarginMode, PositionMode
from bot.exchanges.binance import parse
from bot.exchanges.numbers import rows, table
from bot.margin.assess import assess
from bot.paper.binance.desk import BinanceDesk
from bot.paper.desk import Asked
from bot.paper.pace import Stepped
from tests.kit.builders import D, an_instrument
from tests.kit.coins import a_coin_engine
from tests.kit.paper import FAST, an_engine

ROOT = Path(__file__).parents[2]
INVERSE = replace(
    an_instrument("BTC/USD:BTC"), settle="BTC", contract=Contract.INVERSE, size_step=D(100)
)
CONFIG = parse.Config(mode=MarginMode.ISOLATED, leverage=D(20))


def position(body: Any) -> None:
    """Read a position, and judge it if it is one."""
    found = parse.position(table(body, "row"), "BTC/USDT:USDT", CONFIG)
    if found.size:
        assess(found, an_instrument())


def coin_position(body: Any) -> None:
    """Read a position in coin, and judge it if it is one."""
    found = parse.coin_position(table(body, "row"), "BTC/USD:BTC", D(100))
    if found.size:
        assess(found, INVERSE)


def rules(body: Any) -> None:
    """Read the rules of a contract."""
    parse.instrument(
        table(body, "row"), (), margin_step=D("0.01"), margin_release=MarginRelease.UNKNOWN
    )


PARSERS: tuple[Callable[[Any], object], ...] = (
    position,
    rules,
    lambda body: parse.tiers(table(body, "row")),
    lambda body: parse.config(table(body, "row")),
    lambda body: parse.stop(table(body, "row"), "BTC/USDT:USDT", PositionMode.ONE_WAY),
    lambda body: parse.futures_wallets(table(body, "account")),
    lambda body: parse.spot_wallets(rows(body, "wallet"), frozenset({"USDT"})),
    lambda body: parse.market(table(body, "mark"), "BTC", bars=Bars(), depth=table(body, "book")),
    lambda body: parse.bars(body, "BTC", seconds=3600, now_ms=10**13),
    coin_position,
    lambda body: parse.coin_tiers(table(body, "row")),
    rules,
)
"""Each takes one body."""


def bodies() -> list[tuple[int, Any]]:
    """Return whole bodies, each with the index of its parser."""
    engine = an_engine()
    desk = BinanceDesk(engine, Stepped(engine, speed=FAST))
    info = body(desk, "/fapi/v1/exchangeInfo")["symbols"][0]
    mark = body(desk, "/fapi/v1/premiumIndex", "symbol=BTCUSDT")
    book = body(desk, "/fapi/v1/depth", "symbol=BTCUSDT&limit=5")
    bars = body(desk, "/fapi/v1/markPriceKlines", "symbol=BTCUSDT&interval=1h&limit=3")
    held = {
        "symbol": "BTCUSDT", "positionAmt": "-0.1", "positionSide": "BOTH", "entryPrice": "60000",
        "markPrice": "60010.5", "liquidationPrice": "62000", "isolatedWallet": "300",
        "maintMargin": "24",
    }  # fmt: skip
    found = [(0, held), (1, info), (7, mark | book), (8, bars)]
    bracket = {"initialLeverage": 50, "notionalFloor": 0, "maintMarginRatio": "0.004", "cum": "0"}
    algo = {
        "algoId": 7, "clientAlgoId": "x", "orderType": "STOP_MARKET", "side": "SELL",
        "positionSide": "BOTH", "closePosition": False, "reduceOnly": True, "quantity": "0.1",
        "triggerPrice": "55000", "workingType": "MARK_PRICE",
    }  # fmt: skip
    wallet = {"asset": "USDT", "crossWalletBalance": "10", "availableBalance": "9"}
    coin = held | {
        "positionAmt": "120", "leverage": "10", "marginType": "isolated",
        "isAutoAddMargin": "false", "isolatedMargin": "0.02", "unRealizedProfit": "-0.001",
        "isolatedWallet": "0.021",
    }  # fmt: skip
    inverse = {"initialLeverage": 50, "qtyFloor": 0, "maintMarginRatio": "0.004", "cum": "0"}
    engine = a_coin_engine()
    coins = body(BinanceDesk(engine, Stepped(engine, speed=FAST)), "/dapi/v1/exchangeInfo")
    spot = {"asset": "USDT", "free": "5", "locked": "0"}
    return [
        *found,
        (2, {"symbol": "BTCUSDT", "notionalCoef": "1", "brackets": [bracket]}),
        (3, {"symbol": "BTCUSDT", "marginType": "ISOLATED", "leverage": 20}),
        (4, algo),
        (5, {"assets": [wallet]}),
        (6, [spot]),
        (9, coin),
        (10, {"symbol": "BTCUSD_PERP", "brackets": [inverse]}),
        (11, coins["symbols"][0]),
    ]


def body(desk: BinanceDesk, path: str, query: str = "") -> Any:
    reply = desk.answer(Asked(method="GET", path=path, query=query))
    assert reply.status == 200, reply.text
    return json.loads(reply.text)
