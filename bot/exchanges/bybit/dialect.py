"""In which words does Bybit speak?

A refusal has a code in its body and the HTTP status of a success.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import ccxt.async_support as ccxt

from bot.domain.timing import WINDOW
from bot.exchanges.bybit.weights import BUDGETS, cost
from bot.exchanges.dialect import Codes, Dialect
from bot.exchanges.library import Held

CODES = Codes(
    no_effect=frozenset({
        10001, 10002, 10003, 10004, 10005, 10007, 10008, 10009, 10010, 10017, 10024, 10027, 10028,
        10029, 33004, 110001, 110003, 110004, 110006, 110007, 110008, 110009, 110010, 110011,
        110012, 110013, 110014, 110015, 110016, 110017, 110020, 110023, 110025, 110026, 110027,
        110033, 110034, 110040, 110043, 110044, 110045, 110046, 110050, 110066, 110092, 110093,
        110094, 131202, 131203, 131207, 131210, 131211, 131212, 131215, 131228, 131231, 131232,
    }),
    denied=frozenset({10003, 10004, 10005, 10007, 10008, 10009, 10010, 10024, 10027, 33004}),
    time_refused=frozenset({10002}),
    # A leg that does not fit the position mode is called a parameter error like any other.
    mode_refused=frozenset({10001}),
    throttled=frozenset({429, 10006, 10018, 10429}),
)  # fmt: skip
"""10014, 110072 and 131214 are in none: an earlier attempt arrived, it must be looked at."""
ORDER = "/v5/order/create"
LEGS = {"0": ("Buy", "Sell"), "1": ("Sell",), "2": ("Buy",)}
"""Sides of an order that can shrink the leg of a number."""
SOON = 1.0
"""Shortest wait after too many requests: limits are counted by the second. [s]"""


class Bybit(Held, ccxt.bybit):  # type: ignore[misc]  # ccxt is shipped without types
    """The library's client of Bybit."""


def told(body: Any) -> tuple[int | None, str]:
    """Return code and text of an answer."""
    code = body.get("retCode") if isinstance(body, dict) else None
    if isinstance(code, int) and not isinstance(code, bool) and code != 0:
        return code, str(body.get("retMsg", ""))
    return None, ""


def sent(query: str, body: str) -> list[tuple[str, str]]:
    """Return every parameter of a request; time, window and signature stand in its headers.

    What is no word in a body is written as its JSON says it.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    if not body:
        return pairs
    try:
        found = json.loads(body, object_pairs_hook=list)
    except ValueError:
        return [*pairs, ("", body)]
    if not isinstance(found, list) or not all(isinstance(pair, tuple) for pair in found):
        return [*pairs, ("", body)]
    return [*pairs, *((name, v if isinstance(v, str) else json.dumps(v)) for name, v in found)]


def is_reduce_only(method: str, path: str, said: Mapping[str, str]) -> bool | None:
    """Return whether an order that will be sent can only shrink; ``None`` for anything else."""
    if method != "POST" or path != ORDER:
        return None
    closes = said.get("side") in LEGS.get(said.get("positionIdx", ""), ())
    return closes and said.get("reduceOnly") == "true"


def wait(headers: Mapping[str, str], now_ms: int) -> str:
    """Return how long until the endpoint answers again, as seconds in text."""
    reset = headers.get("x-bapi-limit-reset-timestamp", "")
    if not (reset.isascii() and reset.isdigit()):
        return ""
    return str(max(SOON, (int(reset[:16]) - now_ms) / 1000))


DIALECT = Dialect(
    library=Bybit,
    options={},
    codes=CODES,
    budgets=BUDGETS,
    cost=cost,
    told=told,
    sent=sent,
    is_reduce_only=is_reduce_only,
    wait=wait,
    window_ms=int(WINDOW * 1000),
)
