"""What may anybody read?"""

from decimal import Decimal
from typing import Any

from bot.paper import book
from bot.paper.engine import FUNDING_INTERVAL
from bot.paper.gate.codes import WireError, wrong
from bot.paper.gate.listing import face, name
from bot.paper.gate.request import Request
from bot.paper.gate.room import Room
from bot.paper.gate.shape import contracts, plain, seconds
from bot.paper.market import HOUR, MINUTE, Candle
from bot.paper.values import Contract

INTERVALS = {
    "1m": MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE, "1h": HOUR,
    "4h": 4 * HOUR,
}  # fmt: skip
PAGE, MOST = 100, 1000
MOST_BARS = 2000
OLDEST_BARS = 10_000
"""How many bars ago a list of them may begin."""
DEEPEST = 300
MARK = "mark_"

INVERSE: dict[str, Any] = {
    "name": "BTC_USD", "type": "inverse", "quanto_multiplier": "0", "leverage_min": "1",
    "leverage_max": "100", "maintenance_rate": "0.005", "mark_type": "index",
    "mark_price": "60000", "index_price": "60000", "last_price": "60000",
    "maker_fee_rate": "-0.00025", "taker_fee_rate": "0.00075", "order_price_round": "0.1",
    "mark_price_round": "0.01", "funding_rate": "0.0001", "order_size_min": "1",
    "order_size_max": "1000000", "enable_decimal": False, "status": "trading",
    "in_delisting": False,
}  # fmt: skip
"""Listed there as well; this exchange trades none."""


def server_time(room: Room, request: Request) -> dict[str, Any]:
    """GET /spot/time."""
    del room
    return {"server_time": request.now_ms}


def list_contracts(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /futures/{settle}/contracts."""
    if request.text("settle") == "btc":
        return request.page([INVERSE], usual=PAGE, most=MOST)
    rows = [_listed(room, contract) for contract in room.contracts(request)]
    return request.page(rows, usual=PAGE, most=MOST)


def one_contract(room: Room, request: Request) -> dict[str, Any]:
    """GET /futures/{settle}/contracts/{contract}."""
    return _listed(room, room.contract(request))


def risk_limit_tiers(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /futures/{settle}/risk_limit_tiers."""
    contract = room.contract(request)
    return [
        {
            "contract": name(contract),
            "deduction": plain(step.cum),
            "initial_rate": plain(1 / Decimal(step.leverage)),
            "leverage_max": str(step.leverage),
            "maintenance_rate": plain(step.rate),
            "risk_limit": plain(step.cap),
            "tier": number,
        }
        for number, step in enumerate(contract.brackets, start=1)
    ]


def tickers(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /futures/{settle}/tickers."""
    if request.optional("contract") is not None:
        return [_ticker(room, room.contract(request))]
    return [_ticker(room, contract) for contract in room.contracts(request)]


def order_book(room: Room, request: Request) -> dict[str, Any]:
    """GET /futures/{settle}/order_book."""
    contract = room.contract(request)
    depth = request.whole("limit", "10")
    if not 1 <= depth <= DEEPEST:
        raise wrong("limit")
    return {
        "asks": _levels(room, contract, "BUY", depth),
        "bids": _levels(room, contract, "SELL", depth),
        "current": seconds(room.engine.now_ms),
        "update": seconds(room.engine.now_ms),
    }


def candlesticks(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /futures/{settle}/candlesticks: of mark where its name says so; time ascending."""
    wanted = request.text("contract").removeprefix(MARK)
    contract = room.contract(
        Request(parameters={**request.parameters, "contract": wanted}, now_ms=request.now_ms)
    )
    word = request.choice("interval", tuple(INTERVALS), "5m")
    width, now = INTERVALS[word], room.engine.now_ms
    has_span = request.optional("from") is not None or request.optional("to") is not None
    if has_span and request.optional("limit") is not None:
        raise wrong("limit conflicts with from and to")
    limit = request.whole("limit", str(MOST_BARS if has_span else PAGE))
    if not 1 <= limit <= MOST_BARS:
        raise wrong("limit")
    since_ms = request.whole("from", "0") * 1000 if has_span else None
    until_ms = request.whole("to", str(now // 1000)) * 1000 if has_span else None
    if since_ms is not None and since_ms < now - OLDEST_BARS * width:
        message = f"Candlestick too long ago. Maximum {OLDEST_BARS} points ago are allowed"
        raise WireError("INVALID_PARAM_VALUE", message)
    bars = room.engine.candles[contract.id].bars(
        width, since_ms=since_ms, until_ms=until_ms, limit=limit
    )
    return [_candle(bar) for bar in bars]


def _candle(bar: Candle) -> dict[str, Any]:
    return {
        "c": plain(bar.close),
        "h": plain(bar.high),
        "l": plain(bar.low),
        "o": plain(bar.open),
        "sum": "0",
        "t": bar.at_ms // 1000,
        "v": "0",
    }


def _ticker(room: Room, contract: Contract) -> dict[str, Any]:
    quote = room.engine.quotes[contract.id]
    return {
        "change_percentage": "0",
        "contract": name(contract),
        "funding_rate": plain(quote.funding),
        "funding_rate_indicative": plain(quote.funding),
        "index_price": plain(quote.index),
        "last": plain(quote.last),
        "mark_price": plain(quote.mark),
        "quanto_multiplier": plain(face(contract)),
        "total_size": "0",
        "volume_24h": "0",
    }


def _listed(room: Room, contract: Contract) -> dict[str, Any]:
    quote, now = room.engine.quotes[contract.id], room.engine.now_ms
    next_at = now - now % FUNDING_INTERVAL + FUNDING_INTERVAL
    return {
        "create_time": 1609899548,
        "delisted_time": 0,
        "delisting_time": 0,
        "enable_decimal": False,
        "funding_interval": FUNDING_INTERVAL // 1000,
        "funding_next_apply": next_at // 1000,
        "funding_rate": plain(quote.funding),
        "in_delisting": False,
        "index_price": plain(quote.index),
        "last_price": plain(quote.last),
        "launch_time": 1609899548,
        "leverage_max": str(contract.brackets[0].leverage),
        "leverage_min": "1",
        "maintenance_rate": plain(contract.brackets[0].rate),
        "maker_fee_rate": plain(contract.maker),
        "mark_price": plain(quote.mark),
        "mark_price_round": plain(contract.tick / 10),
        "mark_type": "index",
        "market_order_size_max": contracts(contract, contract.market_maximum),
        "name": name(contract),
        "order_price_deviate": plain(contract.bound),
        "order_price_round": plain(contract.tick),
        "order_size_max": contracts(contract, contract.maximum),
        "order_size_min": "1",
        "orders_limit": 100,
        "quanto_multiplier": plain(face(contract)),
        "risk_limit_base": plain(contract.brackets[0].cap),
        "risk_limit_max": plain(contract.brackets[-1].cap),
        "risk_limit_step": "0",
        "status": "trading",
        "taker_fee_rate": plain(contract.taker),
        "type": "direct",
    }


def _levels(room: Room, contract: Contract, side: str, depth: int) -> list[dict[str, str]]:
    quote = room.engine.quotes[contract.id]
    return [
        {"p": plain(price), "s": contracts(contract, size)}
        for price, size in book.levels(contract, quote, side)[:depth]
    ]
