"""What may anybody read?"""

from decimal import Decimal
from typing import Any

from bot.paper import book
from bot.paper.binance.codes import WireError
from bot.paper.binance.family import assets, contract_of, contracts, counted, wanted
from bot.paper.binance.request import Request
from bot.paper.digits import fixed, places, plain
from bot.paper.engine import FUNDING_INTERVAL, Engine
from bot.paper.market import HOUR, MINUTE, Candle
from bot.paper.values import Contract, Kind

INTERVALS = {
    "1m": MINUTE, "3m": 3 * MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE,
    "1h": HOUR, "2h": 2 * HOUR, "4h": 4 * HOUR, "8h": 8 * HOUR, "12h": 12 * HOUR, "1d": 24 * HOUR,
}  # fmt: skip
WEIGHT_LIMIT = 2400
LONGEST_SPAN = 200 * 24 * HOUR
"""Between start and end of bars at dapi. [ms]"""


def ping(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/ping."""
    del engine, request
    return {}


def server_time(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/time."""
    del engine
    return {"serverTime": request.now_ms}


def exchange_info(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/exchangeInfo, also of dapi."""
    limits = {
        "timezone": "UTC",
        "serverTime": request.now_ms,
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
    }
    if request.kind is Kind.INVERSE:
        return limits | {"symbols": [_coin_symbol(c) for c in contracts(engine, request)]}
    margins = [
        {"asset": asset, "marginAvailable": True, "autoAssetExchange": "-10000"}
        for asset in assets(engine, request.kind)
    ]
    return limits | {
        "futuresType": "U_MARGINED",
        "assets": margins,
        "symbols": [_symbol(contract) for contract in contracts(engine, request)],
    }


def premium_index(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/premiumIndex, also of dapi."""
    rows = [_premium(engine, c, request.now_ms) for c in wanted(engine, request)]
    return _answered(request, rows)


def ticker(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/ticker/24hr, also of dapi."""
    rows = [_ticker(engine, c, request.now_ms) for c in wanted(engine, request)]
    return _answered(request, rows)


def ticker_price(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/ticker/price, also of dapi."""
    rows = [
        {"symbol": c.id, "price": plain(engine.quotes[c.id].last), "time": request.now_ms}
        for c in wanted(engine, request)
    ]
    return _answered(request, rows)


def book_ticker(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/ticker/bookTicker, also of dapi."""
    contract = contract_of(engine, request, request.text("symbol"))
    depths = {side: _levels(engine, contract, side, 1) for side in ("BUY", "SELL")}
    bid, ask = (depths["SELL"] or [["0", "0"]])[0], (depths["BUY"] or [["0", "0"]])[0]
    row = {
        "symbol": contract.id,
        "bidPrice": bid[0],
        "bidQty": bid[1],
        "askPrice": ask[0],
        "askQty": ask[1],
        "time": request.now_ms,
    }
    return _answered(request, [row])


def depth(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/depth, also of dapi."""
    contract = contract_of(engine, request, request.text("symbol"))
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
    contract = contract_of(engine, request, request.text("symbol"))
    interval = request.text("interval")
    if interval not in INTERVALS:
        raise WireError(-1120, "Invalid interval.")
    limit = request.whole("limit", "500")
    if not 1 <= limit <= 1500:  # noqa: PLR2004 - the venue's own limit
        raise WireError(-1130, "Data sent for parameter 'limit' is not valid.")
    since_ms, until_ms = (_optional_time(request, name) for name in ("startTime", "endTime"))
    if request.kind is Kind.INVERSE and since_ms is not None and until_ms is not None:
        if until_ms - since_ms > LONGEST_SPAN:
            raise WireError(-1130, "Data sent for parameter 'startTime' is not valid.")
        # Of the newest, not of the oldest: another rule than at the other host.
        since_ms = max(since_ms, until_ms - limit * INTERVALS[interval] + 1)
    bars = engine.candles[contract.id].bars(
        INTERVALS[interval], since_ms=since_ms, until_ms=until_ms, limit=limit
    )
    return [_kline(bar, INTERVALS[interval]) for bar in bars]


def funding_rate(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/fundingRate."""
    contract = contract_of(engine, request, request.text("symbol"))
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


def _answered(request: Request, rows: list[dict[str, Any]]) -> Any:
    """One object where a symbol was asked for, else a list; dapi answers every time with a list."""
    if request.kind is Kind.LINEAR and request.optional("symbol") is not None:
        return rows[0]
    return rows


def _optional_time(request: Request, name: str) -> int | None:
    return None if request.optional(name) is None else request.whole(name)


def _symbol(contract: Contract) -> dict[str, Any]:
    return _common(contract) | {
        "pair": contract.id,
        "status": "TRADING",
        "quantityPrecision": places(contract.lot),
        "filters": [
            *_filters(contract),
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": plain(contract.notional)},
        ],
    }


def _coin_symbol(contract: Contract) -> dict[str, Any]:
    return _common(contract) | {
        "pair": f"{contract.base}{contract.quote}",
        "contractStatus": "TRADING",
        "contractSize": int(contract.face),
        "quantityPrecision": 0,
        "equalQtyPrecision": 4,
        "filters": _filters(contract),
    }


def _common(contract: Contract) -> dict[str, Any]:
    return {
        "symbol": contract.id,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": contract.base,
        "quoteAsset": contract.quote,
        "marginAsset": contract.asset,
        "pricePrecision": places(contract.tick),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": plain(contract.liquidation_fee),
        "marketTakeBound": plain(contract.bound),
        "maxMoveOrderLimit": 10000,
        "orderTypes": ["LIMIT", "MARKET", "STOP_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK"],
    }


def _filters(contract: Contract) -> list[dict[str, Any]]:
    lot = plain(counted(contract, contract.lot))
    most, at_market = (
        plain(counted(contract, size)) for size in (contract.maximum, contract.market_maximum)
    )
    steps = {"minQty": lot, "stepSize": lot}
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": plain(contract.tick),
            "maxPrice": plain(contract.tick * 10**8),
            "tickSize": plain(contract.tick),
        },
        {"filterType": "LOT_SIZE", "maxQty": most, **steps},
        {"filterType": "MARKET_LOT_SIZE", "maxQty": at_market, **steps},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": plain(1 + contract.bound),
            "multiplierDown": plain(1 - contract.bound),
            "multiplierDecimal": "4",
        },
    ]


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
        "lastQty": plain(counted(contract, contract.lot)),
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
        [plain(price), plain(counted(contract, size))]
        for price, size in book.levels(contract, quote, side)[:limit]
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
