"""Answers of the paper exchange, broken on purpose, and a way to carry them without sockets."""

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from bot.exchanges.gateway import look
from bot.paper.desk import Asked, Desk, Reply, about

Spoil = Callable[[Asked, Reply], Reply]

JUNK: tuple[Any, ...] = (
    None, "", " ", "NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1e400", "-1e400", "0x10",
    "1E+999999999", "1E-999999999", "1e-200", "-5", "0", "-0", "1_000", " 1", "\uff19", "1,5",
    "--1", "abc", "9" * 5000, "999999999999999", True, False, [], {}, [None], [[]], {"a": [1]},
    0, -1, 1.5, 10**18, 10**15, -(10**15), -(10**30), float("nan"), float("inf"), 1e308,
    "\x00", "\ud800", "LONG", "SHORT", "BOTH", "BUY", "symbol",
)  # fmt: skip
"""What no field of a venue should hold, and what some field does."""


def as_it_is(asked: Asked, reply: Reply) -> Reply:
    """Break nothing."""
    del asked
    return reply


class Line:
    """Carries requests to a desk and its replies back, spoiled."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.spoil: Spoil = as_it_is
        self.paths: set[str] = set()
        """Of everything that was asked."""

    async def carry(self, asked: Asked) -> Reply:
        """Bring a request there and a broken answer back."""
        look.get()()
        self.paths.add(about(self.desk, asked)[1])
        return self.spoil(asked, self.desk.answer(asked))


Way = tuple[str | int, ...]


def ways(value: Any, way: Way = ()) -> list[Way]:
    """Return the way to every field of a body, the body itself first."""
    found: list[Way] = [way]
    children: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value[:3]))  # rows are alike
    for key, child in children:
        found += ways(child, (*way, key))
    return found


def put(value: Any, way: Way, new: Any) -> Any:
    """Return a body with another value at the end of a way."""
    if not way:
        return new
    body = copy.deepcopy(value)
    place = body
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = new
    return body


def drop(value: Any, way: Way) -> Any:
    """Return a body without a field or row; without the body, nothing."""
    if not way:
        return None
    body = copy.deepcopy(value)
    place = body
    for step in way[:-1]:
        place = place[step]
    del place[way[-1]]
    return body


AROUND = (
    "<html>%s</html>", "%s%s", "\ufeff%s", "[%s]", '{"data":%s}', '{"code":-1000,"msg":%s}',
    "[" * 3000 + "%s", "null %s",
)  # fmt: skip


@st.composite
def spoilings(draw: st.DrawFn) -> Callable[[str], str]:
    """Draw one way to break a body; it is the same for every answer of an endpoint."""
    kind = draw(st.sampled_from(["put", "put", "put", "drop", "drop", "again", "cut", "wrap"]))
    share = draw(st.floats(0, 1, exclude_max=True))
    junk = draw(st.sampled_from(JUNK))
    around = draw(st.sampled_from(AROUND))

    def spoil(text: str) -> str:
        if kind == "cut":
            return text[: int(share * len(text))]
        if kind == "wrap":
            return around.replace("%s", text)
        body = json.loads(text)
        found = ways(body)
        way = found[int(share * len(found))]
        if kind == "drop":
            return json.dumps(drop(body, way))
        if kind == "again":
            rows = body if isinstance(body, list) else [body]
            return json.dumps([*rows, *rows])
        return json.dumps(put(body, way, junk))

    return spoil
