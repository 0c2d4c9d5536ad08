"""How are orders placed and read?"""

from typing import Any

from bot.paper.bitget.codes import WireError, wrong
from bot.paper.bitget.listing import COIN, PRODUCT, contract_of, product
from bot.paper.bitget.request import Request
from bot.paper.bitget.room import Room
from bot.paper.bitget.shape import margin_mode, order
from bot.paper.values import ZERO, Ask, Contract, Order

FORCES = {"gtc": "GTC", "ioc": "IOC", "fok": "FOK"}
LEGS = {"buy": "LONG", "sell": "SHORT"}
"""With legs a side names one, whether it is opened or closed."""
BACK = {"buy": "SELL", "sell": "BUY"}
PAGE = 100


def place(room: Room, request: Request) -> dict[str, Any]:
    """POST /api/v2/mix/order/place-order: accepted; what was filled is asked for apart."""
    contract = contract_of(room.engine.contracts, request)
    if request.text("marginCoin") != COIN:
        raise wrong("marginCoin")
    isolated = room.engine.isolated[contract.id]
    if request.choice("marginMode", ("isolated", "crossed")) != margin_mode(isolated=isolated):
        raise WireError(
            45117, "Currently holding positions or orders, the margin mode cannot be adjusted"
        )
    kind = request.choice("orderType", ("limit", "market"))
    force = request.choice("force", tuple(FORCES), "gtc")
    ask = Ask(
        symbol=contract.id,
        type=kind.upper(),
        size=request.decimal("size"),
        price=ZERO if kind == "market" else request.decimal("price"),
        time_in_force="IOC" if kind == "market" else FORCES[force],
        client_id=request.name("clientOid"),
        **_direction(room, request),
    )
    _check_closing(room, contract, ask)
    found = room.engine.place(ask)
    return {"orderId": str(found.id), "clientOid": found.client_id}


def read(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v2/mix/order/detail."""
    contract = contract_of(room.engine.contracts, request)
    found = _find(room, request)
    if found.ask.conditional or found.ask.symbol != contract.id:
        raise WireError(40109, "The data of the order cannot be found")
    return order(room.engine, found)


def pending(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v2/mix/order/orders-pending: newest first."""
    limit, older = request.whole("limit", str(PAGE)), request.whole("idLessThan", str(2**62))
    if not 1 <= limit <= PAGE:
        raise wrong("limit")
    listed = room.engine.open_orders() if product(request) == PRODUCT else []
    rows = [
        order(room.engine, found)
        for found in reversed(listed)
        if not found.ask.conditional and found.id < older
    ][:limit]
    return {"entrustedList": rows or None, "endId": rows[-1]["orderId"] if rows else None}


def _direction(room: Room, request: Request) -> dict[str, Any]:
    """Return side, leg and flag of an order as the exchange takes them.

    Raises:
        WireError: It is of another position mode than the account's.
    """
    side, does = request.choice("side", tuple(LEGS)), request.text("tradeSide", "").lower()
    flag = request.choice("reduceOnly", ("yes", "no"), "no") == "yes"
    if not room.engine.hedge_mode:
        if does:
            raise WireError(
                40774,
                "The order type for unilateral position must also be the unilateral position type.",
            )
        return {"side": side.upper(), "position_side": "BOTH", "reduce_only": flag}
    if does not in ("open", "close"):
        raise WireError(
            40774,
            "The order type for unilateral position must also be the unilateral position type.",
        )
    closes = does == "close"
    return {"side": BACK[side] if closes else side.upper(), "position_side": LEGS[side]}


def _check_closing(room: Room, contract: Contract, ask: Ask) -> None:
    """Accept an order that closes no more than there is.

    Raises:
        WireError: It would.
    """
    closes = ask.reduce_only or (ask.position_side, ask.side) in (
        ("LONG", "SELL"),
        ("SHORT", "BUY"),
    )
    holding = room.engine.holdings.get((contract.id, ask.position_side))
    if not closes or holding is None or ask.size > contract.maximum:
        return  # what no order may be has another code
    if (holding.amount > 0) == (ask.side == "SELL") and ask.size > abs(holding.amount):
        raise WireError(40757, "Not enough position is available.")


def _find(room: Room, request: Request) -> Order:
    if request.optional("orderId") is not None:
        return room.engine.order(order_id=request.whole("orderId"))
    return room.engine.order(client_id=request.text("clientOid"))
