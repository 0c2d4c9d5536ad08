"""Which bars of mark closed lately, page by page and each page once?"""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.domain.market import Bars, Candle
from bot.errors import Incomplete
from bot.exchanges.client import Client
from bot.exchanges.numbers import stamp_of
from bot.exchanges.okx import parse
from bot.exchanges.patience import in_turn

PAGE = 100
INTERVALS = {300: "5m", 900: "15m", 3600: "1H"}
LONGEST = 15.0
"""So long one page waits for its turn. [s]"""


class MarkBars:
    """The completed bars of a few symbols; what was read once is kept."""

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
        """Return the newest bars without a gap.

        Args:
            name: The venue's.
            symbol: Unified, for people.
            now_ms: Venue time. [ms]

        Raises:
            ExchangeError: They could not be read to their end.
        """
        width, known = self._seconds * 1000, dict(self._known.get(symbol, {}))
        wanted = now_ms - now_ms % width - self._count * width
        after = now_ms - now_ms % width
        while after > wanted and (found := await self._page(name, symbol, after)):
            if any(not wanted - PAGE * width <= at < after for at in found):
                raise Incomplete(f"candles of {symbol} must be older than asked for, and near")
            is_met = min(found) in known
            known |= found
            after = min(found)
            if is_met or len(found) < PAGE:
                break
        self._known[symbol] = {at: row for at, row in known.items() if at >= wanted}
        rows = [self._known[symbol][at] for at in sorted(self._known[symbol])]
        return parse.bars(rows, seconds=self._seconds)

    async def _page(self, name: str, symbol: str, after: int) -> dict[int, Candle]:
        parameters: dict[str, Any] = {
            "instId": name, "bar": INTERVALS[self._seconds], "after": str(after),
            "limit": str(PAGE),
        }  # fmt: skip
        call = self._client.api.publicGetMarketMarkPriceCandles
        answer = await in_turn(
            lambda: self._client.read(call, dict(parameters)), sleep=self._sleep, longest=LONGEST
        )
        return {stamp_of(row.opened_at): row for row in parse.candles(answer, symbol)}
