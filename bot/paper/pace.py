"""Who moves market time, and how fast?"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol

from bot.paper.engine import Engine

STEP = 0.05
"""Longest wait between two movements of market time. [s]"""


class Pace(Protocol):
    """Market time as the server and a client beside it see it."""

    @property
    def now_ms(self) -> int:
        """Market time. [ms]."""
        ...

    @property
    def speed(self) -> float:
        """Market seconds per second."""
        ...

    def charge(self, milliseconds: int) -> None:
        """Let a request cost market time. [ms]."""
        ...


def age_ms(stamp_ms: float, pace: Pace) -> float:
    """Return how old a request is, below 0 for one from the future, in time of the machine. [ms].

    The network does not get faster with the market: at speed 300 a millisecond on the wire is 300
    of market time.

    Args:
        stamp_ms: Market time that it carries. [ms]
        pace: Of the market.
    """
    return (pace.now_ms - stamp_ms) / max(1.0, pace.speed)


class Stepped:
    """Market time that moves only while the client sleeps; the same run gives the same numbers.

    A `bot.ports.Clock` in shape. A request costs a fixed market latency, thinking costs nothing,
    so a slow machine changes nothing but the wait of the person who watches.
    """

    def __init__(self, engine: Engine, *, speed: float) -> None:
        self._engine = engine
        self._speed = speed

    @property
    def now_ms(self) -> int:
        """Market time. [ms]."""
        return self._engine.now_ms

    @property
    def speed(self) -> float:
        """Market seconds per second of waiting."""
        return self._speed

    def charge(self, milliseconds: int) -> None:
        """Let a request cost market time. [ms]."""
        self._engine.advance(self._engine.now_ms + milliseconds)

    def now(self) -> datetime:
        """Return market time. Aware UTC."""
        return datetime.fromtimestamp(self._engine.now_ms / 1000, UTC)

    def monotonic(self) -> float:
        """Return market time as a reading that only grows. [s]."""
        return self._engine.now_ms / 1000

    async def sleep(self, seconds: float) -> None:
        """Let market time pass while waiting ``seconds / speed``. [s]."""
        until = self._engine.now_ms + round(seconds * 1000)
        while self._engine.now_ms < until:
            step = min(until - self._engine.now_ms, max(1, round(STEP * 1000 * self._speed)))
            await asyncio.sleep(step / 1000 / self._speed)
            self._engine.advance(self._engine.now_ms + step)


class FreeRunning:
    """Market time that follows the machine's clock, for clients in other processes."""

    def __init__(self, engine: Engine, *, speed: float) -> None:
        self._engine = engine
        self._speed = speed
        self._began = time.monotonic()
        self._from_ms = engine.now_ms
        self.behind_ms = 0
        """How far the exchange fell behind at most. [ms]"""

    @property
    def now_ms(self) -> int:
        """Market time. [ms]."""
        return self._from_ms + round((time.monotonic() - self._began) * 1000 * self._speed)

    @property
    def speed(self) -> float:
        """Market seconds per second."""
        return self._speed

    def charge(self, milliseconds: int) -> None:
        """Cost nothing: here the network itself takes time."""

    async def run(self) -> None:
        """Move market time for ever."""
        while True:
            await asyncio.sleep(STEP)
            self.behind_ms = max(
                self.behind_ms,
                self.now_ms - self._engine.now_ms - round(STEP * 1000 * self._speed),
            )
            self._engine.advance(self.now_ms)
