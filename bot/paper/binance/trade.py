"""How are orders placed, read and cancelled?"""

from decimal import Decimal
from typing import Any

from bot.paper.binance.codes import WireError
from bot.paper.binance.family import contract_of, counted, is_of
from bot.paper.binance.request import Request
from bot.paper.binance.shape import acknowledged, algo_order, order
from bot.paper.digits import fixed, plain
from bot.paper.engine import Engine
from bot.paper.values import Ask, Contract, Kind, Order, Trade

SIDES = ("BUY", "SELL")
POSITION_SIDES = ("BOTH", "LONG", "SHORT")
TIMES = ("GTC", "IOC", "FOK")
LISTED = {Kind.LINEAR: 500, Kind.INVERSE: 100}
"""Orders of the past that one answer has at most."""


def place(engine: Engine, request: Request) -> Any:
    """POST /fapi/v1/order, also of dapi, which takes no conditional ones there."""
    kind = request.choice("type", ("MARKET", "LIMIT", "STOP_MARKET"))
    if kind == "STOP_MARKET" and request.kind is Kind.INVERSE:
        raise WireError(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints "
            "instead.",
        )
    if engine.hedge_mode and request.optional("reduceOnly") is not None:
        raise WireError(-1106, "Parameter 'reduceonly' sent when not required.")
    placed = engine.place(_ask(engine, request, kind, stop="stopPrice", name="newClientOrderId"))
    if request.kind is Kind.INVERSE:
        return acknowledged(placed, _contract(engine, placed))
    return _order(engine, placed)


def place_algo(engine: Engine, request: Request) -> Any:
    """POST /fapi/v1/algoOrder: conditional orders."""
    request.choice("algoType", ("CONDITIONAL",))
    kind = request.choice("type", ("STOP_MARKET",))
    closes = request.is_true("closePosition")
    if request.optional("reduceOnly") is not None and (engine.hedge_mode or closes):
        raise WireError(-1106, "Parameter 'reduceonly' sent when not required.")
    if closes and request.optional("quantity") is not None:
        raise WireError(-4137, "Quantity must be zero with closePosition equals true.")
    ask = _ask(engine, request, kind, stop="triggerPrice", name="clientAlgoId", conditional=True)
    return _algo_order(engine, engine.place(ask))


