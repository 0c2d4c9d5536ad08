"""Which stops rest at Hyperliquid, and what became of one that was asked for?"""

from collections.abc import Mapping

from bot.clock import VenueClock
from bot.domain.position import PositionMode
from bot.domain.stop import RestingStop
from bot.exchanges.hyperliquid import parse
from bot.exchanges.hyperliquid.answers import Reader
from bot.exchanges.hyperliquid.names import cloid_of
from bot.exchanges.hyperliquid.orders import Orders
from bot.exchanges.numbers import text
from bot.exchanges.quota import Lane
from bot.exchanges.resting import Resting


class Stops(Resting):
    """The resident stops of one account."""

    def __init__(self, reader: Reader, orders: Orders, clock: VenueClock) -> None:
        super().__init__(self._list, clock)
        self._reader, self._orders = reader, orders

    async def _list(self, ids: Mapping[str, str], mode: PositionMode) -> list[RestingStop]:
        del mode  # there is one
        symbols = {name: symbol for symbol, name in ids.items()}
        return [
            stop
            for row in await self._reader.listed("frontendOpenOrders")
            if (symbol := symbols.get(text(row, "coin"))) is not None
            and (stop := parse.stop(row, symbol)) is not None
        ]

    async def is_placed(self, client_id: str) -> bool:
        """Whether a stop of that client id arrived, whatever became of it since.

        Raises:
            ExchangeError: It could not be read completely.
        """
        found = await self._orders.ever(cloid_of(client_id))
        return found is not None and not found.is_rejected

    async def is_cancelled(self, stop_id: str) -> bool:
        """Whether a stop was taken back; one that has fired or never was is not.

        Raises:
            ExchangeError: It could not be read completely.
        """
        found = await self._orders.ever(int(stop_id))
        if found is not None:
            return found.is_cancelled
        # The venue forgets what was taken back long ago.
        rows = await self._reader.listed("frontendOpenOrders", lane=Lane.SETTLE)
        return all(str(row.get("oid")) != stop_id for row in rows)
