"""What may anybody read?"""

from typing import Any

from bot.paper import book
from bot.paper.engine import FUNDING_INTERVAL
from bot.paper.market import HOUR, MINUTE, Candle
from bot.paper.okx.codes import wrong
from bot.paper.okx.listing import face, family, name, named, of_family, steps
from bot.paper.okx.request import Request
from bot.paper.okx.room import Room
from bot.paper.okx.shape import contracts, plain
from bot.paper.values import Contract, Kind

INTERVALS = {
    "1m": MINUTE, "3m": 3 * MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE,
    "1H": HOUR, "2H": 2 * HOUR, "4H": 4 * HOUR,
}  # fmt: skip
PAGE = 100
NEWEST = 1440
"""Bars that the list of present ones reaches back; older ones have a list of their own."""
ALL = 1 << 31
DEEPEST = 400

INVERSE: dict[str, Any] = {
    "instType": "SWAP", "instId": "BTC-USD-SWAP", "instFamily": "BTC-USD", "uly": "BTC-USD",
    "baseCcy": "", "quoteCcy": "", "settleCcy": "BTC", "ctVal": "100", "ctMult": "1",
    "ctValCcy": "USD", "ctType": "inverse", "lever": "100", "tickSz": "0.1", "lotSz": "0.1",
    "minSz": "0.1", "maxLmtSz": "1000000", "maxMktSz": "1000000", "state": "live", "expTime": "",
    "listTime": "1597026383085", "alias": "", "category": "1", "optType": "", "stk": "",
}  # fmt: skip
"""Listed there as well, also where this exchange trades none."""


