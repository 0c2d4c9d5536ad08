"""Which bars of mark were there, page by page?"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bot.domain.market import Bars, Candle
from bot.errors import Incomplete
from bot.exchanges.bitget.answers import MIX, lines
from bot.exchanges.candles import bars_of, candles_of
from bot.exchanges.client import Client
from bot.exchanges.mark_history import MarkHistory
from bot.exchanges.numbers import stamp_of
from bot.exchanges.patience import in_turn
from bot.exchanges.quota import Lane

PAGE = 200
INTERVALS = {300: "5m", 900: "15m", 3600: "1H"}
LONGEST = 15.0
"""So long one page waits for its turn. [s]"""


async def candles(
    client: Client, name: str, symbol: str, *, seconds: int, span: tuple[int, int], lane: Lane
) -> tuple[Candle, ...]:
    """Return the candles that open in a span, time ascending.

    The venue does not say whether its end belongs to it: what opens at the end is left out here.

    Args:
        client: Of the venue.
        name: The venue's.
        symbol: Unified, for people.
        seconds: Length of one. [s]
        span: From, and until before. [ms]
        lane: What they are for.

    Raises:
        ExchangeError: No usable answer.
    """
    asked: dict[str, Any] = {
        **MIX, "symbol": name, "granularity": INTERVALS[seconds], "startTime": str(span[0]),
        "endTime": str(span[1]), "limit": str(PAGE),
    }  # fmt: skip
    call = client.api.publicMixGetV2MixMarketHistoryMarkCandles
    answer = await client.read(call, asked, lane=lane)
    found = candles_of(lines(answer, f"candles of {symbol}"), symbol)
    inside = [row for row in found if stamp_of(row.opened_at) != span[1]]
    if any(not span[0] <= stamp_of(row.opened_at) < span[1] for row in inside):
        raise Incomplete(f"candles of {symbol} must lie in the span asked for")
    return tuple(sorted(inside, key=lambda row: row.opened_at))


class MarkBars:
    """The completed bars of a few symbols."""

    def __init__(
        self,
        client: Client,
        *,
        seconds: int,
        count: int,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Make it.

        Args:
            client: Of the venue.
            seconds: Length of a bar. [s]
            count: Of bars.
            sleep: Waits. [s]
        """
        self._client, self._seconds, self._count, self._sleep = client, seconds, count, sleep
        self._known: dict[str, dict[int, Candle]] = {}

    async def read(self, name: str, symbol: str, now_ms: int) -> Bars:
        """Return the newest bars without a gap; what was read once is kept.

        Args:
            name: The venue's.
            symbol: Unified, for people.
            now_ms: Venue time. [ms]

        Raises:
            ExchangeError: They could not be read to their end.
        """
        width = self._seconds * 1000
        end = now_ms - now_ms % width
        wanted = end - self._count * width
        known = {at: row for at, row in self._known.get(symbol, {}).items() if at >= wanted}
        first = max(known, default=wanted - width) + width
        while first < end:
            until = min(first + PAGE * width, end)
            known |= await self._page(name, symbol, (first, until))
            first = until
        self._known[symbol] = known
        return self._bars([known[at] for at in sorted(known)])

    async def _page(self, name: str, symbol: str, span: tuple[int, int]) -> dict[int, Candle]:
        found = await in_turn(
            lambda: candles(
                self._client, name, symbol, seconds=self._seconds, span=span, lane=Lane.READ
            ),
            sleep=self._sleep,
            longest=LONGEST,
        )
        return {stamp_of(row.opened_at): row for row in found}

    def _bars(self, found: Sequence[Candle]) -> Bars:
        """Return the newest that follow each other without a gap."""
        width, first = self._seconds * 1000, len(found) - 1
        while (
            first > 0
            and stamp_of(found[first].opened_at) - stamp_of(found[first - 1].opened_at) == width
        ):
            first -= 1
        return bars_of(found[max(0, first) :], seconds=self._seconds)


class BitgetHistory(MarkHistory):
    """Pages of old mark candles."""

    def __init__(self, client: Client, *, sleep: Callable[[float], Awaitable[None]]) -> None:
        super().__init__(sleep=sleep, page=PAGE)
        self._client = client

    async def _page(self, name: str, symbol: str, first: int, last: int) -> Sequence[Candle]:
        return await candles(
            self._client,
            name,
            symbol,
            seconds=3600,
            span=(first, last + 1),
            lane=Lane.TELEMETRY,
        )
