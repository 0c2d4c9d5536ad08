"""Which stops rest at the venue, read again when they may have changed?"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from bot.clock import VenueClock
from bot.domain.position import PositionKey, PositionMode
from bot.domain.stop import RestingStop
from bot.errors import Incomplete, Unavailable

EVERY = timedelta(seconds=60)
"""So often it is looked whether the stops still stand."""
UNSURE = timedelta(seconds=10)
"""So long after a change the list is read at every look: it may lag behind."""

Listed = Callable[[Mapping[str, str], PositionMode], Awaitable[list[RestingStop]]]
"""Returns the stops that rest, of unified names to the venue's and of the position mode."""


class Resting:
    """The resident stops of one account."""

    def __init__(self, listed: Listed, clock: VenueClock) -> None:
        self._listed, self._clock = listed, clock
        self._sizes: Mapping[PositionKey, Decimal] = {}
        self._changed_at: datetime | None = None
        self.found: tuple[RestingStop, ...] = ()
        """As last read, ordered by key and id."""
        self.read_at: datetime | None = None
        """When they were asked for; ``None`` while it is not known which stand."""

    def forget(self) -> None:
        """Know nothing any more: a stop was placed or taken back, or may have been."""
        self._changed_at, self.read_at = self._clock.now(), None

    async def refresh(
        self, ids: Mapping[str, str], sizes: Mapping[PositionKey, Decimal], mode: PositionMode
    ) -> None:
        """Read them again if that is due; a failure leaves what is known and grows old.

        Args:
            ids: Unified names to the venue's, of the symbols to look at.
            sizes: Of the open positions; a change may mean that a stop has fired.
            mode: One-way or hedge.

        Raises:
            Denied: Key or permission.
        """
        if sizes != self._sizes:
            self.forget()
            self._sizes = sizes
        asked_at = self._clock.now()
        if not self._is_due(asked_at):
            return
        try:
            found = await self._listed(ids, mode)
        except (Unavailable, Incomplete):
            return
        self.found = tuple(sorted(found, key=lambda stop: (stop.key, stop.stop_id)))
        self.read_at = asked_at

    def _is_due(self, now: datetime) -> bool:
        if self.read_at is None or now - self.read_at >= EVERY:
            return True
        return self._changed_at is not None and self.read_at - self._changed_at < UNSURE
