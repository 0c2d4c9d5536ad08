"""What may anybody read?"""

from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from bot.paper import book
from bot.paper.bybit.codes import WireError
from bot.paper.bybit.listing import asked, contracts, name
from bot.paper.bybit.request import Request
from bot.paper.bybit.shape import HIGHEST, LOWEST
from bot.paper.digits import fixed, places, plain
from bot.paper.engine import FUNDING_INTERVAL, Engine
from bot.paper.market import HOUR, MINUTE
from bot.paper.values import Bracket, Contract, Kind

INTERVALS = {
    "1": MINUTE, "3": 3 * MINUTE, "5": 5 * MINUTE, "15": 15 * MINUTE, "30": 30 * MINUTE,
    "60": HOUR, "120": 2 * HOUR, "240": 4 * HOUR, "360": 6 * HOUR, "720": 12 * HOUR,
    "D": 24 * HOUR,
}  # fmt: skip
TYPES = {Kind.LINEAR: "LinearPerpetual", Kind.INVERSE: "InversePerpetual"}
SYMBOLS_A_PAGE = 15
MOST_BARS = 1000


def server_time(engine: Engine, request: Request) -> Any:
    """GET /v5/market/time."""
    del engine
    return {
        "timeSecond": str(request.now_ms // 1000),
        "timeNano": str(request.now_ms * 1_000_000),
    }


def instruments_info(engine: Engine, request: Request) -> Any:
    """GET /v5/market/instruments-info."""
    rows = [_instrument(engine, contract) for contract in contracts(engine, request)]
    page, cursor = request.page(rows, usual=500, most=1000)
    return {"category": request.text("category"), "list": page, "nextPageCursor": cursor}


def risk_limit(engine: Engine, request: Request) -> Any:
    """GET /v5/market/risk-limit: fifteen symbols a page."""
    wanted = contracts(engine, request)
    first, cursor = request.page(
        [{"id": c.id} for c in wanted], usual=SYMBOLS_A_PAGE, most=SYMBOLS_A_PAGE
    )
    shown = {row["id"] for row in first}
    return {
        "category": request.text("category"),
        "list": [
            _tier(contract, step, number)
            for contract in wanted
            if contract.id in shown
            for number, step in enumerate(contract.brackets, start=1)
        ],
        "nextPageCursor": cursor,
    }


def tickers(engine: Engine, request: Request) -> Any:
    """GET /v5/market/tickers."""
    rows = [_ticker(engine, contract, request.now_ms) for contract in contracts(engine, request)]
    return {"category": request.text("category"), "list": rows}


def orderbook(engine: Engine, request: Request) -> Any:
    """GET /v5/market/orderbook."""
    contract = asked(engine, request)
    limit = request.whole("limit", 25)
    if not 1 <= limit <= 500:  # noqa: PLR2004 - the venue's own limit
        raise WireError(10001, "params error: limit invalid")
    sides = {
        name: [
            [plain(price), plain(size)]
            for price, size in book.levels(contract, engine.quotes[contract.id], side)[:limit]
        ]
        for name, side in (("b", "SELL"), ("a", "BUY"))
    }
    return {
        "s": name(contract),
        **sides,
        "ts": request.now_ms,
        "u": engine.now_ms,
        "seq": engine.now_ms,
        "cts": request.now_ms,
    }


def klines(engine: Engine, request: Request) -> Any:
    """GET /v5/market/kline, also mark-price-kline: newest first."""
    contract = asked(engine, request)
    interval = INTERVALS[request.choice("interval", tuple(INTERVALS))]
    limit = request.whole("limit", 200)
    if not 1 <= limit <= MOST_BARS:
        raise WireError(10001, "params error: limit invalid")
    bars = engine.candles[contract.id].bars(
        interval,
        since_ms=_optional(request, "start"),
        until_ms=_optional(request, "end"),
        limit=limit,
    )
    prices = [[str(b.at_ms), *map(plain, (b.open, b.high, b.low, b.close))] for b in bars]
    return {
        "category": request.text("category"),
        "symbol": request.text("symbol"),
        "list": prices[::-1],
    }


def _optional(request: Request, name: str) -> int | None:
    return None if request.optional(name) is None else request.whole(name)


def _instrument(engine: Engine, contract: Contract) -> dict[str, Any]:
    return {
        "symbol": name(contract),
        "contractType": TYPES[contract.kind],
        "status": "Trading",
        "baseCoin": contract.base,
        "quoteCoin": contract.quote,
        "settleCoin": contract.asset,
        "launchTime": str(engine.start_ms),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(places(contract.tick)),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": plain(Decimal(contract.brackets[0].leverage)),
            "leverageStep": "0.01",
        },
        "priceFilter": {
            "minPrice": plain(LOWEST * contract.tick),
            "maxPrice": plain(HIGHEST * contract.tick),
            "tickSize": plain(contract.tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": plain(contract.maximum),
            "minOrderQty": plain(contract.lot),
            "qtyStep": plain(contract.lot),
            "postOnlyMaxOrderQty": plain(contract.maximum),
            "maxMktOrderQty": plain(contract.market_maximum),
            "minNotionalValue": plain(contract.notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": FUNDING_INTERVAL // MINUTE,
        "copyTrading": "none",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {
            "priceLimitRatioX": plain(contract.bound),
            "priceLimitRatioY": plain(contract.bound),
        },
        "displayName": "",
    }


def _tier(contract: Contract, step: Bracket, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "symbol": name(contract),
        "riskLimitValue": plain(step.cap),
        "maintenanceMargin": plain(step.rate),
        "initialMargin": plain(round(Decimal(1) / step.leverage, 6)),
        "isLowestRisk": int(number == 1),
        "maxLeverage": plain(Decimal(step.leverage)),
        "mmDeduction": plain(step.cum) if step.cum else "",
    }


class _Day(NamedTuple):
    """What a day of bars amounts to.

    Attributes:
        first: Its first price. [quote/base]
        hour: First price of its last hour. [quote/base]
        high: [quote/base]
        low: [quote/base]
        volume: [base]
    """

    first: Decimal
    hour: Decimal
    high: Decimal
    low: Decimal
    volume: Decimal


@lru_cache(maxsize=16)
def _day(engine: Engine, symbol: str, minute: int) -> _Day:
    """Return the last day of a contract: the same within a minute, since it costs much to sum."""
    del minute
    bars = engine.candles[symbol].bars(HOUR, since_ms=None, until_ms=None, limit=24)
    return _Day(
        first=bars[0].open,
        hour=bars[-1].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        volume=sum((bar.volume for bar in bars), Decimal(0)),
    )


def _ticker(engine: Engine, contract: Contract, now_ms: int) -> dict[str, Any]:
    quote = engine.quotes[contract.id]
    day = _day(engine, contract.id, engine.now_ms // MINUTE)
    volume, turnover = day.volume, day.volume * quote.last
    if contract.kind is Kind.INVERSE:
        volume, turnover = turnover, volume
    bid, ask = (book.levels(contract, quote, side)[:1] for side in ("SELL", "BUY"))
    return {
        "symbol": name(contract),
        "lastPrice": plain(quote.last),
        "indexPrice": plain(quote.index),
        "markPrice": plain(quote.mark),
        "prevPrice24h": plain(day.first),
        "price24hPcnt": fixed(quote.last / day.first - 1),
        "highPrice24h": plain(day.high),
        "lowPrice24h": plain(day.low),
        "prevPrice1h": plain(day.hour),
        "openInterest": "0",
        "openInterestValue": "0",
        "turnover24h": fixed(turnover),
        "volume24h": plain(volume),
        "fundingRate": plain(quote.funding),
        "nextFundingTime": str(now_ms - now_ms % FUNDING_INTERVAL + FUNDING_INTERVAL),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "bid1Price": plain(bid[0][0]) if bid else "",
        "bid1Size": plain(bid[0][1]) if bid else "",
        "ask1Price": plain(ask[0][0]) if ask else "",
        "ask1Size": plain(ask[0][1]) if ask else "",
    }
