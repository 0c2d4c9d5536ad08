"""Which stops rest at Binance, and what became of one that was asked for?

Conditional orders live in a list of their own: ``openAlgoOrders``, not ``openOrders``.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.position import PositionMode
from bot.domain.stop import RestingStop
from bot.errors import Incomplete
from bot.exchanges.binance import parse
from bot.exchanges.binance.family import Family
from bot.exchanges.client import Client, all_of
from bot.exchanges.faults import NoSuchOrderError
from bot.exchanges.numbers import rows, table, text
from bot.exchanges.quota import Lane
from bot.exchanges.resting import Resting


class Stops(Resting):
    """The resident stops of one account."""

    def __init__(
        self,
        client: Client,
        clock: VenueClock,
        *,
        family: Family,
        unit: Callable[[str], Decimal],
    ) -> None:
        """Take where they are listed.

        Args:
            client: Of the venue.
            clock: Stamps what was read.
            family: The host.
            unit: Returns what one of what the wire counts is, of a unified name. [base or quote]
        """
        super().__init__(self._list, clock)
        self._client, self._family, self._unit = client, family, unit

    async def _list(self, ids: Mapping[str, str], mode: PositionMode) -> list[RestingStop]:
        listed = await all_of([self._open(name, Lane.READ) for name in ids.values()])
        return [
            stop
            for symbol, answer in zip(ids, listed, strict=True)
            for row in answer
            if (stop := parse.stop(row, symbol, mode, unit=self._unit(symbol))) is not None
        ]

    async def is_placed(self, client_id: str, name: str) -> bool:
        """Whether a stop of that client id arrived, whatever became of it since.

        Args:
            client_id: Ours.
            name: The venue's name of its symbol.

        Raises:
            ExchangeError: It could not be read completely.
        """
        if await self._status({"clientAlgoId": client_id}) is not None:
            return True
        return any(
            row.get("clientAlgoId") == client_id for row in await self._open(name, Lane.SETTLE)
        )

    async def is_cancelled(self, stop_id: str, name: str) -> bool:
        """Whether a stop was taken back; one that has fired or never was is not.

        Args:
            stop_id: The venue's.
            name: The venue's name of its symbol.

        Raises:
            ExchangeError: It could not be read completely.
        """
        status = await self._status({"algoId": stop_id})
        if status is not None:
            return status == "CANCELED"
        # The venue forgets what was taken back long ago.
        return all(str(row.get("algoId")) != stop_id for row in await self._open(name, Lane.SETTLE))

    async def _open(self, name: str, lane: Lane) -> list[dict[str, Any]]:
        call = self._family.call(self._client.api, "PrivateGetOpenAlgoOrders")
        answer = await self._client.read(call, {"symbol": name}, lane=lane)
        return rows(answer, f"conditional orders of {name}")

    async def _status(self, which: dict[str, str]) -> str | None:
        """Return the status of one conditional order; ``None`` where the venue knows none."""
        call = self._family.call(self._client.api, "PrivateGetAlgoOrder")
        try:
            answer = await self._client.read(call, dict(which), lane=Lane.SETTLE)
        except NoSuchOrderError:
            return None
        row = table(answer, "conditional order")
        if any(str(row.get(name)) != value for name, value in which.items()):
            raise Incomplete(f"conditional order must be {which}, was another")
        return text(row, "algoStatus")
