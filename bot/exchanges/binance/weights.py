"""What does a request weigh at Binance, and which budget pays for it?

The venue's own table; the library's is another one: it counts a v3 read of the account as 1, the
venue as 5. A path that is not listed weighs what the heaviest does.
"""

from bisect import bisect_right
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import parse_qsl

from bot.exchanges.limits import Budgets, Cost, Limit


class Budget(StrEnum):
    """What the venue counts apart from each other."""

    FUTURES = "futures"
    """Of both hosts of futures together."""
    SPOT = "spot"
    WALLET = "wallet"
    """By address; the venue has one such limit per endpoint, all of them share one here."""
    WALLET_USER = "wallet_user"
    """By account, for a few endpoints."""


BUDGETS = Budgets(
    limits={
        Budget.FUTURES: Limit(weight=2400, used="x-mbx-used-weight-1m"),
        Budget.SPOT: Limit(weight=6000, used="x-mbx-used-weight-1m"),
        Budget.WALLET: Limit(weight=12_000, used="x-sapi-used-ip-weight-1m"),
        Budget.WALLET_USER: Limit(weight=180_000, used="x-sapi-used-uid-weight-1m"),
    },
    main=Budget.FUTURES,
)

FAMILIES = {
    "fapi": Budget.FUTURES,
    "dapi": Budget.FUTURES,
    "api": Budget.SPOT,
    "sapi": Budget.WALLET,
}
BY_USER = frozenset({("POST", "/sapi/v1/asset/transfer")})
UNLISTED = 40

WEIGHTS: Mapping[tuple[str, str], int] = {
    ("GET", "/fapi/v1/time"): 1,
    ("GET", "/fapi/v1/exchangeInfo"): 1,
    ("GET", "/fapi/v1/leverageBracket"): 1,
    ("GET", "/fapi/v1/positionSide/dual"): 30,
    ("GET", "/fapi/v1/symbolConfig"): 5,
    ("GET", "/fapi/v3/positionRisk"): 5,
    ("GET", "/fapi/v3/account"): 5,
    ("GET", "/fapi/v1/income"): 30,
    ("POST", "/fapi/v1/positionMargin"): 1,
    ("GET", "/fapi/v1/positionMargin/history"): 1,
    ("POST", "/fapi/v1/order"): 1,
    ("GET", "/fapi/v1/allOrders"): 5,
    ("POST", "/fapi/v1/algoOrder"): 1,
    ("GET", "/fapi/v1/algoOrder"): 1,
    ("DELETE", "/fapi/v1/algoOrder"): 1,
    ("GET", "/dapi/v1/time"): 1,
    ("GET", "/dapi/v1/exchangeInfo"): 1,
    ("GET", "/dapi/v2/leverageBracket"): 2,
    ("GET", "/dapi/v1/positionSide/dual"): 30,
    ("GET", "/dapi/v1/positionRisk"): 1,
    ("GET", "/dapi/v1/account"): 5,
    ("GET", "/dapi/v1/income"): 20,
    ("POST", "/dapi/v1/positionMargin"): 1,
    ("GET", "/dapi/v1/positionMargin/history"): 1,
    ("POST", "/dapi/v1/order"): 1,
    ("GET", "/dapi/v1/allOrders"): 20,
    ("POST", "/dapi/v1/algoOrder"): 1,
    ("GET", "/dapi/v1/algoOrder"): 1,
    ("DELETE", "/dapi/v1/algoOrder"): 1,
    ("POST", "/sapi/v1/asset/transfer"): 900,
    ("GET", "/sapi/v1/asset/transfer"): 1,
    ("POST", "/sapi/v3/asset/getUserAsset"): 5,
    ("GET", "/sapi/v1/account/apiRestrictions"): 1,
    ("GET", "/api/v3/account"): 20,
}
FOR_ALL: Mapping[str, tuple[int, int]] = {
    "/fapi/v1/premiumIndex": (1, 10),
    "/fapi/v1/openAlgoOrders": (1, 40),
    "/dapi/v1/premiumIndex": (10, 10),
    "/dapi/v1/openAlgoOrders": (1, 40),
}
"""Of one symbol, and of all."""
BY_LENGTH: Mapping[str, tuple[int, tuple[int, ...], tuple[int, ...]]] = {
    "/fapi/v1/markPriceKlines": (500, (100, 500, 1001), (1, 2, 5, 10)),
    "/fapi/v1/depth": (500, (51, 101, 501), (2, 5, 10, 20)),
    "/dapi/v1/markPriceKlines": (500, (100, 500, 1001), (1, 2, 5, 10)),
    "/dapi/v1/depth": (500, (51, 101, 501), (2, 5, 10, 20)),
}
"""Length where none is asked for, lengths from which it is heavier, and weights below and above."""


def cost(method: str, path: str, query: str, _: str) -> Cost:
    """Return the cost of a request as it stands on the wire."""
    is_read = method == "GET" and (path in FOR_ALL or path in BY_LENGTH)
    return cost_of(method, path, dict(parse_qsl(query)) if is_read else {})


def cost_of(method: str, path: str, parameters: Mapping[str, str]) -> Cost:
    """Return the cost of a request.

    Args:
        method: HTTP.
        path: With its leading slash.
        parameters: As they stand on the wire.
    """
    budget = FAMILIES.get(path.split("/", 2)[1], Budget.FUTURES)
    if (method, path) in BY_USER:
        budget = Budget.WALLET_USER
    return Cost(budget, _weight(method, path, parameters))


def _weight(method: str, path: str, parameters: Mapping[str, str]) -> int:
    if method == "GET" and path in FOR_ALL:
        one, every = FOR_ALL[path]
        return one if parameters.get("symbol") else every
    if method == "GET" and path in BY_LENGTH:
        usual, steps, weights = BY_LENGTH[path]
        length = parameters.get("limit", "")
        return weights[bisect_right(steps, int(length) if length.isdecimal() else usual)]
    return WEIGHTS.get((method, path), UNLISTED)
