"""How does the exchange misbehave, when, and to whom?"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "abort", "abort_after", "http_503", "http_503_after", "timeout_1007", "html", "empty",
    "half_json", "rate_429", "ban_418", "http_403", "slow", "rewrite",
]  # fmt: skip
"""``…_after`` and ``timeout_1007`` take effect first and then misbehave."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One way to misbehave.

    Attributes:
        kind: What happens.
        method: Only requests of this method; empty for all.
        path: Only paths that contain this; empty for all.
        since_ms: From this market time on. [ms]
        until_ms: Until before this market time. [ms]
        times: At most so often; ``None`` for ever.
        probability: Of each request that fits. [ratio]
        seconds: Of ``slow``. [s]
        rewrite: Of ``rewrite``: changes the body that would have been sent.
        hits: How often it happened.
    """

    kind: Kind
    method: str = ""
    path: str = ""
    since_ms: int = 0
    until_ms: int = 2**62
    times: int | None = None
    probability: float = 1.0
    seconds: float = 0.0
    rewrite: Callable[[str], str] = str
    hits: int = field(default=0)

    def fits(self, method: str, path: str, now_ms: int) -> bool:
        """Whether it is this request's turn, chance aside."""
        return (
            (self.times is None or self.hits < self.times)
            and self.since_ms <= now_ms < self.until_ms
            and (not self.method or self.method == method)
            and self.path in path
        )


class Faults:
    """The faults of one server; decided by seed, so that a run can be repeated."""

    def __init__(self, *, seed: int = 0) -> None:
        self._chance = random.Random(seed)
        self._all: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Take one more."""
        self._all.append(fault)
        return fault

    def forget(self) -> None:
        """Behave from now on."""
        self._all.clear()

    def choose(self, method: str, path: str, now_ms: int) -> Fault | None:
        """Return the fault that hits a request, if one does."""
        for fault in self._all:
            if not fault.fits(method, path, now_ms):
                continue
            if fault.probability < 1 and self._chance.random() >= fault.probability:
                continue
            fault.hits += 1
            return fault
        return None
