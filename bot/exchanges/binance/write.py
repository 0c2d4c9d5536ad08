"""Which request is an action, exactly, and which answer confirms it?"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.domain.action import (
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.instrument import Instrument
from bot.domain.intent import Intent
from bot.domain.position import PositionKey, PositionMode, Side
from bot.exchanges.amounts import ONE, amount_problem, named_amount, order_problem, stop_problem
from bot.exchanges.binance.family import Family, unit_of
from bot.exchanges.dialect import Expected, Write

COLLATERAL_STEP = Decimal("0.00000001")
"""Of the venue's wallets; nothing finer exists there. [settle]"""
ACCEPTED = ("NEW", "TRIGGERING", "TRIGGERED", "FINISHED")
"""Statuses of a conditional order that the venue took."""


def write_for(
    intent: Intent,
    ids: Mapping[str, str],
    mode: PositionMode,
    instruments: Mapping[str, Instrument],
    family: Family,
) -> Write | str:
    """Return the request of an intent, or why there is none.

    Amounts go out digit for digit as planned, never through the library's own rounding, which
    uses the lot of the contract.
    """
    action = intent.action
    if isinstance(action, Transfer):
        return _transfer(action, family)
    if isinstance(action, CancelStop):
        return _cancel(action, family)
    symbol = action.key.symbol
    instrument = instruments.get(symbol)
    if instrument is None:
        return f"rules of {symbol} are not known"
    where = {"symbol": ids[symbol]}
    match action:
        case AddMargin() | RemoveMargin():
            return _margin(action, where, mode, family)
        case ReducePosition():
            return _order(intent, action, where, mode, instrument, family)
        case PlaceStop():
            return _stop(intent, action, where, mode, instrument, family)


def applied(
    intent: Intent, write: Write, answer: Any, instruments: Mapping[str, Instrument]
) -> Decimal | None:
    """Return the confirmed effect, of the action's own unit; ``None`` if nothing is confirmed."""
    if not isinstance(answer, dict):
        return None
    match intent.action:
        case AddMargin() | RemoveMargin():
            parameters = write.expected.parameters
            is_same = (
                str(answer.get("code")) == "200"
                and named_amount(answer.get("amount")) == intent.action.amount
                and str(answer.get("type")) == parameters["type"]
            )
            return intent.action.amount if is_same else None
        case ReducePosition(key=key, size=size):
            is_ours = (
                answer.get("clientOrderId") == intent.id
                and answer.get("symbol") == write.expected.parameters["symbol"]
                and answer.get("status") in ("FILLED", "EXPIRED", "CANCELED")
            )
            filled = named_amount(answer.get("executedQty"))
            if not is_ours or filled is None:
                return None
            filled *= unit_of(instruments[key.symbol])
            return filled if 0 <= filled <= size else None
        case Transfer():
            has_id = isinstance(answer.get("tranId"), int | str) and answer.get("tranId")
            return intent.action.amount if has_id else None
        case PlaceStop(stop_price=stop_price):
            parameters = write.expected.parameters
            is_there = (
                answer.get("clientAlgoId") == intent.id
                and answer.get("symbol") == parameters["symbol"]
                and answer.get("side") == parameters["side"]
                and named_amount(answer.get("triggerPrice")) == stop_price
                and answer.get("algoStatus") in ACCEPTED
            )
            return ONE if is_there else None
        case CancelStop(stop_id=stop_id):
            is_gone = str(answer.get("code")) == "200" and str(answer.get("algoId")) == stop_id
            return ONE if is_gone else None


def _margin(
    action: AddMargin | RemoveMargin,
    where: dict[str, str],
    mode: PositionMode,
    family: Family,
) -> Write | str:
    problem = amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    parameters = {
        **where,
        "amount": format(action.amount, "f"),
        "type": "1" if isinstance(action, AddMargin) else "2",
    }
    if mode is PositionMode.HEDGE:
        parameters["positionSide"] = _leg(action.key)
    return Write(
        call=f"{family.host}PrivatePostPositionMargin",
        expected=Expected(method="POST", path=family.path("positionMargin"), parameters=parameters),
    )


def _order(
    intent: Intent,
    action: ReducePosition,
    where: dict[str, str],
    mode: PositionMode,
    instrument: Instrument,
    family: Family,
) -> Write | str:
    problem = order_problem(action, instrument)
    if problem:
        return problem
    parameters = {
        **where,
        "side": "SELL" if action.key.side is Side.LONG else "BUY",
        "type": "LIMIT",
        "timeInForce": "IOC",
        "quantity": format(action.size / unit_of(instrument), "f"),
        "price": format(action.limit_price, "f"),
        "newClientOrderId": intent.id,
        "newOrderRespType": "RESULT",
    }
    if mode is PositionMode.HEDGE:
        # The side of the leg makes it reducing; the venue refuses the flag beside it.
        parameters["positionSide"] = _leg(action.key)
    else:
        parameters["reduceOnly"] = "true"
    return Write(
        call=f"{family.host}PrivatePostOrder",
        expected=Expected(method="POST", path=family.path("order"), parameters=parameters),
    )


def _stop(
    intent: Intent,
    action: PlaceStop,
    where: dict[str, str],
    mode: PositionMode,
    instrument: Instrument,
    family: Family,
) -> Write | str:
    problem = stop_problem(action, instrument)
    if problem:
        return problem
    parameters = {
        "algoType": "CONDITIONAL",
        **where,
        "side": "SELL" if action.key.side is Side.LONG else "BUY",
        "type": "STOP_MARKET",
        "triggerPrice": format(action.stop_price, "f"),
        "workingType": "MARK_PRICE",
        "clientAlgoId": intent.id,
    }
    if action.size is None:
        parameters["closePosition"] = "true"
    else:
        parameters["quantity"] = format(action.size / unit_of(instrument), "f")
    if mode is PositionMode.HEDGE:
        parameters["positionSide"] = _leg(action.key)
    elif action.size is not None:
        parameters["reduceOnly"] = "true"
    return Write(
        call=f"{family.host}PrivatePostAlgoOrder",
        expected=Expected(method="POST", path=family.path("algoOrder"), parameters=parameters),
    )


def _cancel(action: CancelStop, family: Family) -> Write | str:
    if not (action.stop_id.isascii() and action.stop_id.isdigit()):
        return f"id of a stop must be digits, was {action.stop_id!r}"
    return Write(
        call=f"{family.host}PrivateDeleteAlgoOrder",
        expected=Expected(
            method="DELETE",
            path=family.path("algoOrder"),
            parameters={"algoId": action.stop_id},
        ),
    )


def route_of(action: Transfer, family: Family) -> str | None:
    """Return the venue's word for a route between wallets; ``None`` where there is none."""
    return family.routes.get((action.source, action.destination))


def _transfer(action: Transfer, family: Family) -> Write | str:
    route = route_of(action, family)
    if route is None:
        return f"no route from {action.source} to {action.destination}"
    problem = amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    return Write(
        call="sapiPostAssetTransfer",
        expected=Expected(
            method="POST",
            path="/sapi/v1/asset/transfer",
            parameters={
                "type": route,
                "asset": action.currency,
                "amount": format(action.amount, "f"),
            },
        ),
    )


def _leg(key: PositionKey) -> str:
    return "LONG" if key.side is Side.LONG else "SHORT"
