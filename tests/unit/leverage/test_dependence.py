import math

import numpy as np
import pytest

from bot.leverage import cross, dependence, panels, scaling
from bot.leverage.arrays import Floats
from bot.leverage.dependence import FEWEST_ROWS, learn

ROWS, STEPS = 5000, 24


def a_market(*, rows: int = ROWS, symbols: int = 3) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(3)
    returns = draw.normal(0, 0.01, (rows, symbols)) + draw.normal(0, 0.01, (rows, 1))
    return returns, np.full_like(returns, 0.014 * math.sqrt(STEPS))


def test_what_is_learned_is_what_the_parts_say() -> None:
    returns, sigma = a_market()
    found = learn(returns, sigma, steps=STEPS)
    assert found.column.tolist() == [0, 1, 2]
    assert found.residuals == pytest.approx(scaling.standardised(returns), rel=1e-9)
    assert found.residuals.flags.c_contiguous
    assert found.correlation == pytest.approx(cross.correlation(returns / sigma), rel=1e-9)
    excursions = panels.book_excursions(returns, sigma, panels.panel(3), steps=STEPS)
    assert found.books is not None
    k = float(np.median(found.books.quantile(0.01)))
    assert k == pytest.approx(panels.book_quantile(excursions, 0.01), rel=1e-9)
    assert 2 < k < 3  # a walk of normal steps


@pytest.mark.parametrize(
    ("what", "rows", "value"),
    [
        ("listed late", slice(0, ROWS - FEWEST_ROWS + 1), math.nan),
        ("absurd", slice(0, ROWS - FEWEST_ROWS + 1), math.inf),
        ("still at first", slice(0, 72), 0.0),
        ("still at last", slice(-72, None), 0.0),
        ("a jump after standing still", slice(1000, 3000), 0.0),
        ("one wild hour", slice(1000, 1001), 5.0),
    ],
)
def test_a_symbol_rows_cannot_speak_for_is_left_out_and_no_other(
    what: str, rows: slice, value: float
) -> None:
    returns, sigma = a_market()
    returns[rows, 1] = value
    found = learn(returns, sigma, steps=STEPS)
    assert found.column.tolist() == [0, -1, 1], what
    assert found.is_known.tolist() == [True, False, True]
    assert np.isfinite(found.residuals).all()


def test_a_gap_costs_its_rows_and_nothing_else() -> None:
    returns, sigma = a_market()
    returns[700:710, 0] = np.nan
    sigma[:100] = np.nan  # no forecast yet, but a residual
    found = learn(returns, sigma, steps=STEPS)
    assert found.is_known.all()
    assert found.residuals.shape[0] == ROWS - 10 - 72


@pytest.mark.parametrize("rows", [0, 1, 72, 73, FEWEST_ROWS - 1])
def test_too_few_rows_teach_nothing(rows: int) -> None:
    found = learn(*a_market(rows=rows), steps=STEPS)
    assert not found.is_known.any()
    assert found.books is None


def test_too_few_windows_for_the_tail_of_a_book_teach_nothing() -> None:
    assert not learn(*a_market(), steps=40).is_known.any()
    assert learn(*a_market(), steps=24).is_known.all()


def test_symbols_without_a_common_hour_teach_nothing() -> None:
    returns, sigma = a_market(rows=2 * ROWS, symbols=2)
    returns[:ROWS, 0] = np.nan
    returns[ROWS:, 1] = np.nan
    assert not learn(returns, sigma, steps=STEPS).is_known.any()


def test_a_sound_correlation_is_believed_alone() -> None:
    sound = np.array([[1.0, 0.9], [0.9, 1.0]])
    assert dependence.believed(sound).shape == (1, 2, 2)
    assert not dependence.is_singular(sound)
    assert dependence.is_singular(np.ones((2, 2)))
    assert not dependence.is_singular(np.empty((0, 0)))
    eigenvalue = 1.0 - 0.9999995
    assert dependence.is_singular(np.array([[1.0, 1 - eigenvalue], [1 - eigenvalue, 1.0]]))


def test_a_value_that_contradicts_itself_is_refused() -> None:
    good = learn(*a_market(), steps=STEPS)
    for change in (
        {"steps": 0},
        {"column": np.array([0, 1, 1])},
        {"correlation": np.eye(2)},
        {"residuals": np.full((9, 3), math.nan)},
        {"books": None},
    ):
        values = {name: getattr(good, name) for name in good.__slots__} | change
        with pytest.raises(ValueError):
            dependence.Dependence(**values)
    with pytest.raises(ValueError, match="one shape"):
        learn(np.ones((9, 2)), np.ones((9, 3)), steps=STEPS)
