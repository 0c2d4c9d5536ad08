"""What does the venue's history say of a write?"""

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
from bot.exchanges.client import Client
from bot.exchanges.faults import NoSuchOrderError
from bot.exchanges.numbers import amount, number, text, whole
from bot.exchanges.okx.answers import listed, single
from bot.exchanges.okx.ledger import ADDED, MARGIN, PAGE, REMOVED, TRANSFER
from bot.exchanges.okx.stops import Stops
from bot.exchanges.okx.write import ACCOUNTS
from bot.exchanges.past import settled, since_ms
from bot.exchanges.quota import Lane

OVER = frozenset({"filled", "canceled", "mmp_canceled"})
"""States in which an order fills no more."""
ARRIVED, FAILED = "success", "failed"


class Evidence:
    """Looks for the effects of intents."""

    def __init__(
        self,
        client: Client,
        stops: Stops,
        ids: Mapping[str, str],
        coins: Mapping[str, Decimal],
    ) -> None:
        """Take where to look.

        Args:
            client: Of the venue.
            stops: Of the account.
            ids: The venue's names of symbols, as far as they are known when it is asked.
            coins: In a contract, by symbol. [base or quote]
        """
        self._client, self._stops, self._ids, self._coins = client, stops, ids, coins

    async def settle(self, intent: Intent) -> Settlement:
        """Look for the effect of an intent in the venue's history.

        Whether an absence may be believed is the caller's to judge, by the settle point.

        Raises:
            ExchangeError: The history could not be read completely.
        """
        since = since_ms(intent)
        match intent.action:
            case ReducePosition():
                found = await self.filled(intent)
            case Transfer():
                return await self._settle_transfer(intent, intent.action, since)
            case PlaceStop():
                found = ONE if await self._stops.is_placed(intent.id) else None
            case CancelStop(stop_id=stop_id):
                found = ONE if await self._stops.is_cancelled(stop_id) else None
            case AddMargin() | RemoveMargin():
                found = await self._moved(intent.action, since)
        return settled(intent, found)

    async def filled(self, intent: Intent) -> Decimal | None:
        """Return what an order filled once it is over; ``None`` for none such. [base or quote].

        Raises:
            ExchangeError: It could not be read.
        """
        action = intent.action
        assert isinstance(action, ReducePosition)  # noqa: S101 - nothing else is looked up here
        symbol = action.key.symbol
        try:
            answer = await self._client.read(
                self._client.api.privateGetTradeOrder,
                {"instId": self._ids[symbol], "clOrdId": intent.id},
                lane=Lane.SETTLE,
            )
        except NoSuchOrderError:
            return None
        row = single(answer, "order")
        if row.get("clOrdId") != intent.id or row.get("instId") != self._ids[symbol]:
            raise Incomplete(f"order must be {intent.id}, was another")
        if text(row, "state") not in OVER:
            raise Incomplete(f"order {intent.id} must be over, is {row['state']}")
        filled = amount(row, "accFillSz") * self._coins[symbol]
        if filled > action.size:
            raise Incomplete(f"accFillSz must be <= {action.size} coins, was {filled}")
        return filled

    async def _moved(self, action: AddMargin | RemoveMargin, since: int) -> Decimal | None:
        """Return the amount if a margin move of it is on the bills.

        They do not tell the leg; a move is told apart by the digits of its amount.
        """
        kind = ADDED if isinstance(action, AddMargin) else REMOVED
        for row in await self._bills(MARGIN, kind, since):
            if row.get("instId") != self._ids[action.key.symbol]:
                continue
            changes = {abs(number(row, key)) for key in ("balChg", "posBalChg")}
            if action.amount in changes and whole(row, "ts") >= since:
                return action.amount
        return None

    async def _settle_transfer(self, intent: Intent, action: Transfer, since: int) -> Settlement:
        answer = await self._client.read(
            self._client.api.privateGetAssetTransferState,
            {"type": "0", "clientId": intent.id},
            lane=Lane.SETTLE,
        )
        for row in listed(answer, "state of a transfer"):
            if row.get("clientId") != intent.id or number(row, "amt") != action.amount:
                raise Incomplete(f"transfer must be {intent.id} of {action.amount}, was another")
            state = text(row, "state")
            return Settlement(
                intent_id=intent.id,
                applied={ARRIVED: action.amount, FAILED: Decimal(0)}.get(state),
                text=f"transfer {row.get('transId')} is {state}",
            )
        # A name that the venue does not know any more proves less than its own bills.
        comes = action.destination == "futures"
        for row in await self._bills(TRANSFER, "11" if comes else "12", since):
            is_same = (row.get("from"), row.get("to"), row.get("ccy")) == (
                ACCOUNTS[action.source], ACCOUNTS[action.destination], action.currency
            )  # fmt: skip
            if is_same and abs(number(row, "balChg")) == action.amount:
                return settled(intent, action.amount)
        return settled(intent, None)

    async def _bills(self, kind: str, sub: str, since: int) -> list[dict[str, Any]]:
        answer = await self._client.read(
            self._client.api.privateGetAccountBills,
            {"type": kind, "subType": sub, "begin": str(since), "limit": str(PAGE)},
            lane=Lane.SETTLE,
        )
        found = listed(answer, "bills")
        if len(found) >= PAGE:
            raise Incomplete("bills must fit one page to prove anything, did not")
        if any((text(row, "type"), text(row, "subType")) != (kind, sub) for row in found):
            raise Incomplete(f"bills must be of type {kind} and {sub}, were of others too")
        return [row for row in found if whole(row, "ts") >= since]