def server_time(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/public/time."""
    del room
    return [{"ts": str(request.now_ms)}]


def instruments(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/public/instruments."""
    kind = request.choice("instType", ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION"))
    if kind != "SWAP":
        return []
    wanted = request.optional("instId")
    listed = [_instrument(contract) for contract in room.contracts()]
    if INVERSE["instId"] not in {row["instId"] for row in listed}:
        listed.append(INVERSE)
    return [row for row in listed if wanted in (None, row["instId"])]


def position_tiers(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/public/position-tiers."""
    request.choice("instType", ("SWAP",))
    request.choice("tdMode", ("isolated", "cross"))
    found = of_family(room.engine.contracts, request.text("instFamily"))
    return [row for contract in found for row in _tiers(contract)]


def mark_price(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/public/mark-price."""
    request.choice("instType", ("SWAP",), None if request.optional("instId") is None else "SWAP")
    engine = room.engine
    return [
        {
            "instId": name(contract),
            "instType": "SWAP",
            "markPx": plain(engine.quotes[contract.id].mark),
            "ts": str(engine.now_ms),
        }
        for contract in _wanted(room, request)
    ]


def index_tickers(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/market/index-tickers."""
    quote, wanted = request.optional("quoteCcy"), request.optional("instId")
    if quote is None and wanted is None:
        raise wrong("quoteCcy")
    engine = room.engine
    return [
        {
            "instId": family(contract),
            "idxPx": plain(engine.quotes[contract.id].index),
            "high24h": plain(engine.quotes[contract.id].index),
            "low24h": plain(engine.quotes[contract.id].index),
            "open24h": plain(engine.quotes[contract.id].index),
            "sodUtc0": "",
            "sodUtc8": "",
            "ts": str(engine.now_ms),
        }
        for contract in room.contracts()
        if wanted in (None, family(contract)) and quote in (None, contract.quote)
    ]


def funding_rate(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/public/funding-rate."""
    contract = named(room.engine.contracts, request.text("instId"))
    next_at = request.now_ms - request.now_ms % FUNDING_INTERVAL + FUNDING_INTERVAL
    return [
        {
            "instId": name(contract),
            "instType": "SWAP",
            "method": "current_period",
            "fundingRate": plain(room.engine.quotes[contract.id].funding),
            "fundingTime": str(next_at),
            "nextFundingRate": "",
            "nextFundingTime": str(next_at + FUNDING_INTERVAL),
            "ts": str(room.engine.now_ms),
        }
    ]


def books(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/market/books."""
    contract = named(room.engine.contracts, request.text("instId"))
    depth = request.whole("sz", "1")
    if not 1 <= depth <= DEEPEST:
        raise wrong("sz")
    return [
        {
            "asks": _levels(room, contract, "BUY", depth),
            "bids": _levels(room, contract, "SELL", depth),
            "ts": str(room.engine.now_ms),
        }
    ]


def ticker(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/market/ticker, also tickers."""
    return [
        {
            "instType": "SWAP",
            "instId": name(contract),
            "last": plain(room.engine.quotes[contract.id].last),
            "ts": str(room.engine.now_ms),
        }
        for contract in _wanted(room, request)
    ]


def mark_candles(room: Room, request: Request) -> list[list[str]]:
    """GET /api/v5/market/mark-price-candles: newest first, not farther back than so many."""
    return _candles(room, request, reach=NEWEST)


def history_mark_candles(room: Room, request: Request) -> list[list[str]]:
    """GET /api/v5/market/history-mark-price-candles: newest first."""
    return _candles(room, request, reach=ALL)


def _candles(room: Room, request: Request, *, reach: int) -> list[list[str]]:
    contract = named(room.engine.contracts, request.text("instId"))
    interval = INTERVALS[request.choice("bar", tuple(INTERVALS), "1m")]
    limit = request.whole("limit", str(PAGE))
    if not 1 <= limit <= PAGE:
        raise wrong("limit")
    bars = room.engine.candles[contract.id].bars(
        interval, since_ms=None, until_ms=None, limit=reach
    )
    before = request.whole("before", "-1")
    after = request.whole("after", str(2**62))
    found = [bar for bar in reversed(bars) if before < bar.at_ms < after]
    return [_candle(bar, interval, room.engine.now_ms) for bar in found[:limit]]


def _candle(bar: Candle, interval: int, now_ms: int) -> list[str]:
    is_over = bar.at_ms + interval <= now_ms
    prices = (plain(price) for price in (bar.open, bar.high, bar.low, bar.close))
    return [str(bar.at_ms), *prices, "1" if is_over else "0"]


def _wanted(room: Room, request: Request) -> list[Contract]:
    wanted = request.optional("instId")
    if wanted is None:
        return room.contracts()
    return [named(room.engine.contracts, wanted)]


def _instrument(contract: Contract) -> dict[str, Any]:
    lot = contracts(contract, contract.lot)
    return {
        "alias": "",
        "baseCcy": "",
        "category": "1",
        "ctMult": "1",
        "ctType": contract.kind.value,
        "ctVal": plain(face(contract)),
        "ctValCcy": contract.base if contract.kind is Kind.LINEAR else contract.quote,
        "expTime": "",
        "instFamily": family(contract),
        "instId": name(contract),
        "instType": "SWAP",
        "lever": str(steps(contract)[0].leverage),
        "listTime": "1597026383085",
        "lotSz": lot,
        "maxIcebergSz": contracts(contract, contract.maximum),
        "maxLmtSz": contracts(contract, contract.maximum),
        "maxMktSz": contracts(contract, contract.market_maximum),
        "maxStopSz": contracts(contract, contract.market_maximum),
        "maxTriggerSz": contracts(contract, contract.maximum),
        "maxTwapSz": contracts(contract, contract.maximum),
        "minSz": lot,
        "optType": "",
        "quoteCcy": "",
        "ruleType": "normal",
        "settleCcy": contract.asset,
        "state": "live",
        "stk": "",
        "tickSz": plain(contract.tick),
        "uly": family(contract),
    }


def _tiers(contract: Contract) -> list[dict[str, Any]]:
    table = steps(contract)
    floors = ["0", *(plain(step.most) for step in table[:-1])]
    return [
        {
            "baseMaxLoan": "",
            "imr": plain(step.initial),
            "instFamily": family(contract),
            "instId": "",
            "maxLever": str(step.leverage),
            "maxSz": plain(step.most),
            "minSz": floor,
            "mmr": plain(step.maintenance),
            "optMgnFactor": "",
            "quoteMaxLoan": "",
            "tier": str(number),
            "uly": family(contract),
        }
        for number, (floor, step) in enumerate(zip(floors, table, strict=True), start=1)
    ]


def _levels(room: Room, contract: Contract, side: str, depth: int) -> list[list[str]]:
    quote = room.engine.quotes[contract.id]
    return [
        [plain(price), contracts(contract, size), "0", "1"]
        for price, size in book.levels(contract, quote, side)[:depth]
    ]
