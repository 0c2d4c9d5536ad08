"""What are the marks now, and nothing else?"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from bot.errors import Incomplete
from bot.exchanges.client import Client
from bot.exchanges.numbers import positive
from bot.exchanges.okx.answers import listed
from bot.exchanges.okx.limits import UNIT
from bot.exchanges.quota import Lane

SHARE = 0.5
"""Of a request budget that glances may take in the long run. [ratio]"""


class Glance:
    """Reads the marks of all swaps in one answer."""

    def __init__(self, client: Client, ids: Mapping[str, str]) -> None:
        self._client, self._ids = client, ids

    async def marks(self, symbols: Collection[str]) -> Mapping[str, Decimal]:
        """Return the mark of each symbol. [quote/base].

        Raises:
            ExchangeError: No answer, or not of each; nothing is asked where the budget is short.
        """
        names = {self._ids[symbol]: symbol for symbol in sorted(symbols)}
        found = await self.rows(lane=Lane.GLANCE)
        marks = {
            names[name]: positive({"symbol": name, **row}, "markPx")
            for name, row in found.items()
            if name in names
        }
        if len(marks) < len(names):
            raise Incomplete(f"marks must be of {', '.join(names)}, were of {', '.join(marks)}")
        return marks

    async def rows(self, *, lane: Lane = Lane.READ) -> dict[str, dict[str, object]]:
        """Return the row of each swap, by the venue's name.

        Raises:
            ExchangeError: No usable answer.
        """
        call = self._client.api.publicGetPublicMarkPrice
        answer = await self._client.read(call, {"instType": "SWAP"}, lane=lane)
        return {str(row.get("instId")): row for row in listed(answer, "marks")}

    def every(self, now: float) -> float | None:
        """Return how far apart glances may be; ``None`` for none now. [s].

        Args:
            now: Monotonic. [s]
        """
        if self._client.quota.left(Lane.GLANCE, now) < UNIT:
            return None
        return self._client.quota.gap(UNIT, SHARE)
