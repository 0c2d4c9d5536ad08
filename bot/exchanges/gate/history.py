"""How does Gate tell the hours of a mark?"""

from collections.abc import Awaitable, Callable, Sequence

from bot.domain.market import Candle
from bot.exchanges.client import Client
from bot.exchanges.gate.parse import SETTLE, candles
from bot.exchanges.mark_history import HOUR_MS, MarkHistory
from bot.exchanges.quota import Lane

PAGE = 1000
OLDEST = 9_990
"""Hours; the venue refuses a list that begins more than 10,000 bars ago."""
MARK = "mark_"
"""Before the name of a contract: candles of its mark."""


class GateHistory(MarkHistory):
    """Pages of mark candles."""

    def __init__(
        self,
        client: Client,
        now_ms: Callable[[], int],
        *,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        super().__init__(sleep=sleep, page=PAGE)
        self._client, self._now_ms = client, now_ms

    async def _page(self, name: str, symbol: str, first: int, last: int) -> Sequence[Candle]:
        oldest = self._now_ms() - OLDEST * HOUR_MS
        if last < oldest:
            return ()
        span = {
            "settle": SETTLE, "contract": MARK + name, "interval": "1h",
            "from": max(first, oldest) // 1000, "to": last // 1000,
        }  # fmt: skip
        call = self._client.api.publicFuturesGetSettleCandlesticks
        return candles(await self._client.read(call, span, lane=Lane.TELEMETRY), symbol)
