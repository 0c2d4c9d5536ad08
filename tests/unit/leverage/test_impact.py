import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.leverage.impact import slippage

levels = st.lists(
    st.tuples(st.floats(0, 0.05), st.floats(0.01, 50)), max_size=6
).map(sorted)  # fmt: skip
sides = st.sampled_from((1, -1))


def filled(
    book: list[tuple[float, float]], size: float, *, side: int = 1, most: float = 0.01
) -> tuple[float, bool]:
    """Return the slippage in a book of distances from mark and sizes."""
    prices = [(100 * math.exp(-side * at), rest) for at, rest in book]
    return slippage(prices, size, side=side, mark=100, most=most)


@given(levels, st.floats(0.01, 100), st.integers(0, 5), st.floats(0.1, 1), sides)
def test_a_thinner_book_or_a_larger_size_never_fills_nearer(
    book: list[tuple[float, float]], size: float, gone: int, share: float, side: int
) -> None:
    slip, is_thin = filled(book, size, side=side)
    assert 0 <= slip <= 0.01 * (1 + 1e-9)
    thin = [(at, rest * share) for n, (at, rest) in enumerate(book) if n != gone]
    if thin:
        thinner, is_thinner = filled(thin, size, side=side)
        assert thinner >= slip - 1e-12
        assert is_thinner or not is_thin
    larger, _ = filled(book, size * 2, side=side)
    assert larger >= slip - 1e-12


@pytest.mark.parametrize(
    ("book", "size", "slip", "is_thin"),
    [
        ([], 1, 0, False),
        ([(0.0, 1)], 1, 0, False),
        ([(0.002, 5)], 1, 0.002, False),
        ([(0.0, 1), (0.004, 1)], 2, 0.002, False),
        ([(0.0, 1), (0.5, 1)], 2, 0.005, False),
        ([(0.0, 1)], 4, 0.0075, True),
        ([(-0.1, 1)], 1, 0, False),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_what_is_not_shown_is_filled_at_most(
    book: list[tuple[float, float]], size: float, slip: float, is_thin: bool, side: int
) -> None:
    found, thin = filled(book, size, side=side)
    assert found == pytest.approx(slip, abs=1e-12)
    assert thin is is_thin
