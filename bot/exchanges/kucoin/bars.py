"""How did the index of a contract move, page by page?

The venue lists bars of trades and of indices, none of marks. A mark is its index and a basis that
funding keeps small, so bars of the index stand for those of mark; wicks of trades do not.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.domain.market import Bars, Candle
from bot.errors import Incomplete
from bot.exchanges.kucoin import parse
from bot.exchanges.kucoin.answers import Reader
from bot.exchanges.mark_history import HOUR_MS, MarkHistory
from bot.exchanges.numbers import stamp_of
from bot.exchanges.patience import in_turn
from bot.exchanges.quota import Lane

PAGE = 200
"""Bars that one answer has for certain."""
MINUTE_MS = 60_000
LONGEST = 15.0
"""So long one page waits for its turn. [s]"""


async def page(
    reader: Reader, index: str, symbol: str, *, width: int, first: int, last: int, lane: Lane
) -> tuple[Candle, ...]:
    """Return the bars that open between two instants, time ascending.

    Args:
        reader: Asks.
        index: The venue's name.
        symbol: Unified, for people.
        width: Of a bar. [ms]
        first: [ms]
        last: [ms]
        lane: What it is for.

    Raises:
        ExchangeError: No usable answer.
    """
    asked = {
        "symbol": index, "granularity": str(width // MINUTE_MS), "from": str(first),
        "to": str(last),
    }  # fmt: skip
    call = reader.api.futuresPublicGetKlineQuery
    found = parse.candles(await reader.data(call, asked, f"klines of {symbol}", lane=lane), symbol)
    # Whether the ends of a span belong to it is not told.
    return tuple(row for row in found if first <= stamp_of(row.opened_at) <= last)


class IndexHistory(MarkHistory):
    """Pages of old hours."""

    def __init__(
        self,
        reader: Reader,
        indices: Mapping[str, str],
        *,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        super().__init__(sleep=sleep, page=PAGE)
        self._reader, self._indices = reader, indices

    async def _page(self, name: str, symbol: str, first: int, last: int) -> Sequence[Candle]:
        del name  # of the contract; its index is asked for
        return await page(
            self._reader, self._indices[symbol], symbol,
            width=HOUR_MS, first=first, last=last, lane=Lane.TELEMETRY,
        )  # fmt: skip


class IndexBars:
    """The completed bars of a few symbols; what was read once is kept."""

    def __init__(
        self,
        reader: Reader,
        indices: Mapping[str, str],
        *,
        seconds: int,
        count: int,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Make it.

        Args:
            reader: Asks.
            indices: The venue's names, by symbol, as far as they are known when it is asked.
            seconds: Length of a bar. [s]
            count: Of bars.
            sleep: Waits. [s]
        """
        self._reader, self._indices = reader, indices
        self._width, self._count, self._sleep = seconds * 1000, count, sleep
        self._known: dict[str, dict[int, Candle]] = {}

    async def read(self, symbol: str, now_ms: int) -> Bars:
        """Return the newest bars without a gap.

        Args:
            symbol: Unified.
            now_ms: Venue time. [ms]

        Raises:
            ExchangeError: They could not be read to their end.
        """
        width, known = self._width, dict(self._known.get(symbol, {}))
        ends = now_ms - now_ms % width
        wanted = ends - self._count * width
        # The newest that is known is asked for again: it must be met.
        first = max([wanted, *known])
        while first < ends:
            last = min(first + PAGE * width, ends) - width
            for row in await self._page(symbol, first, last):
                opened = stamp_of(row.opened_at)
                if opened % width:
                    raise Incomplete(f"klines of {symbol} must open at whole {width} ms")
                known[opened] = row
            first = last + width
        self._known[symbol] = {at: row for at, row in known.items() if at >= wanted}
        rows = [self._known[symbol][at] for at in sorted(self._known[symbol])]
        return parse.newest(rows, seconds=width // 1000)

    async def _page(self, symbol: str, first: int, last: int) -> tuple[Candle, ...]:
        return await in_turn(
            lambda: page(
                self._reader, self._indices[symbol], symbol,
                width=self._width, first=first, last=last, lane=Lane.READ,
            ),
            sleep=self._sleep,
            longest=LONGEST,
        )  # fmt: skip
