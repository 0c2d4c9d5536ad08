"""How does Binance tell marks alone?"""

from collections.abc import Collection, Mapping
from typing import Any

from bot.exchanges.binance.family import Family
from bot.exchanges.binance.weights import FOR_ALL
from bot.exchanges.client import Client, all_of
from bot.exchanges.glance import Glances
from bot.exchanges.numbers import rows, table, text
from bot.exchanges.quota import Lane


class Glance(Glances):
    """Reads marks of a few symbols one by one, of many in one answer: whichever weighs less."""

    def __init__(self, client: Client, ids: Mapping[str, str], family: Family) -> None:
        super().__init__(client, ids)
        self._family = family
        self._one, self._all = FOR_ALL[family.path("premiumIndex")]
        """Weight of one mark, and of all in one answer."""

    async def _read(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        read, ask = self._client.read, self._family.call(self._client.api, "PublicGetPremiumIndex")
        if self._family.marks_at_once or self._weight(len(names)) < len(names) * self._one:
            found = rows(await read(ask, {}, lane=Lane.GLANCE), "marks")
        else:
            answers = await all_of([read(ask, {"symbol": n}, lane=Lane.GLANCE) for n in names])
            found = [table(answer, "mark") for answer in answers]
        return {text(row, "symbol"): row for row in found}

    def _weight(self, count: int) -> int:
        return min(count * self._one, self._all)
