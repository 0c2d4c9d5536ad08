"""How does Binance tell the hours of a mark?"""

from collections.abc import Awaitable, Callable, Sequence

from bot.domain.market import Candle
from bot.exchanges.binance.family import Family
from bot.exchanges.binance.parse import candles
from bot.exchanges.client import Client
from bot.exchanges.mark_history import MarkHistory
from bot.exchanges.quota import Lane

PAGE = 1500
"""Hours of one answer: 63 days, where COIN-M gives 200 days at most."""


class BinanceHistory(MarkHistory):
    """Pages of mark klines."""

    def __init__(
        self,
        client: Client,
        family: Family,
        *,
        sleep: Callable[[float], Awaitable[None]],
        page: int = PAGE,
    ) -> None:
        super().__init__(sleep=sleep, page=page)
        self._client = client
        self._call = family.call(client.api, "PublicGetMarkPriceKlines")

    async def _page(self, name: str, symbol: str, first: int, last: int) -> Sequence[Candle]:
        span = {
            "symbol": name, "interval": "1h", "startTime": first, "endTime": last,
            "limit": self._hours,
        }  # fmt: skip
        return candles(await self._client.read(self._call, span, lane=Lane.TELEMETRY), symbol)
