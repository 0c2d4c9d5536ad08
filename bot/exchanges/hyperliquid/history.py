"""How does Hyperliquid tell hours? Of trades: it keeps no candles of its marks."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bot.domain.market import Candle
from bot.exchanges.hyperliquid import parse
from bot.exchanges.hyperliquid.answers import Reader
from bot.exchanges.mark_history import MarkHistory
from bot.exchanges.quota import Lane

PAGE = 500
KNOWN = timedelta(hours=5000)
"""The venue forgets what is older."""


class HyperliquidHistory(MarkHistory):
    """Pages of old candles."""

    def __init__(self, reader: Reader, *, sleep: Callable[[float], Awaitable[None]]) -> None:
        super().__init__(sleep=sleep, page=PAGE)
        self._reader = reader

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
        return await super().read(name, symbol, since=max(since, until - KNOWN), until=until)

    async def _page(self, name: str, symbol: str, first: int, last: int) -> Sequence[Candle]:
        span = {"coin": name, "interval": "1h", "startTime": first, "endTime": last}
        answer = await self._reader.ask("candleSnapshot", req=span, lane=Lane.TELEMETRY)
        return [
            row
            for row in parse.candles(answer, name, symbol)
            if int(row.opened_at.timestamp() * 1000) >= first  # the one that runs then comes too
        ]
