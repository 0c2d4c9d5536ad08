"""How often may a client ask, and what happens to one that does not stop?

The venue counts weights in pools, each over thirty seconds, and refuses what is too much with a
header that says when it begins anew. Numbers: KuCoin documentation, *Rate Limit*, of the lowest
account tier; weights are those of each endpoint's page.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WINDOW_MS = 30_000
POOL = 2_000
"""Weight in a window, of every pool here."""
STOPPED_MS = 120_000
"""How long a fault that stands for a long refusal lasts. [ms]"""
PUBLIC, FUTURES, MANAGEMENT = "public", "futures", "management"


@dataclass(slots=True)
class _Window:
    """What was counted of one pool.

    Attributes:
        began_ms: With the first request in it. [ms]
        used: Weight.
        stopped_ms: Nothing is answered before. [ms]
    """

    began_ms: int = -WINDOW_MS
    used: int = 0
    stopped_ms: int = 0


class Counts:
    """Counts weight by pool, in market time."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}
        self.most: dict[str, float] = {}
        """The largest share of a pool that was used in any window. [ratio]"""

    def take(self, pool: str, weight: int, now_ms: int) -> bool:
        """Count a request; ``False``, and nothing counted, where there were too many."""
        window = self._of(pool, now_ms)
        if now_ms < window.stopped_ms or window.used + weight > POOL:
            return False
        window.used += weight
        self.most[pool] = max(self.most.get(pool, 0.0), window.used / POOL)
        return True

    def headers(self, pool: str, now_ms: int) -> Mapping[str, str]:
        """Return what every answer says of its pool."""
        window = self._of(pool, now_ms)
        ends = max(window.began_ms + WINDOW_MS, window.stopped_ms)
        left = 0 if now_ms < window.stopped_ms else POOL - window.used
        return {
            "gw-ratelimit-limit": str(POOL),
            "gw-ratelimit-remaining": str(left),
            "gw-ratelimit-reset": str(ends - now_ms),
        }

    def exhaust(self, pool: str, now_ms: int, *, is_long: bool) -> None:
        """Refuse a pool for the rest of its window or much longer, for a fault."""
        window = self._of(pool, now_ms)
        window.stopped_ms = now_ms + (STOPPED_MS if is_long else WINDOW_MS)

    def _of(self, pool: str, now_ms: int) -> _Window:
        window = self._windows.setdefault(pool, _Window())
        if now_ms >= window.began_ms + WINDOW_MS:
            window.began_ms, window.used = now_ms, 0
        return window
