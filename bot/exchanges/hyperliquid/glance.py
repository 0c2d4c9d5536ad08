"""How does Hyperliquid tell marks alone?

A position tells its value at mark, and all positions weigh a tenth of what the list of all prices
does. So that list is read only where something is asked for that is not held.
"""

from collections.abc import Collection, Mapping
from typing import Any

from bot.exchanges.glance import Glances
from bot.exchanges.hyperliquid import parse
from bot.exchanges.hyperliquid.answers import Reader
from bot.exchanges.hyperliquid.limits import WEIGHTS
from bot.exchanges.hyperliquid.rules import Rules
from bot.exchanges.quota import Lane


class Glance(Glances):
    """Reads marks of positions."""

    field = "markPx"

    def __init__(self, reader: Reader, rules: Rules) -> None:
        super().__init__(reader.client, rules.ids)
        self._reader, self._rules = reader, rules

    async def _read(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        state = await self._reader.state(lane=Lane.GLANCE)
        found: dict[str, Mapping[str, Any]] = {
            one.coin: {"markPx": str(one.position.mark_price)} for one in self._rules.held(state)
        }
        if set(names) <= set(found):
            return found
        meta, prices = parse.pair(await self._reader.contexts(lane=Lane.GLANCE))
        listed = parse.coins(meta)
        return {coin.name: row for coin, row in zip(listed, prices, strict=True)}

    def _weight(self, count: int) -> int:
        del count
        return WEIGHTS["clearinghouseState"]
