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
from bot.exchanges.dialect import Expected, Write
from bot.exchanges.gate.parse import LEGS, LONGEST_NAME, PREFIX, SETTLE
from bot.exchanges.numbers import given_id

COLLATERAL_STEP = Decimal("0.00000001")
"""Of the venue's wallets as the bot counts them. [quote]"""
ACCOUNTS = {"spot": "spot", "futures": "futures"}
ROOT = "/api/v4/"
FUTURES = f"{ROOT}futures/{SETTLE}/"
PLACE = {"settle": SETTLE}
AT_OR_ABOVE, AT_OR_BELOW = 1, 2
BY_PRICE, ON_MARK = 0, 1


def write_for(
    intent: Intent,
    ids: Mapping[str, str],
    mode: PositionMode,
    instruments: Mapping[str, Instrument],
    coins: Mapping[str, Decimal],
) -> Write | str:
    """Return the request of an intent, or why there is none.

    Amounts go out digit for digit as planned; sizes as contracts, exactly as many.

    Args:
        intent: What shall be done.
        ids: The venue's names.
        mode: One-way or hedge.
        instruments: Rules, by symbol.
        coins: In a contract, by symbol. [base]
    """
    action = intent.action
    match action:
        case Transfer():
            return _transfer(action)
        case AddMargin() | RemoveMargin() | ReducePosition() | PlaceStop() | CancelStop():
            symbol = action.key.symbol
    if symbol not in instruments or symbol not in ids or symbol not in coins:
        return f"rules of {symbol} are not known"
    match action:
        case AddMargin() | RemoveMargin():
            return _margin(action, ids[symbol], mode)
        case ReducePosition():
            return _order(intent, action, ids[symbol], instruments[symbol], coins[symbol])
        case PlaceStop():
            return _stop(intent, action, ids[symbol], mode, instruments[symbol], coins[symbol])
        case CancelStop():
            return _cancel(action)


def applied(
    intent: Intent,
    answer: Any,
    mode: PositionMode,
    ids: Mapping[str, str],
    coins: Mapping[str, Decimal],
) -> Decimal | None:
    """Return the confirmed effect, of the action's own unit; ``None`` if nothing is confirmed.

    Args:
        intent: What was to be done.
        answer: What came.
        mode: One-way or hedge.
        ids: The venue's names.
        coins: In a contract, by symbol. [base]
    """
    match intent.action:
        case AddMargin(key=key, amount=amount) | RemoveMargin(key=key, amount=amount):
            row = _leg_of(answer, ids[key.symbol], key, mode)
            is_there = row is not None and _may_hold(row, intent.action)
            return amount if is_there else None
        case ReducePosition() as action:
            return filled(answer, intent.id, action, ids[action.key.symbol], coins)
        case Transfer(amount=amount):
            told = answer.get("tx_id") if isinstance(answer, dict) else None
            return amount if given_id(told) is not None else None
        case PlaceStop():
            told = answer.get("id") if isinstance(answer, dict) else None
            return ONE if given_id(told) is not None else None
        case CancelStop(stop_id=stop_id):
            row = answer if isinstance(answer, dict) else {}
            is_gone = row.get("finish_as") == "cancelled" and row.get("status") == "finished"
            return ONE if is_gone and given_id(row.get("id")) == stop_id else None


def filled(
    row: Any, name: str, action: ReducePosition, contract: str, coins: Mapping[str, Decimal]
) -> Decimal | None:
    """Return what an order has filled; ``None`` where it is another, or not over. [base].

    Args:
        row: The venue's.
        name: Of the intent.
        action: What was asked for.
        contract: The venue's name.
        coins: In a contract, by symbol. [base]
    """
    if not isinstance(row, dict) or row.get("text") != PREFIX + name:
        return None
    if row.get("contract") != contract or row.get("status") != "finished":
        return None
    size, left = named_amount(row.get("size")), named_amount(row.get("left"))
    if size is None or left is None or abs(left) > abs(size) or size * left < 0:
        return None
    asked = action.size if action.key.side is Side.SHORT else -action.size
    if size * coins[action.key.symbol] != asked:
        return None
    return abs(size - left) * coins[action.key.symbol]


def _leg_of(
    answer: Any, contract: str, key: PositionKey, mode: PositionMode
) -> dict[str, Any] | None:
    """Return the row of a position in the answer to a move of its margin."""
    rows = answer if isinstance(answer, list) else [answer]
    wanted = "single" if mode is PositionMode.ONE_WAY else LEGS[key.side]
    found = [
        row
        for row in rows
        if isinstance(row, dict) and (row.get("contract"), row.get("mode")) == (contract, wanted)
    ]
    return found[0] if len(found) == 1 else None


def _may_hold(row: Mapping[str, Any], action: AddMargin | RemoveMargin) -> bool:
    """Whether a position may show such a margin after a move.

    The answer does not tell the move, only what is there now; that is read back.
    """
    margin, size = named_amount(row.get("margin")), named_amount(row.get("size"))
    if margin is None or not size or (size > 0) != (action.key.side is Side.LONG):
        return False
    return margin >= (action.amount if isinstance(action, AddMargin) else 0)


