"""What does the venue say of a write that was sent before?"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

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
from bot.exchanges.kucoin.answers import Reader
from bot.exchanges.kucoin.ledger import COMES, GOES, has_come
from bot.exchanges.kucoin.orders import DONE, Orders
from bot.exchanges.kucoin.stops import Stops
from bot.exchanges.margins import Margins
from bot.exchanges.numbers import amount, number, text, whole
from bot.exchanges.past import since_ms
from bot.exchanges.quota import Lane

NOTHING = Decimal(0)


class Evidence:
    """Looks for the effects of intents."""

    def __init__(
        self,
        reader: Reader,
        orders: Orders,
        stops: Stops,
        margins: Margins,
        coins: Mapping[str, Decimal],
    ) -> None:
        """Take where to look.

        Args:
            reader: Asks.
            orders: Of the account.
            stops: Of the account.
            margins: What positions held before they were moved.
            coins: In a lot, by symbol, as far as they are known when it is asked. [base]
        """
        self._reader, self._orders = reader, orders
        self._stops, self._margins, self._coins = stops, margins, coins

    async def settle(self, intent: Intent) -> Settlement:
        """Look for the effect of an intent.

        Whether an absence may be believed is the caller's to judge, by the settle point.

        Raises:
            ExchangeError: What would show it could not be read completely.
        """
        match intent.action:
            case Transfer():
                found = await self._transferred(intent, intent.action)
                where = "the list of transactions"
            case AddMargin() | RemoveMargin():
                found = await self._margins.found(intent)
                where = "the margin of its position"
            case ReducePosition():
                found, where = await self._order(intent, intent.action), "the list of orders"
            case PlaceStop(key=key):
                is_there = await self._stops.is_placed(key.symbol, intent.id)
                found, where = ONE if is_there else NOTHING, "the list of orders"
            case CancelStop(key=key, stop_id=stop_id):
                is_gone = await self._stops.is_cancelled(key.symbol, stop_id)
                found, where = ONE if is_gone else NOTHING, "the list of orders"
        told = {None: "proves nothing yet", NOTHING: "shows nothing of it"}.get(found, "shows it")
        return Settlement(intent_id=intent.id, applied=found, text=f"{where} {told}")

    def filled(self, row: Mapping[str, Any], action: ReducePosition) -> Decimal | None:
        """Return what an order has filled; ``None`` while it may still fill. [base].

        Raises:
            Incomplete: It is more than was asked for, or no number.
        """
        if row["status"] != DONE:
            return None
        found = amount(row, "filledSize") * self._coins[action.key.symbol]
        if found > action.size:
            raise Incomplete(f"filledSize must be <= {action.size} coins, was {found}")
        return found

    async def _order(self, intent: Intent, action: ReducePosition) -> Decimal | None:
        row = await self._orders.named(action.key.symbol, intent.id)
        return NOTHING if row is None else self.filled(row, action)

    async def _transferred(self, intent: Intent, action: Transfer) -> Decimal | None:
        """Return the amount if a transfer of it is listed; the list has no names of ours."""
        since, word = since_ms(intent), COMES if action.destination == "futures" else GOES
        asked = {"startAt": str(since), "type": word, "currency": action.currency}
        call = self._reader.api.futuresPrivateGetTransactionHistory
        found = await self._reader.lines(call, asked, "transactions", lane=Lane.SETTLE)
        if any(
            (text(row, "type"), row.get("currency")) != (word, action.currency) for row in found
        ):
            raise Incomplete(f"transactions must be of {word} alone, were of others too")
        for row in found:
            if whole(row, "time") >= since and abs(number(row, "amount")) == action.amount:
                return action.amount if has_come(row) else None
        return None if word == COMES and await self._has_left(action, since) else NOTHING

    async def _has_left(self, action: Transfer, since: int) -> bool:
        """Whether the funding account has sent a transfer that the futures account lacks."""
        asked = {"currency": action.currency, "direction": "out", "startAt": str(since)}
        call = self._reader.api.privateGetAccountsLedgers
        found = await self._reader.pages(call, asked, "funding ledger", lane=Lane.SETTLE)
        return any(
            whole(row, "createdAt") >= since
            and text(row, "currency") == action.currency
            and text(row, "direction") == "out"
            and abs(number(row, "amount")) == action.amount
            for row in found
        )
