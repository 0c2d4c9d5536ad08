"""Which stops rest at Binance, and what became of one that was asked for?

Conditional orders live in a list of their own: ``openAlgoOrders``, not ``openOrders``.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.position import PositionKey, PositionMode
from bot.domain.stop import RestingStop
from bot.errors import Incomplete, Unavailable
from bot.exchanges.binance import parse
from bot.exchanges.client import Client, all_of
from bot.exchanges.faults import NoSuchOrderError
from bot.exchanges.numbers import rows, table, text
from bot.exchanges.quota import Lane

EVERY = timedelta(seconds=60)
"""So often it is looked whether the stops still stand."""
UNSURE = timedelta(seconds=10)
"""So long after a change the list is read at every look: it may lag behind."""


class Stops:
    """The resident stops of one account, read again when they may have changed."""

    def __init__(self, client: Client, clock: VenueClock) -> None:
        self._client, self._clock = client, clock
        self._sizes: Mapping[PositionKey, Decimal] = {}
        self._changed_at: datetime | None = None
        self.found: tuple[RestingStop, ...] = ()
        """As last read, ordered by key and id."""
        self.read_at: datetime | None = None
        """When they were asked for; ``None`` while it is not known which stand."""

    def forget(self) -> None:
        """Know nothing any more: a stop was placed or taken back, or may have been."""
        self._changed_at, self.read_at = self._clock.now(), None

    async def refresh(
        self, ids: Mapping[str, str], sizes: Mapping[PositionKey, Decimal], mode: PositionMode
    ) -> None:
        """Read them again if that is due; a failure leaves what is known and grows old.

        Args:
            ids: Unified names to the venue's, of the symbols to look at.
            sizes: Of the open positions; a change may mean that a stop has fired.
            mode: One-way or hedge.

        Raises:
            Denied: Key or permission.
        """
        if sizes != self._sizes:
            self.forget()
            self._sizes = sizes
        asked_at = self._clock.now()
        if not self._is_due(asked_at):
            return
        try:
            listed = await all_of([self._open(name, Lane.READ) for name in ids.values()])
            found = [
                stop
                for symbol, answer in zip(ids, listed, strict=True)
                for row in answer
                if (stop := parse.stop(row, symbol, mode)) is not None
            ]
        except (Unavailable, Incomplete):
            return
        self.found = tuple(sorted(found, key=lambda stop: (stop.key, stop.stop_id)))
        self.read_at = asked_at

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

    def _is_due(self, now: datetime) -> bool:
        if self.read_at is None or now - self.read_at >= EVERY:
            return True
        return self._changed_at is not None and self.read_at - self._changed_at < UNSURE

    async def _open(self, name: str, lane: Lane) -> list[dict[str, Any]]:
        answer = await self._client.read(
            self._client.api.fapiPrivateGetOpenAlgoOrders, {"symbol": name}, lane=lane
        )
        return rows(answer, f"conditional orders of {name}")

    async def _status(self, which: dict[str, str]) -> str | None:
        """Return the status of one conditional order; ``None`` where the venue knows none."""
        try:
            answer = await self._client.read(
                self._client.api.fapiPrivateGetAlgoOrder, dict(which), lane=Lane.SETTLE
            )
        except NoSuchOrderError:
            return None
        row = table(answer, "conditional order")
        if any(str(row.get(name)) != value for name, value in which.items()):
            raise Incomplete(f"conditional order must be {which}, was another")
        return text(row, "algoStatus")
