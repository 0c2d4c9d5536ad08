"""Which stops rest at Gate, and what became of one that was asked for?

Price-triggered orders live in lists of their own: ``price_orders``, not ``orders``.
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
from bot.exchanges.gate import parse
from bot.exchanges.gate.pages import all_pages
from bot.exchanges.numbers import given_id, table, text
from bot.exchanges.quota import Lane
from bot.exchanges.resting import Resting


class Stops(Resting):
    """The resident stops of one account."""

    def __init__(self, client: Client, clock: VenueClock, coins: Mapping[str, Decimal]) -> None:
        """Take where to look.

        Args:
            client: Of the venue.
            clock: Of it.
            coins: In a contract, by symbol, as far as they are known when it is asked. [base]
        """
        super().__init__(self._list, clock)
        self._client, self._coins = client, coins

    async def _list(self, ids: Mapping[str, str], mode: PositionMode) -> list[RestingStop]:
        del mode  # which way a price must be reached tells the leg
        symbols = {name: symbol for symbol, name in ids.items()}
        return [
            stop
            for row in await self._all({"status": "open"}, Lane.READ)
            if (symbol := symbols.get(contract_of(row))) is not None
            and (stop := parse.stop(row, symbol, coins=self._coins[symbol])) is not None
        ]

    async def is_placed(self, client_id: str, contract: str, since_ms: int) -> bool:
        """Whether a stop of that name arrived, whatever became of it since.

        Args:
            client_id: Given by us.
            contract: The venue's name.
            since_ms: Older ones are others. [ms]

        Raises:
            ExchangeError: It could not be read completely.
        """
        asked = {"contract": contract}
        if _is_among(await self._all({"status": "open", **asked}, Lane.SETTLE), client_id):
            return True
        ended = {"status": "finished", **asked}
        return _is_among(await self._all(ended, Lane.SETTLE, since_ms=since_ms), client_id)

    async def is_cancelled(self, stop_id: str) -> bool:
        """Whether a stop was taken back; one that has fired is not.

        Raises:
            ExchangeError: It could not be read.
        """
        try:
            answer = await self._client.read(
                self._client.api.privateFuturesGetSettlePriceOrdersOrderId,
                {"settle": parse.SETTLE, "order_id": stop_id},
                lane=Lane.SETTLE,
            )
        except NoSuchOrderError:
            # The venue forgets what was taken back long ago.
            open_ = await self._all({"status": "open"}, Lane.SETTLE)
            return all(given_id(row.get("id")) != stop_id for row in open_)
        row = table(answer, "triggered order")
        if given_id(row.get("id")) != stop_id:
            raise Incomplete(f"triggered order must be {stop_id}, was another")
        return text(row, "status") == "finished" and row.get("finish_as") == "cancelled"

    async def _all(
        self, asked: Mapping[str, str], lane: Lane, *, since_ms: int | None = None
    ) -> list[dict[str, Any]]:
        def is_far(rows: list[dict[str, Any]]) -> bool:
            # Which of its times the list goes by is not documented: one that ended before an
            # instant was placed before it too, and only newest first are the others older.
            return since_ms is not None and _touched(rows[-1]) < min(since_ms, _touched(rows[0]))

        return await all_pages(
            self._client,
            self._client.api.privateFuturesGetSettlePriceOrders,
            {"settle": parse.SETTLE, **asked},
            "triggered orders",
            lane=lane,
            is_far=is_far,
        )


def _is_among(rows: list[dict[str, Any]], client_id: str) -> bool:
    initials = (table(row.get("initial"), "initial of a triggered order") for row in rows)
    return any(initial.get("text") == parse.PREFIX + client_id for initial in initials)


def _touched(row: Mapping[str, Any]) -> int:
    """Return when a triggered order was placed or ended, whichever is later. [ms]."""
    return max(parse.moment(row, "create_time"), parse.moment(row, "finish_time"))


def contract_of(row: Mapping[str, Any]) -> str:
    """Return the venue's name of what a triggered order is about.

    Raises:
        Incomplete: It is missing.
    """
    return text(table(row.get("initial"), "initial of a triggered order"), "contract")
