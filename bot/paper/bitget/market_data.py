"""What may anybody read?"""

import json
from decimal import Decimal
from typing import Any

from bot.paper import book
from bot.paper.bitget.codes import wrong
from bot.paper.bitget.listing import PRODUCT, contract_of, named, product
from bot.paper.bitget.request import Request
from bot.paper.bitget.room import Room
from bot.paper.bitget.shape import contract_row, plain
from bot.paper.market import HOUR, MINUTE
from bot.paper.values import Contract

INTERVALS = {
    "1m": MINUTE, "3m": 3 * MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE,
    "1h": HOUR, "2h": 2 * HOUR, "4h": 4 * HOUR,
}  # fmt: skip
PAGE = 200
ALL = 1 << 31
DEEPEST = ("1", "5", "15", "50", "max")

INVERSE: dict[str, Any] = {
    "symbol": "BTCUSD", "baseCoin": "BTC", "quoteCoin": "USD", "supportMarginCoins": ["BTC", "ETH"],
    "makerFeeRate": "0.0002", "takerFeeRate": "0.0006", "minTradeNum": "0.001",
    "priceEndStep": "1", "volumePlace": "3", "pricePlace": "1", "sizeMultiplier": "0.001",
    "symbolType": "perpetual", "minTradeUSDT": "5", "symbolStatus": "normal", "offTime": "-1",
    "limitOpenTime": "-1", "deliveryTime": "", "launchTime": "", "minLever": "1",
    "maxLever": "125", "maintainTime": "",
}  # fmt: skip
"""Listed there as well; this exchange trades none."""


def server_time(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v2/public/time."""
    del room
    return {"serverTime": str(request.now_ms)}


def contracts(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v2/mix/market/contracts."""
    kind, wanted = product(request), request.optional("symbol")
    listed = {PRODUCT: [contract_row(contract) for contract in room.contracts()]}
    listed["COIN-FUTURES"] = [INVERSE]
    return [row for row in listed.get(kind, []) if wanted in (None, row["symbol"])]


def position_lever(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v2/mix/market/query-position-lever: steps by worth."""
    contract = contract_of(room.engine.contracts, request)
    return [
        {
            "symbol": contract.id,
            "level": str(level),
            "startUnit": plain(step.floor),
            "endUnit": plain(step.cap),
            "leverage": str(step.leverage),
            "keepMarginRate": plain(step.rate),
        }
        for level, step in enumerate(contract.brackets, start=1)
    ]


def tickers(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v2/mix/market/tickers."""
    if product(request) != PRODUCT:
        return []
    return [_ticker(room, contract) for contract in room.contracts()]


def ticker(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v2/mix/market/ticker."""
    return [_ticker(room, contract_of(room.engine.contracts, request))]


def symbol_price(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v2/mix/market/symbol-price."""
    found = _ticker(room, contract_of(room.engine.contracts, request))
    same = {key: found[key] for key in ("symbol", "indexPrice", "markPrice", "ts")}
    return [{**same, "price": found["lastPr"]}]


def funding_rate(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v2/mix/market/current-fund-rate."""
    contract = contract_of(room.engine.contracts, request)
    rate = plain(room.engine.quotes[contract.id].funding)
    return [{"symbol": contract.id, "fundingRate": rate, "fundingRateInterval": "8"}]


def merge_depth(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v2/mix/market/merge-depth: numbers, not words."""
    contract = contract_of(room.engine.contracts, request)
    wanted = request.choice("limit", DEEPEST, "50")
    depth = ALL if wanted == "max" else int(wanted)
    return {
        "asks": _levels(room, contract, "BUY", depth),
        "bids": _levels(room, contract, "SELL", depth),
        "ts": str(room.engine.now_ms),
        "scale": plain(contract.tick),
        "precision": "scale0",
        "isMaxPrecision": "NO",
    }


def history_mark_candles(room: Room, request: Request) -> list[list[str]]:
    """GET /api/v2/mix/market/history-mark-candles: time ascending, the latest of what is asked."""
    if product(request) != PRODUCT:
        raise wrong("productType")
    contract = named(room.engine.contracts, request.text("symbol"))
    interval = INTERVALS[request.choice("granularity", tuple(INTERVALS))]
    limit = request.whole("limit", "100")
    if not 1 <= limit <= PAGE:
        raise wrong("limit")
    first, end = request.whole("startTime", "0"), request.whole("endTime", str(2**53))
    bars = room.engine.candles[contract.id].bars(interval, since_ms=None, until_ms=None, limit=ALL)
    found = [bar for bar in bars if first <= bar.at_ms < end]
    return [
        [
            str(bar.at_ms),
            *(plain(price) for price in (bar.open, bar.high, bar.low, bar.close)),
            "0",
            "0",
        ]
        for bar in found[-limit:]
    ]


def _ticker(room: Room, contract: Contract) -> dict[str, Any]:
    quote = room.engine.quotes[contract.id]
    last = plain(quote.last)
    return {
        "symbol": contract.id,
        "lastPr": last,
        "askPr": last,
        "bidPr": last,
        "bidSz": "1",
        "askSz": "1",
        "high24h": last,
        "low24h": last,
        "ts": str(room.engine.now_ms),
        "change24h": "0",
        "baseVolume": "0",
        "quoteVolume": "0",
        "usdtVolume": "0",
        "openUtc": last,
        "changeUtc24h": "0",
        "indexPrice": plain(quote.index),
        "fundingRate": plain(quote.funding),
        "holdingAmount": "0",
        "deliveryStartTime": None,
        "deliveryTime": None,
        "deliveryStatus": "",
        "open24h": last,
        "markPrice": plain(quote.mark),
    }


def _levels(room: Room, contract: Contract, side: str, depth: int) -> list[list[Any]]:
    quote = room.engine.quotes[contract.id]
    return [
        [_number(price), _number(size)]
        for price, size in book.levels(contract, quote, side)[:depth]
    ]


def _number(value: Decimal) -> Any:
    """Return a number as JSON has it."""
    return json.loads(plain(value))
