"""What did the mark of a contract do in every hour since an instant?"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from bot.domain.market import Candle
from bot.errors import Incomplete, Unavailable
from bot.exchanges.binance.family import Family
from bot.exchanges.binance.parse import candles
from bot.exchanges.client import Client
from bot.exchanges.faults import WaitError
from bot.exchanges.quota import Lane

PAGE = 1500
"""Hours of one answer: 63 days, where COIN-M gives 200 days at most."""
HOUR_MS = 3_600_000
PATIENCE = timedelta(minutes=10)
"""So long one page waits for its turn in the budget of requests."""
PAUSE = 5.0
"""Between two such tries. [s]"""


class MarkHistory:
    """Reads hours page by page, in the lane that gives way to everything else."""

    def __init__(
        self,
        client: Client,
        family: Family,
        *,
        sleep: Callable[[float], Awaitable[None]],
        page: int = PAGE,
    ) -> None:
        self._client, self._sleep, self._page = client, sleep, page
        self._call = family.call(client.api, "PublicGetMarkPriceKlines")

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
            rows = candles(await self._ask(name, first, min(end, last)), symbol)
            for row in rows:
                opened = int(row.opened_at.timestamp() * 1000)
                if not first <= opened <= end:
                    raise Incomplete(f"klines of {symbol} must lie in the hours asked for")
                if opened + HOUR_MS <= last:
                    found.append(row)
            first = end + 1
        return tuple(found)

    async def _ask(self, name: str, first: int, last: int) -> Any:
        span = {
            "symbol": name, "interval": "1h", "startTime": first, "endTime": last,
            "limit": self._page,
        }  # fmt: skip
        waited = 0.0
        while True:
            try:
                return await self._client.read(self._call, span, lane=Lane.TELEMETRY)
            except WaitError as error:
                if waited >= PATIENCE.total_seconds():
                    raise Unavailable(f"marks of {name} must be readable: {error}") from error
            await self._sleep(PAUSE)
            waited += PAUSE


def _hour(at: datetime) -> int:
    milliseconds = int(at.timestamp() * 1000)
    return milliseconds - milliseconds % HOUR_MS
