"""What became of an order, by the name we gave it or the one it was given?"""

from typing import Any

from bot.errors import Incomplete
from bot.exchanges.bybit.answers import LINEAR, Reader, listed
from bot.exchanges.numbers import text
from bot.exchanges.quota import Lane

OPEN = frozenset({"New", "PartiallyFilled", "Untriggered", "Triggered"})
TAKEN_BACK = frozenset({"Cancelled", "Deactivated"})
ENDED = frozenset({"Filled", "Rejected", "PartiallyFilledCanceled"}) | TAKEN_BACK


class Orders:
    """Reads single orders."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def now(self, field: str, name: str) -> dict[str, Any] | None:
        """Return an order that is open or ended lately; ``None`` where none is known.

        Args:
            field: ``orderLinkId`` or ``orderId``.
            name: Of the order.

        Raises:
            ExchangeError: No usable answer, or of another order.
        """
        return await self._find(self._reader.api.privateGetV5OrderRealtime, field, name)

    async def ever(self, field: str, name: str) -> dict[str, Any] | None:
        """Return an order, also one that ended long ago; arguments as of `now`.

        Raises:
            ExchangeError: No usable answer, or of another order.
        """
        found = await self.now(field, name)
        if found is not None:
            return found
        return await self._find(self._reader.api.privateGetV5OrderHistory, field, name)

    async def _find(self, call: Any, field: str, name: str) -> dict[str, Any] | None:
        asked = {**LINEAR, field: name}
        found = listed(await self._reader.one(call, asked, "order", lane=Lane.SETTLE), "order")
        if not found:
            return None
        if len(found) > 1 or found[0].get(field) != name:
            raise Incomplete(f"order must be the one of {field} {name}, was another")
        status = text(found[0], "orderStatus")
        if status not in OPEN | ENDED:
            raise Incomplete(f"orderStatus of {name} must be known, was {status!r}")
        return found[0]
