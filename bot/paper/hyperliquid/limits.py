"""How often may an address ask, and what happens to one that does not stop?

Everything weighs, and all of it together may weigh so much in a minute. Who asks too often is
refused that request, and nothing else.
"""

from collections import deque
from collections.abc import Mapping

WINDOW_MS = 60_000
LIMIT = 1200
"""Weight in a minute."""
USUAL = 20
WEIGHTS: Mapping[str, int] = {
    "l2Book": 2, "allMids": 2, "clearinghouseState": 2, "orderStatus": 2,
    "spotClearinghouseState": 2, "exchangeStatus": 2, "userRole": 60,
}  # fmt: skip
"""Of what is asked, where it is not the usual."""
ROWS: Mapping[str, int] = {
    "userFillsByTime": 20,
    "userFills": 20,
    "userFunding": 20,
    "userNonFundingLedgerUpdates": 20,
    "candleSnapshot": 60,
}
"""How many rows of an answer weigh one more."""
STOPPED_MS = 120_000
"""How long a fault that stands for a long refusal lasts. [ms]"""


class Counts:
    """Counts the weight of requests, in market time."""

    def __init__(self) -> None:
        self._counted: deque[tuple[int, int]] = deque()
        self._used = 0
        self._until = 0
        self.most = 0
        """The largest weight in any minute."""

    def take(self, weight: int, now_ms: int) -> bool:
        """Count a request; ``False``, and nothing counted, where it is too much."""
        self._forget(now_ms)
        if now_ms < self._until or self._used + weight > LIMIT:
            return False
        self.add(weight, now_ms)
        return True

    def add(self, weight: int, now_ms: int) -> None:
        """Count what an answer weighs."""
        self._counted.append((now_ms, weight))
        self._used += weight
        self.most = max(self.most, self._used)

    def exhaust(self, now_ms: int, *, is_long: bool) -> None:
        """Refuse everything for a while, for a fault."""
        self._until = now_ms + (STOPPED_MS if is_long else WINDOW_MS)

    def _forget(self, now_ms: int) -> None:
        while self._counted and self._counted[0][0] <= now_ms - WINDOW_MS:
            self._used -= self._counted.popleft()[1]


def weight_of(path: str, kind: str) -> int:
    """Return what a request weighs before its answer is known."""
    return WEIGHTS.get(kind, USUAL) if path == "/info" else 1


def rows_weigh(kind: str, count: int) -> int:
    """Return what the rows of an answer weigh besides."""
    return count // ROWS[kind] if kind in ROWS else 0
