"""What may an agent do?"""

import re
from decimal import Decimal
from typing import Any

from bot.paper.digits import number
from bot.paper.hyperliquid.codes import (
    MISSING,
    NO_MATCH,
    ORDERS,
    TICK,
    BodyError,
    WireError,
    of_order,
)
from bot.paper.hyperliquid.listing import LEAST, at, bound_of, is_price
from bot.paper.hyperliquid.room import Request, Room
from bot.paper.hyperliquid.shape import plain
from bot.paper.values import ZERO, Ask, Contract, Holding, Order, Reason, Refused

UNIT = Decimal(1_000_000)
"""Of what a margin move counts, in a dollar."""
TENTH = Decimal("0.1")
"""Of its value that a position keeps whatever its setting. [ratio]"""
NAME = re.compile(r"0x[0-9a-f]{32}", re.ASCII)
KINDS = {"Gtc": "GTC", "Ioc": "IOC"}
DONE = {"type": "default"}


def place(room: Room, request: Request) -> Any:
    """Type order: each is taken or refused by itself."""
    if request.text("grouping") != "na":
        raise BodyError("grouping")
    orders = _listed(request, "orders")
    for one in orders:
        if "trigger" in _table(one, "t") and not one.flag("r"):
            raise WireError("TP/SL orders must be reduce-only.")  # ours
    return _statuses("order", [_place(room, one) for one in orders])


def cancel(room: Room, request: Request) -> Any:
    """Type cancel."""
    return _statuses("cancel", [_cancel(room, one) for one in _listed(request, "cancels")])


def move_margin(room: Room, request: Request) -> Any:
    """Type updateIsolatedMargin: the sentences of its refusals are ours."""
    contract, amount = _asset(room, request.whole("asset")), request.whole("ntli") / UNIT
    request.flag("isBuy")
    holding = room.engine.holdings.get((contract.id, "BOTH"))
    if amount < 0 and holding is not None:
        _check_tenth(room, holding, -amount)
    try:
        room.engine.move_margin(contract.id, "BOTH", abs(amount), add=amount > 0)
    except Refused as refused:
        raise WireError(f"Isolated margin is not changed: {refused.message}") from refused
    return DONE


def set_leverage(room: Room, request: Request) -> Any:
    """Type updateLeverage."""
    contract, is_cross = _asset(room, request.whole("asset")), request.flag("isCross")
    engine = room.engine
    try:
        if engine.isolated[contract.id] is is_cross:
            engine.set_isolated(contract.id, isolated=not is_cross)
        engine.set_leverage(contract.id, request.whole("leverage"))
    except Refused as refused:
        raise WireError("Cannot switch leverage type with open position.") from refused
    return DONE


def transfer(room: Room, request: Request) -> Any:
    """Type usdClassTransfer: of the owner only."""
    amount = number(request.text("amount"))
    if amount is None:
        raise BodyError("amount")
    ends = ("spot", "futures") if request.flag("toPerp") else ("futures", "spot")
    try:
        room.engine.transfer(ends[0], ends[1], room.asset, amount)  # type: ignore[arg-type]  # wallets
    except Refused as refused:
        raise WireError("Insufficient balance for withdrawal.") from refused
    return DONE


def _place(room: Room, one: Request) -> dict[str, Any]:
    asset = one.whole("a")
    try:
        contract = at(room.engine, asset)
        found = room.engine.place(_ask(contract, one))
    except Refused as refused:
        return {"error": of_order(refused, asset)}
    except WireError as error:
        return {"error": f"{error} asset={asset}"}
    named = {"cloid": found.ask.client_id} if found.ask.client_id else {}
    if found.filled:
        average = plain(contract.average(found.filled, found.cost))
        return {"filled": {
            "totalSz": plain(found.filled), "avgPx": average, "oid": found.id, **named,
        }}  # fmt: skip
    if found.is_open:
        return {"resting": {"oid": found.id, **named}}
    return {"error": f"{NO_MATCH} asset={asset}"}


def _ask(contract: Contract, one: Request) -> Ask:
    """Return an order as the exchange takes it.

    Raises:
        WireError: The venue refuses it.
    """
    how, is_buy = _table(one, "t"), one.flag("b")
    price, size, name = _number(one, "p"), _number(one, "s"), _name(one)
    if not is_price(contract, price):
        raise WireError(TICK)
    common: dict[str, Any] = {
        "symbol": contract.id, "side": "BUY" if is_buy else "SELL", "size": size, "price": price,
        "reduce_only": one.flag("r"), "client_id": name,
    }  # fmt: skip
    if "trigger" in how:
        trigger = one.part(how["trigger"])
        at_price = _number(trigger, "triggerPx")
        if not is_price(contract, at_price):
            raise WireError(TICK)
        if trigger.text("tpsl") != "sl" or not trigger.flag("isMarket"):
            raise BodyError("trigger")  # this exchange has no other
        if not bound_of(at_price, price, is_buy=is_buy):
            raise WireError(ORDERS[Reason.WOULD_TRIGGER])
        return Ask(**common, type="STOP_MARKET", stop=at_price, on_mark=True, conditional=True)
    kind = KINDS.get(one.part(how.get("limit")).text("tif"))
    if kind is None:
        raise BodyError("tif")
    if not common["reduce_only"] and size * price < LEAST:
        raise WireError(ORDERS[Reason.BELOW_NOTIONAL])
    return Ask(**common, type="LIMIT", time_in_force=kind)


def _cancel(room: Room, one: Request) -> Any:
    asset, wanted = one.whole("a"), one.whole("o")
    try:
        found: Order = room.engine.order(order_id=wanted)
        if found.ask.symbol == at(room.engine, asset).id:
            room.engine.cancel(found)
            return "success"
    except Refused:
        pass
    return {"error": f"{MISSING} asset={asset}"}


def _check_tenth(room: Room, holding: Holding, amount: Decimal) -> None:
    engine = room.engine
    value = abs(holding.amount) * engine.quotes[holding.symbol].mark
    if holding.margin + engine.profit(holding) - amount < value * TENTH:
        raise WireError("Isolated margin is not changed: a tenth of the value must stay.")


def _asset(room: Room, place: int) -> Contract:
    try:
        return at(room.engine, place)
    except Refused as refused:
        raise WireError(refused.message) from refused


def _statuses(kind: str, found: list[Any]) -> dict[str, Any]:
    return {"type": kind, "data": {"statuses": found}}


def _listed(request: Request, key: str) -> list[Request]:
    rows = request.parameters.get(key)
    if not isinstance(rows, list) or not rows:
        raise BodyError(key)
    return [request.part(row) for row in rows]


def _table(one: Request, key: str) -> dict[str, Any]:
    return dict(one.part(one.parameters.get(key)).parameters)


def _number(one: Request, key: str) -> Decimal:
    found = number(one.text(key))
    if found is None or found < ZERO:
        raise BodyError(key)
    return found


def _name(one: Request) -> str:
    name = one.parameters.get("c")
    if name is None:
        return ""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BodyError("c")
    return name
