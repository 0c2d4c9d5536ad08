"""What did the mark of a contract do in every hour since an instant, whatever the venue?"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from bot.domain.market import Candle
from bot.errors import Incomplete
from bot.exchanges.numbers import stamp_of
from bot.exchanges.patience import in_turn

HOUR_MS = 3_600_000
PATIENCE = 600.0
"""So long one page waits for its turn in the budget of requests. [s]"""
PAUSE = 5.0
"""Between two such tries. [s]"""


class MarkHistory(ABC):
    """Reads hours page by page, in the lane that gives way to everything else."""

    def __init__(self, *, sleep: Callable[[float], Awaitable[None]], page: int) -> None:
        """Take how they are read.

        Args:
            sleep: Waits. [s]
            page: Hours that one answer has at most.
        """
        self._sleep, self._hours = sleep, page

    async def read(
        self, name: str, symbol: str, *, since: datetime, until: datetime
    ) -> tuple[Candle, ...]:
        """Return the completed hours that the venue knows, time ascending; it may miss some.

        Args:
            name: The venue's.
            symbol: Unified, for people.
            since: Aware UTC.
            until: Aware UTC.

        Raises:
            ExchangeError: It could not be read to its end.
        """
        first, last = _hour(since), stamp_of(until)
        found: list[Candle] = []
        while first + HOUR_MS <= last:
            end = first + self._hours * HOUR_MS - 1
            for row in await self._patiently(name, symbol, first, min(end, last)):
                opened = stamp_of(row.opened_at)
                if not first <= opened <= end:
                    raise Incomplete(f"klines of {symbol} must lie in the hours asked for")
                if opened + HOUR_MS <= last:
                    found.append(row)
            first = end + 1
        return tuple(found)

    async def _patiently(self, name: str, symbol: str, first: int, last: int) -> Sequence[Candle]:
        return await in_turn(
            lambda: self._page(name, symbol, first, last),
            sleep=self._sleep,
            longest=PATIENCE,
            pause=PAUSE,
            what=f"marks of {name}",
        )

    @abstractmethod
    async def _page(self, name: str, symbol: str, first: int, last: int) -> Sequence[Candle]:
        """Return the hours between two instants, both included, time ascending.

        Args:
            name: The venue's.
            symbol: Unified, for people.
            first: [ms]
            last: [ms]

        Raises:
            WaitError: Its turn has not come.
            ExchangeError: No usable answer.
        """


def _hour(at: datetime) -> int:
    milliseconds = stamp_of(at)
    return milliseconds - milliseconds % HOUR_MS
