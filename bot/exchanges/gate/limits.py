"""How often may each endpoint of Gate be asked?

The venue counts every endpoint by itself over ten seconds, and refuses only the request that is too
many. Numbers are those of its page "Frequency limit rule"; one that is not listed there may be
asked as often as the rarest.
"""

from collections.abc import Mapping

from bot.exchanges.limits import Budgets, Cost, Limit

SECONDS = 10.0
"""The venue's period. [s]"""
LATE = 1.0
"""How much after it left a request may be counted. [s]"""
UNIT = 100
"""Weight of one request: parts of one are kept for what is more urgent."""
ROOT = "/api/v4/"
OTHER = "other"
POSITIONS = "GET futures/{settle}/positions"
USUAL = 200
"""Of public endpoints, and of private ones of futures, spot and wallet."""

ALLOWED: Mapping[str, int] = {
    "GET spot/time": USUAL,
    "GET futures/{settle}/contracts": USUAL,
    "GET futures/{settle}/risk_limit_tiers": USUAL,
    "GET futures/{settle}/tickers": USUAL,
    "GET futures/{settle}/order_book": USUAL,
    "GET futures/{settle}/candlesticks": USUAL,
    POSITIONS: USUAL,
    "GET futures/{settle}/positions/{name}": USUAL,
    "GET futures/{settle}/dual_comp/positions/{name}": USUAL,
    "GET futures/{settle}/accounts": USUAL,
    "GET futures/{settle}/account_book": USUAL,
    "GET futures/{settle}/fee": USUAL,
    "GET futures/{settle}/orders/{name}": USUAL,
    "GET futures/{settle}/my_trades_timerange": USUAL,
    "GET futures/{settle}/price_orders": USUAL,
    "GET futures/{settle}/price_orders/{name}": USUAL,
    "GET spot/accounts": USUAL,
    "GET spot/account_book": USUAL,
    "POST futures/{settle}/positions/{name}/margin": USUAL,
    "POST futures/{settle}/dual_comp/positions/{name}/margin": USUAL,
    "POST futures/{settle}/orders": 1000,
    "POST futures/{settle}/price_orders": USUAL,
    "DELETE futures/{settle}/price_orders/{name}": 2000,
    "GET account/main_keys": 150,
    "POST wallet/transfers": 80,
    OTHER: 80,
}
"""Requests in a period, by method and path; words in braces stand for any."""
BUDGETS = Budgets(
    limits={
        name: Limit(weight=count * UNIT, seconds=SECONDS, late=LATE)
        for name, count in ALLOWED.items()
    },
    main=POSITIONS,
)
NAMED = frozenset({"positions", "orders", "price_orders"})
"""Words of a path that the name of one of them may follow."""


def cost(method: str, path: str, _: str, __: str) -> Cost:
    """Return the cost of a request."""
    name = f"{method} {_plain(path)}"
    return Cost(name if name in ALLOWED else OTHER, UNIT)


def _plain(path: str) -> str:
    """Return a path without its root and the names in it."""
    parts = path.removeprefix(ROOT).split("/")
    for place, part in enumerate(parts):
        before = parts[place - 1] if place else ""
        if before == "futures":
            parts[place] = "{settle}"
        elif before in NAMED and part:
            parts[place] = "{name}"
    return "/".join(parts)
