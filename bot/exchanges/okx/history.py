"""How does OKX tell the hours of a mark?"""

from collections.abc import Awaitable, Callable, Sequence

from bot.domain.market import Candle
from bot.exchanges.client import Client
from bot.exchanges.mark_history import MarkHistory
from bot.exchanges.okx.parse import candles
from bot.exchanges.quota import Lane

PAGE = 100


class OkxHistory(MarkHistory):
    """Pages of old mark candles."""

    def __init__(self, client: Client, *, sleep: Callable[[float], Awaitable[None]]) -> None:
        super().__init__(sleep=sleep, page=PAGE)
        self._client = client

    async def _page(self, name: str, symbol: str, first: int, last: int) -> Sequence[Candle]:
        # Newest first, between two instants that are both left out.
        span = {
            "instId": name, "bar": "1H", "before": str(first - 1), "after": str(last + 1),
            "limit": str(PAGE),
        }  # fmt: skip
        call = self._client.api.publicGetMarketHistoryMarkPriceCandles
        rows = candles(await self._client.read(call, span, lane=Lane.TELEMETRY), symbol)
        return sorted(rows, key=lambda row: row.opened_at)
