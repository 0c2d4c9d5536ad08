"""How does Bybit tell marks alone?"""

from collections.abc import Collection, Mapping
from typing import Any

from bot.exchanges.bybit.answers import Reader, listed
from bot.exchanges.client import Client, all_of
from bot.exchanges.glance import Glances
from bot.exchanges.numbers import text
from bot.exchanges.quota import Lane

FEW = 4
"""Symbols that are asked for one by one; an answer of all is long."""


class Glance(Glances):
    """Reads marks of a few symbols one by one, of many in one answer."""

    def __init__(self, client: Client, reader: Reader, ids: Mapping[str, str]) -> None:
        super().__init__(client, ids)
        self._reader = reader

    async def _read(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        asked = [{"symbol": name} for name in names] if len(names) <= FEW else [{}]
        call = self._reader.api.publicGetV5MarketTickers
        answers = await all_of(
            [
                self._reader.one(call, self._reader.where | one, "marks", lane=Lane.GLANCE)
                for one in asked
            ]
        )
        return {text(row, "symbol"): row for answer in answers for row in listed(answer, "marks")}

    def _weight(self, count: int) -> int:
        return count if count <= FEW else 1
