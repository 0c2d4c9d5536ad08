from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.execute.steps import LARGEST, ceiling, floor, is_countable, is_priced, is_whole

STEPS = st.sampled_from([D("0.00001"), D("0.01"), D(1), D("0.3")])
AMOUNTS = st.decimals(min_value=-LARGEST, max_value=LARGEST, places=9)


@given(AMOUNTS, STEPS)
def test_steps_enclose_the_amount_and_meet_only_where_it_is_whole(amount: D, step: D) -> None:
    below, above = floor(amount, step=step), ceiling(amount, step=step)
    numerator, denominator = step.as_integer_ratio()
    top, bottom = amount.as_integer_ratio()
    assert below * numerator * bottom <= top * denominator <= above * numerator * bottom
    assert above - below == (0 if is_whole(amount, step=step) else 1)


@given(st.integers(-(10**20), 10**20), STEPS)
def test_a_multiple_is_counted_exactly(count: int, step: D) -> None:
    amount = D(count) * step
    if abs(amount) <= LARGEST:
        assert floor(amount, step=step) == ceiling(amount, step=step) == count


@pytest.mark.parametrize(
    "number", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+19", "1E+999999999", "1E-999999999"]
)
def test_what_cannot_be_counted_is_told_and_refused(number: str) -> None:
    assert not is_countable(D(number))
    assert not is_priced(D(number))
    for count in (floor, ceiling, is_whole):
        with pytest.raises(ValueError, match="countable"):
            count(D(number), step=D("0.01"))


def test_a_price_is_above_zero() -> None:
    assert is_priced(D("0.00000001"))
    assert not is_priced(D(0))
    assert not is_priced(D(-1))


def test_digits_beyond_the_context_of_decimals_count() -> None:
    assert not is_whole(D("100.00000000000000000000000000000000001"), step=D("0.01"))
    assert ceiling(D("100.00000000000000000000000000000000001"), step=D(1)) == 101