def read(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/order."""
    return _order(engine, _find(engine, request, "orderId", "origClientOrderId", conditional=False))


def read_algo(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/algoOrder."""
    found = _find(engine, request, "algoId", "clientAlgoId", conditional=True)
    if not engine.is_shown(found.at_ms):
        raise WireError(-2013, "Order does not exist.")
    return _algo_order(engine, found)


def cancel(engine: Engine, request: Request) -> Any:
    """DELETE /fapi/v1/order."""
    found = _find(engine, request, "orderId", "origClientOrderId", conditional=False)
    if not found.is_open:
        raise WireError(-2011, "Unknown order sent.")
    engine.cancel(found)
    return _order(engine, found)


def cancel_algo(engine: Engine, request: Request) -> Any:
    """DELETE /fapi/v1/algoOrder."""
    found = _find(engine, request, "algoId", "clientAlgoId", conditional=True)
    if not found.is_open:
        raise WireError(-2011, "Unknown order sent.")
    engine.cancel(found)
    return {"algoId": found.id, "clientAlgoId": found.client_id, "code": "200", "msg": "success"}


def cancel_all(engine: Engine, request: Request) -> Any:
    """DELETE /fapi/v1/allOpenOrders."""
    symbol = contract_of(engine, request, request.text("symbol")).id
    for found in engine.open_orders(symbol):
        if not found.ask.conditional:
            engine.cancel(found)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def open_orders(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/openOrders."""
    found = engine.open_orders(request.optional("symbol"))
    return [_order(engine, o) for o in found if not o.ask.conditional and is_of(engine, request, o)]


def open_algo_orders(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/openAlgoOrders."""
    symbol = request.optional("symbol")
    # What this list knows is as old as the rest of the history.
    return [
        _algo_order(engine, o) | {"algoStatus": "NEW"}
        for o in engine.orders.values()
        if o.ask.conditional
        and is_of(engine, request, o)
        and (symbol is None or o.ask.symbol == symbol)
        and engine.is_shown(o.at_ms)
        and (o.is_open or not engine.is_shown(o.updated_ms))
    ]


def all_orders(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/allOrders."""
    symbol = contract_of(engine, request, request.text("symbol")).id
    most = LISTED[request.kind]
    if request.kind is Kind.INVERSE and request.whole("limit", "50") > most:
        raise WireError(-1130, "Data sent for parameter 'limit' is not valid.")
    found = [
        _order(engine, o)
        for o in engine.orders.values()
        if o.ask.symbol == symbol and not o.ask.conditional and engine.is_shown(o.at_ms)
    ]
    return found[-most:]


def user_trades(engine: Engine, request: Request) -> Any:
    """GET /fapi/v1/userTrades."""
    symbol = contract_of(engine, request, request.text("symbol")).id
    wanted = request.optional("orderId")
    since = request.whole("startTime", "0")
    rows = [
        _fill(engine, trade)
        for trade in engine.trades
        if trade.symbol == symbol
        and trade.at_ms >= since
        and (wanted is None or str(trade.order_id) == wanted)
    ]
    limit = request.whole("limit", "500")
    if limit <= 0:
        raise WireError(-1130, "Data sent for parameter 'limit' is not valid.")
    return rows[-limit:]


def _fill(engine: Engine, trade: Trade) -> dict[str, Any]:
    contract = engine.contracts[trade.symbol]
    row = {
        "symbol": trade.symbol,
        "id": trade.id,
        "orderId": trade.order_id,
        "side": trade.side,
        "price": plain(trade.price),
        "qty": plain(counted(contract, trade.size)),
        "realizedPnl": fixed(trade.profit),
        "commission": fixed(trade.fee),
        "commissionAsset": trade.asset,
        "time": trade.at_ms,
        "buyer": trade.side == "BUY",
        "maker": trade.maker,
        "positionSide": trade.position_side,
    }
    worth = fixed(contract.worth(trade.size, trade.price))
    if contract.kind is Kind.LINEAR:
        return row | {"quoteQty": worth}
    pair = f"{contract.base}{contract.quote}"
    return row | {"pair": pair, "marginAsset": contract.asset, "baseQty": worth}


def _contract(engine: Engine, found: Order) -> Contract:
    return engine.contracts[found.ask.symbol]


def _order(engine: Engine, found: Order) -> dict[str, Any]:
    return order(found, _contract(engine, found))


def _algo_order(engine: Engine, found: Order) -> dict[str, Any]:
    return algo_order(found, _contract(engine, found))


def _ask(
    engine: Engine,
    request: Request,
    kind: str,
    *,
    stop: str,
    name: str,
    conditional: bool = False,
) -> Ask:
    closes = request.is_true("closePosition")
    zero = Decimal(0)
    contract = contract_of(engine, request, request.text("symbol"))
    return Ask(
        symbol=contract.id,
        side=request.choice("side", SIDES),
        type=kind,
        size=zero if closes else request.decimal("quantity") * contract.face,
        position_side=request.choice("positionSide", POSITION_SIDES, "BOTH"),
        price=request.decimal("price") if kind == "LIMIT" else zero,
        stop=request.decimal(stop) if kind == "STOP_MARKET" else zero,
        time_in_force=request.choice("timeInForce", TIMES, None if kind == "LIMIT" else "GTC"),
        reduce_only=request.is_true("reduceOnly"),
        close_position=closes,
        on_mark=request.choice("workingType", ("MARK_PRICE", "CONTRACT_PRICE"), "CONTRACT_PRICE")
        == "MARK_PRICE",
        client_id=request.optional(name) or "",
        conditional=conditional,
    )


def _find(engine: Engine, request: Request, number: str, name: str, *, conditional: bool) -> Order:
    """Return an order by either id; conditional ones are known to their own endpoints only."""
    if request.optional(number) is not None:
        found = engine.order(order_id=request.whole(number))
    else:
        found = engine.order(client_id=request.text(name))
    if found.ask.conditional != conditional or not is_of(engine, request, found):
        raise WireError(-2013, "Order does not exist.")
    return found
