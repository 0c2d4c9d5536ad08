"""How does Bitget tell marks alone?"""

from collections.abc import Collection, Mapping
from typing import Any

from bot.exchanges.bitget.answers import MIX, listed
from bot.exchanges.bitget.limits import UNIT
from bot.exchanges.glance import Glances
from bot.exchanges.quota import Lane


class Glance(Glances):
    """Reads the tickers of all contracts in one answer."""

    share = 0.5
    """Of an endpoint that counts by itself, and that a look asks once. [ratio]"""

    async def _read(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        del names  # the venue tells all of them
        return await self.rows(lane=Lane.GLANCE)

    async def rows(self, *, lane: Lane = Lane.READ) -> dict[str, dict[str, Any]]:
        """Return the ticker of each contract, by the venue's name.

        Raises:
            ExchangeError: No usable answer.
        """
        call = self._client.api.publicMixGetV2MixMarketTickers
        answer = await self._client.read(call, dict(MIX), lane=lane)
        return {str(row.get("symbol")): row for row in listed(answer, "tickers")}

    def _weight(self, count: int) -> int:
        del count
        return UNIT
