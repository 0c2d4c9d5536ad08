"""How are orders placed, read and cancelled?"""

from typing import Any

from bot.paper.kucoin.codes import NOT_OPEN, WireError, wrong
from bot.paper.kucoin.listing import face, named
from bot.paper.kucoin.request import Request
from bot.paper.kucoin.room import Room
from bot.paper.kucoin.shape import LEGS, order, page
from bot.paper.values import ZERO, Ask, Contract, Order, Reason, Refused

PAGE = 50
MOST = 1000
SIDES = {"up": "BUY", "down": "SELL"}
"""Of the stops that this exchange takes: those that end a loss."""
MISMATCHED = {
    True: (330012, "Your order is in One-Way Mode, while your account is set to Hedge Mode."),
    False: (330011, "Your order is in Hedge Mode, while your account is set to One-Way Mode."),
}
"""By whether the account is in hedge mode."""


def place(room: Room, request: Request) -> dict[str, Any]:
    """POST /api/v1/orders: accepted or not; what was filled is asked for apart."""
    name = request.name("clientOid")
    contract = named(room.contracts(), request.text("symbol"))
    stop = request.choice("stop", ("up", "down", ""), "")
    found = room.engine.place(
        _stop(room, request, contract, name) if stop else _order(room, request, contract, name)
    )
    return {"orderId": str(found.id), "clientOid": name}


def read(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/orders/{orderId}."""
    return _shown(room, room.engine.order(order_id=_number(request)))


def read_by_name(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/orders/byClientOid."""
    return _shown(room, room.engine.order(client_id=request.text("clientOid")))


def cancel(room: Room, request: Request) -> dict[str, Any]:
    """DELETE /api/v1/orders/{orderId}: of whatever kind."""
    try:
        found = room.engine.order(order_id=_number(request))
        room.engine.cancel(found)
    except Refused as refused:
        message = "The order cannot be canceled."
        raise WireError(NOT_OPEN, message) from refused
    return {"cancelledOrderIds": [str(found.id)]}


def stops(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v1/stopOrders: those that have not fired, newest first."""
    engine, wanted = room.engine, request.optional("symbol")
    number, size = request.whole("currentPage", "1"), request.whole("pageSize", str(PAGE))
    if number < 1 or not 1 <= size <= MOST:
        raise wrong("pageSize")
    # What this list knows is as old as the rest of the history.
    rows = [
        order(engine.contracts[o.ask.symbol], o) | {"status": "open", "isActive": True}
        for o in reversed(engine.orders.values())
        if o.ask.conditional
        and engine.is_shown(o.at_ms)
        and (o.is_open or not engine.is_shown(o.updated_ms))
    ]
    return page([row for row in rows if wanted in (None, row["symbol"])], number, size)


def _order(room: Room, request: Request, contract: Contract, name: str) -> Ask:
    kind = request.choice("type", ("limit", "market"), "limit")
    is_limit = kind == "limit"
    return Ask(
        **_common(room, request, contract),
        type="LIMIT" if is_limit else "MARKET",
        size=request.whole("size") * face(contract),
        price=request.decimal("price") if is_limit else ZERO,
        time_in_force=request.choice("timeInForce", ("GTC", "IOC"), "GTC") if is_limit else "IOC",
        client_id=name,
    )


def _stop(room: Room, request: Request, contract: Contract, name: str) -> Ask:
    request.choice("type", ("market",), "limit")
    common, closes = _common(room, request, contract), request.is_true("closeOrder")
    if common["side"] != SIDES[request.text("stop")]:
        raise wrong("stop")
    return Ask(
        **common,
        type="STOP_MARKET",
        size=ZERO if closes else request.whole("size") * face(contract),
        stop=request.decimal("stopPrice"),
        close_position=closes,
        on_mark=request.choice("stopPriceType", ("TP", "MP", "IP")) == "MP",
        client_id=name,
        conditional=True,
    )


def _common(room: Room, request: Request, contract: Contract) -> dict[str, Any]:
    """Return what orders of both kinds say, as the exchange takes it."""
    hedge, leg = room.engine.hedge_mode, request.choice("positionSide", LEGS, "BOTH")
    if (leg != "BOTH") != hedge:
        code, message = MISMATCHED[hedge]
        raise WireError(code, message)
    mode = "ISOLATED" if room.engine.isolated[contract.id] else "CROSS"
    if request.choice("marginMode", ("ISOLATED", "CROSS"), "ISOLATED") != mode:
        raise WireError(330005, "The order's margin mode does not match the selected one.")
    side = request.choice("side", ("buy", "sell")).upper()
    reduces = request.is_true("reduceOnly") or request.is_true("closeOrder")
    if hedge and reduces and (leg, side) not in (("LONG", "SELL"), ("SHORT", "BUY")):
        raise WireError(300009, "No open positions to close.")
    return {
        "symbol": contract.id,
        "side": side,
        "position_side": leg,
        # With legs the exchange knows by the side what closes.
        "reduce_only": reduces and not hedge,
    }


def _number(request: Request) -> int:
    if not (request.rest.isascii() and request.rest.isdigit() and len(request.rest) < PAGE):
        raise Refused(Reason.UNKNOWN_ORDER, "error.getOrder.orderNotExist")
    return int(request.rest)


def _shown(room: Room, found: Order) -> dict[str, Any]:
    if found.ask.conditional and not room.engine.is_shown(found.at_ms):
        raise Refused(Reason.UNKNOWN_ORDER, "error.getOrder.orderNotExist")
    return order(room.engine.contracts[found.ask.symbol], found)
