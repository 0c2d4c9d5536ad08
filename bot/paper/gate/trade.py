"""How are orders placed, read and cancelled?"""

from http import HTTPStatus
from typing import Any

from bot.paper.gate.codes import WireError, wrong
from bot.paper.gate.listing import face, name
from bot.paper.gate.request import Request
from bot.paper.gate.room import Room
from bot.paper.gate.shape import PREFIX, closes, order, price_order, trade
from bot.paper.values import ZERO, Ask, Contract, Order, Reason, Refused

TIFS = {"gtc": "GTC", "ioc": "IOC", "fok": "FOK"}
LONGEST_NAME = 28
"""Signs of a name without its prefix."""
SIGNS = frozenset("_-.")
KEPT_MS = 3_600_000
"""So long after its end an order is found by its name. [ms]"""
PAGE, MOST = 100, 1000
RULES = {"1": "BUY", "2": "SELL"}
"""Side of a stop that fires at or above a price, and at or below."""
ORDER_TYPES = ("close-long-position", "close-short-position", "plan-close-long-position",
               "plan-close-short-position", "")  # fmt: skip


def place(room: Room, request: Request) -> dict[str, Any]:
    """POST /futures/{settle}/orders: the order as it is after it was matched."""
    contract = room.contract(request)
    size = request.whole("size")
    if size == 0:
        raise wrong("size")  # this exchange closes by size only
    price, tif = request.word("price"), TIFS[request.choice("tif", tuple(TIFS), "gtc")]
    if price == "0" and tif == "GTC":
        raise wrong("tif")
    side = "BUY" if size > 0 else "SELL"
    reduces = request.is_true("reduce_only")
    found = room.engine.place(
        Ask(
            symbol=contract.id,
            side=side,
            type="MARKET" if price == "0" else "LIMIT",
            size=abs(size) * face(contract),
            position_side=_leg(room, side, reduces=reduces),
            price=ZERO if price == "0" else request.decimal("price"),
            time_in_force=tif,
            reduce_only=reduces and not room.engine.hedge_mode,
            client_id=_name(request),
        )
    )
    return order(contract, found, hedge=room.engine.hedge_mode)


def read(room: Room, request: Request) -> dict[str, Any]:
    """GET /futures/{settle}/orders/{order_id}: by number, or for a while by name."""
    wanted = request.text("order_id")
    if wanted.startswith(PREFIX):
        found = room.engine.order(client_id=wanted.removeprefix(PREFIX))
        if not found.is_open and room.engine.now_ms - found.updated_ms > KEPT_MS:
            raise _unknown()
    else:
        found = room.engine.order(order_id=_number(wanted))
    if found.ask.conditional:
        raise _unknown()
    return order(_contract(room, found), found, hedge=room.engine.hedge_mode)