def _margin(action: AddMargin | RemoveMargin, name: str, mode: PositionMode) -> Write | str:
    problem = amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    sign = "" if isinstance(action, AddMargin) else "-"
    words = {"change": sign + format(action.amount, "f")}
    if mode is PositionMode.ONE_WAY:
        call, path = "privateFuturesPostSettlePositionsContractMargin", f"positions/{name}/margin"
    else:
        call = "privateFuturesPostSettleDualCompPositionsContractMargin"
        path, words["dual_side"] = f"dual_comp/positions/{name}/margin", LEGS[action.key.side]
    return Write(
        call=call,
        expected=Expected(method="POST", path=FUTURES + path, parameters=words),
        typed={**PLACE, "contract": name, **words},
    )


def _order(
    intent: Intent,
    action: ReducePosition,
    name: str,
    instrument: Instrument,
    coins: Decimal,
) -> Write | str:
    problem = _name_problem(intent.id) or order_problem(action, instrument)
    size = "" if problem else _contracts(action.size, coins)
    if not size:
        return problem or f"size must be contracts of {coins}, was {action.size}"
    signed = size if action.key.side is Side.SHORT else f"-{size}"
    words = {
        "contract": name,
        "price": format(action.limit_price, "f"),
        "tif": "ioc",
        "text": PREFIX + intent.id,
    }
    return Write(
        call="privateFuturesPostSettleOrders",
        expected=Expected(
            method="POST",
            path=f"{FUTURES}orders",
            parameters={**words, "size": signed, "reduce_only": "true"},
        ),
        typed={**PLACE, **words, "size": _sized(signed), "reduce_only": True},
    )


def _stop(
    intent: Intent,
    action: PlaceStop,
    name: str,
    mode: PositionMode,
    instrument: Instrument,
    coins: Decimal,
) -> Write | str:
    problem = _name_problem(intent.id) or stop_problem(action, instrument)
    if problem:
        return problem
    is_long = action.key.side is Side.LONG
    side = "long" if is_long else "short"
    initial: dict[str, Any] = {
        "contract": name,
        "size": 0,
        "price": "0",
        "tif": "ioc",
        "reduce_only": True,
        "text": PREFIX + intent.id,
    }
    kind = f"close-{side}-position"
    if action.size is not None:
        count = _contracts(action.size, coins)
        if not count.isdigit():
            return f"size must be whole contracts of {coins}, was {action.size}"
        initial["size"], kind = -int(count) if is_long else int(count), f"plan-{kind}"
    elif mode is PositionMode.ONE_WAY:
        initial["close"] = True
    else:
        initial["auto_size"] = f"close_{side}"
    trigger = {
        "strategy_type": BY_PRICE,
        "price_type": ON_MARK,
        "price": format(action.stop_price, "f"),
        "rule": AT_OR_BELOW if is_long else AT_OR_ABOVE,
    }
    return Write(
        call="privateFuturesPostSettlePriceOrders",
        expected=Expected(
            method="POST",
            path=f"{FUTURES}price_orders",
            parameters={
                **{f"initial.{key}": _said(value) for key, value in initial.items()},
                **{f"trigger.{key}": _said(value) for key, value in trigger.items()},
                "order_type": kind,
            },
        ),
        typed={**PLACE, "initial": initial, "trigger": trigger, "order_type": kind},
    )


def _cancel(action: CancelStop) -> Write | str:
    if not (action.stop_id.isascii() and action.stop_id.isdigit()):
        return f"id of a stop must be digits, was {action.stop_id!r}"
    return Write(
        call="privateFuturesDeleteSettlePriceOrdersOrderId",
        expected=Expected(
            method="DELETE", path=f"{FUTURES}price_orders/{action.stop_id}", parameters={}
        ),
        typed={**PLACE, "order_id": action.stop_id},
    )


def _transfer(action: Transfer) -> Write | str:
    ends = ACCOUNTS.get(action.source), ACCOUNTS.get(action.destination)
    if None in ends or action.source == action.destination:
        return f"no route from {action.source} to {action.destination}"
    problem = amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    if action.currency.lower() != SETTLE:
        return f"only {SETTLE.upper()} backs positions here, {action.currency} does not"
    words = {
        "currency": action.currency,
        "from": ACCOUNTS[action.source],
        "to": ACCOUNTS[action.destination],
        "amount": format(action.amount, "f"),
        "settle": SETTLE,
    }
    return Write(
        call="privateWalletPostTransfers",
        expected=Expected(method="POST", path=f"{ROOT}wallet/transfers", parameters=words),
    )


def _sized(text: str) -> int | str:
    """Return a size as the venue wants it: a number where it is whole, else a word."""
    return text if "." in text else int(text)


def _said(value: Any) -> str:
    return {True: "true"}.get(value, "") if isinstance(value, bool) else str(value)


def _contracts(size: Decimal, coins: Decimal) -> str:
    """Return a size in contracts as plain digits; empty where it is not exactly so many."""
    count = size / coins
    text = format(count.normalize(), "f")
    return text if Decimal(text) * coins == size else ""


def _name_problem(name: str) -> str:
    if name.isascii() and name.isalnum() and len(name) <= LONGEST_NAME:
        return ""
    return f"id must be at most {LONGEST_NAME} letters and digits, was {name!r}"
