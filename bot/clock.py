"""What time is it, and how sure is that?"""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from bot.ports import Clock

DRIFT = 100e-6
"""How fast a machine's clock may run away from the venue's. [s/s]"""


class WallClock:
    """The machine's clock; a `Clock`."""

    def now(self) -> datetime:
        """Return the present instant. Aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return a reading that only grows. [s]."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait. [s]."""
        await asyncio.sleep(seconds)


class VenueClock:
    """Venue time: anchored to the venue's own clock once, then carried on by durations.

    A machine whose wall clock is wrong by an hour, or is set while the bot runs, changes nothing.
    Before the first anchor it is the inner clock's time, and nobody is sure of it.
    """

    def __init__(self, inner: Clock) -> None:
        self._inner = inner
        self._anchor: tuple[datetime, float, float] | None = None

    def anchor(self, at: datetime, *, monotonic: float, uncertainty: float) -> None:
        """Take over what the venue says.

        Args:
            at: Venue time at that reading. Aware UTC.
            monotonic: Reading of `monotonic`. [s]
            uncertainty: Half of the round trip that brought it. [s]
        """
        self._anchor = (at, monotonic, uncertainty)

    def now(self) -> datetime:
        """Return the present instant in venue time. Aware UTC."""
        if self._anchor is None:
            return self._inner.now()
        at, monotonic, _ = self._anchor
        return at + timedelta(seconds=self._inner.monotonic() - monotonic)

    def monotonic(self) -> float:
        """Return a reading that only grows. [s]."""
        return self._inner.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let time pass. [s]."""
        await self._inner.sleep(seconds)

    def uncertainty(self) -> float:
        """Return how far `now` may be from venue time. [s]; infinite before the first anchor."""
        if self._anchor is None:
            return float("inf")
        _, monotonic, uncertainty = self._anchor
        return uncertainty + DRIFT * (self._inner.monotonic() - monotonic)

    def offset(self) -> timedelta:
        """Return venue time minus the inner clock's."""
        return self.now() - self._inner.now()
