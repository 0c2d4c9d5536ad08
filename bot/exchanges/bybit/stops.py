"""Which stops rest at Bybit, and what became of one that was asked for?

Conditional orders have a filter of their own in the list of open orders.
"""

from collections.abc import Mapping

from bot.clock import VenueClock
from bot.domain.position import PositionMode
from bot.domain.stop import RestingStop
from bot.exchanges.bybit import parse
from bot.exchanges.bybit.answers import Reader
from bot.exchanges.bybit.orders import TAKEN_BACK, Orders
from bot.exchanges.client import all_of
from bot.exchanges.numbers import text
from bot.exchanges.resting import Resting

PAGE = 50


class Stops(Resting):
    """The resident stops of one account."""

    def __init__(self, reader: Reader, orders: Orders, clock: VenueClock) -> None:
        super().__init__(self._list, clock)
        self._reader, self._orders = reader, orders

    async def _list(self, ids: Mapping[str, str], mode: PositionMode) -> list[RestingStop]:
        del mode  # each order names its leg
        symbols = {name: symbol for symbol, name in ids.items()}
        coins = sorted({symbol.rpartition(":")[2] for symbol in ids})
        pages = await all_of([
            self._reader.all(
                self._reader.api.privateGetV5OrderRealtime,
                {
                    **self._reader.where, "settleCoin": coin, "orderFilter": "StopOrder",
                    "limit": PAGE,
                },
                f"conditional orders of {coin}",
            )
            for coin in coins
        ])  # fmt: skip
        return [
            stop
            for page in pages
            for row in page
            if text(row, "symbol") in symbols
            and (stop := parse.stop(row, symbols[text(row, "symbol")])) is not None
        ]

    async def is_placed(self, symbol: str, client_id: str) -> bool:
        """Whether a stop of that client id was taken, whatever became of it since.

        Raises:
            ExchangeError: It could not be read.
        """
        found = await self._orders.ever(symbol, "orderLinkId", client_id)
        return found is not None and found["orderStatus"] != "Rejected"

    async def is_cancelled(self, symbol: str, stop_id: str) -> bool:
        """Whether a stop was taken back; one that has fired is not.

        Raises:
            ExchangeError: It could not be read.
        """
        found = await self._orders.ever(symbol, "orderId", stop_id)
        # The venue forgets what was taken back long ago.
        return found is None or found["orderStatus"] in TAKEN_BACK
