"""How often may KuCoin be asked?

The venue counts weights in pools, each over thirty seconds: KuCoin documentation, *Rate Limit*, of
the lowest account tier. An endpoint that is not listed is taken for a dear one.
"""

import re
from collections.abc import Mapping

from bot.exchanges.limits import Budgets, Cost, Limit

SECONDS = 30.0
"""The venue's period. [s]"""
POOL = 2_000
"""Weight in a period, of each pool."""
FUTURES, PUBLIC, MANAGEMENT = "futures", "public", "management"
DEAR = 20
MARK = 3
COSTS: Mapping[str, Cost] = {
    "GET /api/v1/timestamp": Cost(PUBLIC, 2),
    "GET /api/v1/contracts/active": Cost(PUBLIC, 3),
    "GET /api/v1/contracts/risk-limit/*": Cost(PUBLIC, 5),
    "GET /api/v1/mark-price/*/current": Cost(PUBLIC, MARK),
    "GET /api/v1/funding-rate/*/current": Cost(PUBLIC, 2),
    "GET /api/v1/level2/depth100": Cost(PUBLIC, 10),
    "GET /api/v1/kline/query": Cost(PUBLIC, 3),
    "GET /api/ua/v1/account/mode": Cost(MANAGEMENT, 2),
    "GET /api/v1/user/api-key": Cost(MANAGEMENT, 20),
    "GET /api/v1/accounts": Cost(MANAGEMENT, 5),
    "GET /api/v1/accounts/ledgers": Cost(MANAGEMENT, 2),
    "POST /api/v3/accounts/universal-transfer": Cost(MANAGEMENT, 4),
    "POST /api/v2/transfer-out": Cost(MANAGEMENT, 20),
    "GET /api/v1/transaction-history": Cost(MANAGEMENT, 2),
    "GET /api/v1/account-overview": Cost(FUTURES, 5),
    "GET /api/v1/positions": Cost(FUTURES, 2),
    "GET /api/v1/funding-history": Cost(FUTURES, 5),
    "GET /api/v2/position/getPositionMode": Cost(FUTURES, 2),
    "POST /api/v1/position/margin/deposit-margin": Cost(FUTURES, 4),
    "POST /api/v1/margin/withdrawMargin": Cost(FUTURES, 10),
    "POST /api/v1/orders": Cost(FUTURES, 2),
    "GET /api/v1/orders/byClientOid": Cost(FUTURES, 5),
    "GET /api/v1/orders/*": Cost(FUTURES, 5),
    "DELETE /api/v1/orders/*": Cost(FUTURES, 1),
    "GET /api/v1/stopOrders": Cost(FUTURES, 6),
}
"""By method and path; a star is a word of our choice."""
OWN = re.compile(r"(?<=/)(?:[A-Z0-9]+M|[0-9a-f]{12,}|\d+)(?=/|$)", re.ASCII)
"""A contract or an order inside a path."""
BUDGETS = Budgets(
    limits={name: Limit(weight=POOL, seconds=SECONDS) for name in (FUTURES, PUBLIC, MANAGEMENT)},
    main=PUBLIC,  # marks and books: a look weighs more there than in any other pool
)


def cost(method: str, path: str, _: str, __: str) -> Cost:
    """Return the cost of a request."""
    return COSTS.get(f"{method} {OWN.sub('*', path)}", Cost(FUTURES, DEAR))
