"""Which request is an action, exactly, and which answer confirms it?

The venue signs over the bytes of an action, in the order of its fields: they are made in that order
here, and numbers have no zeros that say nothing.
"""

from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
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
from bot.domain.position import Side
from bot.exchanges.amounts import ONE, amount_problem, named_amount, order_problem, stop_problem
from bot.exchanges.dialect import Expected, Write
from bot.exchanges.hyperliquid.dialect import EXCHANGE, WINDOW_MS
from bot.exchanges.hyperliquid.names import cloid_of, name_problem
from bot.exchanges.hyperliquid.parse import Coin, is_price, price_step

COLLATERAL_STEP = Decimal("0.000001")
"""The venue counts millionths. [quote]"""
MILLION = 1_000_000
SLIPPAGE = Decimal("0.1")
"""How far behind its trigger a stop may fill; the venue's own tolerance. [ratio]"""
OF_OWNER = "money moves between wallets with the owner's key only, which the bot is not given"


def write_for(
    intent: Intent, coins: Mapping[str, Coin], instruments: Mapping[str, Instrument]
) -> Write | str:
    """Return the request of an intent, or why there is none.

    Args:
        intent: What shall be done.
        coins: What is listed, by unified name.
        instruments: Rules, by unified name.
    """
    action = intent.action
    if isinstance(action, Transfer):
        return amount_problem(action.amount, COLLATERAL_STEP) or OF_OWNER
    coin, instrument = coins.get(action.key.symbol), instruments.get(action.key.symbol)
    if coin is None or instrument is None:
        return f"rules of {action.key.symbol} are not known"
    match action:
        case AddMargin() | RemoveMargin():
            return _margin(action, coin)
        case ReducePosition():
            return _order(intent, action, coin, instrument)
        case PlaceStop():
            return _stop(intent, action, coin, instrument)
        case CancelStop():
            return _cancel(action, coin)


def applied(intent: Intent, write: Write, answer: Any) -> Decimal | None:
    """Return the confirmed effect, of the action's own unit; ``None`` if nothing is confirmed."""
    match intent.action:
        case AddMargin(amount=amount) | RemoveMargin(amount=amount):
            is_done = answer == {"status": "ok", "response": {"type": "default"}}
            return amount if is_done else None
        case ReducePosition(size=size):
            filled = _part(_item(answer, "order"), "filled", write)
            found = None if filled is None else named_amount(filled.get("totalSz"))
            return found if found is not None and 0 < found <= size else None
        case PlaceStop():
            return None if _part(_item(answer, "order"), "resting", write) is None else ONE
        case CancelStop():
            return ONE if _item(answer, "cancel") == "success" else None
        case Transfer():
            return None


def _item(answer: Any, kind: str) -> Any:
    """Return what became of the one order of an answer; ``None`` where there is none, or more."""
    body: dict[str, Any] = answer if isinstance(answer, dict) else {}
    response = body.get("response")
    if not isinstance(response, dict) or body.get("status") != "ok":
        return None
    data = response.get("data")
    found = data.get("statuses") if isinstance(data, dict) else None
    if not isinstance(found, list) or len(found) != 1 or response.get("type") != kind:
        return None
    return found[0]


def _part(item: Any, word: str, write: Write) -> dict[str, Any] | None:
    """Return what an item says, if it is of our order."""
    part = item.get(word) if isinstance(item, dict) and len(item) == 1 else None
    if not isinstance(part, dict):
        return None
    number, name = part.get("oid"), write.expected.parameters.get("action.orders.0.c")
    is_number = isinstance(number, int) and not isinstance(number, bool)
    return part if is_number and part.get("cloid", name) == name else None


def _margin(action: AddMargin | RemoveMargin, coin: Coin) -> Write | str:
    problem = amount_problem(action.amount, COLLATERAL_STEP)
    if problem:
        return problem
    count = int(action.amount * MILLION)
    return _write(
        {
            "type": "updateIsolatedMargin",
            "asset": coin.asset,
            "isBuy": True,  # says nothing until there are legs
            "ntli": count if isinstance(action, AddMargin) else -count,
        }
    )


def _order(
    intent: Intent, action: ReducePosition, coin: Coin, instrument: Instrument
) -> Write | str:
    problem = name_problem(intent.id) or order_problem(action, instrument)
    if problem:
        return problem
    return _ordering(
        intent,
        coin,
        is_buy=action.key.side is Side.SHORT,
        price=action.limit_price,
        size=action.size,
        kind={"limit": {"tif": "Ioc"}},
    )


def _stop(intent: Intent, action: PlaceStop, coin: Coin, instrument: Instrument) -> Write | str:
    problem = name_problem(intent.id) or stop_problem(action, instrument)
    if action.size is None:
        problem = problem or "a stop must name its size"
    if problem or action.size is None:
        return problem
    is_buy = action.key.side is Side.SHORT
    trigger = {"isMarket": True, "triggerPx": plain(action.stop_price), "tpsl": "sl"}
    if not is_price(action.stop_price, coin.places):
        return _odd(action.stop_price)
    return _ordering(
        intent,
        coin,
        is_buy=is_buy,
        price=worst(action.stop_price, coin.places, is_buy=is_buy),
        size=action.size,
        kind={"trigger": trigger},
    )


def _ordering(
    intent: Intent,
    coin: Coin,
    *,
    is_buy: bool,
    price: Decimal,
    size: Decimal,
    kind: dict[str, Any],
) -> Write | str:
    if not is_price(price, coin.places):
        return _odd(price)
    order = {
        "a": coin.asset, "b": is_buy, "p": plain(price), "s": plain(size), "r": True, "t": kind,
        "c": cloid_of(intent.id),
    }  # fmt: skip
    return _write({"type": "order", "orders": [order], "grouping": "na"})


def _cancel(action: CancelStop, coin: Coin) -> Write | str:
    if not (action.stop_id.isascii() and action.stop_id.isdigit()):
        return f"id of a stop must be digits, was {action.stop_id!r}"
    return _write({"type": "cancel", "cancels": [{"a": coin.asset, "o": int(action.stop_id)}]})


def worst(trigger: Decimal, places: int, *, is_buy: bool) -> Decimal:
    """Return the worst price at which a stop may fill. [quote/base]."""
    price = trigger * (1 + SLIPPAGE if is_buy else 1 - SLIPPAGE)
    step = price_step(price, places)
    rounding = ROUND_CEILING if is_buy else ROUND_FLOOR
    return max(step, (price / step).to_integral_value(rounding) * step)


def plain(value: Decimal) -> str:
    """Return a number as plain digits, without zeros that say nothing."""
    return format(value.normalize(), "f")


def _odd(price: Decimal) -> str:
    return f"price must have at most five figures, was {price}"


def _write(action: dict[str, Any]) -> Write:
    words = dict(_words(action, "action"))
    return Write(
        call="privatePostExchange",
        expected=Expected(
            method="POST", path=EXCHANGE, parameters={**words, "window": str(WINDOW_MS)}
        ),
        typed={"action": action},
    )


def _words(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield every word of an action by its way, as it is read back from the wire."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _words(part, f"{where}.{key}")
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _words(part, f"{where}.{place}")
    elif isinstance(value, bool):
        yield where, "true" if value else "false"
    else:
        yield where, str(value)
