"""What did the mark of a contract do in every hour since an instant?"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.domain.market import Candle
from bot.errors import Incomplete
from bot.exchanges.client import Client
from bot.exchanges.okx.parse import candles
from bot.exchanges.okx.patience import waited_for
from bot.exchanges.quota import Lane

PAGE = 100
HOUR_MS = 3_600_000
LONGEST = 600.0
"""So long one page waits for its turn in the budget of requests. [s]"""


class MarkHistory:
    """Reads hours page by page, in the lane that gives way to everything else."""

    def __init__(self, client: Client, *, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._client, self._sleep = client, sleep

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
            end = first + PAGE * HOUR_MS
            # Newest first, between two instants that are both left out.
            answer = await waited_for(
                self._client,
                self._client.api.publicGetMarketHistoryMarkPriceCandles,
                {
                    "instId": name,
                    "bar": "1H",
                    "before": str(first - 1),
                    "after": str(end),
                    "limit": str(PAGE),
                },
                sleep=self._sleep,
                longest=LONGEST,
                lane=Lane.TELEMETRY,
            )
            rows = sorted(candles(answer, symbol), key=lambda row: row.opened_at)
            for row in rows:
                opened = int(row.opened_at.timestamp() * 1000)
                if not first <= opened < end:
                    raise Incomplete(f"candles of {symbol} must lie in the hours asked for")
                if opened + HOUR_MS <= last:
                    found.append(row)
            first = end
        return tuple(found)


def _hour(at: datetime) -> int:
    milliseconds = int(at.timestamp() * 1000)
    return milliseconds - milliseconds % HOUR_MS
