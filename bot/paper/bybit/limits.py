"""How often may a client ask, and what happens to one that does not stop?"""

from collections import deque
from collections.abc import Mapping

BY_ADDRESS = 600
"""Requests in `ADDRESS_MS`, whatever they ask for."""
ADDRESS_MS = 5000
BAN_MS = 600_000
SECOND_MS, MINUTE_MS = 1000, 60_000

PER_SECOND: Mapping[str, int] = {
    "/v5/order/create": 10,
    "/v5/order/cancel": 10,
    "/v5/order/realtime": 50,
    "/v5/order/history": 50,
    "/v5/position/list": 50,
    "/v5/position/add-margin": 10,
    "/v5/position/set-leverage": 10,
    "/v5/position/switch-mode": 10,
    "/v5/account/wallet-balance": 50,
    "/v5/account/withdrawal": 50,
    "/v5/account/info": 50,
    "/v5/account/fee-rate": 5,
    "/v5/account/transaction-log": 25,
    "/v5/account/set-margin-mode": 5,
    "/v5/asset/transfer/query-account-coins-balance": 5,
    "/v5/user/query-api": 10,
}
"""By account and endpoint, in a rolling second."""
PER_MINUTE: Mapping[str, int] = {
    "/v5/asset/transfer/inter-transfer": 60,
    "/v5/asset/transfer/query-inter-transfer-list": 60,
}
"""By account and endpoint, in a rolling minute."""


class Rolling:
    """Counts what was asked in the last so many milliseconds."""

    def __init__(self, limit: int, span_ms: int) -> None:
        self.limit, self._span_ms = limit, span_ms
        self._asked: deque[int] = deque()
        self.most = 0
        """Counted at any time."""

    def left(self, now_ms: int) -> int:
        """Return how many may be asked now."""
        while self._asked and now_ms - self._asked[0] >= self._span_ms:
            self._asked.popleft()
        return self.limit - len(self._asked)

    def take(self, now_ms: int) -> bool:
        """Count a request; ``False``, and nothing counted, where it is one too many."""
        if self.left(now_ms) <= 0:
            return False
        self._asked.append(now_ms)
        self.most = max(self.most, len(self._asked))
        return True

    def reset_ms(self, now_ms: int) -> int:
        """Return when the next may be asked; now where one may. [ms]."""
        return now_ms if self.left(now_ms) > 0 else self._asked[0] + self._span_ms

    def exhaust(self, now_ms: int) -> None:
        """Use it up, for a fault."""
        while self.left(now_ms) > 0:
            self._asked.append(now_ms)


class Limits:
    """All that the venue counts of one client."""

    def __init__(self) -> None:
        self.address = Rolling(BY_ADDRESS, ADDRESS_MS)
        self.endpoints = {path: Rolling(limit, SECOND_MS) for path, limit in PER_SECOND.items()} | {
            path: Rolling(limit, MINUTE_MS) for path, limit in PER_MINUTE.items()
        }
        self._banned_until_ms = 0

    def is_banned(self, now_ms: int) -> bool:
        """Count a request; whether the address asked too often, now or lately."""
        if now_ms >= self._banned_until_ms and not self.address.take(now_ms):
            self.ban(now_ms)
        return now_ms < self._banned_until_ms

    def ban(self, now_ms: int) -> None:
        """Shut the address out."""
        self._banned_until_ms = now_ms + BAN_MS
