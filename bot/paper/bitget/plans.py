"""How are stops of a position placed, listed and taken back?

They have endpoints of their own, which know no other orders and are known to no others.
"""

from collections.abc import Callable, Iterable
from typing import Any

from bot.paper.bitget.codes import WireError, wrong
from bot.paper.bitget.listing import COIN, PRODUCT, contract_of, product
from bot.paper.bitget.request import Request
from bot.paper.bitget.room import Room
from bot.paper.bitget.shape import plan
from bot.paper.values import ZERO, Ask, Contract, Holding, Order, Reason, Refused

PAGE = 100
KINDS = ("loss_plan", "pos_loss")
"""What this exchange has of them."""
LISTS = ("profit_loss", "normal_plan", "track_plan")
LEGS = {"long": "LONG", "short": "SHORT"}
ONE_WAY = {"buy": "LONG", "sell": "SHORT"}
"""Without legs a position is named by the side that opened it."""


def place(room: Room, request: Request) -> dict[str, Any]:
    """POST /api/v2/mix/order/place-tpsl-order: a stop loss at market."""
    contract = contract_of(room.engine.contracts, request)
    if request.text("marginCoin") != COIN:
        raise wrong("marginCoin")
    kind = request.choice("planType", KINDS)
    if request.decimal("executePrice", "0") != 0:
        raise wrong("executePrice")
    hedge = room.engine.hedge_mode
    words = LEGS if hedge else ONE_WAY
    leg = words[request.choice("holdSide", tuple(words))]
    holding = room.engine.holdings.get((contract.id, leg if hedge else "BOTH"))
    if holding is None or (holding.amount > 0) != (leg == "LONG"):
        raise WireError(40891, "Insufficient position, can not set take profit or stop loss")
    ask = _ask(request, contract, holding, kind)
    if ask.size > abs(holding.amount):
        raise WireError(43023, "Insufficient position, can not set profit or stop loss")
    try:
        found = room.engine.place(ask)
    except Refused as refused:
        if refused.reason is Reason.WOULD_TRIGGER and leg == "SHORT":
            raise WireError(
                45122, "Short position stop loss price please > mark price"
            ) from refused
        raise
    return {"orderId": str(found.id), "clientOid": found.client_id}


def pending(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v2/mix/order/orders-plan-pending: newest first."""
    shown = room.engine.is_shown
    # What this list knows is as old as the rest of the history.
    return _listed(
        room,
        request,
        lambda o: shown(o.at_ms) and (o.is_open or not shown(o.updated_ms)),
        state="live",
    )


def history(room: Room, request: Request) -> dict[str, Any]:
    """GET /api/v2/mix/order/orders-plan-history: newest first."""
    return _listed(room, request, lambda o: not o.is_open and room.engine.is_shown(o.updated_ms))


def cancel(room: Room, request: Request) -> dict[str, Any]:
    """POST /api/v2/mix/order/cancel-plan-order.

    One whose kind is not the one that is named is neither among what was taken back nor among what
    was not.
    """
    contract = contract_of(room.engine.contracts, request)
    kind = request.text("planType", "normal_plan").lower()
    given = request.parameters.get("orderIdList")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise wrong("orderIdList")
    gone, stays = [], []
    for one in (Request(parameters=words, now_ms=request.now_ms) for words in given):
        said = {"orderId": one.text("orderId", ""), "clientOid": one.text("clientOid", "")}
        found = _find(room, one)
        if found is None or found.ask.symbol != contract.id or not found.is_open:
            stays.append({**said, "errorMsg": "notExistend"})
        elif plan(room.engine, found)["planType"] == kind:
            room.engine.cancel(found)
            gone.append({"orderId": str(found.id), "clientOid": found.client_id})
    return {"successList": gone, "failureList": stays}


def _ask(request: Request, contract: Contract, holding: Holding, kind: str) -> Ask:
    is_long = holding.amount > 0
    return Ask(
        symbol=contract.id,
        side="SELL" if is_long else "BUY",
        type="STOP_MARKET",
        size=ZERO if kind == "pos_loss" else request.decimal("size"),
        position_side=holding.side,
        stop=request.decimal("triggerPrice"),
        reduce_only=holding.side == "BOTH",
        close_position=kind == "pos_loss",
        on_mark=request.choice("triggerType", ("fill_price", "mark_price"), "fill_price")
        == "mark_price",
        client_id=request.name("clientOid"),
        conditional=True,
    )


def _listed(
    room: Room, request: Request, is_in: Callable[[Order], bool], *, state: str = ""
) -> dict[str, Any]:
    kind = request.choice("planType", LISTS)
    limit, older = request.whole("limit", str(PAGE)), request.whole("idLessThan", str(2**62))
    if not 1 <= limit <= PAGE:
        raise wrong("limit")
    is_here = product(request) == PRODUCT and kind == "profit_loss"
    wanted = {
        key: value
        for key in ("orderId", "clientOid", "symbol")
        if (value := request.optional(key)) is not None
    }
    rows = [
        plan(room.engine, found) | ({"planStatus": state} if state else {})
        for found in (_newest(room) if is_here else ())
        if found.id < older and is_in(found)
    ]
    rows = [row for row in rows if all(row[key] == value for key, value in wanted.items())][:limit]
    return {"entrustedList": rows or None, "endId": rows[-1]["orderId"] if rows else None}


def _newest(room: Room) -> Iterable[Order]:
    return (o for o in reversed(room.engine.orders.values()) if o.ask.conditional)


def _find(room: Room, request: Request) -> Order | None:
    try:
        if request.optional("orderId") is not None:
            found = room.engine.order(order_id=request.whole("orderId"))
        else:
            found = room.engine.order(client_id=request.text("clientOid"))
    except Refused:
        return None
    return found if found.ask.conditional else None
