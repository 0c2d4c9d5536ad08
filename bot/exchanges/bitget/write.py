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
from bot.exchanges.amounts import ONE, amount_problem, order_problem, stop_problem
from bot.exchanges.bitget.answers import COIN, MIX
from bot.exchanges.bitget.dialect import DONE
from bot.exchanges.bitget.parse import LEGS, STOP_LOSS
from bot.exchanges.dialect import Expected, Write

COLLATERAL_STEP = Decimal("0.00000001")
"""Of the venue's wallets as the bot counts them. [quote]"""
ACCOUNTS = {"spot": "spot", "futures": "usdt_futures"}
"""The owner's spot account, and that of contracts settled in USDT."""
ROOT = "/api/v2/"
OPENED = {Side.LONG: "buy", Side.SHORT: "sell"}
"""The side that a position was opened with: without legs the venue's name of it in a stop, and with
legs that of an order which closes it."""
CLOSES = {Side.LONG: "sell", Side.SHORT: "buy"}
NOTHING_TOLD = ("", None)
"""What a move of margin is answered with, if it was done."""


def write_for(
    intent: Intent,
    ids: Mapping[str, str],
    mode: PositionMode,
    instruments: Mapping[str, Instrument],
) -> Write | str:
    """Return the request of an intent, or why there is none.

    Amounts go out digit for digit as planned; what leaves a position has a sign.

    Args:
        intent: What shall be done.
        ids: The venue's names.
        mode: One-way or hedge.
        instruments: Rules, by symbol.
    """
    match intent.action:
        case Transfer():
            return _transfer(intent, intent.action)
        case AddMargin() | RemoveMargin() | ReducePosition() | PlaceStop() | CancelStop():
            symbol = intent.action.key.symbol
    if symbol not in instruments or symbol not in ids:
        return f"rules of {symbol} are not known"
    named = {**MIX, "symbol": ids[symbol], "marginCoin": COIN}
    match intent.action:
        case AddMargin() | RemoveMargin():
            return _margin(intent.action, named)
        case ReducePosition():
            return _order(intent, intent.action, named, mode, instruments[symbol])
        case PlaceStop():
            return _stop(intent, intent.action, named, mode, instruments[symbol])
        case CancelStop():
            return _cancel(intent.action, named)


def applied(intent: Intent, write: Write, answer: Any) -> Decimal | None:
    """Return the confirmed effect, of the action's own unit; ``None`` if nothing is confirmed.

    A move of margin is confirmed by nothing but the code. An order is accepted or not: what was
    filled is told elsewhere.
    """
    if not isinstance(answer, dict) or answer.get("code") != DONE or "data" not in answer:
        return None
    data = answer["data"]
    match intent.action:
        case AddMargin(amount=amount) | RemoveMargin(amount=amount):
            return amount if data in NOTHING_TOLD else None
        case ReducePosition():
            return None
        case Transfer(amount=amount):
            return amount if _is_ours(data, "transferId", write) else None
        case PlaceStop():
            return ONE if _is_ours(data, "orderId", write) else None
        case CancelStop(stop_id=stop_id):
            return ONE if _gone(data) == [stop_id] else None


def is_taken(write: Write, answer: Any) -> bool:
    """Whether an answer says that our order was accepted."""
    is_done = isinstance(answer, dict) and answer.get("code") == DONE
    return is_done and _is_ours(answer.get("data"), "orderId", write)


def _is_ours(data: Any, number: str, write: Write) -> bool:
    """Whether the venue has given a number to what has our name."""
    if not isinstance(data, dict):
        return False
    found = data.get(number)
    return (
        isinstance(found, str)
        and bool(found)
        and data.get("clientOid") == write.expected.parameters["clientOid"]
    )


def _gone(data: Any) -> list[Any]:
    """Return the ids of what was taken back, if all of it was."""
    if not isinstance(data, dict) or data.get("failureList") not in (None, []):
        return []
    found = data.get("successList")
    if not isinstance(found, list):
        return []
    return [row.get("orderId") if isinstance(row, dict) else None for row in found]


