"""How much may a client ask per minute, and what happens to one that does not stop?"""

LIMIT = 2400
"""Of one window."""
WINDOW_MS = 60_000
STRIKES = 5
"""Requests after the first 429 of a window that end in a ban."""
BAN_MS = 120_000


class Weights:
    """Counts weight per minute of market time, and bans who does not stop."""

    def __init__(self) -> None:
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

    def refuses(self, now_ms: int) -> int | None:
        """Return how long a client must wait, ``None`` when it need not. [ms]."""
        self._roll(now_ms)
        if now_ms < self._banned_until_ms:
            return self._banned_until_ms - now_ms
        if self._used < LIMIT:
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
        self._used = LIMIT
        if ban:
            self._banned_until_ms = now_ms + BAN_MS

    def _roll(self, now_ms: int) -> None:
        if now_ms // WINDOW_MS != self._window:
            self._window, self._used, self._strikes = now_ms // WINDOW_MS, 0, 0