def my_trades(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /futures/{settle}/my_trades_timerange: newest first."""
    engine, wanted = room.engine, request.optional("contract")
    since, until = request.whole("from", "0"), request.whole("to", str(2**40))
    rows = [
        trade(engine.contracts[found.symbol], found, engine.orders[found.order_id].client_id)
        for found in reversed(engine.trades)
        if since * 1000 <= found.at_ms < (until + 1) * 1000
        and wanted in (None, name(engine.contracts[found.symbol]))
        and engine.is_shown(found.at_ms)
    ]
    return request.page(rows, usual=PAGE, most=MOST)


def place_triggered(room: Room, request: Request) -> dict[str, Any]:
    """POST /futures/{settle}/price_orders: an order at market once a price is reached."""
    initial, trigger = request.part("initial"), request.part("trigger")
    settle = request.text("settle")
    initial = Request(parameters={"settle": settle, **initial.parameters}, now_ms=request.now_ms)
    contract = room.contract(initial)
    size = initial.whole("size", "0")
    if initial.word("price") != "0" or initial.choice("tif", tuple(TIFS), "gtc") != "ioc":
        raise _bad("initial.price")  # this exchange fires at market only
    trigger.choice("strategy_type", ("0",), "0")
    side = RULES[trigger.choice("rule", tuple(RULES))]
    kind = request.choice("order_type", ORDER_TYPES, "")
    if kind and ("long" in kind) != (side == "SELL"):
        raise _bad("order_type")
    if size and (size > 0) != (side == "BUY"):
        raise _bad("initial.size")
    if not size:
        _check_whole(room, initial, side)
    elif not initial.is_true("reduce_only"):
        raise _bad("initial.reduce_only")  # this exchange opens nothing by a trigger
    ask = Ask(
        symbol=contract.id,
        side=side,
        type="STOP_MARKET",
        size=abs(size) * face(contract),
        position_side=_leg(room, side, reduces=True),
        stop=_stop(trigger),
        reduce_only=not room.engine.hedge_mode,
        close_position=not size,
        on_mark=trigger.choice("price_type", ("0", "1", "2"), "0") == "1",
        client_id=_name(initial),
        conditional=True,
    )
    try:
        found = room.engine.place(ask)
    except Refused as refused:
        if refused.reason is Reason.WOULD_TRIGGER and side == "BUY":
            raise WireError(
                "AUTO_TRIGGER_PRICE_GREATE_LAST",
                "invalid argument: Trigger.Price must > last_price",
            ) from refused
        raise
    return {"id": found.id, "id_string": str(found.id)}


def triggered(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /futures/{settle}/price_orders: newest first."""
    engine, wanted = room.engine, request.optional("contract")
    is_open = request.choice("status", ("open", "finished")) == "open"
    # What this list knows is as old as the rest of the history.
    rows = [
        price_order(_contract(room, found), found, hedge=engine.hedge_mode)
        | ({"status": "open", "finish_as": ""} if is_open else {})
        for found in reversed(engine.orders.values())
        if found.ask.conditional
        and engine.is_shown(found.at_ms)
        and (found.is_open or not engine.is_shown(found.updated_ms)) is is_open
    ]
    rows = [row for row in rows if wanted in (None, row["initial"]["contract"])]
    return request.page(rows, usual=PAGE, most=MOST)


def read_triggered(room: Room, request: Request) -> dict[str, Any]:
    """GET /futures/{settle}/price_orders/{order_id}."""
    found = _conditional(room, request)
    if not room.engine.is_shown(found.at_ms):
        raise _unknown()
    return price_order(_contract(room, found), found, hedge=room.engine.hedge_mode)


def cancel_triggered(room: Room, request: Request) -> dict[str, Any]:
    """DELETE /futures/{settle}/price_orders/{order_id}."""
    found = _conditional(room, request)
    if not found.is_open:
        raise WireError("ORDER_FINISHED", "order already finished")
    room.engine.cancel(found)
    return price_order(_contract(room, found), found, hedge=room.engine.hedge_mode)


def _check_whole(room: Room, initial: Request, side: str) -> None:
    """Accept an order for all of a position if it says so.

    Raises:
        WireError: It does not.
    """
    if room.engine.hedge_mode:
        if initial.text("auto_size", "") != ("close_long" if side == "SELL" else "close_short"):
            raise _bad("initial.auto_size")
    elif not initial.is_true("close"):
        raise _bad("initial.close")


def _leg(room: Room, side: str, *, reduces: bool) -> str:
    """Return what an order is about: with legs the flag tells whether it closes or opens."""
    if not room.engine.hedge_mode:
        return "BOTH"
    leg = "LONG" if side == "BUY" else "SHORT"
    other = "SHORT" if leg == "LONG" else "LONG"
    found = other if reduces else leg
    assert closes(found, side) is reduces  # noqa: S101 - the two say the same
    return found


def _name(request: Request) -> str:
    """Return the name that a client gave, without its prefix; empty for none.

    Raises:
        WireError: It has no prefix, other signs, or too many.
    """
    text = request.text("text", "")
    if text in ("", "api", "web", "app"):
        return ""
    found = text.removeprefix(PREFIX)
    is_plain = found.isascii() and all(sign.isalnum() or sign in SIGNS for sign in found)
    if found == text or not is_plain or not 0 < len(found) <= LONGEST_NAME:
        raise wrong("text")
    return found


def _stop(trigger: Request) -> Any:
    trigger.word("price")
    return trigger.decimal("price")


def _contract(room: Room, found: Order) -> Contract:
    return room.engine.contracts[found.ask.symbol]


def _conditional(room: Room, request: Request) -> Order:
    found = room.engine.order(order_id=_number(request.text("order_id")))
    if not found.ask.conditional:
        raise _unknown()
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NAME):
        raise wrong("order_id")
    return int(text)


def _bad(what: str) -> WireError:
    return WireError("AUTO_INVALID_PARAM", f"invalid argument: {what}")


def _unknown() -> WireError:
    return WireError("ORDER_NOT_FOUND", "Order not found", status=HTTPStatus.NOT_FOUND)
