"""How does Bybit tell the hours of a mark?"""

from collections.abc import Awaitable, Callable, Sequence

from bot.domain.market import Candle
from bot.exchanges.bybit.answers import Reader
from bot.exchanges.bybit.parse import candles
from bot.exchanges.mark_history import MarkHistory
from bot.exchanges.quota import Lane

PAGE = 1000


class BybitHistory(MarkHistory):
    """Pages of mark klines."""

    def __init__(
        self, reader: Reader, *, sleep: Callable[[float], Awaitable[None]], page: int = PAGE
    ) -> None:
        super().__init__(sleep=sleep, page=page)
        self._reader = reader

    async def _page(self, name: str, symbol: str, first: int, last: int) -> Sequence[Candle]:
        span = {
            **self._reader.where, "symbol": name, "interval": "60", "start": first, "end": last,
            "limit": self._hours,
        }  # fmt: skip
        call = self._reader.api.publicGetV5MarketMarkPriceKline
        return candles(await self._reader.one(call, span, "klines", lane=Lane.TELEMETRY), symbol)
