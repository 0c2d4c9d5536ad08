"""How are orders placed, read and cancelled?"""

from decimal import Decimal
from typing import Any

from bot.paper.bybit.codes import WireError
from bot.paper.bybit.listing import KINDS, asked, name
from bot.paper.bybit.request import Request
from bot.paper.bybit.shape import LEGS, ORDER_ID, order, order_id
from bot.paper.engine import Engine
from bot.paper.values import Ask, Contract, Order, Reason, Refused

LONGEST_NAME = 36
RISES, FALLS = 1, 2
ZERO = Decimal(0)


def place(engine: Engine, request: Request) -> Any:
    """POST /v5/order/create: it is taken or refused; what becomes of it is read elsewhere."""
    found = engine.place(_ask(engine, request))
    return {"orderId": order_id(found.id), "orderLinkId": request.optional("orderLinkId") or ""}


def cancel(engine: Engine, request: Request) -> Any:
    """POST /v5/order/cancel."""
    asked(engine, request)
    found = _find(engine, request)
    if found is None or not found.is_open:
        raise WireError(110001, "order not exists or too late to cancel")
    engine.cancel(found)
    return {"orderId": order_id(found.id), "orderLinkId": found.client_id}


def realtime(engine: Engine, request: Request) -> Any:
    """GET /v5/order/realtime: what is open, or an order by an id, whatever became of it."""
    has_where = request.optional("symbol") or request.optional("settleCoin")
    if request.text("category") == "linear" and not has_where:
        raise WireError(
            10001, "Missing some parameters that must be filled in, symbol or settleCoin"
        )
    found = [o for o in engine.orders.values() if _named(request) or o.is_open]
    return _list(engine, request, found)


def history(engine: Engine, request: Request) -> Any:
    """GET /v5/order/history: what is closed, once it is shown."""
    closed = [o for o in engine.orders.values() if not o.is_open and engine.is_shown(o.updated_ms)]
    return _list(engine, request, closed)


def _list(engine: Engine, request: Request, orders: list[Order]) -> Any:
    category = request.choice("category", ("linear", "inverse", "option", "spot"))
    symbol, settle = request.optional("symbol"), request.optional("settleCoin")
    if _named(request):
        found = _find(engine, request)
        orders = [o for o in orders if o is found]
    which = request.choice("orderFilter", ("Order", "StopOrder", "All"), "All")
    rows = [
        order(engine, o)
        for o in reversed(orders)
        if _is_of(engine.contracts[o.ask.symbol], category, symbol, settle)
        and (which == "All" or o.ask.conditional == (which == "StopOrder"))
    ]
    page, cursor = request.page(rows, usual=20, most=50)
    return {"category": category, "list": page, "nextPageCursor": cursor}


def _is_of(contract: Contract, category: str, symbol: str | None, settle: str | None) -> bool:
    """Whether a contract is one of those that are asked for; a symbol goes before a coin."""
    if contract.kind is not KINDS.get(category):
        return False
    return settle in (None, contract.asset) if symbol is None else symbol == name(contract)


def _named(request: Request) -> bool:
    return bool(request.optional("orderId") or request.optional("orderLinkId"))


def _find(engine: Engine, request: Request) -> Order | None:
    wanted, link = request.optional("orderId"), request.optional("orderLinkId")
    if wanted is None and link is None:
        raise WireError(10001, "params error: orderId or orderLinkId is needed")
    for found in engine.orders.values():
        if wanted is not None:
            if ORDER_ID.format(found.id, found.id) == wanted:
                return found
        elif found.ask.client_id == link:
            return found
    return None


def _ask(engine: Engine, request: Request) -> Ask:
    contract = asked(engine, request)
    kind = request.choice("orderType", ("Market", "Limit"))
    side = request.choice("side", ("Buy", "Sell")).upper()
    link = request.optional("orderLinkId") or ""
    if len(link) > LONGEST_NAME:
        raise WireError(10001, "params error: orderLinkId invalid")
    leg, reduces = _leg(engine, request, side), request.flag("reduceOnly")
    stop, is_conditional = ZERO, request.optional("triggerPrice") is not None
    if is_conditional:
        stop = request.decimal("triggerPrice")
        _check_trigger(engine, request, contract.id, side, stop)
        if kind != "Market":
            raise WireError(10001, "params error: this exchange triggers market orders only")
    size = request.decimal("qty")
    closes_all = not size and is_conditional and reduces and request.flag("closeOnTrigger")
    return Ask(
        symbol=contract.id,
        side=side,
        type="STOP_MARKET" if is_conditional else kind.upper(),
        size=size,
        position_side=leg,
        price=request.decimal("price") if kind == "Limit" else ZERO,
        stop=stop,
        time_in_force=request.choice("timeInForce", ("GTC", "IOC", "FOK"), "GTC"),
        reduce_only=reduces and leg == "BOTH",
        close_position=closes_all,
        on_mark=request.choice("triggerBy", ("LastPrice", "IndexPrice", "MarkPrice"), "LastPrice")
        == "MarkPrice",
        client_id=link,
        conditional=is_conditional,
    )


def _leg(engine: Engine, request: Request, side: str) -> str:
    leg = LEGS.get(request.whole("positionIdx", 0))
    if leg is None or (leg != "BOTH") != engine.hedge_mode:
        raise Refused(Reason.POSITION_SIDE, "position idx not match position mode")
    grows = (leg, side) in (("LONG", "BUY"), ("SHORT", "SELL"))
    if grows and request.flag("reduceOnly"):
        raise WireError(110017, "current position is zero, cannot fix reduce-only order qty")
    return leg


def _check_trigger(engine: Engine, request: Request, symbol: str, side: str, stop: Decimal) -> None:
    direction, quote = request.whole("triggerDirection"), engine.quotes[symbol]
    now = quote.mark if request.optional("triggerBy") == "MarkPrice" else quote.last
    if direction == RISES and stop <= now:
        raise WireError(110092, f"expect Rising, but trigger_price[{stop}] <= current[{now}]")
    if direction == FALLS and stop >= now:
        raise WireError(110093, f"expect Falling, but trigger_price[{stop}] >= current[{now}]")
    if direction != (FALLS if side == "SELL" else RISES):
        raise WireError(10001, "params error: this exchange has stops, no take-profits")
