"""What time is it at the venue, and how sure is that?"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.clock import VenueClock
from bot.domain.timing import CLOCK_BOUND
from bot.errors import Incomplete, Unavailable

CLOCK_ROUNDS = 5
CLOCK_EVERY = timedelta(minutes=10)


class _Round(NamedTuple):
    """One reading of the venue's clock.

    Attributes:
        at: What it showed. Aware UTC.
        middle: Half-way between question and answer. Monotonic. [s]
        trip: From question to answer. [s]
    """

    at: datetime
    middle: float
    trip: float


class VenueTime:
    """Anchors the bot's clock to the venue's."""

    def __init__(self, ask: Callable[[], Awaitable[datetime]], clock: VenueClock) -> None:
        """Take the clock.

        Args:
            ask: Returns what the venue's clock shows. Aware UTC.
            clock: Is anchored.
        """
        self._ask, self._clock = ask, clock
        self._due = 0.0
        self._glance: _Round | None = None

    @property
    def is_due(self) -> bool:
        """Whether the last measurement is old."""
        return self._clock.monotonic() >= self._due

    async def glance(self) -> None:
        """Learn venue time from one round trip, well enough to sign a read."""
        self._glance = await self._round()
        self._anchor(self._glance)

    async def measure(self) -> None:
        """Learn venue time from the best of five round trips, a first glance counted.

        Raises:
            Unavailable: None was answered.
            Incomplete: None was quick enough.
        """
        found = [] if self._glance is None else [self._glance]
        self._glance = None
        failure: Unavailable | None = None
        for _ in range(CLOCK_ROUNDS - len(found)):
            try:
                found.append(await self._round())
            except Unavailable as error:
                failure = error
        if failure is not None and not found:
            raise failure
        best = min(found, key=lambda one: one.trip)
        if best.trip / 2 > CLOCK_BOUND:
            raise Incomplete(
                f"venue time must be known within {CLOCK_BOUND} s, best was {best.trip / 2:.3f} s"
            )
        self._due = self._clock.monotonic() + CLOCK_EVERY.total_seconds()
        self._anchor(best)

    async def _round(self) -> _Round:
        began = self._clock.monotonic()
        theirs = await self._ask()
        trip = self._clock.monotonic() - began
        return _Round(theirs, began + trip / 2, trip)

    def _anchor(self, one: _Round) -> None:
        self._clock.anchor(one.at, monotonic=one.middle, uncertainty=one.trip / 2)
