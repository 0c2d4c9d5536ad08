"""What does the venue's history say of a write?"""

from collections.abc import Callable, Mapping
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
from bot.domain.position import PositionKey, PositionMode, Side
from bot.errors import Incomplete
from bot.exchanges.amounts import ONE
from bot.exchanges.binance.family import Family
from bot.exchanges.binance.stops import Stops
from bot.exchanges.binance.write import route_of
from bot.exchanges.client import Client
from bot.exchanges.numbers import amount, number, rows, table, whole
from bot.exchanges.past import settled, since_ms
from bot.exchanges.quota import Lane

TRANSFER_PAGE = 100


class Evidence:
    """Looks for the effects of intents."""

    def __init__(
        self,
        client: Client,
        stops: Stops,
        ids: Mapping[str, str],
        *,
        family: Family,
        unit: Callable[[str], Decimal],
        mode: Callable[[], PositionMode],
    ) -> None:
        """Take where to look.

        Args:
            client: Of the venue.
            stops: Of the account.
            ids: The venue's names of symbols, as far as they are known when it is asked.
            family: The host.
            unit: Returns what one of what the wire counts is, of a unified name. [base or quote]
            mode: Returns the position mode, as last read.
        """
        self._client, self._stops, self._ids = client, stops, ids
        self._family, self._unit, self._mode = family, unit, mode

    async def settle(self, intent: Intent) -> Settlement:
        """Look for the effect of an intent in the venue's history.

        Whether an absence may be believed is the caller's to judge, by the settle point.

        Raises:
            ExchangeError: The history could not be read completely.
        """
        since = since_ms(intent)
        match intent.action:
            case ReducePosition():
                found = await self._find_order(intent, since)
            case Transfer():
                return await self._settle_transfer(intent, intent.action, since)
            case PlaceStop(key=key):
                is_there = await self._stops.is_placed(intent.id, self._ids[key.symbol])
                found = ONE if is_there else None
            case CancelStop(key=key, stop_id=stop_id):
                is_gone = await self._stops.is_cancelled(stop_id, self._ids[key.symbol])
                found = ONE if is_gone else None
            case AddMargin() | RemoveMargin():
                found = await self._find_margin_move(intent.action, since)
        return settled(intent, found)

    async def _find_margin_move(
        self, action: AddMargin | RemoveMargin, since: int
    ) -> Decimal | None:
        answer = rows(
            await self._client.read(
                self._family.call(self._client.api, "PrivateGetPositionMarginHistory"),
                {
                    "symbol": self._ids[action.key.symbol],
                    "type": 1 if isinstance(action, AddMargin) else 2,
                    "startTime": since,
                    "limit": self._family.moves,
                },
                lane=Lane.SETTLE,
            ),
            "margin history",
        )
        if len(answer) >= self._family.moves:
            raise Incomplete("margin history must fit one page to prove anything, did not")
        side = _position_side(action.key, self._mode())
        for row in answer:
            is_same = number(row, "amount") == action.amount and row.get("positionSide") == side
            if is_same and whole(row, "time") >= since:
                return action.amount
        return None

    async def _find_order(self, intent: Intent, since: int) -> Decimal | None:
        action = intent.action
        assert isinstance(action, ReducePosition)  # noqa: S101 - nothing else is looked up here
        most = self._family.orders
        orders = rows(
            await self._client.read(
                self._family.call(self._client.api, "PrivateGetAllOrders"),
                {"symbol": self._ids[action.key.symbol], "limit": most},
                lane=Lane.SETTLE,
            ),
            "orders",
        )
        for row in orders:
            if row.get("clientOrderId") == intent.id and row.get("status") != "NEW":
                filled = amount(row, "executedQty") * self._unit(action.key.symbol)
                if filled > action.size:
                    raise Incomplete(f"executedQty must be <= {action.size}, was {filled}")
                return filled
        if len(orders) >= most and min(whole(row, "time") for row in orders) > since:
            raise Incomplete("orders must reach back to the send to prove anything, did not")
        return None

    async def _settle_transfer(self, intent: Intent, action: Transfer, since: int) -> Settlement:
        answer = table(
            await self._client.read(
                self._client.api.sapiGetAssetTransfer,
                {
                    "type": route_of(action, self._family),
                    "startTime": since,
                    "size": TRANSFER_PAGE,
                },
                lane=Lane.SETTLE,
            ),
            "transfer history",
        )
        listed = rows(answer.get("rows", []), "transfers")
        if whole(answer, "total") > len(listed):
            raise Incomplete("transfer history must fit one page to prove anything, did not")
        for row in listed:
            is_same = number(row, "amount") == action.amount and row.get("asset") == action.currency
            if is_same and whole(row, "timestamp") >= since:
                is_there = row.get("status") == "CONFIRMED"
                return Settlement(
                    intent_id=intent.id,
                    applied=action.amount if is_there else None,
                    text=f"transfer {row.get('tranId')} is {row.get('status')}",
                )
        return settled(intent, None)


def _position_side(key: PositionKey, mode: PositionMode) -> str:
    if mode is PositionMode.ONE_WAY:
        return "BOTH"
    return "LONG" if key.side is Side.LONG else "SHORT"
