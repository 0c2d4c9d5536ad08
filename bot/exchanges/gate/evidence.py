"""What does the venue say of a write that was sent before?"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.action import (
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.intent import Intent, Settlement
from bot.errors import Incomplete
from bot.exchanges.amounts import ONE
from bot.exchanges.client import Client
from bot.exchanges.faults import NoSuchOrderError
from bot.exchanges.gate.ledger import TRANSFER, Statement
from bot.exchanges.gate.pages import all_pages
from bot.exchanges.gate.parse import PREFIX, SETTLE, moment
from bot.exchanges.gate.stops import Stops
from bot.exchanges.gate.write import filled
from bot.exchanges.margins import Margins
from bot.exchanges.numbers import number, stamp_of, text
from bot.exchanges.past import since_ms
from bot.exchanges.quota import Lane

NOTHING = Decimal(0)


class Evidence:
    """Looks for the effects of intents."""

    def __init__(
        self,
        client: Client,
        clock: VenueClock,
        *,
        stops: Stops,
        margins: Margins,
        statement: Statement,
        ids: Mapping[str, str],
        coins: Mapping[str, Decimal],
    ) -> None:
        """Take where to look.

        Args:
            client: Of the venue.
            clock: Of it.
            stops: Of the account.
            margins: What was sent to its positions.
            statement: Its books.
            ids: The venue's names of symbols, as far as they are known when it is asked.
            coins: In a contract, by symbol. [base]
        """
        self._client, self._clock = client, clock
        self._stops, self._margins, self._statement = stops, margins, statement
        self._ids, self._coins = ids, coins

    async def settle(self, intent: Intent) -> Settlement:
        """Look for the effect of an intent.

        Whether an absence may be believed is the caller's to judge, by the settle point.

        Raises:
            ExchangeError: What would show it could not be read completely.
        """
        since = since_ms(intent)
        match intent.action:
            case Transfer():
                found, where = await self._transferred(intent.action, since), "the account book"
            case AddMargin() | RemoveMargin():
                found = await self._margins.found(intent)
                where = "the margin of its position"
            case ReducePosition():
                found = await self._order(intent, intent.action, since)
                where = "the list of orders"
            case PlaceStop(key=key):
                contract = self._ids[key.symbol]
                is_there = await self._stops.is_placed(intent.id, contract, since)
                found, where = ONE if is_there else NOTHING, "the list of triggered orders"
            case CancelStop(stop_id=stop_id):
                is_gone = await self._stops.is_cancelled(stop_id)
                found, where = ONE if is_gone else NOTHING, "the list of triggered orders"
        told = {None: "proves nothing yet", NOTHING: "shows nothing of it"}.get(found, "shows it")
        return Settlement(intent_id=intent.id, applied=found, text=f"{where} {told}")

    async def _order(self, intent: Intent, action: ReducePosition, since: int) -> Decimal | None:
        """Return what an order filled, by its name, or by its fills once that is forgotten."""
        name = self._ids[action.key.symbol]
        try:
            row = await self._client.read(
                self._client.api.privateFuturesGetSettleOrdersOrderId,
                {"settle": SETTLE, "order_id": PREFIX + intent.id},
                lane=Lane.SETTLE,
            )
        except NoSuchOrderError:
            return await self._fills(intent, name, since)
        if not isinstance(row, dict) or row.get("text") != PREFIX + intent.id:
            raise Incomplete(f"order must be {intent.id}, was another")
        if row.get("status") != "finished":
            raise Incomplete(f"order {intent.id} must be over, is {row.get('status')}")
        found = filled(row, intent.id, action, name, self._coins)
        if found is None:
            raise Incomplete(f"order {intent.id} must be of {action.size} coins, was of others")
        return found

    async def _fills(self, intent: Intent, name: str, since: int) -> Decimal:
        action = intent.action
        assert isinstance(action, ReducePosition)  # noqa: S101 - nothing else is looked up here
        asked = {"settle": SETTLE, "contract": name, "from": since // 1000}
        listed = await all_pages(
            self._client,
            self._client.api.privateFuturesGetSettleMyTradesTimerange,
            asked,
            "fills",
            lane=Lane.SETTLE,
        )
        ours = {
            text(row, "trade_id"): abs(number({"symbol": name, **row}, "size"))
            for row in listed
            if row.get("text") == PREFIX + intent.id
        }
        found = sum(ours.values(), NOTHING) * self._coins[action.key.symbol]
        if found > action.size:
            raise Incomplete(f"fills of {intent.id} must be <= {action.size} coins, were {found}")
        return found

    async def _transferred(self, action: Transfer, since: int) -> Decimal | None:
        """Return the amount if it is booked where it goes; ``None`` while only one end shows."""
        comes = action.destination == "futures"
        now = stamp_of(self._clock.now())
        lines = await self._statement.book(since, now, kind=TRANSFER, lane=Lane.SETTLE)
        if _has(lines, action.amount if comes else -action.amount, since):
            return action.amount
        if comes:
            # It leaves the one account before it is booked on the other.
            left = await self._statement.spot(since, now, lane=Lane.SETTLE)
            if _has(left, -action.amount, since):
                return None
        return NOTHING


def _has(lines: list[dict[str, Any]], change: Decimal, since: int) -> bool:
    return any(number(line, "change") == change and moment(line, "time") >= since for line in lines)
