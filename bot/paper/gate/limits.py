"""How often may a client ask?

Each endpoint counts by itself, over ten seconds. Who asks too often is refused that request, and
nothing else.
"""

from collections import deque
from collections.abc import Mapping

from bot.paper.windows import Counts, Endpoint

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


class GateCounts(Counts):
    """Counts requests by endpoint, and says so with each answer."""

    def told(self, endpoint: Endpoint, now_ms: int) -> dict[str, str]:
        """Return the headers that say how much is left, and until when there is nothing."""
        counted, limit = self._counted.get(endpoint, deque()), self._limit(endpoint)
        until = self._stopped.get(endpoint, 0)
        left = 0 if now_ms < until else limit - len(counted)
        if left == 0 and until <= now_ms:
            until = counted[0] + self._window_ms
        return {
            "X-Gate-RateLimit-Limit": str(limit),
            "X-Gate-RateLimit-Requests-Remain": str(left),
            "X-Gate-RateLimit-Reset-Timestamp": str(-(-max(until, now_ms) // 1000)),
        }
