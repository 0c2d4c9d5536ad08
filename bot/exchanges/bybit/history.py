"""What did the mark of a contract do in every hour since an instant?"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.domain.market import Candle
from bot.errors import Incomplete, Unavailable
from bot.exchanges.bybit.answers import LINEAR, Reader
from bot.exchanges.bybit.parse import candles
from bot.exchanges.faults import WaitError
from bot.exchanges.quota import Lane

PAGE = 1000
HOUR_MS = 3_600_000
PATIENCE = timedelta(minutes=10)
"""So long one page waits for its turn in the budget of requests."""
PAUSE = 5.0
"""Between two such tries. [s]"""


class MarkHistory:
    """Reads hours page by page, in the lane that gives way to everything else."""

    def __init__(
        self, reader: Reader, *, sleep: Callable[[float], Awaitable[None]], page: int = PAGE
    ) -> None:
        self._reader, self._sleep, self._page = reader, sleep, page

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
        first, last = _hour(since), int(until.timestamp() * 1000)
        found: list[Candle] = []
        while first + HOUR_MS <= last:
            end = first + self._page * HOUR_MS - 1
            for row in await self._page_of(name, symbol, first, min(end, last)):
                opened = int(row.opened_at.timestamp() * 1000)
                if not first <= opened <= end:
                    raise Incomplete(f"klines of {symbol} must lie in the hours asked for")
                if opened + HOUR_MS <= last:
                    found.append(row)
            first = end + 1
        return tuple(found)

    async def _page_of(self, name: str, symbol: str, first: int, last: int) -> tuple[Candle, ...]:
        span = {
            **LINEAR, "symbol": name, "interval": "60", "start": first, "end": last,
            "limit": self._page,
        }  # fmt: skip
        waited = 0.0
        while True:
            try:
                call = self._reader.api.publicGetV5MarketMarkPriceKline
                answer = await self._reader.one(call, span, "klines", lane=Lane.TELEMETRY)
                return candles(answer, symbol)
            except WaitError as error:
                if waited >= PATIENCE.total_seconds():
                    raise Unavailable(f"marks of {name} must be readable: {error}") from error
            await self._sleep(PAUSE)
            waited += PAUSE


def _hour(at: datetime) -> int:
    milliseconds = int(at.timestamp() * 1000)
    return milliseconds - milliseconds % HOUR_MS
