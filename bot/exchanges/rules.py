"""What are the rules of one account's venue now, and when must they be read again?"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.clock import VenueClock
from bot.domain.instrument import Instrument, MarginRelease
from bot.domain.position import PositionMode
from bot.errors import Incomplete
from bot.exchanges.numbers import text
from bot.exchanges.venues import venue_of

RULES_EVERY = timedelta(hours=1)
"""Tiers, filters, fees and modes are read again so often, and on a symbol not seen before."""


class VenueRules(ABC):
    """Contracts, tiers, modes and settings, as last read."""

    def __init__(
        self,
        clock: VenueClock,
        *,
        venue: str,
        symbols: Collection[str],
        margin_release: MarginRelease,
    ) -> None:
        """Take what they are for.

        Args:
            clock: Says when they are old.
            venue: Its id.
            symbols: Unified, whose rules are always needed.
            margin_release: As measured by the owner; unknown for what the venue is known to do.
        """
        self._clock, self._venue, self._wanted = clock, venue_of(venue, symbols), symbols
        is_measured = margin_release is not MarginRelease.UNKNOWN
        self._margin_release = margin_release if is_measured else self._venue.margin_release
        self.ids: dict[str, str] = {}
        """The venue's name of each symbol it lists."""
        self.instruments: dict[str, Instrument] = {}
        """Of each symbol that was needed so far."""
        self.mode = PositionMode.ONE_WAY
        """Hedge where one symbol may be held both ways."""
        self._symbols: dict[str, str] = {}
        """Unified names, by the venue's."""
        self._read_at: datetime | None = None

    def due(self) -> list[Awaitable[None]]:
        """Return what must be read again by now."""
        return [self.read()] if self._is_old(self._read_at, RULES_EVERY) else []

    def forget(self) -> None:
        """Read all of it again before the next look."""
        self._read_at = None

    def symbol(self, row: Mapping[str, Any]) -> str:
        """Return the unified name of what a row is about.

        Raises:
            Incomplete: The venue does not list it.
        """
        symbol = self._symbols.get(text(row, "symbol"))
        if symbol is None:
            raise Incomplete(f"rules of {row.get('symbol')} must be known, were not listed")
        return symbol

    @abstractmethod
    async def read(self) -> None:
        """Read all of it.

        Raises:
            ExchangeError: No usable answer, or the account cannot hold what is listed.
        """

    def _is_old(self, read_at: datetime | None, every: timedelta) -> bool:
        return read_at is None or self._clock.now() - read_at >= every
