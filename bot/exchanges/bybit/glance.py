"""What are the marks now, and nothing else?"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from bot.errors import Incomplete
from bot.exchanges.bybit.answers import LINEAR, Reader, listed
from bot.exchanges.client import Client, all_of
from bot.exchanges.numbers import positive, text
from bot.exchanges.quota import Lane

FEW = 4
"""Symbols that are asked for one by one; an answer of all is long."""
SHARE = 0.25
"""Of the request budget that glances may take in the long run. [ratio]"""


class Glance:
    """Reads marks of a few symbols one by one, of many in one answer."""

    def __init__(self, client: Client, reader: Reader, ids: Mapping[str, str]) -> None:
        self._client, self._reader, self._ids = client, reader, ids

    async def marks(self, symbols: Collection[str]) -> Mapping[str, Decimal]:
        """Return the mark of each symbol. [quote/base].

        Raises:
            ExchangeError: No answer, or not of each; nothing is asked where the budget is short.
        """
        names = {self._ids[symbol]: symbol for symbol in sorted(symbols)}
        asked = [{"symbol": name} for name in names] if len(names) <= FEW else [{}]
        call = self._reader.api.publicGetV5MarketTickers
        answers = await all_of(
            [self._reader.one(call, LINEAR | one, "marks", lane=Lane.GLANCE) for one in asked]
        )
        marks = {
            names[row["symbol"]]: positive(row, "markPrice")
            for answer in answers
            for row in listed(answer, "marks")
            if text(row, "symbol") in names
        }
        if len(marks) < len(names):
            raise Incomplete(f"marks must be of {', '.join(names)}, were of {', '.join(marks)}")
        return marks

    def every(self, count: int, now: float) -> float | None:
        """Return how far apart glances at so many symbols may be; ``None`` for none now. [s].

        Args:
            count: Of symbols.
            now: Monotonic. [s]
        """
        weight = count if count <= FEW else 1
        if self._client.quota.left(Lane.GLANCE, now) < weight:
            return None
        return self._client.quota.gap(weight, SHARE)
