"""In which words does KuCoin speak?

A refusal of the futures account has a code in its body and the HTTP status of a success.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import ccxt.async_support as ccxt

from bot.domain.timing import WINDOW
from bot.exchanges.dialect import Codes, Dialect
from bot.exchanges.kucoin.limits import BUDGETS, cost
from bot.exchanges.library import Held

CODES = Codes(
    no_effect=frozenset({
        100003, 100004, 200003, 200004, 230003, 300000, 300001, 300002, 300003, 300004, 300005,
        300006, 300007, 300008, 300009, 300010, 300011, 300012, 300013, 300014, 300015, 300016,
        300017, 330005, 330008, 330011, 330012, 400001, 400002, 400003, 400004, 400005, 400006,
        400007, 400100, 400303, 404000, 411100, 415000,
    }),
    denied=frozenset({400001, 400003, 400004, 400005, 400006, 400007, 400303, 411100}),
    no_such_order=frozenset({100001}),
    time_refused=frozenset({400002}),
    mode_refused=frozenset({330011, 330012}),
    throttled=frozenset({429000}),
    words={"400100": "too_precise"},
)  # fmt: skip
"""KuCoin documentation, *Futures error codes*. 300018 is in none: an earlier attempt arrived, it
must be looked at. Nor is 200000, the code of a success, where nothing but a text comes with it."""
SUCCESS, NO_POSITION = 200000, 300009
GONE = "Position does not exist"
"""Comes with the code of a success where margin was meant for a position that is not there."""
ORDERS = "/api/v1/orders"
CLOSING = frozenset({("LONG", "sell"), ("SHORT", "buy"), ("BOTH", "sell"), ("BOTH", "buy")})


class Kucoin(Held, ccxt.kucoinfutures):  # type: ignore[misc]  # ccxt is shipped without types
    """The library's client of KuCoin: of its futures, and of the owner's funding account."""


def told(body: Any) -> tuple[int | None, str]:
    """Return code and text of an answer; that of a success only where it brings nothing.

    A position that is not there is told under the code that orders have for it.
    """
    code = body.get("code") if isinstance(body, dict) else None
    if not (isinstance(code, str) and code.isascii() and code.isdigit()):
        return None, ""
    found, text = int(code[:9]), body.get("msg")
    if found == SUCCESS and not (body.get("data") is None and text):
        return None, ""
    is_gone = found == SUCCESS and text == GONE
    return NO_POSITION if is_gone else found, str(text or "")


def sent(query: str, body: str) -> list[tuple[str, str]]:
    """Return every parameter of a request; time and signature stand in its headers.

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
    """Return whether an order that will be sent can only shrink; ``None`` for anything else.

    Read from the bytes, not from what was meant: a library may drop the flag.
    """
    if method != "POST" or path != ORDERS:
        return None
    closes = (said.get("positionSide", "BOTH"), said.get("side")) in CLOSING
    return closes and said.get("reduceOnly") == "true"


def wait(headers: Mapping[str, str], _: int) -> str:
    """Return how long until the pool begins anew, as seconds in text."""
    left = headers.get("gw-ratelimit-reset", "")
    return str(int(left[:12]) / 1000) if left.isascii() and left.isdigit() else ""


DIALECT = Dialect(
    library=Kucoin,
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
