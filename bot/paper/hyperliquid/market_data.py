"""What may anybody read of the market?"""

from typing import Any

from bot.paper import book
from bot.paper.hyperliquid.codes import BodyError
from bot.paper.hyperliquid.listing import OWN_TABLES, TABLE_OF, TABLES, listed, named, size_places
from bot.paper.hyperliquid.room import Request, Room
from bot.paper.hyperliquid.shape import plain
from bot.paper.market import HOUR, MINUTE
from bot.paper.values import Contract

INTERVALS = {
    "1m": MINUTE, "3m": 3 * MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE,
    "1h": HOUR, "2h": 2 * HOUR, "4h": 4 * HOUR,
}  # fmt: skip
NEWEST = 5000
"""Candles that the venue still knows."""
LEVELS = 20


def status(room: Room, request: Request) -> Any:
    """Type exchangeStatus."""
    del room
    return {"specialStatuses": None, "time": request.now_ms}


def meta(room: Room, request: Request) -> Any:
    """Type meta."""
    del request
    return {
        "universe": [_listing(contract) for contract in listed(room.engine)],
        "marginTables": [
            [number, {"description": "", "marginTiers": [
                {"lowerBound": plain(step.floor), "maxLeverage": step.leverage} for step in table
            ]}]
            for number, table in TABLES.items()
            if number >= OWN_TABLES
        ],
        "collateralToken": 0,
    }  # fmt: skip


def contexts(room: Room, request: Request) -> Any:
    """Type metaAndAssetCtxs."""
    return [meta(room, request), [_context(room, contract) for contract in listed(room.engine)]]


def mids(room: Room, request: Request) -> Any:
    """Type allMids."""
    del request
    return {c.base: plain(room.engine.quotes[c.id].last) for c in listed(room.engine)}


def depth(room: Room, request: Request) -> Any:
    """Type l2Book: bids, then asks, at most twenty of each."""
    coin = request.text("coin")
    contract = named(room.engine, coin)
    if contract is None:
        return None
    return {
        "coin": coin,
        "time": room.engine.now_ms,
        "levels": [_levels(room, contract, "SELL"), _levels(room, contract, "BUY")],
    }


def candles(room: Room, request: Request) -> Any:
    """Type candleSnapshot: of trades, oldest first, the running one included."""
    asked = request.part(request.parameters.get("req"))
    contract = named(room.engine, asked.text("coin"))
    word = asked.text("interval")
    if contract is None or word not in INTERVALS:
        raise BodyError("req")
    interval = INTERVALS[word]
    since, until = asked.whole("startTime"), asked.whole("endTime", room.engine.now_ms)
    bars = room.engine.candles[contract.id].bars(
        interval, since_ms=None, until_ms=until, limit=NEWEST
    )
    return [
        {
            "t": bar.at_ms,
            "T": bar.at_ms + interval - 1,
            "s": contract.base,
            "i": word,
            "o": plain(bar.open),
            "c": plain(bar.close),
            "h": plain(bar.high),
            "l": plain(bar.low),
            "v": plain(bar.volume),
            "n": 1,
        }
        for bar in bars
        if bar.at_ms + interval > since
    ]


def _listing(contract: Contract) -> dict[str, Any]:
    number = TABLE_OF[contract.base]
    return {
        "szDecimals": size_places(contract),
        "name": contract.base,
        "maxLeverage": TABLES[number][0].leverage,
        "marginTableId": number,
    }


def _context(room: Room, contract: Contract) -> dict[str, Any]:
    quote = room.engine.quotes[contract.id]
    return {
        "funding": plain(quote.funding),
        "openInterest": "1000.0",
        "prevDayPx": plain(quote.mark),
        "dayNtlVlm": "1000000.0",
        "premium": "0.0",
        "oraclePx": plain(quote.index),
        "markPx": plain(quote.mark),
        "midPx": plain(quote.last),
        "impactPxs": [plain(quote.last), plain(quote.last)],
        "dayBaseVlm": "1000.0",
    }


def _levels(room: Room, contract: Contract, side: str) -> list[dict[str, Any]]:
    found = book.levels(contract, room.engine.quotes[contract.id], side)[:LEVELS]
    return [{"px": plain(price), "sz": plain(size), "n": 1} for price, size in found]
