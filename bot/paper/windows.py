"""How often may a client ask where each endpoint counts by itself, and what if it does not stop?

Who asks too often is refused that request, and nothing else.
"""

from collections import deque
from collections.abc import Mapping
from typing import TypeAlias

Endpoint: TypeAlias = tuple[str, str]
"""Method, and path or what stands for it."""
STOPPED_MS = 60_000
"""How long a fault that stands for a long refusal lasts. [ms]"""


class Counts:
    """Counts requests by endpoint, in market time."""

    def __init__(self, limits: Mapping[Endpoint, int], *, usual: int, window_ms: int) -> None:
        """Take what a venue allows.

        Args:
            limits: Requests in a window, by endpoint.
            usual: Where that has no other number.
            window_ms: How far a window goes back. [ms]
        """
        self._limits, self._usual, self._window_ms = limits, usual, window_ms
        self._counted: dict[Endpoint, deque[int]] = {}
        self._stopped: dict[Endpoint, int] = {}
        self.most: dict[Endpoint, float] = {}
        """The largest share of a limit that was used in any window, by endpoint. [ratio]"""

    def take(self, endpoint: Endpoint, now_ms: int) -> bool:
        """Count a request; ``False``, and nothing counted, where there were too many."""
        counted, limit = self._counted.setdefault(endpoint, deque()), self._limit(endpoint)
        while counted and counted[0] <= now_ms - self._window_ms:
            counted.popleft()
        if now_ms < self._stopped.get(endpoint, 0) or len(counted) >= limit:
            return False
        counted.append(now_ms)
        self.most[endpoint] = max(self.most.get(endpoint, 0.0), len(counted) / limit)
        return True

    def exhaust(self, endpoint: Endpoint, now_ms: int, *, is_long: bool) -> None:
        """Refuse an endpoint for a window or much longer, for a fault."""
        self._stopped[endpoint] = now_ms + (STOPPED_MS if is_long else self._window_ms)

    def _limit(self, endpoint: Endpoint) -> int:
        return self._limits.get(endpoint, self._usual)
