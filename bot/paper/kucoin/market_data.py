"""What may anybody read?"""

from decimal import Decimal
from typing import Any

from bot.paper import book
from bot.paper.engine import FUNDING_INTERVAL
from bot.paper.kucoin.codes import wrong
from bot.paper.kucoin.listing import LEVELS, coin, face, index, name, named
from bot.paper.kucoin.request import Request
from bot.paper.kucoin.room import Room
from bot.paper.kucoin.shape import bare, lots, plain
from bot.paper.market import MINUTE
from bot.paper.values import Contract

INTERVALS = (1, 5, 15, 30, 60, 120, 240, 480, 720, 1440, 10080)
"""Of bars. [min]"""
MOST_BARS = 200
"""In one answer; the oldest of those asked for."""
ALL = 1 << 31
DEEPEST = 100
CAP = Decimal("0.003")
"""Largest rate of funding. [ratio]"""

INVERSE: dict[str, Any] = {
    "symbol": "XBTUSDM", "rootSymbol": "XBT", "type": "FFWCSX", "firstOpenDate": 1552638575000,
    "expireDate": None, "settleDate": None, "baseCurrency": "XBT", "quoteCurrency": "USD",
    "settleCurrency": "XBT", "maxOrderQty": 10000000, "marketMaxOrderQty": 1000000,
    "maxPrice": 1000000, "lotSize": 1, "tickSize": "#0.1#", "multiplier": -1,
    "initialMargin": "#0.014#", "maintainMargin": "#0.007#", "makerFeeRate": "#0.0002#",
    "takerFeeRate": "#0.0006#", "isInverse": True, "isQuanto": False, "indexSymbol": ".BXBT",
    "status": "Open", "fundingFeeRate": "#0.0001#", "markPrice": 60000, "indexPrice": 60000,
    "lastTradePrice": 60000, "nextFundingRateTime": 1000, "maxLeverage": 75,
}  # fmt: skip
"""Listed there as well; this exchange trades none."""


def server_time(room: Room, request: Request) -> int:
    """GET /api/v1/timestamp."""
    del room
    return request.now_ms


