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
from bot.exchanges.hyperliquid.ledger import Statement
from bot.exchanges.hyperliquid.names import cloid_of
from bot.exchanges.hyperliquid.orders import Orders
from bot.exchanges.hyperliquid.stops import Stops
from bot.exchanges.margins import Margins
from bot.exchanges.numbers import positive
from bot.exchanges.past import since_ms
from bot.exchanges.quota import Lane

NOTHING = Decimal(0)


class Evidence:
    """Looks for the effects of intents."""

    def __init__(
        self, statement: Statement, orders: Orders, stops: Stops, margins: Margins
    ) -> None:
        self._statement, self._orders = statement, orders
        self._stops, self._margins = stops, margins

    async def settle(self, intent: Intent) -> Settlement:
        """Look for the effect of an intent.

        Whether an absence may be believed is the caller's to judge, by the settle point.

        Raises:
            ExchangeError: What would show it could not be read completely.
        """
        found: Decimal | None
        match intent.action:
            case Transfer():
                found, where = NOTHING, "no bot moves money between wallets here: its journal"
            case AddMargin() | RemoveMargin():
                found = await self._margins.found(intent)
                where = "the margin of its position"
            case ReducePosition():
                found, where = await self.filled(intent), "the list of fills"
            case PlaceStop():
                is_there = await self._stops.is_placed(intent.id)
                found, where = ONE if is_there else NOTHING, "the list of orders"
            case CancelStop(stop_id=stop_id):
                is_gone = await self._stops.is_cancelled(stop_id)
                found, where = ONE if is_gone else NOTHING, "the list of orders"
        told = {None: "proves nothing yet", NOTHING: "shows nothing of it"}.get(found, "shows it")
        return Settlement(intent_id=intent.id, applied=found, text=f"{where} {told}")

    async def filled(self, intent: Intent) -> Decimal:
        """Return what an order filled, once order and fills say the same. [base].

        Raises:
            ExchangeError: They could not be read, or do not agree.
        """
        action = intent.action
        assert isinstance(action, ReducePosition)  # noqa: S101 - nothing else is looked up here
        order = await self._orders.ever(cloid_of(intent.id))
        if order is None or order.is_rejected:
            return NOTHING
        if not order.is_over:
            raise Incomplete(f"order {intent.id} must be over, is {order.status}")
        rows = await self._statement.fills(since_ms(intent), None, lane=Lane.SETTLE)
        found = sum(
            (positive(row, "sz") for row in rows if row.get("oid") == order.number), NOTHING
        )
        if found != order.size - order.left or found > action.size:
            raise Incomplete(
                f"fills of {intent.id} must be {order.size - order.left}, were {found}"
            )
        return found
