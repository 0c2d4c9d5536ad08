"""In which words does OKX speak?"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import ccxt.async_support as ccxt

from bot.exchanges.dialect import Codes, Dialect, retry_after
from bot.exchanges.library import Held
from bot.exchanges.okx.limits import BUDGETS, cost

WINDOW_MS = 30_000
"""The venue takes a request so long after the time signed in it; none may ask for less. [ms]"""
CODES = Codes(
    no_effect=frozenset({
        50000, 50002, 50006, 50007, 50014, 50015, 50016, 50024, 50100, 50101, 50102, 50103, 50104,
        50105, 50106, 50107, 50108, 50109, 50110, 50111, 50112, 50113, 50114, 50115, 50119, 50120,
        51000, 51001, 51004, 51005, 51006, 51008, 51010, 51020, 51022, 51023, 51027, 51028, 51058,
        51100, 51101, 51105, 51108, 51109, 51112, 51116, 51119, 51120, 51121, 51127, 51131, 51135,
        51136, 51169, 51170, 51205, 51250, 51275, 51277, 51278, 51279, 51280, 51400, 51401, 51402,
        58114, 58116, 58350, 59300, 59301,
    }),
    denied=frozenset({
        50007, 50100, 50101, 50103, 50104, 50105, 50106, 50107, 50108, 50109, 50110, 50111, 50113,
        50114, 50119, 50120,
    }),
    no_such_order=frozenset({51603}),
    time_refused=frozenset({50102, 50112}),
    # A leg in net mode, or none with legs: a parameter error, and nothing more is told.
    mode_refused=frozenset({51000}),
    throttled=frozenset({50011, 50061}),
    words={"51000": "too_precise"},
)  # fmt: skip
"""Of orders the codes stand in the items of an answer. 51016, 51065 and 50071 are in none: an
earlier attempt arrived, it must be looked at."""
ORDERS = frozenset({"/api/v5/trade/order", "/api/v5/trade/order-algo"})
CONDITIONAL = "trade/order-algo"
WHOLE = frozenset({"0", "1", "2"})
"""Codes that say how many items were taken; what was refused stands in the items."""


class Okx(Held, ccxt.okx):  # type: ignore[misc]  # ccxt is shipped without types
    """The library's client of OKX.

    It makes a random name for each conditional order, whose name is another field, and forgets to
    send it. Made for nothing, it is no fault; where it were sent, the request would be another.
    """

    _is_named = False

    def sign(self, path: str, *rest: Any) -> Any:
        """Return a signed request."""
        self._is_named = path == CONDITIONAL and bool(rest[-1].get("algoClOrdId"))
        try:
            return super().sign(path, *rest)
        finally:
            self._is_named = False

    def uuid16(self, *_: Any) -> str:  # type: ignore[override]  # one place needs no refusal
        """Return a word that is not sent; every name that is comes from the journal."""
        return "unsent" if self._is_named else self._no_random_id()


def told(body: Any) -> tuple[int | None, str]:
    """Return code and text of an answer, of its first refused item where there is one."""
    if not isinstance(body, dict) or not isinstance(body.get("code"), str):
        return None, ""
    code = body["code"]
    if code in WHOLE:
        for item in _items(body.get("data")):
            found = _digits(item.get("sCode"))
            if found:
                return found, str(item.get("sMsg", ""))
    found = _digits(code)
    return (found, str(body.get("msg", ""))) if found else (None, "")


def sent(query: str, body: str) -> list[tuple[str, str]]:
    """Return every parameter of a request; time and signature stand in its headers.

    Parts of a list are named by their place, and what is no text is written as JSON has it.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    if body:
        pairs += list(_pairs(json.loads(body, object_pairs_hook=_kept)))
    return pairs


def is_reduce_only(method: str, path: str, said: Mapping[str, str]) -> bool | None:
    """Return whether an order that will be sent can only shrink; ``None`` for anything else.

    Read from the bytes, not from what was meant: a library may drop the flag. With legs the venue
    ignores the flag, and the side that closes the named leg is the proof.
    """
    if method != "POST" or path not in ORDERS:
        return None
    leg = said.get("posSide", "net")
    if leg != "net":
        return (leg, said.get("side")) in {("long", "sell"), ("short", "buy")}
    return said.get("reduceOnly") == "true"


def _items(data: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(data, list):
        yield from (item for item in data if isinstance(item, dict))


def _digits(code: Any) -> int:
    """Return a code as a number; 0 for success and for what is no code."""
    is_code = isinstance(code, str) and code.isascii() and code.isdigit()
    return int(code[:9]) if is_code else 0


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON with what it says twice."""


def _kept(pairs: list[tuple[str, Any]]) -> _Pairs:
    return _Pairs(pairs)


def _pairs(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, _Pairs):
        for key, part in value:
            yield from _pairs(part, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _pairs(part, f"{where}.{place}" if where else str(place))
    else:
        yield where, value if isinstance(value, str) else json.dumps(value)


DIALECT = Dialect(
    library=Okx,
    options={},
    codes=CODES,
    budgets=BUDGETS,
    cost=cost,
    told=told,
    sent=sent,
    is_reduce_only=is_reduce_only,
    wait=retry_after,
    window_ms=WINDOW_MS,
    rehearsal="set_sandbox_mode",
)