def active(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v1/contracts/active."""
    del request
    return [*(_contract(room, contract) for contract in room.contracts()), INVERSE]


def contract(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/contracts/{symbol}."""
    return _contract(room, named(room.contracts(), request.rest))


def risk_limits(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v1/contracts/risk-limit/{symbol}."""
    found = named(room.contracts(), request.rest)
    steps = LEVELS[found.base]
    floors = [0, *(step.value for step in steps[:-1])]
    return [
        {
            "symbol": name(found),
            "level": number,
            "maxRiskLimit": step.value,
            "minRiskLimit": floor,
            "maxLeverage": step.leverage,
            "initialMargin": bare(step.initial),
            "maintainMargin": bare(step.maintenance),
        }
        for number, (floor, step) in enumerate(zip(floors, steps, strict=True), start=1)
    ]


def mark_price(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/mark-price/{symbol}/current."""
    found = named(room.contracts(), request.rest)
    quote = room.engine.quotes[found.id]
    return {
        "symbol": name(found),
        "granularity": 1000,
        "timePoint": room.engine.now_ms - room.engine.now_ms % 1000,
        "value": bare(quote.mark),
        "indexPrice": bare(quote.index),
    }


def funding_rate(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/funding-rate/{symbol}/current."""
    found = named(room.contracts(), request.rest)
    rate, now = room.engine.quotes[found.id].funding, request.now_ms
    return {
        "symbol": f".{name(found)}FPI8H",
        "granularity": FUNDING_INTERVAL,
        "timePoint": now - now % FUNDING_INTERVAL,
        "value": bare(rate),
        "predictedValue": bare(rate),
        "fundingRateCap": bare(CAP),
        "fundingRateFloor": bare(-CAP),
        "period": 1,
        "fundingTime": now - now % FUNDING_INTERVAL + FUNDING_INTERVAL,
    }


def depth(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/level2/depth100."""
    found = named(room.contracts(), request.text("symbol"))
    return {
        "sequence": 1,
        "symbol": name(found),
        "bids": _levels(room, found, "SELL"),
        "asks": _levels(room, found, "BUY"),
        "ts": room.engine.now_ms * 1_000_000,
    }


def ticker(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/ticker."""
    found = named(room.contracts(), request.text("symbol"))
    (bid, held), (ask, offered) = (
        book.levels(found, room.engine.quotes[found.id], side)[0] for side in ("SELL", "BUY")
    )
    return {
        "sequence": 1,
        "symbol": name(found),
        "side": "buy",
        "size": 1,
        "tradeId": "1",
        "price": plain(room.engine.quotes[found.id].last),
        "bestBidPrice": plain(bid),
        "bestBidSize": bare(lots(found, held)),
        "bestAskPrice": plain(ask),
        "bestAskSize": bare(lots(found, offered)),
        "ts": room.engine.now_ms * 1_000_000,
    }


def bars(room: Room, request: Request) -> list[list[Any]]:
    """GET /api/v1/kline/query: of a contract or its index, oldest first."""
    contracts, wanted = room.contracts(), request.text("symbol")
    found = next((c for c in contracts if index(c) == wanted), None) or named(contracts, wanted)
    minutes = request.whole("granularity")
    if minutes not in INTERVALS:
        raise wrong("granularity")
    since, until = request.whole("from", "0"), request.whole("to", str(2**53))
    listed = room.engine.candles[found.id].bars(
        minutes * MINUTE, since_ms=None, until_ms=None, limit=ALL
    )
    rows = [bar for bar in listed if since <= bar.at_ms <= until]
    return [
        [bar.at_ms, *(bare(price) for price in (bar.open, bar.high, bar.low, bar.close)), 1, 1]
        for bar in rows[:MOST_BARS]
    ]


def _contract(room: Room, found: Contract) -> dict[str, Any]:
    quote, steps, now = room.engine.quotes[found.id], LEVELS[found.base], room.engine.now_ms
    return {
        "symbol": name(found),
        "rootSymbol": found.asset,
        "type": "FFWCSX",
        "firstOpenDate": 1585555200000,
        "expireDate": None,
        "settleDate": None,
        "baseCurrency": coin(found),
        "quoteCurrency": found.quote,
        "settleCurrency": found.asset,
        "maxOrderQty": bare(lots(found, found.maximum)),
        "marketMaxOrderQty": bare(lots(found, found.market_maximum)),
        "maxPrice": 1000000,
        "lotSize": bare(lots(found, found.lot)),
        "tickSize": bare(found.tick),
        "indexPriceTickSize": bare(found.tick),
        "multiplier": bare(face(found)),
        "initialMargin": bare(steps[0].initial),
        "maintainMargin": bare(steps[0].maintenance),
        "maxRiskLimit": steps[0].value,
        "minRiskLimit": steps[0].value,
        "riskStep": steps[0].value // 2,
        "makerFeeRate": bare(found.maker),
        "takerFeeRate": bare(found.taker),
        "takerFixFee": 0,
        "makerFixFee": 0,
        "settlementFee": None,
        "isDeleverage": True,
        "isQuanto": True,
        "isInverse": False,
        "markMethod": "FairPrice",
        "fairMethod": "FundingRate",
        "indexSymbol": index(found),
        "settlementSymbol": "",
        "status": "Open",
        "fundingFeeRate": bare(quote.funding),
        "predictedFundingFeeRate": bare(quote.funding),
        "fundingRateGranularity": FUNDING_INTERVAL,
        "openInterest": "8724443",
        "turnoverOf24h": 1,
        "volumeOf24h": 1,
        "markPrice": bare(quote.mark),
        "indexPrice": bare(quote.index),
        "lastTradePrice": bare(quote.last),
        "nextFundingRateTime": FUNDING_INTERVAL - now % FUNDING_INTERVAL,
        "maxLeverage": steps[0].leverage,
        "supportCross": True,
    }


def _levels(room: Room, found: Contract, side: str) -> list[list[str]]:
    quote = room.engine.quotes[found.id]
    return [
        [bare(price), bare(lots(found, size))]
        for price, size in book.levels(found, quote, side)[:DEEPEST]
    ]
