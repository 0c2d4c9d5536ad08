"""How often may a client ask, and what happens to one that does not stop?

Each endpoint counts by itself, over two seconds. Who asks too often is refused that request, and
nothing else.
"""

from collections import deque
from collections.abc import Mapping

WINDOW_MS = 2000
USUAL = 20
"""Requests in a window, where the table has no other number."""
LIMITS: Mapping[tuple[str, str], int] = {
    ("GET", "/api/v5/public/time"): 10,
    ("GET", "/api/v5/public/mark-price"): 10,
    ("GET", "/api/v5/public/position-tiers"): 10,
    ("GET", "/api/v5/public/funding-rate"): 10,
    ("GET", "/api/v5/market/books"): 40,
    ("GET", "/api/v5/market/history-mark-price-candles"): 10,
    ("GET", "/api/v5/account/positions"): 10,
    ("GET", "/api/v5/account/balance"): 10,
    ("GET", "/api/v5/account/account-position-risk"): 10,
    ("GET", "/api/v5/account/bills"): 10,
    ("GET", "/api/v5/account/config"): 5,
    ("GET", "/api/v5/account/trade-fee"): 5,
    ("GET", "/api/v5/asset/balances"): 12,
    ("GET", "/api/v5/asset/transfer-state"): 20,
    ("POST", "/api/v5/asset/transfer"): 4,
    ("POST", "/api/v5/trade/order"): 60,
    ("GET", "/api/v5/trade/order"): 60,
    ("POST", "/api/v5/account/set-leverage"): 40,
    ("POST", "/api/v5/account/set-position-mode"): 5,
}
"""Of a window, by method and path."""
STOPPED_MS = 60_000
"""How long a fault that stands for a long refusal lasts. [ms]"""


class Counts:
    """Counts requests by endpoint, in market time."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, str], deque[int]] = {}
        self._stopped: dict[tuple[str, str], int] = {}
        self.most: dict[tuple[str, str], float] = {}
        """The largest share of a limit that was used in any window, by endpoint. [ratio]"""

    def take(self, method: str, path: str, now_ms: int) -> bool:
        """Count a request; ``False``, and nothing counted, where there were too many."""
        key = (method, path)
        counted, limit = self._counted.setdefault(key, deque()), LIMITS.get(key, USUAL)
        while counted and counted[0] <= now_ms - WINDOW_MS:
            counted.popleft()
        if now_ms < self._stopped.get(key, 0) or len(counted) >= limit:
            return False
        counted.append(now_ms)
        self.most[key] = max(self.most.get(key, 0.0), len(counted) / limit)
        return True

    def exhaust(self, method: str, path: str, now_ms: int, *, is_long: bool) -> None:
        """Refuse an endpoint for the rest of its window or much longer, for a fault."""
        self._stopped[method, path] = now_ms + (STOPPED_MS if is_long else WINDOW_MS)
