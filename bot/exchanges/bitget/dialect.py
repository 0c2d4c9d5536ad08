"""In which words does Bitget speak?"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import ccxt.async_support as ccxt

from bot.exchanges.bitget.limits import BUDGETS, cost
from bot.exchanges.dialect import Codes, Dialect, retry_after
from bot.exchanges.library import Held

WINDOW_MS = 30_000
"""The venue takes a request so long after the time signed in it; none may ask for less. [ms]"""
CODES = Codes(
    no_effect=frozenset({
        1, 1001, 1002, 22002, 22004, 22006, 22007, 22008, 22009, 22010, 22012, 22034, 22038, 22043,
        22044, 22045, 22067, 40001, 40002, 40003, 40005, 40006, 40007, 40008, 40009, 40011, 40012,
        40013, 40014, 40016, 40017, 40018, 40019, 40020, 40022, 40023, 40024, 40025, 40026, 40031,
        40034, 40035, 40036, 40037, 40038, 40041, 40053, 40057, 40058, 40059, 40064, 40072, 40078,
        40079, 40081, 40085, 40102, 40105, 40110, 40203, 40204, 40205, 40206, 40207, 40208, 40301,
        40304, 40305, 40309, 40402, 40404, 40706, 40710, 40711, 40712, 40713, 40714, 40717, 40752,
        40753, 40754, 40755, 40757, 40760, 40762, 40774, 40778, 40798, 40799, 40800, 40801, 40802,
        40804, 40805, 40806, 40807, 40808, 40811, 40812, 40813, 40815, 40816, 40820, 40821, 40822,
        40833, 40834, 40835, 40836, 40837, 40844, 40845, 40867, 40875, 40879, 40889, 40890, 40891,
        40907, 40913, 40916, 40917, 40924, 40931, 40936, 40939, 41002, 41100, 41101, 41103, 41104,
        41114, 41117, 43005, 43006, 43007, 43008, 43009, 43010, 43011, 43012, 43015, 43016, 43020,
        43021, 43023, 43025, 43026, 43027, 43028, 43029, 43031, 43037, 43038, 43043, 43049, 43058,
        43075, 43111, 43117, 43125, 43129, 43132, 43136, 45002, 45003, 45005, 45006, 45008, 45009,
        45019, 45021, 45025, 45035, 45043, 45051, 45052, 45062, 45068, 45108, 45109, 45110, 45111,
        45112, 45113, 45114, 45115, 45117, 45118, 45120, 45122, 45123, 48001, 48002,
    }),
    denied=frozenset({
        40001, 40002, 40003, 40006, 40009, 40011, 40012, 40013, 40014, 40016, 40018, 40022, 40023,
        40024, 40025, 40026, 40031, 40035, 40036, 40037, 40038, 40041, 40085, 40710, 40752, 40753,
        40760, 40916,
    }),
    no_such_order=frozenset({31007, 40109, 40768, 43001, 45057}),
    time_refused=frozenset({40005, 40008, 40078}),
    mode_refused=frozenset({40774, 43075, 45021, 45109}),
    throttled=frozenset({429}),
    words={"1002": "too_precise", "40208": "too_precise", "40808": "too_precise"},
)  # fmt: skip
"""By the venue's table, contract/error-code/restapi, as stored in 2026-09. In no set are the codes
of an earlier attempt that arrived (40786, 43118, 45034, 50060), nor those of an inside that does
not say what it has done (40010, 40015, 40725, 40782, 40908, 40909, 40910, 42013, 43059, 43137,
45001)."""
ORDER = "/api/v2/mix/order/place-order"
STOP = "/api/v2/mix/order/place-tpsl-order"
STOP_LOSSES = frozenset({"loss_plan", "pos_loss"})
DONE = "00000"


class Bitget(Held, ccxt.bitget):  # type: ignore[misc]  # ccxt is shipped without types
    """The library's client of Bitget."""


def told(body: Any) -> tuple[int | None, str]:
    """Return code and text of an answer."""
    if not isinstance(body, dict):
        return None, ""
    code = body.get("code")
    if not isinstance(code, str) or not (code.isascii() and code.isdigit()) or code == DONE:
        return None, ""
    return int(code[:9]), str(body.get("msg", ""))


def sent(query: str, body: str) -> list[tuple[str, str]]:
    """Return every parameter of a request; time and signature stand in its headers.

    Parts of a list are named by their place, and what is no text is written as JSON has it.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    if body:
        pairs += list(_pairs(json.loads(body, object_pairs_hook=_Pairs)))
    return pairs


def is_reduce_only(method: str, path: str, said: Mapping[str, str]) -> bool | None:
    """Return whether an order that will be sent can only shrink; ``None`` for anything else.

    Read from the bytes, not from what was meant. With legs the venue wants a word of its own
    instead of the flag, and its side names the leg; one-way accounts refuse that word. A stop loss
    of a position closes it, or a part.
    """
    if method != "POST":
        return None
    if path == STOP:
        return said.get("planType") in STOP_LOSSES
    if path != ORDER:
        return None
    if "tradeSide" in said:
        return said["tradeSide"] == "close"
    return said.get("reduceOnly") == "YES"


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON with what it says twice."""


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
    library=Bitget,
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
