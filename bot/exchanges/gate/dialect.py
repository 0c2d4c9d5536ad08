"""In which words does Gate speak?

A refusal has a label where other venues have a code; each that is known has a number here.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import ccxt.async_support as ccxt

from bot.exchanges.dialect import Codes, Dialect
from bot.exchanges.gate.limits import BUDGETS, cost
from bot.exchanges.library import Held

WINDOW_MS = 60_000
"""The venue takes a request so long after the time signed in it ("the gap cannot exceed 60
seconds"), and none may ask for less. [ms]"""

REFUSED = (
    # of the request
    "INVALID_PARAM_VALUE", "INVALID_PROTOCOL", "INVALID_ARGUMENT", "INVALID_REQUEST_BODY",
    "MISSING_REQUIRED_PARAM", "BAD_REQUEST", "INVALID_CONTENT_TYPE", "NOT_ACCEPTABLE",
    "METHOD_NOT_ALLOWED", "NOT_FOUND", "INVALID_PRECISION", "INVALID_CURRENCY",
    "INVALID_CURRENCY_PAIR", "REQUEST_EXPIRED",
    # of what is there
    "TOO_MUCH_FUTURES_AVAILABLE", "FUTURES_BALANCE_NOT_ENOUGH", "BALANCE_NOT_ENOUGH",
    "MARGIN_BALANCE_NOT_ENOUGH", "INSUFFICIENT_AVAILABLE", "AMOUNT_TOO_LITTLE",
    "AMOUNT_TOO_MUCH", "USER_NOT_FOUND", "CONTRACT_NOT_FOUND", "CONTRACT_NO_COUNTER",
    "RISK_LIMIT_EXCEEDED", "LIQUIDATE_IMMEDIATELY", "LEVERAGE_TOO_HIGH", "LEVERAGE_TOO_LOW",
    "ORDER_NOT_OWNED", "ORDER_NOT_FOUND", "ORDER_FINISHED", "TOO_MANY_ORDERS",
    "POSITION_CROSS_MARGIN", "POSITION_IN_LIQUIDATION", "POSITION_IN_CLOSE", "POSITION_EMPTY",
    "POSITION_NOT_FOUND", "POSITION_DUAL_MODE", "POSITION_HOLDING", "ORDER_PENDING",
    "REMOVE_TOO_MUCH", "PRICE_TOO_DEVIATED", "PRICE_OVER_LIQUIDATION", "PRICE_OVER_BANKRUPT",
    "SIZE_TOO_LARGE", "SIZE_TOO_SMALL", "INCREASE_POSITION", "REDUCE_EXCEEDED",
    "CONTRACT_IN_DELISTING", "NO_CHANGE", "AUTO_TRIGGER_PRICE_LESS_LAST",
    "AUTO_TRIGGER_PRICE_GREATE_LAST", "AUTO_INVALID_PARAM", "AUTO_INVALID_PARAM_TRIGGER_RULE",
    "AUTO_INVALID_PARAM_PRICE", "AUTO_INVALID_REQUEST_BODY", "AUTO_ORDER_NOT_FOUND",
)  # fmt: skip
"""Nothing happened."""
DENIED = (
    "AUTHENTICATION_FAILED", "INVALID_CREDENTIALS", "INVALID_KEY", "IP_FORBIDDEN", "READ_ONLY",
    "INVALID_SIGNATURE", "MISSING_REQUIRED_HEADER", "ACCOUNT_LOCKED", "FORBIDDEN",
)  # fmt: skip
"""Key, address or right; nothing happened."""
THROTTLED = ("TOO_MANY_REQUESTS", "TOO_FAST")
UNCERTAIN = (
    "INTERNAL", "SERVER_ERROR", "TOO_BUSY", "ORDER_EXISTS", "DUPLICATE_REQUEST",
    "REPEATED_CREATION", "MARGIN_TRANSFER_FAILED", "ACCOUNT_EXCEPTION",
    "SUB_ACCOUNT_TRANSFER_FAILED",
)  # fmt: skip
"""Says nothing of the effect, or that an earlier attempt arrived: it must be looked at."""
UNLISTED = 1
"""Stands for every label that is in no list."""
NUMBERS: Mapping[str, int] = {
    label: number
    for number, label in enumerate((*REFUSED, *DENIED, *THROTTLED, *UNCERTAIN), start=UNLISTED + 1)
}
"""By label. They are never written down: records have the label."""
PRECISION = frozenset({"INVALID_PRECISION", "INVALID_PARAM_VALUE"})
"""An amount of too many digits is called a wrong parameter like any other."""


def _numbered(*labels: str) -> frozenset[int]:
    return frozenset(NUMBERS[label] for label in labels)


CODES = Codes(
    no_effect=_numbered(*REFUSED, *DENIED),
    denied=_numbered(*DENIED),
    no_such_order=_numbered("ORDER_NOT_FOUND", "AUTO_ORDER_NOT_FOUND", "USER_NOT_FOUND"),
    time_refused=_numbered("REQUEST_EXPIRED"),
    mode_refused=_numbered("POSITION_DUAL_MODE", "POSITION_NOT_FOUND"),
    throttled=_numbered(*THROTTLED),
    words={
        str(UNLISTED): "unlisted_label",
        **{
            str(number): "too_precise" if label in PRECISION else label
            for label, number in NUMBERS.items()
        },
    },
)
ORDERS = "/orders"
TRIGGERED = "/price_orders"
SOON = 1.0
"""Shortest wait after too many requests: the venue tells whole seconds. [s]"""


class Gate(Held, ccxt.gate):  # type: ignore[misc]  # ccxt is shipped without types
    """The library's client of Gate."""


def told(body: Any) -> tuple[int | None, str]:
    """Return number and text of the label of an answer; the text begins with it."""
    label = body.get("label") if isinstance(body, dict) else None
    if not isinstance(label, str) or not label:
        return None, ""
    text = body.get("message") or body.get("detail") or ""
    return NUMBERS.get(label, UNLISTED), f"{label} {text}".rstrip()


def sent(query: str, body: str) -> list[tuple[str, str]]:
    """Return every parameter of a request; time and signature stand in its headers.

    Parts of an object are named by their way, and what is no text is written as JSON has it.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    if body:
        try:
            pairs += list(_pairs(json.loads(body, object_pairs_hook=_Pairs)))
        except ValueError:
            pairs.append(("", body))
    return pairs


def is_reduce_only(method: str, path: str, said: Mapping[str, str]) -> bool | None:
    """Return whether an order that will be sent can only shrink; ``None`` for anything else.

    The flag alone proves it, also with legs: there it makes a sale close the long one.
    """
    if method != "POST":
        return None
    if path.endswith(TRIGGERED):
        return said.get("initial.reduce_only") == "true"
    return said.get("reduce_only") == "true" if path.endswith(ORDERS) else None


def wait(headers: Mapping[str, str], now_ms: int) -> str:
    """Return how long until the endpoint answers again, as seconds in text."""
    reset = headers.get("x-gate-ratelimit-reset-timestamp", "")
    if not (reset.isascii() and reset.isdigit()):
        return ""
    return str(max(SOON, int(reset[:16]) - now_ms / 1000))


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON with what it says twice."""


def _pairs(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, _Pairs):
        for key, part in value:
            yield from _pairs(part, f"{where}.{key}" if where else key)
    else:
        yield where, value if isinstance(value, str) else json.dumps(value)


DIALECT = Dialect(
    library=Gate,
    options={},
    codes=CODES,
    budgets=BUDGETS,
    cost=cost,
    told=told,
    sent=sent,
    is_reduce_only=is_reduce_only,
    wait=wait,
    window_ms=WINDOW_MS,
    rehearsal="set_sandbox_mode",
)
