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
from bot.exchanges.bitget.answers import MIX, listed, page, single
from bot.exchanges.bitget.ledger import ADDED, PAGE, REMOVED
from bot.exchanges.bitget.stops import Stops
from bot.exchanges.bitget.write import ACCOUNTS
from bot.exchanges.client import Client
from bot.exchanges.faults import NoSuchOrderError
from bot.exchanges.numbers import amount, number, text, whole
from bot.exchanges.past import settled, since_ms
from bot.exchanges.quota import Lane

OVER = frozenset({"filled", "canceled"})
"""States in which an order fills no more."""
ARRIVED, FAILED = "Successful", "Failed"


class Evidence:
    """Looks for the effects of intents."""

    def __init__(self, client: Client, stops: Stops, ids: Mapping[str, str]) -> None:
        """Take where to look.

        Args:
            client: Of the venue.
            stops: Of the account.
            ids: The venue's names of symbols, as far as they are known when it is asked.
        """
        self._client, self._stops, self._ids = client, stops, ids

    async def settle(self, intent: Intent) -> Settlement:
        """Look for the effect of an intent in the venue's history.

        Whether an absence may be believed is the caller's to judge, by the settle point.

        Raises:
            ExchangeError: The history could not be read completely.
        """
        match intent.action:
            case ReducePosition():
                found = await self.filled(intent)
            case Transfer():
                return await self._settle_transfer(intent, intent.action)
            case PlaceStop():
                found = ONE if await self._stops.is_placed(intent.id) else None
            case CancelStop(stop_id=stop_id):
                found = ONE if await self._stops.is_cancelled(stop_id) else None
            case AddMargin() | RemoveMargin():
                found = await self._moved(intent.action, since_ms(intent))
        return settled(intent, found)

    async def filled(self, intent: Intent) -> Decimal | None:
        """Return what an order filled once it is over; ``None`` where there is none such. [base].

        Raises:
            ExchangeError: It could not be read.
        """
        action = intent.action
        assert isinstance(action, ReducePosition)  # noqa: S101 - nothing else is looked up here
        name = self._ids[action.key.symbol]
        try:
            answer = await self._client.read(
                self._client.api.privateMixGetV2MixOrderDetail,
                {**MIX, "symbol": name, "clientOid": intent.id},
                lane=Lane.SETTLE,
            )
        except NoSuchOrderError:
            return None
        row = single(answer, "order")
        if row.get("clientOid") != intent.id or str(row.get("symbol")).upper() != name:
            raise Incomplete(f"order must be {intent.id}, was another")
        if text(row, "state") not in OVER:
            raise Incomplete(f"order {intent.id} must be over, is {row['state']}")
        filled = amount(row, "baseVolume")
        if filled > action.size:
            raise Incomplete(f"baseVolume must be <= {action.size}, was {filled}")
        return filled

    async def _moved(self, action: AddMargin | RemoveMargin, since: int) -> Decimal | None:
        """Return the amount if a margin move of it is on the bills.

        They do not tell the leg; a move is told apart by the digits of its amount.
        """
        kind = ADDED if isinstance(action, AddMargin) else REMOVED
        for row in await self._bills(kind, since):
            is_same = text(row, "symbol").upper() == self._ids[action.key.symbol]
            if is_same and abs(number(row, "amount")) == action.amount:
                return action.amount
        return None

    async def _settle_transfer(self, intent: Intent, action: Transfer) -> Settlement:
        answer = await self._client.read(
            self._client.api.privateSpotGetV2SpotAccountTransferRecords,
            {"coin": action.currency, "clientOid": intent.id},
            lane=Lane.SETTLE,
        )
        rows = listed(answer, "transfers")
        if not rows:
            return settled(intent, None)
        row = rows[0]
        ends = (row.get("fromType"), row.get("toType"))
        is_ours = (
            row.get("clientOid") == intent.id
            and number(row, "size") == action.amount
            and text(row, "coin").upper() == action.currency
            and ends == (ACCOUNTS[action.source], ACCOUNTS[action.destination])
        )
        if len(rows) > 1 or not is_ours:
            raise Incomplete(f"transfer must be {intent.id} of {action.amount}, was another")
        status = text(row, "status")
        return Settlement(
            intent_id=intent.id,
            applied={ARRIVED: action.amount, FAILED: Decimal(0)}.get(status),
            text=f"transfer {row.get('transferId')} is {status}",
        )

    async def _bills(self, kind: str, since: int) -> list[dict[str, Any]]:
        answer = await self._client.read(
            self._client.api.privateMixGetV2MixAccountBill,
            {**MIX, "businessType": kind, "startTime": str(since), "limit": str(PAGE)},
            lane=Lane.SETTLE,
        )
        found, _ = page(answer, "bills", "bills")
        if len(found) >= PAGE:
            raise Incomplete("bills must fit one page to prove anything, did not")
        if any(text(row, "businessType") != kind for row in found):
            raise Incomplete(f"bills must be of {kind}, were of others too")
        return [row for row in found if whole(row, "cTime") >= since]
