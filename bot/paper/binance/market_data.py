"""What may anybody read?"""

from decimal import Decimal
from typing import Any

from bot.paper import book
from bot.paper.binance.codes import WireError
from bot.paper.binance.request import Request
from bot.paper.binance.shape import fixed, places, plain
from bot.paper.engine import FUNDING_INTERVAL, Engine
from bot.paper.market import HOUR, MINUTE, Candle
from bot.paper.values import Contract

INTERVALS = {
    "1m": MINUTE, "3m": 3 * MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE,
    "1h": HOUR, "2h": 2 * HOUR, "4h": 4 * HOUR, "8h": 8 * HOUR, "12h": 12 * HOUR, "1d": 24 * HOUR,
}  # fmt: skip
WEIGHT_LIMIT = 2400


def ping(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/ping."""
    del engine, request
    return {}


def server_time(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/time."""
    del engine
    return {"serverTime": request.now_ms}


def exchange_info(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/exchangeInfo."""
    return {
        "timezone": "UTC",
        "serverTime": request.now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": WEIGHT_LIMIT,
            },
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_symbol(contract) for contract in engine.contracts.values()],
    }


def premium_index(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/premiumIndex: one object with a symbol, else a list."""
    symbol = request.optional("symbol")
    if symbol is not None:
        return _premium(engine, engine.contract(symbol), request.now_ms)
    return [_premium(engine, c, request.now_ms) for c in engine.contracts.values()]


def ticker(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/ticker/24hr."""
    symbol = request.optional("symbol")
    if symbol is not None:
        return _ticker(engine, engine.contract(symbol), request.now_ms)
    return [_ticker(engine, c, request.now_ms) for c in engine.contracts.values()]


def ticker_price(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/ticker/price."""

    def one(contract: Contract) -> dict[str, Any]:
        quote = engine.quotes[contract.id]
        return {"symbol": contract.id, "price": plain(quote.last), "time": request.now_ms}

    symbol = request.optional("symbol")
    if symbol is not None:
        return one(engine.contract(symbol))
    return [one(contract) for contract in engine.contracts.values()]


def book_ticker(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/ticker/bookTicker."""
    contract = engine.contract(request.text("symbol"))
    depths = {side: _levels(engine, contract, side, 1) for side in ("BUY", "SELL")}
    bid, ask = (depths["SELL"] or [["0", "0"]])[0], (depths["BUY"] or [["0", "0"]])[0]
    return {
        "symbol": contract.id,
        "bidPrice": bid[0],
        "bidQty": bid[1],
        "askPrice": ask[0],
        "askQty": ask[1],
        "time": request.now_ms,
    }


def depth(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/depth."""
    contract = engine.contract(request.text("symbol"))
    limit = request.whole("limit", "500")
    if limit not in (5, 10, 20, 50, 100, 500, 1000):
        raise WireError(-4021, f"{limit} is not valid depth limit.")
    return {
        "lastUpdateId": engine.now_ms,
        "E": request.now_ms,
        "T": request.now_ms,
        "bids": _levels(engine, contract, "SELL", limit),
        "asks": _levels(engine, contract, "BUY", limit),
    }


def klines(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/klines, also markPriceKlines."""
    contract = engine.contract(request.text("symbol"))
    interval = request.text("interval")
    if interval not in INTERVALS:
        raise WireError(-1120, "Invalid interval.")
    limit = request.whole("limit", "500")
    if not 1 <= limit <= 1500:  # noqa: PLR2004 - the venue's own limit
        raise WireError(-1130, "Data sent for parameter 'limit' is not valid.")
    bars = engine.candles[contract.id].bars(
        INTERVALS[interval],
        since_ms=_optional_time(request, "startTime"),
        until_ms=_optional_time(request, "endTime"),
        limit=limit,
    )
    return [_kline(bar, INTERVALS[interval]) for bar in bars]


def funding_rate(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/fundingRate."""
    contract = engine.contract(request.text("symbol"))
    quote = engine.quotes[contract.id]
    first = engine.start_ms - engine.start_ms % FUNDING_INTERVAL
    return [
        {
            "symbol": contract.id,
            "fundingTime": at,
            "fundingRate": fixed(quote.funding),
            "markPrice": fixed(quote.mark),
        }
        for at in range(first, engine.now_ms + 1, FUNDING_INTERVAL)
    ]


def funding_info(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/fundingInfo: contracts with an interval of their own; none here."""
    del engine, request
    return []


def _optional_time(request: Request, name: str) -> int | None:
    return None if request.optional(name) is None else request.whole(name)


def _symbol(contract: Contract) -> dict[str, Any]:
    lot = {"minQty": plain(contract.lot), "stepSize": plain(contract.lot)}
    return {
        "symbol": contract.id,
        "pair": contract.id,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": contract.base,
        "quoteAsset": contract.asset,
        "marginAsset": contract.asset,
        "pricePrecision": places(contract.tick),
        "quantityPrecision": places(contract.lot),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": plain(contract.liquidation_fee),
        "marketTakeBound": plain(contract.bound),
        "maxMoveOrderLimit": 10000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": plain(contract.tick),
                "maxPrice": plain(contract.tick * 10**8),
                "tickSize": plain(contract.tick),
            },
            {"filterType": "LOT_SIZE", "maxQty": plain(contract.maximum), **lot},
            {"filterType": "MARKET_LOT_SIZE", "maxQty": plain(contract.market_maximum), **lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": plain(contract.notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": plain(1 + contract.bound),
                "multiplierDown": plain(1 - contract.bound),
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK"],
    }


def _premium(engine: Engine, contract: Contract, now_ms: int) -> dict[str, Any]:
    quote = engine.quotes[contract.id]
    return {
        "symbol": contract.id,
        "markPrice": fixed(quote.mark),
        "indexPrice": fixed(quote.index),
        "estimatedSettlePrice": fixed(quote.index),
        "lastFundingRate": fixed(quote.funding),
        "interestRate": "0.00010000",
        "nextFundingTime": now_ms - now_ms % FUNDING_INTERVAL + FUNDING_INTERVAL,
        "time": engine.now_ms,
    }


def _ticker(engine: Engine, contract: Contract, now_ms: int) -> dict[str, Any]:
    bars = engine.candles[contract.id].bars(HOUR, since_ms=None, until_ms=None, limit=24)
    last = engine.quotes[contract.id].last
    first = bars[0].open
    change = last - first
    return {
        "symbol": contract.id,
        "priceChange": plain(change),
        "priceChangePercent": f"{change / first * 100:.3f}",
        "weightedAvgPrice": plain(last),
        "lastPrice": plain(last),
        "lastQty": plain(contract.lot),
        "openPrice": plain(first),
        "highPrice": plain(max(bar.high for bar in bars)),
        "lowPrice": plain(min(bar.low for bar in bars)),
        "volume": plain(sum((bar.volume for bar in bars), Decimal(0))),
        "quoteVolume": plain(sum((bar.volume * bar.close for bar in bars), Decimal(0))),
        "openTime": now_ms - 24 * HOUR,
        "closeTime": now_ms,
        "firstId": 1,
        "lastId": 2,
        "count": 2,
    }


def _levels(engine: Engine, contract: Contract, side: str, limit: int) -> list[list[str]]:
    quote = engine.quotes[contract.id]
    return [
        [plain(price), plain(size)] for price, size in book.levels(contract, quote, side)[:limit]
    ]


def _kline(bar: Candle, interval: int) -> list[Any]:
    return [
        bar.at_ms,
        plain(bar.open),
        plain(bar.high),
        plain(bar.low),
        plain(bar.close),
        plain(bar.volume),
        bar.at_ms + interval - 1,
        plain(bar.volume * bar.close),
        1,
        "0",
        "0",
        "0",
    ]
