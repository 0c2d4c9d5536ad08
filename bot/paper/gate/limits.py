"""How often may a client ask, and what happens to one that does not stop?

Each endpoint counts by itself, over ten seconds. Who asks too often is refused that request, and
nothing else.
"""

from collections import deque
from collections.abc import Mapping

WINDOW_MS = 10_000
USUAL = 200
"""Requests in a window, where the table has no other number."""
LIMITS: Mapping[tuple[str, str], int] = {
    ("POST", "/futures/{settle}/orders"): 1000,
    ("DELETE", "/futures/{settle}/price_orders/{order_id}"): 2000,
    ("POST", "/wallet/transfers"): 80,
    ("GET", "/account/main_keys"): 150,
}
"""Of a window, by method and path without names."""
STOPPED_MS = 60_000
"""How long a fault that stands for a long refusal lasts. [ms]"""


class Counts:
    """Counts requests by endpoint, in market time."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, str], deque[int]] = {}
        self._stopped: dict[tuple[str, str], int] = {}
        self.most: dict[tuple[str, str], float] = {}
        """The largest share of a limit that was used in any window, by endpoint. [ratio]"""

    def take(self, endpoint: tuple[str, str], now_ms: int) -> bool:
        """Count a request; ``False``, and nothing counted, where there were too many."""
        counted, limit = self._counted.setdefault(endpoint, deque()), LIMITS.get(endpoint, USUAL)
        while counted and counted[0] <= now_ms - WINDOW_MS:
            counted.popleft()
        if now_ms < self._stopped.get(endpoint, 0) or len(counted) >= limit:
            return False
        counted.append(now_ms)
        self.most[endpoint] = max(self.most.get(endpoint, 0.0), len(counted) / limit)
        return True

    def told(self, endpoint: tuple[str, str], now_ms: int) -> dict[str, str]:
        """Return the headers that say how much is left, and until when there is nothing."""
        counted, limit = self._counted.get(endpoint, deque()), LIMITS.get(endpoint, USUAL)
        until = self._stopped.get(endpoint, 0)
        left = 0 if now_ms < until else limit - len(counted)
        if left == 0 and until <= now_ms:
            until = counted[0] + WINDOW_MS
        return {
            "X-Gate-RateLimit-Limit": str(limit),
            "X-Gate-RateLimit-Requests-Remain": str(left),
            "X-Gate-RateLimit-Reset-Timestamp": str(-(-max(until, now_ms) // 1000)),
        }

    def exhaust(self, endpoint: tuple[str, str], now_ms: int, *, is_long: bool) -> None:
        """Refuse an endpoint for a window or much longer, for a fault."""
        self._stopped[endpoint] = now_ms + (STOPPED_MS if is_long else WINDOW_MS)
