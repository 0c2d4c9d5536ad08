"""Which request is an action, exactly, and which answer confirms it?

Numbers are words in a body, legs are whole numbers and flags are flags.
"""

import hashlib
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
from bot.exchanges.amounts import amount_problem, named_amount, order_problem, stop_problem
from bot.exchanges.bybit.answers import CATEGORIES
from bot.exchanges.dialect import Expected, Write

COLLATERAL_STEP = Decimal("0.0001")
"""The venue takes four decimals, whatever the currency. [settle]"""
ACCOUNTS = {"spot": "FUND", "futures": "UNIFIED"}
"""The venue's words for our wallets."""
NAMES = bytes.fromhex("6f0d6b0a54e15a0c8f0e1d1f2a7c9b35")
"""Space of the names of intents: each has one UUID of version 5 in it, always the same."""
LONGEST_ID = 64

Typed = dict[str, str | int | bool]
"""What a body says: words, whole numbers, flags."""


def write_for(
    intent: Intent,
    ids: Mapping[str, str],
    modes: Mapping[str, PositionMode],
    instruments: Mapping[str, Instrument],
) -> Write | str:
    """Return the request of an intent, or why there is none.

    Args:
        intent: What shall be done.
        ids: The venue's names.
        modes: Position mode of each symbol: here each may have its own.
        instruments: Rules of contracts.
    """
    action = intent.action
    if isinstance(action, Transfer):
        return _transfer(intent, action)
    symbol = action.key.symbol
    instrument, mode = instruments.get(symbol), modes.get(symbol)
    if instrument is None or mode is None:
        return f"rules of {symbol} are not known"
    where = {"category": CATEGORIES[instrument.contract], "symbol": ids[symbol]}
    match action:
        case AddMargin() | RemoveMargin():
            return _margin(action, where, _leg(action.key, mode))
        case ReducePosition():
            return _order(intent, action, instrument, where, _leg(action.key, mode))
        case PlaceStop():
            return _stop(intent, action, instrument, where, _leg(action.key, mode))
        case CancelStop():
            return _cancel(action, where)


def transfer_id(name: str) -> str:
    """Return the UUID of a transfer, of the name of its intent (RFC 9562, version 5)."""
    made = hashlib.sha1(NAMES + name.encode(), usedforsecurity=False).hexdigest()
    variant = f"{int(made[16], 16) & 3 | 8:x}"
    return f"{made[:8]}-{made[8:12]}-5{made[13:16]}-{variant}{made[17:20]}-{made[20:32]}"


def is_taken(write: Write, answer: Any) -> Mapping[str, Any] | None:
    """Return what the answer to a request brings, if it is a success and its own."""
    if not isinstance(answer, dict) or answer.get("retCode") != 0:
        return None
    found = answer.get("result")
    if isinstance(answer.get("retCode"), bool) or not isinstance(found, dict):
        return None
    said = write.expected.parameters
    names = {"orderLinkId", "orderId", "transferId", "symbol"} & set(said)
    own = names - {"symbol"} or names  # what has an id of ours answers by it
    return found if all(found.get(name) == said[name] for name in own) else None


def applied(intent: Intent, write: Write, answer: Any) -> Decimal | None:
    """Return the effect that the answer to a margin move or a transfer confirms, else ``None``.

    Orders are only taken by their answers.
    """
    found = is_taken(write, answer)
    if found is None:
        return None
    match intent.action:
        case AddMargin(amount=amount) | RemoveMargin(amount=amount):
            leg = found.get("positionIdx")
            is_same = str(leg) == write.expected.parameters.get("positionIdx")
            held = named_amount(found.get("size"))
            return amount if is_same and held is not None and held > 0 else None
        case Transfer(amount=amount):
            return amount if found.get("status") == "SUCCESS" else None
        case _:
            return None


def _margin(action: AddMargin | RemoveMargin, where: dict[str, str], leg: int) -> Write | str:
    problem = amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    sign = "" if isinstance(action, AddMargin) else "-"
    typed: Typed = {**where, "margin": f"{sign}{action.amount:f}", "positionIdx": leg}
    return _post("privatePostV5PositionAddMargin", "/v5/position/add-margin", typed)


def _order(
    intent: Intent, action: ReducePosition, instrument: Instrument, where: dict[str, str], leg: int
) -> Write | str:
    problem = order_problem(action, instrument)
    if problem:
        return problem
    typed: Typed = {
        **where,
        "side": _closing(action.key),
        "orderType": "Limit",
        "qty": format(action.size, "f"),
        "price": format(action.limit_price, "f"),
        "timeInForce": "IOC",
        "positionIdx": leg,
        "orderLinkId": intent.id,
        "reduceOnly": True,
    }
    return _post("privatePostV5OrderCreate", "/v5/order/create", typed)


def _stop(
    intent: Intent, action: PlaceStop, instrument: Instrument, where: dict[str, str], leg: int
) -> Write | str:
    problem = stop_problem(action, instrument)
    if problem:
        return problem
    typed: Typed = {
        **where,
        "side": _closing(action.key),
        "orderType": "Market",
        # Nothing, with both flags, closes whatever is open then.
        "qty": "0" if action.size is None else format(action.size, "f"),
        "triggerPrice": format(action.stop_price, "f"),
        "triggerDirection": 2 if action.key.side is Side.LONG else 1,
        "triggerBy": "MarkPrice",
        "timeInForce": "IOC",
        "positionIdx": leg,
        "orderLinkId": intent.id,
        "reduceOnly": True,
        "closeOnTrigger": True,
    }
    return _post("privatePostV5OrderCreate", "/v5/order/create", typed)


def _cancel(action: CancelStop, where: dict[str, str]) -> Write | str:
    name = action.stop_id
    is_plain = name.isascii() and name.replace("-", "").isalnum() and len(name) <= LONGEST_ID
    if not is_plain:
        return f"id of a stop must be letters, digits and dashes, was {name!r}"
    typed: Typed = {**where, "orderId": name}
    return _post("privatePostV5OrderCancel", "/v5/order/cancel", typed)


def _transfer(intent: Intent, action: Transfer) -> Write | str:
    source, destination = ACCOUNTS.get(action.source), ACCOUNTS.get(action.destination)
    if source is None or destination is None or source == destination:
        return f"no route from {action.source} to {action.destination}"
    problem = amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    typed: Typed = {
        "transferId": transfer_id(intent.id),
        "coin": action.currency,
        "amount": format(action.amount, "f"),
        "fromAccountType": source,
        "toAccountType": destination,
    }
    path = "/v5/asset/transfer/inter-transfer"
    return _post("privatePostV5AssetTransferInterTransfer", path, typed)


def _post(call: str, path: str, typed: Typed) -> Write:
    words = {name: _word(value) for name, value in typed.items()}
    return Write(
        call=call,
        expected=Expected(method="POST", path=path, parameters=words),
        typed=typed,
    )


def _word(value: str | int | bool) -> str:  # noqa: FBT001 - a value, not a switch
    return str(value).lower() if isinstance(value, bool) else str(value)


def _leg(key: PositionKey, mode: PositionMode) -> int:
    if mode is PositionMode.ONE_WAY:
        return 0
    return 1 if key.side is Side.LONG else 2


def _closing(key: PositionKey) -> str:
    return "Sell" if key.side is Side.LONG else "Buy"
