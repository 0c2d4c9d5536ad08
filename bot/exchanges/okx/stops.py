"""Which stops rest at OKX, and what became of one that was asked for?

Conditional orders live in lists of their own: ``orders-algo-pending``, not ``orders-pending``.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.position import PositionMode
from bot.domain.stop import RestingStop
from bot.errors import Incomplete
from bot.exchanges.client import Client
from bot.exchanges.faults import NoSuchOrderError
from bot.exchanges.numbers import text
from bot.exchanges.okx import parse
from bot.exchanges.okx.answers import listed, single
from bot.exchanges.quota import Lane
from bot.exchanges.resting import Resting

PAGE = 100
MOST_PAGES = 5


class Stops(Resting):
    """The resident stops of one account."""

    def __init__(self, client: Client, clock: VenueClock, coins: Mapping[str, Decimal]) -> None:
        """Take where to look.

        Args:
            client: Of the venue.
            clock: Of it.
            coins: In a contract, by symbol, as far as they are known when it is asked.
                [base or quote]
        """
        super().__init__(self._list, clock)
        self._client, self._coins = client, coins

    async def _list(self, ids: Mapping[str, str], mode: PositionMode) -> list[RestingStop]:
        symbols = {name: symbol for symbol, name in ids.items()}
        return [
            stop
            for row in await self._open(Lane.READ)
            if (symbol := symbols.get(text(row, "instId"))) is not None
            and (stop := parse.stop(row, symbol, mode, coins=self._coins[symbol])) is not None
        ]

    async def is_placed(self, client_id: str) -> bool:
        """Whether a stop of that client id arrived, whatever became of it since.

        Raises:
            ExchangeError: It could not be read completely.
        """
        if await self._state({"algoClOrdId": client_id}) is not None:
            return True
        return any(row.get("algoClOrdId") == client_id for row in await self._open(Lane.SETTLE))

    async def is_cancelled(self, stop_id: str) -> bool:
        """Whether a stop was taken back; one that has fired or never was is not.

        Raises:
            ExchangeError: It could not be read completely.
        """
        state = await self._state({"algoId": stop_id})
        if state is not None:
            return state == "canceled"
        # The venue forgets what was taken back long ago.
        return all(str(row.get("algoId")) != stop_id for row in await self._open(Lane.SETTLE))

    async def _open(self, lane: Lane) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        older: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = await self._client.read(
                self._client.api.privateGetTradeOrdersAlgoPending,
                {"ordType": "conditional", "instType": "SWAP", "limit": str(PAGE), **older},
                lane=lane,
            )
            rows = listed(answer, "conditional orders")
            found |= {text(row, "algoId"): row for row in rows}
            if len(rows) < PAGE:
                return list(found.values())
            older = {"after": text(rows[-1], "algoId")}
        raise Incomplete(f"conditional orders must fit {MOST_PAGES} pages, did not")

    async def _state(self, which: dict[str, str]) -> str | None:
        """Return the state of one conditional order; ``None`` where the venue knows none."""
        try:
            answer = await self._client.read(
                self._client.api.privateGetTradeOrderAlgo, dict(which), lane=Lane.SETTLE
            )
        except NoSuchOrderError:
            return None
        row = single(answer, "conditional order")
        if any(str(row.get(name)) != value for name, value in which.items()):
            raise Incomplete(f"conditional order must be {which}, was another")
        return text(row, "state")
