"""How often may each endpoint of OKX be asked?

The venue counts every endpoint by itself over two seconds, and refuses only the request that is too
many. A path that is not listed may be asked as often as the rarest does.
"""

from collections.abc import Mapping

from bot.exchanges.limits import Budgets, Cost, Limit

SECONDS = 2.0
"""The venue's period. [s]"""
LATE = 1.0
"""How much after it left a request may be counted. [s]"""
UNIT = 100
"""Weight of one request: parts of one are kept for what is more urgent."""
SELDOM = 90
"""Weight where so few are allowed that what a lane leaves to others would be one of two."""
OTHER = "other"
POSITIONS = "GET /api/v5/account/positions"

FEW = 4
ALLOWED: Mapping[str, int] = {
    POSITIONS: 10,
    "GET /api/v5/account/balance": 10,
    "GET /api/v5/account/account-position-risk": 10,
    "GET /api/v5/account/bills": 10,
    "GET /api/v5/account/bills-archive": 10,
    "GET /api/v5/account/config": 5,
    "GET /api/v5/account/trade-fee": 5,
    "POST /api/v5/account/position/margin-balance": 20,
    "GET /api/v5/asset/balances": 12,
    "POST /api/v5/asset/transfer": 4,
    "GET /api/v5/asset/transfer-state": 4,
    "POST /api/v5/trade/order": 60,
    "GET /api/v5/trade/order": 60,
    "POST /api/v5/trade/order-algo": 20,
    "GET /api/v5/trade/order-algo": 20,
    "GET /api/v5/trade/orders-algo-pending": 20,
    "POST /api/v5/trade/cancel-algos": 20,
    "GET /api/v5/market/books": 40,
    "GET /api/v5/market/index-tickers": 20,
    "GET /api/v5/market/mark-price-candles": 20,
    "GET /api/v5/market/history-mark-price-candles": 10,
    "GET /api/v5/public/time": 10,
    "GET /api/v5/public/instruments": 20,
    "GET /api/v5/public/position-tiers": 10,
    "GET /api/v5/public/mark-price": 10,
    "GET /api/v5/public/funding-rate": 10,
    OTHER: 4,
}
"""Requests in a period, by method and path."""
BUDGETS = Budgets(
    limits={
        name: Limit(weight=count * UNIT, seconds=SECONDS, late=LATE)
        for name, count in ALLOWED.items()
    },
    main=POSITIONS,
)


def cost(method: str, path: str, _: str, __: str) -> Cost:
    """Return the cost of a request."""
    name = f"{method} {path}"
    if name not in ALLOWED:
        return Cost(OTHER, UNIT)
    return Cost(name, SELDOM if ALLOWED[name] <= FEW else UNIT)
