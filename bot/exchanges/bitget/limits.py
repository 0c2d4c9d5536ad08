"""How often may each endpoint of Bitget be asked?

The venue counts every endpoint by itself over a second, and refuses only the request that is too
many. A path that is not listed may be asked as often as the rarest but one does.
"""

from collections.abc import Mapping

from bot.exchanges.limits import Budgets, Cost, Limit

SECONDS = 1.0
"""The venue's period. [s]"""
LATE = 0.5
"""How much after it left a request may be counted. [s]"""
UNIT = 100
"""Weight of one request: parts of one are kept for what is more urgent."""
ONCE = 45
"""Weight where one in a period is allowed: the bot's half of it would be none."""
OTHER = "other"
POSITIONS = "GET /api/v2/mix/position/all-position"

ALLOWED: Mapping[str, int] = {
    POSITIONS: 5,
    "GET /api/v2/mix/account/accounts": 10,
    "GET /api/v2/mix/account/account": 10,
    "GET /api/v2/mix/account/bill": 10,
    "POST /api/v2/mix/account/set-margin": 5,
    "GET /api/v2/spot/account/info": 1,
    "GET /api/v2/spot/account/assets": 10,
    "POST /api/v2/spot/wallet/transfer": 10,
    "GET /api/v2/spot/account/transferRecords": 20,
    "POST /api/v2/mix/order/place-order": 10,
    "GET /api/v2/mix/order/detail": 10,
    "GET /api/v2/mix/order/orders-pending": 10,
    "POST /api/v2/mix/order/place-tpsl-order": 10,
    "GET /api/v2/mix/order/orders-plan-pending": 10,
    "GET /api/v2/mix/order/orders-plan-history": 10,
    "POST /api/v2/mix/order/cancel-plan-order": 10,
    "GET /api/v2/mix/market/contracts": 20,
    "GET /api/v2/mix/market/tickers": 20,
    "GET /api/v2/mix/market/merge-depth": 20,
    "GET /api/v2/mix/market/history-mark-candles": 20,
    "GET /api/v2/mix/market/query-position-lever": 10,
    "GET /api/v2/public/time": 20,
    OTHER: 5,
}
"""Requests in a period, by method and path, as the page of each endpoint has them; where copies of
a page differ, the lower."""
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
    return Cost(name, ONCE if ALLOWED[name] == 1 else UNIT)
