"""Which stops rest at KuCoin, and what became of one that was asked for?

Orders that wait for a price have a list of their own.
"""

from collections.abc import Mapping
from decimal import Decimal

from bot.clock import VenueClock
from bot.domain.position import PositionMode
from bot.domain.stop import RestingStop
from bot.exchanges.kucoin import parse
from bot.exchanges.kucoin.answers import Reader
from bot.exchanges.kucoin.orders import Orders, has_fired, is_taken_back
from bot.exchanges.numbers import text
from bot.exchanges.quota import Lane
from bot.exchanges.resting import Resting


class Stops(Resting):
    """The resident stops of one account."""

    def __init__(
        self, reader: Reader, orders: Orders, clock: VenueClock, coins: Mapping[str, Decimal]
    ) -> None:
        """Take where to look.

        Args:
            reader: Asks.
            orders: Reads single ones.
            clock: Of the venue.
            coins: In a lot, by symbol, as far as they are known when it is asked. [base]
        """
        super().__init__(self._list, clock)
        self._reader, self._orders, self._coins = reader, orders, coins

    async def _list(self, ids: Mapping[str, str], mode: PositionMode) -> list[RestingStop]:
        del mode  # each order names its leg
        symbols = {name: symbol for symbol, name in ids.items()}
        return [
            stop
            for row in await self._open(Lane.READ)
            if (symbol := symbols.get(text(row, "symbol"))) is not None
            and (stop := parse.stop(row, symbol, coins=self._coins[symbol])) is not None
        ]

    async def is_placed(self, symbol: str, client_id: str) -> bool:
        """Whether a stop of that client id was taken, whatever became of it since.

        Raises:
            ExchangeError: It could not be read completely.
        """
        if await self._orders.named(symbol, client_id) is not None:
            return True
        return any(row.get("clientOid") == client_id for row in await self._open(Lane.SETTLE))

    async def is_cancelled(self, symbol: str, stop_id: str) -> bool:
        """Whether a stop was taken back; one that has fired is not.

        Raises:
            ExchangeError: It could not be read completely.
        """
        found = await self._orders.numbered(symbol, stop_id)
        if found is not None:
            return is_taken_back(found) and not has_fired(found)
        # The venue forgets what was taken back long ago.
        return all(row.get("id") != stop_id for row in await self._open(Lane.SETTLE))

    async def _open(self, lane: Lane) -> list[dict[str, object]]:
        call = self._reader.api.futuresPrivateGetStopOrders
        return await self._reader.pages(call, {}, "stop orders", lane=lane)
