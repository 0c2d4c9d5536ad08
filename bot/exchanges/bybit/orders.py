"""What became of an order, by the name we gave it or the one it was given?"""

from collections.abc import Mapping
from typing import Any

from bot.errors import Incomplete
from bot.exchanges.bybit.answers import Reader, listed
from bot.exchanges.numbers import text
from bot.exchanges.quota import Lane

OPEN = frozenset({"New", "PartiallyFilled", "Untriggered", "Triggered"})
TAKEN_BACK = frozenset({"Cancelled", "Deactivated"})
ENDED = frozenset({"Filled", "Rejected", "PartiallyFilledCanceled"}) | TAKEN_BACK


class Orders:
    """Reads single orders."""

    def __init__(self, reader: Reader, ids: Mapping[str, str]) -> None:
        """Take where to ask.

        Args:
            reader: Asks.
            ids: The venue's names of symbols, as far as they are known when it is asked.
        """
        self._reader, self._ids = reader, ids

    async def now(self, symbol: str, field: str, name: str) -> dict[str, Any] | None:
        """Return an order that is open or ended lately; ``None`` where none is known.

        Args:
            symbol: Unified; the list of open orders wants one beside a name.
            field: ``orderLinkId`` or ``orderId``.
            name: Of the order.

        Raises:
            ExchangeError: No usable answer, or of another order.
        """
        call = self._reader.api.privateGetV5OrderRealtime
        return await self._find(call, symbol, {field: name})

    async def ever(self, symbol: str, field: str, name: str) -> dict[str, Any] | None:
        """Return an order, also one that ended long ago; arguments as of `now`.

        Raises:
            ExchangeError: No usable answer, or of another order.
        """
        found = await self.now(symbol, field, name)
        if found is not None:
            return found
        call = self._reader.api.privateGetV5OrderHistory
        return await self._find(call, symbol, {field: name})

    async def _find(self, call: Any, symbol: str, named: dict[str, str]) -> dict[str, Any] | None:
        wanted = {"symbol": self._ids[symbol], **named}
        asked = {**self._reader.where, **wanted}
        answer = await self._reader.one(call, asked, "order", lane=Lane.SETTLE)
        found = listed(answer, "order")
        if not found:
            return None
        if len(found) > 1 or any(found[0].get(key) != value for key, value in wanted.items()):
            raise Incomplete(f"order must be the one of {wanted}, was another")
        status = text(found[0], "orderStatus")
        if status not in OPEN | ENDED:
            raise Incomplete(f"orderStatus of {symbol} must be known, was {status!r}")
        return found[0]
