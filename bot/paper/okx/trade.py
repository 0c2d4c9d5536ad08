"""How are orders placed, read and cancelled?"""

from typing import Any

from bot.paper.okx.codes import ItemError, WireError, in_item, wrong
from bot.paper.okx.listing import face, named
from bot.paper.okx.request import Request
from bot.paper.okx.room import Room
from bot.paper.okx.shape import LEGS, algo_order, order
from bot.paper.values import ZERO, Ask, Contract, Order, Reason, Refused

KINDS = {"limit": "GTC", "ioc": "IOC", "fok": "FOK", "market": "IOC"}
PAGE = 100
MOST_CANCELLED = 10


def place(room: Room, request: Request) -> list[dict[str, Any]]:
    """POST /api/v5/trade/order: accepted or not; what was filled is asked for apart."""
    contract = named(room.engine.contracts, request.text("instId"))
    kind = request.choice("ordType", tuple(KINDS))
    name = request.name("clOrdId")
    item = {"clOrdId": name, "ordId": "", "tag": "", "ts": str(request.now_ms)}
    ask = Ask(
        **_common(room, request, contract),
        type="MARKET" if kind == "market" else "LIMIT",
        size=request.decimal("sz") * face(contract),
        price=ZERO if kind == "market" else request.decimal("px"),
        time_in_force=KINDS[kind],
        client_id=name,
    )
    try:
        found = room.engine.place(ask)
    except Refused as refused:
        raise in_item(refused, item) from refused
    return [{**item, "ordId": str(found.id), "sCode": "0", "sMsg": "Order placed"}]


def read(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/trade/order."""
    contract = named(room.engine.contracts, request.text("instId"))
    return [order(contract, _find(room, request, "ordId", "clOrdId", conditional=False))]


def place_algo(room: Room, request: Request) -> list[dict[str, Any]]:
    """POST /api/v5/trade/order-algo: a stop loss at market."""
    contract = named(room.engine.contracts, request.text("instId"))
    request.choice("ordType", ("conditional",))
    name = request.name("algoClOrdId")
    request.name("clOrdId")
    item = {"algoClOrdId": name, "algoId": "", "clOrdId": "", "tag": ""}
    if request.text("slOrdPx") != "-1":
        raise wrong("slOrdPx")
    closes = request.choice("closeFraction", ("1", ""), "") == "1"
    common = _common(room, request, contract)
    if closes and not (common["reduce_only"] or room.engine.hedge_mode):
        raise wrong("reduceOnly")
    ask = Ask(
        **common,
        type="STOP_MARKET",
        size=ZERO if closes else request.decimal("sz") * face(contract),
        stop=request.decimal("slTriggerPx"),
        close_position=closes,
        on_mark=request.choice("slTriggerPxType", ("last", "index", "mark"), "last") == "mark",
        client_id=name,
        conditional=True,
    )
    try:
        found = room.engine.place(ask)
    except Refused as refused:
        if refused.reason is Reason.DUPLICATE_ID:
            raise ItemError(51065, "algoClOrdId already exists.", item) from refused
        if refused.reason is Reason.WOULD_TRIGGER and ask.side == "BUY":
            message = "SL trigger price can not be lower than the last price"
            raise ItemError(51278, message, item) from refused
        raise in_item(refused, item) from refused
    return [{**item, "algoId": str(found.id), "sCode": "0", "sMsg": ""}]


def read_algo(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/trade/order-algo."""
    found = _find(room, request, "algoId", "algoClOrdId", conditional=True)
    if not room.engine.is_shown(found.at_ms):
        raise WireError(51603, "Order does not exist")
    return [algo_order(room.engine.contracts[found.ask.symbol], found)]


def pending_algos(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v5/trade/orders-algo-pending: newest first."""
    request.choice("ordType", ("conditional",))
    engine, wanted = room.engine, request.optional("instId")
    limit, older = request.whole("limit", str(PAGE)), request.whole("after", str(2**62))
    if not 1 <= limit <= PAGE:
        raise wrong("limit")
    # What this list knows is as old as the rest of the history.
    rows = [
        algo_order(engine.contracts[o.ask.symbol], o) | {"state": "live"}
        for o in reversed(engine.orders.values())
        if o.ask.conditional
        and o.id < older
        and engine.is_shown(o.at_ms)
        and (o.is_open or not engine.is_shown(o.updated_ms))
    ]
    return [row for row in rows if wanted in (None, row["instId"])][:limit]


def cancel_algos(room: Room, request: Request) -> list[dict[str, Any]]:
    """POST /api/v5/trade/cancel-algos: the body is a list, and so is what became of it."""
    if not 1 <= len(request.items) <= MOST_CANCELLED:
        raise wrong("data")
    if len(request.items) > 1:
        raise wrong("data")  # this exchange takes one at a time
    (one,) = request.items
    named(room.engine.contracts, one.text("instId"))
    item = {"algoClOrdId": "", "algoId": one.text("algoId", ""), "clOrdId": "", "tag": ""}
    try:
        found = _find(room, one, "algoId", "algoClOrdId", conditional=True)
        room.engine.cancel(found)
    except (Refused, WireError) as error:
        message = "Cancellation failed as the order does not exist."
        raise ItemError(51400, message, item) from error
    return [{**item, "algoId": str(found.id), "sCode": "0", "sMsg": ""}]


def _common(room: Room, request: Request, contract: Contract) -> dict[str, Any]:
    """Return what orders of both kinds say, as the exchange takes it."""
    hedge = room.engine.hedge_mode
    word = request.choice("posSide", tuple(LEGS), None if hedge else "net")
    if (word != "net") != hedge:
        raise wrong("posSide")
    if request.choice("tdMode", ("isolated", "cross")) != (
        "isolated" if room.engine.isolated[contract.id] else "cross"
    ):
        item = {"clOrdId": request.text("clOrdId", ""), "ordId": "", "tag": ""}
        message = "Order failed because you don't have any positions in this direction"
        raise ItemError(51169, message, item)
    return {
        "symbol": contract.id,
        "side": request.choice("side", ("buy", "sell")).upper(),
        "position_side": LEGS[word],
        # With legs the flag means nothing: the side tells what closes.
        "reduce_only": request.is_true("reduceOnly") and not hedge,
    }


def _find(room: Room, request: Request, number: str, name: str, *, conditional: bool) -> Order:
    """Return an order by either id; conditional ones are known to their own endpoints only."""
    if request.optional(number) is not None:
        found = room.engine.order(order_id=request.whole(number))
    else:
        found = room.engine.order(client_id=request.text(name))
    if found.ask.conditional != conditional:
        raise WireError(51603, "Order does not exist")
    return found
