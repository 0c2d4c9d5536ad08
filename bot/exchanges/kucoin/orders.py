"""What became of an order, by the name we gave it or the one it was given?"""

from collections.abc import Mapping
from typing import Any

from bot.errors import Incomplete
from bot.exchanges.faults import NoSuchOrderError
from bot.exchanges.kucoin.answers import Reader
from bot.exchanges.numbers import text
from bot.exchanges.quota import Lane

OPEN, DONE = "open", "done"


class Orders:
    """Reads single orders, also those that wait for a price."""

    def __init__(self, reader: Reader, ids: Mapping[str, str]) -> None:
        """Take where to ask.

        Args:
            reader: Asks.
            ids: The venue's names of symbols, as far as they are known when it is asked.
        """
        self._reader, self._ids = reader, ids

    async def named(self, symbol: str, client_id: str) -> dict[str, Any] | None:
        """Return an order by the name we gave it; ``None`` where none is known.

        Raises:
            ExchangeError: No usable answer, or of another order.
        """
        call = self._reader.api.futuresPrivateGetOrdersByClientOid
        return await self._find(call, symbol, {"clientOid": client_id}, {"clientOid": client_id})

    async def numbered(self, symbol: str, order_id: str) -> dict[str, Any] | None:
        """Return an order by the name it was given; ``None`` where none is known.

        Raises:
            ExchangeError: No usable answer, or of another order.
        """
        call = self._reader.api.futuresPrivateGetOrdersOrderId
        return await self._find(call, symbol, {"orderId": order_id}, {"id": order_id})

    async def _find(
        self, call: Any, symbol: str, asked: dict[str, str], named: dict[str, str]
    ) -> dict[str, Any] | None:
        try:
            row = await self._reader.one(call, asked, "order", lane=Lane.SETTLE)
        except NoSuchOrderError:
            return None
        wanted = {"symbol": self._ids[symbol], **named}
        if any(row.get(key) != value for key, value in wanted.items()):
            raise Incomplete(f"order must be the one of {wanted}, was another")
        if text(row, "status") not in (OPEN, DONE):
            raise Incomplete(f"status of an order must be known, was {row['status']!r}")
        if row.get("isActive") is not (row["status"] == OPEN):
            raise Incomplete(f"isActive of an order must fit {row['status']!r}")
        return row


def is_taken_back(row: Mapping[str, Any]) -> bool:
    """Whether an order ended because somebody took it back."""
    return row.get("status") == DONE and row.get("cancelExist") is True


def has_fired(row: Mapping[str, Any]) -> bool:
    """Whether a stop has become an order of the book."""
    return row.get("stopTriggered") is True
