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
from bot.exchanges.okx.parse import LEGS

COLLATERAL_STEP = Decimal("0.00000001")
"""Of the venue's wallets as the bot counts them. [settle]"""
ACCOUNTS = {"spot": "6", "futures": "18"}
"""The funding account, which the bot calls spot, and the trading account."""
ROOT = "/api/v5/"


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
        coins: In a contract, by symbol. [base or quote]
    """
    match intent.action:
        case Transfer():
            return _transfer(intent, intent.action)
        case AddMargin() | RemoveMargin() | ReducePosition() | PlaceStop() | CancelStop():
            symbol = intent.action.key.symbol
    if symbol not in instruments or symbol not in ids or symbol not in coins:
        return f"rules of {symbol} are not known"
    match intent.action:
        case AddMargin() | RemoveMargin():
            return _margin(intent.action, ids[symbol], mode)
        case ReducePosition():
            return _order(
                intent, intent.action, ids[symbol], mode, instruments[symbol], coins[symbol]
            )
        case PlaceStop():
            return _stop(
                intent, intent.action, ids[symbol], mode, instruments[symbol], coins[symbol]
            )
        case CancelStop():
            return _cancel(intent.action, ids[symbol])


def accepted(answer: Any) -> dict[str, Any] | None:
    """Return the one item of an answer that took it; ``None`` where none, or more, or not."""
    if not isinstance(answer, dict) or answer.get("code") != "0":
        return None
    data = answer.get("data")
    if not isinstance(data, list) or len(data) != 1 or not isinstance(data[0], dict):
        return None
    item: dict[str, Any] = data[0]
    return item if item.get("sCode", "0") == "0" else None


def applied(intent: Intent, write: Write, answer: Any) -> Decimal | None:
    """Return the confirmed effect, of the action's own unit; ``None`` if nothing is confirmed.

    An order is accepted or not: what was filled is told elsewhere.
    """
    item = accepted(answer)
    if item is None:
        return None
    said = write.expected.parameters
    match intent.action:
        case AddMargin(amount=amount) | RemoveMargin(amount=amount):
            is_same = _same(item, said, "instId", "type", "posSide")
            return amount if is_same and named_amount(item.get("amt")) == amount else None
        case ReducePosition():
            return None
        case Transfer(amount=amount):
            is_same = _same(item, said, "ccy", "from", "to", "clientId")
            has_id = isinstance(item.get("transId"), str) and bool(item["transId"])
            return (
                amount if is_same and has_id and named_amount(item.get("amt")) == amount else None
            )
        case PlaceStop():
            is_there = _same(item, said, "algoClOrdId") and item.get("sCode") == "0"
            has_id = isinstance(item.get("algoId"), str) and bool(item["algoId"])
            return ONE if is_there and has_id else None
        case CancelStop(stop_id=stop_id):
            is_gone = item.get("sCode") == "0" and item.get("algoId") == stop_id
            return ONE if is_gone else None


def is_taken(intent: Intent, answer: Any) -> bool:
    """Whether an answer says that our order was accepted."""
    item = accepted(answer)
    return item is not None and item.get("sCode") == "0" and item.get("clOrdId") == intent.id


def _margin(action: AddMargin | RemoveMargin, name: str, mode: PositionMode) -> Write | str:
    problem = amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    return _write(
        "privatePostAccountPositionMarginBalance",
        "account/position/margin-balance",
        {
            "instId": name,
            "posSide": leg(action.key, mode),
            "type": "add" if isinstance(action, AddMargin) else "reduce",
            "amt": format(action.amount, "f"),
        },
    )


def _order(
    intent: Intent,
    action: ReducePosition,
    name: str,
    mode: PositionMode,
    instrument: Instrument,
    coins: Decimal,
) -> Write | str:
    problem = _name_problem(intent.id) or order_problem(action, instrument)
    size = "" if problem else _contracts(action.size, coins)
    if not size:
        return problem or f"size must be whole contracts of {coins}, was {action.size}"
    words = {
        "instId": name,
        "tdMode": "isolated",
        "side": "sell" if action.key.side is Side.LONG else "buy",
        "posSide": leg(action.key, mode),
        "ordType": "ioc",
        "sz": size,
        "px": format(action.limit_price, "f"),
        "clOrdId": intent.id,
    }
    return _write("privatePostTradeOrder", "trade/order", words, only_reduces=_flag(mode))


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
    words = {
        "instId": name,
        "tdMode": "isolated",
        "side": "sell" if action.key.side is Side.LONG else "buy",
        "posSide": leg(action.key, mode),
        "ordType": "conditional",
        "slTriggerPx": format(action.stop_price, "f"),
        "slTriggerPxType": "mark",
        "slOrdPx": "-1",
        "algoClOrdId": intent.id,
    }
    if action.size is None:
        words["closeFraction"] = "1"
    else:
        size = _contracts(action.size, coins)
        if not size:
            return f"size must be whole contracts of {coins}, was {action.size}"
        words["sz"] = size
    return _write("privatePostTradeOrderAlgo", "trade/order-algo", words, only_reduces=_flag(mode))


def _cancel(action: CancelStop, name: str) -> Write | str:
    if not (action.stop_id.isascii() and action.stop_id.isdigit()):
        return f"id of a stop must be digits, was {action.stop_id!r}"
    words = {"instId": name, "algoId": action.stop_id}
    return Write(
        call="privatePostTradeCancelAlgos",
        expected=Expected(
            method="POST",
            path=f"{ROOT}trade/cancel-algos",
            parameters={f"0.{key}": word for key, word in words.items()},
        ),
        typed=(words,),
    )


def _transfer(intent: Intent, action: Transfer) -> Write | str:
    ends = ACCOUNTS.get(action.source), ACCOUNTS.get(action.destination)
    if None in ends or action.source == action.destination:
        return f"no route from {action.source} to {action.destination}"
    problem = _name_problem(intent.id) or amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    return _write(
        "privatePostAssetTransfer",
        "asset/transfer",
        {
            "type": "0",
            "ccy": action.currency,
            "amt": format(action.amount, "f"),
            "from": ACCOUNTS[action.source],
            "to": ACCOUNTS[action.destination],
            "clientId": intent.id,
        },
    )


def _write(call: str, path: str, words: dict[str, str], *, only_reduces: bool = False) -> Write:
    typed: dict[str, Any] = dict(words)
    if only_reduces:
        words, typed = {**words, "reduceOnly": "true"}, {**typed, "reduceOnly": True}
    return Write(
        call=call,
        expected=Expected(method="POST", path=ROOT + path, parameters=words),
        typed=typed,
    )


def _flag(mode: PositionMode) -> bool:
    """Whether an order carries the flag: with legs the venue ignores it, the side closes."""
    return mode is PositionMode.ONE_WAY


def leg(key: PositionKey, mode: PositionMode) -> str:
    """Return the venue's word for a position of a symbol."""
    return "net" if mode is PositionMode.ONE_WAY else LEGS[key.side]


def _contracts(size: Decimal, coins: Decimal) -> str:
    """Return a size in contracts as plain digits; empty where it is not exactly so many."""
    count = size / coins
    text = format(count.normalize(), "f")
    return text if Decimal(text) * coins == size else ""


def _name_problem(name: str) -> str:
    if name.isascii() and name.isalnum() and len(name) <= 32:  # noqa: PLR2004 - the venue's own limit
        return ""
    return f"id must be at most 32 letters and digits, was {name!r}"


def _same(item: Mapping[str, Any], said: Mapping[str, str], *keys: str) -> bool:
    return all(key in said and item.get(key) == said[key] for key in keys)