def _margin(action: AddMargin | RemoveMargin, named: dict[str, str]) -> Write | str:
    problem = amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    sign = "" if isinstance(action, AddMargin) else "-"
    return _write(
        "privateMixPostV2MixAccountSetMargin",
        "mix/account/set-margin",
        {
            **named,
            "amount": sign + format(action.amount, "f"),
            "holdSide": LEGS[action.key.side],
        },
    )


def _order(
    intent: Intent,
    action: ReducePosition,
    named: dict[str, str],
    mode: PositionMode,
    instrument: Instrument,
) -> Write | str:
    problem = _name_problem(intent.id) or order_problem(action, instrument)
    if problem:
        return problem
    return _write(
        "privateMixPostV2MixOrderPlaceOrder",
        "mix/order/place-order",
        {
            **named,
            "marginMode": "isolated",
            "orderType": "limit",
            "force": "ioc",
            "size": format(action.size, "f"),
            "price": format(action.limit_price, "f"),
            "clientOid": intent.id,
            **_closing(action.key, mode),
        },
    )


def _closing(key: PositionKey, mode: PositionMode) -> dict[str, str]:
    """Return the words by which an order only closes; each mode refuses those of the other."""
    if mode is PositionMode.HEDGE:
        return {"side": OPENED[key.side], "tradeSide": "close"}
    return {"side": CLOSES[key.side], "reduceOnly": "YES"}


def _stop(
    intent: Intent,
    action: PlaceStop,
    named: dict[str, str],
    mode: PositionMode,
    instrument: Instrument,
) -> Write | str:
    problem = _name_problem(intent.id) or stop_problem(action, instrument)
    if problem:
        return problem
    if action.size is None:
        return "a stop must be of a size: one for all that is open may not be taken back there"
    words = LEGS if mode is PositionMode.HEDGE else OPENED
    return _write(
        "privateMixPostV2MixOrderPlaceTpslOrder",
        "mix/order/place-tpsl-order",
        {
            **named,
            "planType": STOP_LOSS,
            "triggerPrice": format(action.stop_price, "f"),
            "triggerType": "mark_price",
            "holdSide": words[action.key.side],
            "size": format(action.size, "f"),
            "clientOid": intent.id,
        },
    )


def _cancel(action: CancelStop, named: dict[str, str]) -> Write | str:
    if not (action.stop_id.isascii() and action.stop_id.isdigit()):
        return f"id of a stop must be digits, was {action.stop_id!r}"
    # Without its kind the venue looks among other plans, and takes back none.
    words = {**named, "planType": STOP_LOSS}
    return Write(
        call="privateMixPostV2MixOrderCancelPlanOrder",
        expected=Expected(
            method="POST",
            path=f"{ROOT}mix/order/cancel-plan-order",
            parameters={**words, "orderIdList.0.orderId": action.stop_id},
        ),
        typed={**words, "orderIdList": [{"orderId": action.stop_id}]},
    )


def _transfer(intent: Intent, action: Transfer) -> Write | str:
    source, destination = ACCOUNTS.get(action.source), ACCOUNTS.get(action.destination)
    if source is None or destination is None or source == destination:
        return f"no route from {action.source} to {action.destination}"
    problem = _name_problem(intent.id) or amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    return _write(
        "privateSpotPostV2SpotWalletTransfer",
        "spot/wallet/transfer",
        {
            "fromType": source,
            "toType": destination,
            "amount": format(action.amount, "f"),
            "coin": action.currency,
            "clientOid": intent.id,
        },
    )


def _write(call: str, path: str, words: dict[str, str]) -> Write:
    return Write(call=call, expected=Expected(method="POST", path=ROOT + path, parameters=words))


def _name_problem(name: str) -> str:
    if name.isascii() and name.isalnum() and len(name) <= 50:  # noqa: PLR2004 - the venue's own limit
        return ""
    return f"id must be at most 50 letters and digits, was {name!r}"
