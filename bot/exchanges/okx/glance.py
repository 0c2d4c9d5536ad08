"""How does OKX tell marks alone?"""

from collections.abc import Collection, Mapping
from typing import Any

from bot.exchanges.glance import Glances
from bot.exchanges.okx.answers import listed
from bot.exchanges.okx.limits import UNIT
from bot.exchanges.quota import Lane


class Glance(Glances):
    """Reads the marks of all swaps in one answer."""

    share = 0.5
    """Of an endpoint that counts by itself, and that a look asks once. [ratio]"""
    field = "markPx"

    async def _read(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        del names  # the venue tells all of them
        return await self.rows(lane=Lane.GLANCE)

    async def rows(self, *, lane: Lane = Lane.READ) -> dict[str, dict[str, Any]]:
        """Return the row of each swap, by the venue's name.

        Raises:
            ExchangeError: No usable answer.
        """
        call = self._client.api.publicGetPublicMarkPrice
        answer = await self._client.read(call, {"instType": "SWAP"}, lane=lane)
        return {str(row.get("instId")): row for row in listed(answer, "marks")}

    def _weight(self, count: int) -> int:
        del count
        return UNIT
