"""What are the marks now, and nothing else?"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from bot.errors import Incomplete
from bot.exchanges.binance.family import Family
from bot.exchanges.binance.weights import FOR_ALL
from bot.exchanges.client import Client, all_of
from bot.exchanges.numbers import positive, rows, table, text
from bot.exchanges.quota import Lane

SHARE = 0.25
"""Of the request budget that glances may take in the long run. [ratio]"""


class Glance:
    """Reads marks of a few symbols one by one, of many in one answer: whichever weighs less."""

    def __init__(self, client: Client, ids: Mapping[str, str], family: Family) -> None:
        self._client, self._ids, self._family = client, ids, family
        self._one, self._all = FOR_ALL[family.path("premiumIndex")]
        """Weight of one mark, and of all in one answer."""

    async def marks(self, symbols: Collection[str]) -> Mapping[str, Decimal]:
        """Return the mark of each symbol. [quote/base].

        Raises:
            ExchangeError: No answer, or not of each; nothing is asked where the budget is short.
        """
        names = {self._ids[symbol]: symbol for symbol in sorted(symbols)}
        read, ask = self._client.read, self._family.call(self._client.api, "PublicGetPremiumIndex")
        if self._family.marks_at_once or self._weight(len(names)) < len(names) * self._one:
            found = rows(await read(ask, {}, lane=Lane.GLANCE), "marks")
        else:
            answers = await all_of([read(ask, {"symbol": n}, lane=Lane.GLANCE) for n in names])
            found = [table(answer, "mark") for answer in answers]
        marks = {
            names[row["symbol"]]: positive(row, "markPrice")
            for row in found
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
        weight = self._weight(count)
        if self._client.quota.left(Lane.GLANCE, now) < weight:
            return None
        return self._client.quota.gap(weight, SHARE)

    def _weight(self, count: int) -> int:
        """Return what a glance at so many symbols weighs."""
        return min(count * self._one, self._all)
