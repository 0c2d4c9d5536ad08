"""Laws of what a strategy carries from one decision to the next: a hint, and never a fault."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.past import LONGEST_TEXT, MOST_VALUES, Carried, Past, read, written
from tests.kit.builders import NOON

names = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40)
texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
carried = st.builds(
    lambda kind, values: Carried(kind=kind, values=tuple(values.items())),
    texts,
    st.dictionaries(names.filter(lambda name: name != "kind"), texts, max_size=8),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(carried)
def test_what_is_written_is_read_again_and_small(carry: Carried) -> None:
    text = written(carry)
    if text is not None:  # else it was too long
        assert read(text) == carry
        assert len(text) <= LONGEST_TEXT


@given(st.text() | anything.map(json.dumps) | st.just("[" * 900) | st.just("9" * 5000))
def test_whatever_is_read_is_whole_or_nothing(text: str) -> None:
    found = read(text)
    assert found is None or written(found) == text


@given(st.text(max_size=60))
def test_a_value_is_a_number_or_an_instant_or_nothing(text: str) -> None:
    one = Carried(kind="x", values=(("a", text),))
    number, at = one.number("a"), one.instant("a")
    assert number is None or abs(number * 3) >= 0
    assert at is None or (at.tzinfo is UTC and (NOON - at) < timedelta.max)


@pytest.mark.parametrize(
    "carry",
    [
        None,
        "text",
        Carried(kind=7),  # type: ignore[arg-type]  # what a careless strategy may hand over
        Carried(kind="x", values=[("a", "b")]),  # type: ignore[arg-type]  # what a careless strategy may hand over
        Carried(kind="x", values=(("a",),)),  # type: ignore[arg-type]  # what a careless strategy may hand over
        Carried(kind="x", values=("ab",)),  # type: ignore[arg-type]  # what a careless strategy may hand over
        Carried(kind="x", values=(("a", 1),)),  # type: ignore[arg-type]  # what a careless strategy may hand over
        Carried(kind="x", values=(("a", "\n"),)),
        Carried(kind="x", values=(("a", "\ud800"),)),
        Carried(kind="x", values=(("", "b"),)),
        Carried(kind="x", values=(("a" * 41, "b"),)),
        Carried(kind="x", values=(("kind", "b"),)),
        Carried(kind="x", values=(("a", "b"), ("a", "c"))),
        Carried(kind="x", values=(("a", "b" * LONGEST_TEXT),)),
        Carried(kind="x", values=tuple((str(n), "") for n in range(MOST_VALUES + 1))),
    ],
    ids=repr,
)
def test_what_is_no_small_set_of_texts_is_not_carried(carry: object) -> None:
    assert written(carry) is None


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"kind":1}', '{"kind":"x", "a":"b"}', '{"kind":"x","a":1}', '{"a":"b"}'],
)
def test_a_text_that_nobody_wrote_so_is_nothing(text: str) -> None:
    assert read(text) is None


def test_what_another_kind_carried_is_nothing() -> None:
    mine = Carried(kind="mine 2", values=(("a", "1"),))
    past = Past(now=NOON, carried=mine)
    assert past.of("mine 2") == mine
    assert past.of("mine 1") == Carried(kind="mine 1")
    assert Past(now=NOON).of("mine 2") == Carried(kind="mine 2")


@pytest.mark.parametrize(
    ("text", "number", "at"),
    [
        ("2.10", D("2.10"), None),
        ("-3", D(-3), None),
        ("0", D(0), None),
        ("NaN", None, None),
        ("Infinity", None, None),
        ("1E+999999", None, None),
        ("1E-999999", None, None),
        ("2026-01-05T13:00:00+01:00", None, NOON),
        ("2026-01-05T12:00:00", None, None),
        ("0001-01-01T00:00:00+23:59", None, None),
    ],
)
def test_values_are_what_can_be_computed_with(
    text: str, number: D | None, at: datetime | None
) -> None:
    one = Carried(kind="x", values=(("a", text),))
    assert (one.number("a"), one.instant("a")) == (number, at)
    assert (one.number("b"), one.instant("b"), one.text("b")) == (None, None, None)
