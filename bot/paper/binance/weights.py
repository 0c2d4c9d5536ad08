"""How much may a client ask per minute, and what happens to one that does not stop?"""

from collections.abc import Mapping

LIMITS = {"fapi": 2400, "api": 6000, "sapi": 12_000, "sapi by account": 180_000}
"""Of one window, by family of hosts; a few endpoints are counted by account instead. What dapi is
asked counts against the one limit of fapi."""
HEADERS = {
    "fapi": "X-MBX-USED-WEIGHT-1M",
    "api": "X-MBX-USED-WEIGHT-1M",
    "sapi": "X-SAPI-USED-IP-WEIGHT-1M",
    "sapi by account": "X-SAPI-USED-UID-WEIGHT-1M",
}
"""Tell a client what was counted."""
BY_ACCOUNT = frozenset({("POST", "/sapi/v1/asset/transfer")})
WINDOW_MS = 60_000
STRIKES = 5
"""Requests after the first 429 of a window that end in a ban."""
BAN_MS = 120_000

WITHOUT_SYMBOL = {"premiumIndex": 10, "openOrders": 40, "openAlgoOrders": 40}
"""Where it is more than with one."""
_BARS = ((99, 1), (499, 2), (1000, 5), (9999, 10))
STEPS = {
    "klines": _BARS,
    "markPriceKlines": _BARS,
    "depth": ((50, 2), (100, 5), (500, 10), (9999, 20)),
}
"""How many rows are asked for at most, and what that weighs."""
USUAL = 500
"""Rows where nothing is asked for."""
LONG = 5
"""Digits that no number of rows has."""


def counted_as(method: str, path: str) -> str:
    """Return what a request is counted as: a key of `LIMITS`."""
    if (method, path) in BY_ACCOUNT:
        return "sapi by account"
    family = path.split("/", 2)[1]
    return family if family in LIMITS else "fapi"


def weight_of(path: str, usual: int, parameters: Mapping[str, str]) -> int:
    """Return the weight of a request, which for some depends on how much is asked for.

    Args:
        path: Of the endpoint.
        usual: Its weight where nothing else is said.
        parameters: Of the request.
    """
    end = path.rpartition("/")[2]
    if end in WITHOUT_SYMBOL and "symbol" not in parameters:
        return WITHOUT_SYMBOL[end]
    limit = parameters.get("limit", "")
    length = int(limit) if limit.isascii() and limit.isdigit() and len(limit) < LONG else USUAL
    for most, weight in STEPS.get(end, ()):
        if length <= most:
            return weight
    return usual


class Weights:
    """Counts weight per minute of market time, and bans who does not stop."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        """Of one window."""
        self.most = 0
        """Used in any window."""
        self._window = 0
        self._used = 0
        self._strikes = 0
        self._banned_until_ms = 0

    def used(self, now_ms: int) -> int:
        """Return the weight of this window."""
        self._roll(now_ms)
        return self._used

    def count(self, weight: int, now_ms: int) -> None:
        """Count a request."""
        self._roll(now_ms)
        self._used += weight
        self.most = max(self.most, self._used)

    def refuses(self, now_ms: int) -> int | None:
        """Return how long a client must wait, ``None`` when it need not. [ms]."""
        self._roll(now_ms)
        if now_ms < self._banned_until_ms:
            return self._banned_until_ms - now_ms
        if self._used < self.limit:
            return None
        self._strikes += 1
        if self._strikes > STRIKES:
            self._banned_until_ms = now_ms + BAN_MS
            return BAN_MS
        return WINDOW_MS - now_ms % WINDOW_MS

    def is_banned(self, now_ms: int) -> bool:
        """Whether a ban runs."""
        return now_ms < self._banned_until_ms

    def exhaust(self, now_ms: int, *, ban: bool) -> None:
        """Use the window up, for a fault."""
        self._roll(now_ms)
        self._used = self.limit
        if ban:
            self._banned_until_ms = now_ms + BAN_MS

    def _roll(self, now_ms: int) -> None:
        if now_ms // WINDOW_MS != self._window:
            self._window, self._used, self._strikes = now_ms // WINDOW_MS, 0, 0
