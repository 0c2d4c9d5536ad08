"""How does KuCoin tell marks alone?"""

from collections.abc import Collection, Mapping
from typing import Any

from bot.errors import Incomplete
from bot.exchanges.client import Client, all_of
from bot.exchanges.glance import Glances
from bot.exchanges.kucoin.answers import Reader
from bot.exchanges.kucoin.limits import MARK
from bot.exchanges.quota import Lane


class Glance(Glances):
    """Reads marks one by one: a list of all contracts is long, and has no time in it."""

    field = "value"

    def __init__(self, client: Client, reader: Reader, ids: Mapping[str, str]) -> None:
        super().__init__(client, ids)
        self._reader = reader

    async def row(self, name: str, *, lane: Lane = Lane.READ) -> dict[str, Any]:
        """Return mark and index of a contract, by the venue's name.

        Raises:
            ExchangeError: No usable answer.
        """
        call = self._reader.api.futuresPublicGetMarkPriceSymbolCurrent
        row = await self._reader.one(call, {"symbol": name}, f"mark of {name}", lane=lane)
        if row.get("symbol") != name:
            raise Incomplete(f"mark must be of {name}, was of another")
        return row

    async def _read(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        found = await all_of([self.row(name, lane=Lane.GLANCE) for name in names])
        return dict(zip(names, found, strict=True))

    def _weight(self, count: int) -> int:
        return MARK * count
