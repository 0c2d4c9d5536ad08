"""Which stops rest at Bitget, and what became of one that was asked for?

Stop losses of positions have lists of their own: ``orders-plan-pending``, not ``orders-pending``.
"""

from collections.abc import Mapping
from typing import Any

from bot.clock import VenueClock
from bot.domain.position import PositionMode
from bot.domain.stop import RestingStop
from bot.errors import Incomplete
from bot.exchanges.bitget import parse
from bot.exchanges.bitget.answers import MIX, page
from bot.exchanges.client import Client
from bot.exchanges.numbers import text
from bot.exchanges.quota import Lane
from bot.exchanges.resting import Resting

PAGE = 100
MOST_PAGES = 5
WHICH = {**MIX, "planType": "profit_loss", "limit": str(PAGE)}
"""The venue's one word for all plans that belong to positions."""
TAKEN_BACK = "cancelled"
ENDS = frozenset({TAKEN_BACK, "executed", "fail_execute"})


class Stops(Resting):
    """The resident stops of one account."""

    def __init__(self, client: Client, clock: VenueClock) -> None:
        """Take where to look.

        Args:
            client: Of the venue.
            clock: Of it.
        """
        super().__init__(self._list, clock)
        self._client = client

    async def _list(self, ids: Mapping[str, str], mode: PositionMode) -> list[RestingStop]:
        symbols = {name: symbol for symbol, name in ids.items()}
        held = {key.symbol: key.side for key in self._sizes}
        return [
            stop
            for row in await self._open(Lane.READ)
            if (symbol := symbols.get(text(row, "symbol").upper())) is not None
            and (stop := parse.stop(row, symbol, mode, held=held.get(symbol))) is not None
        ]

    async def is_placed(self, client_id: str) -> bool:
        """Whether a stop of that client id arrived, whatever became of it since.

        Raises:
            ExchangeError: It could not be read completely.
        """
        # In this order: one that fires in between has left the first list for the second.
        if any(row.get("clientOid") == client_id for row in await self._open(Lane.SETTLE)):
            return True
        return await self._end({"clientOid": client_id}) is not None

    async def is_cancelled(self, stop_id: str) -> bool:
        """Whether a stop was taken back; one that has fired or never was is not.

        Raises:
            ExchangeError: It could not be read completely.
        """
        if any(row.get("orderId") == stop_id for row in await self._open(Lane.SETTLE)):
            return False
        # The venue forgets what was taken back long ago.
        return await self._end({"orderId": stop_id}) in (TAKEN_BACK, None)

    async def _open(self, lane: Lane) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        older: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = await self._client.read(
                self._client.api.privateMixGetV2MixOrderOrdersPlanPending,
                {**WHICH, **older},
                lane=lane,
            )
            rows, end = page(answer, "entrustedList", "stops")
            found |= {text(row, "orderId"): row for row in rows}
            if len(rows) < PAGE:
                return list(found.values())
            older = {"idLessThan": end}
        raise Incomplete(f"stops must fit {MOST_PAGES} pages, did not")

    async def _end(self, which: dict[str, str]) -> str | None:
        """Return how one plan ended; ``None`` where the venue lists no such end."""
        answer = await self._client.read(
            self._client.api.privateMixGetV2MixOrderOrdersPlanHistory,
            {**WHICH, **which},
            lane=Lane.SETTLE,
        )
        rows, _ = page(answer, "entrustedList", "ended stops")
        ((name, value),) = which.items()
        own = [row for row in rows if row.get(name) == value]
        if len(own) < len(rows):
            raise Incomplete(f"ended stops must be {which}, were others too")
        if not own:
            return None
        end = text(own[0], "planStatus")
        if end not in ENDS:
            raise Incomplete(f"planStatus must be known, was {end!r}")
        return end
