"""How often may a client ask, and what happens to one that does not stop?

Each endpoint counts by itself, over a second. Who asks too often is refused that request, and
nothing else.
"""

from collections import deque
from collections.abc import Mapping

WINDOW_MS = 1000
USUAL = 10
"""Requests in a window, where the table has no other number."""
LIMITS: Mapping[tuple[str, str], int] = {
    ("GET", "/api/v2/public/time"): 20,
    ("GET", "/api/v2/mix/market/contracts"): 20,
    ("GET", "/api/v2/mix/market/tickers"): 20,
    ("GET", "/api/v2/mix/market/symbol-price"): 20,
    ("GET", "/api/v2/mix/market/merge-depth"): 20,
    ("GET", "/api/v2/mix/market/history-mark-candles"): 20,
    ("GET", "/api/v2/mix/position/all-position"): 5,
    ("POST", "/api/v2/mix/account/set-margin"): 5,
    ("POST", "/api/v2/mix/account/set-leverage"): 5,
    ("POST", "/api/v2/mix/account/set-position-mode"): 5,
    ("GET", "/api/v2/spot/account/info"): 1,
    ("GET", "/api/v2/spot/account/transferRecords"): 20,
}
"""Of a window, by method and path, as the venue's pages have them."""
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
