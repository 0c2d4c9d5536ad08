"""How does Gate tell marks alone?"""

from collections.abc import Collection, Mapping
from typing import Any

from bot.errors import Incomplete
from bot.exchanges.client import all_of
from bot.exchanges.gate.limits import UNIT
from bot.exchanges.gate.parse import SETTLE
from bot.exchanges.glance import Glances
from bot.exchanges.numbers import rows
from bot.exchanges.quota import Lane


class Glance(Glances):
    """Reads the ticker of each contract; all of them at once would be hundreds."""

    share = 0.5
    """Of an endpoint that counts by itself, and that a look asks once for each. [ratio]"""
    field = "mark_price"

    async def _read(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        found = await all_of([self.row(name, lane=Lane.GLANCE) for name in names])
        return dict(zip(names, found, strict=True))

    async def row(self, name: str, *, lane: Lane = Lane.READ) -> dict[str, Any]:
        """Return the ticker of a contract, by the venue's name.

        Raises:
            ExchangeError: No usable answer.
        """
        call = self._client.api.publicFuturesGetSettleTickers
        answer = await self._client.read(call, {"settle": SETTLE, "contract": name}, lane=lane)
        own = [row for row in rows(answer, "tickers") if row.get("contract") == name]
        if len(own) != 1:
            raise Incomplete(f"ticker of {name} must be its own, was not")
        return own[0]

    def _weight(self, count: int) -> int:
        return count * UNIT
