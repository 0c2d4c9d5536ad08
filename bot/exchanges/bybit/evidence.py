"""What does the venue say of a write that was sent before?"""

from decimal import Decimal

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
from bot.exchanges.bybit.answers import Reader, listed
from bot.exchanges.bybit.orders import ENDED, Orders
from bot.exchanges.bybit.stops import Stops
from bot.exchanges.bybit.write import ACCOUNTS, transfer_id
from bot.exchanges.margins import Margins
from bot.exchanges.numbers import amount, number
from bot.exchanges.quota import Lane

NOTHING = Decimal(0)
OWN = "selfTransfer_"
"""The list of transfers writes it before the id that a client gave."""


class Evidence:
    """Looks for the effects of intents."""

    def __init__(self, reader: Reader, orders: Orders, stops: Stops, margins: Margins) -> None:
        self._reader, self._orders = reader, orders
        self._stops, self._margins = stops, margins

    async def settle(self, intent: Intent) -> Settlement:
        """Look for the effect of an intent.

        Whether an absence may be believed is the caller's to judge, by the settle point.

        Raises:
            ExchangeError: What would show it could not be read completely.
        """
        match intent.action:
            case Transfer():
                return await self._transfer(intent, intent.action)
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

    async def _order(self, intent: Intent, action: ReducePosition) -> Decimal | None:
        row = await self._orders.ever(action.key.symbol, "orderLinkId", intent.id)
        return NOTHING if row is None else filled(row, action)

    async def _transfer(self, intent: Intent, action: Transfer) -> Settlement:
        name = transfer_id(intent.id)
        found = await self._reader.one(
            self._reader.api.privateGetV5AssetTransferQueryInterTransferList,
            {"transferId": name},
            "transfers",
            lane=Lane.SETTLE,
        )
        rows = listed(found, "transfers")
        if not rows:
            return Settlement(
                intent_id=intent.id, applied=NOTHING, text="the list of transfers has none such"
            )
        row = rows[0]
        ends = (row.get("fromAccountType"), row.get("toAccountType"))
        is_ours = (
            str(row.get("transferId")).removeprefix(OWN) == name
            and number(row, "amount") == action.amount
            and row.get("coin") == action.currency
            and ends == (ACCOUNTS[action.source], ACCOUNTS[action.destination])
        )
        if len(rows) > 1 or not is_ours:
            raise Incomplete(f"transfer must be {name} of {action.amount}, was another")
        status = row.get("status")
        return Settlement(
            intent_id=intent.id,
            applied={"SUCCESS": action.amount, "FAILED": NOTHING}.get(str(status)),
            text=f"transfer {name} is {status}",
        )


def filled(row: dict[str, object], action: ReducePosition) -> Decimal | None:
    """Return what an order has filled; ``None`` while it may still fill. [base or quote].

    Raises:
        Incomplete: It is more than was asked for, or no number.
    """
    if row.get("orderStatus") not in ENDED:
        return None
    found = amount(row, "cumExecQty")
    if found > action.size:
        raise Incomplete(f"cumExecQty must be <= {action.size}, was {found}")
    return found
