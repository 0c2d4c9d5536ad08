"""Which bars closed lately, read again only when another has?"""

from collections.abc import Awaitable, Callable, Sequence

from bot.domain.market import Bars
from bot.exchanges.client import all_of
from bot.exchanges.numbers import stamp_of


class RecentBars:
    """The bars of a few symbols as last read."""

    def __init__(self, read: Callable[[str, int], Awaitable[Bars]], *, seconds: int) -> None:
        """Take where they come from.

        Args:
            read: Returns those of a symbol, of its unified name and venue time [ms].
            seconds: Length of one. [s]
        """
        self._read, self._seconds = read, seconds
        self._bars: dict[str, Bars] = {}

    def of(self, symbol: str) -> Bars:
        """Return those of a symbol; none before they were read."""
        return self._bars.get(symbol, Bars())

    async def refresh(self, symbols: Sequence[str], now_ms: int) -> None:
        """Read those of which another has closed.

        Args:
            symbols: Unified.
            now_ms: Venue time. [ms]

        Raises:
            ExchangeError: No usable answer.
        """
        newest = now_ms - now_ms % (self._seconds * 1000) - self._seconds * 1000
        due = [symbol for symbol in symbols if self._last_ms(symbol) < newest]
        answers = await all_of([self._read(symbol, now_ms) for symbol in due])
        self._bars.update(zip(due, answers, strict=True))

    def _last_ms(self, symbol: str) -> int:
        bars = self.of(symbol)
        if bars.opened_at is None:
            return 0
        first = stamp_of(bars.opened_at)
        return first + (len(bars.close) - 1) * bars.seconds * 1000
