import contextlib
import json
import math
from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import pytest

from bot.errors import Incomplete
from bot.exchanges.numbers import LARGEST, SMALLEST, instant, number
from tests.kit.parsers import PARSERS, bodies
from tests.kit.spoiled import JUNK, drop, put, ways

BODIES = bodies()


def as_received(body: Any) -> Any:
    """Return a body as the adapter gets it: every number as it was written."""
    return json.loads(json.dumps(body), parse_float=str, parse_constant=str)


def test_there_is_a_body_for_each_parser_and_each_reads_its_own() -> None:
    assert sorted(which for which, _ in BODIES) == list(range(len(PARSERS)))
    for which, body in BODIES:
        PARSERS[which](as_received(body))


@pytest.mark.parametrize(("which", "body"), BODIES, ids=[str(which) for which, _ in BODIES])
def test_any_field_that_is_junk_or_absent_is_read_or_named(which: int, body: Any) -> None:
    refused = 0
    for broken in broken_bodies(body):
        try:
            PARSERS[which](as_received(broken))
        except Incomplete as error:
            refused += 1
            assert str(error)  # noqa: PT017 - either is right
    assert refused > len(JUNK)


def broken_bodies(body: Any) -> Iterator[Any]:
    for way in ways(body):
        yield drop(body, way)
        for junk in JUNK:
            yield put(body, way, junk)


@pytest.mark.parametrize("junk", [j for j in JUNK if isinstance(j, str)])
def test_a_text_is_a_plain_number_of_sane_size_or_none(junk: str) -> None:
    with contextlib.suppress(Incomplete):
        found = number({"x": junk}, "x")
        assert math.isfinite(found)
        assert found == 0 or SMALLEST <= abs(found) <= LARGEST
        assert junk in ("-5", "0", "-0", "999999999999999")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", D(1)), ("-0.5", D("-0.5")), ("1e-7", D("1e-7")), ("1E+3", D(1000)), ("5.", D(5)),
     ("1e-30", D("1e-30")), ("1e15", D("1e15")), ("1e-31", None), ("1.1e15", None),
     (".5", None), ("+1", None), ("1_000", None), ("\uff11", None), ("1\n", None)],
)  # fmt: skip
def test_numbers_are_read_to_the_last_digit_or_not_at_all(text: str, expected: D | None) -> None:
    if expected is None:
        with pytest.raises(Incomplete, match="'x'"):
            number({"x": text}, "x")
    else:
        assert number({"x": text}, "x") == expected


@pytest.mark.parametrize("stamp", [10**15, -(10**15), 10**30])
def test_a_time_beyond_every_calendar_is_named(stamp: int) -> None:
    with pytest.raises(Incomplete, match=f"was {stamp}"):
        instant(stamp)
