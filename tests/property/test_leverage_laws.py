import math
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.position import Side
from bot.leverage import distance, tail
from bot.leverage.tolerance import window_tolerance, yearly_hazard
from bot.leverage.volatility import hourly_volatility

tails = st.builds(
    lambda u, beta, xi: tail.Tail(threshold=u, scale=beta, shape=xi),
    st.floats(0.5, 4),
    st.floats(0.1, 3),
    st.one_of(st.just(0.0), st.floats(0.01, 0.9)),
)
tolerances = st.floats(1e-12, 0.05)


@given(tails, tolerances)
def test_survival_undoes_the_quantile(shape: tail.Tail, tolerance: float) -> None:
    k = tail.quantile(shape, tolerance)
    assert math.isfinite(k)
    assert tail.survival(shape, k) == pytest.approx(tolerance, rel=1e-9)


@given(tails, tolerances, tolerances)
def test_a_smaller_tolerance_is_never_nearer(shape: tail.Tail, one: float, two: float) -> None:
    small, large = sorted((one, two))
    assert tail.quantile(shape, small) >= tail.quantile(shape, large)


@given(tails, st.floats(-1, 100), st.floats(-1, 100))
def test_survival_is_a_probability_that_falls(shape: tail.Tail, one: float, two: float) -> None:
    near, far = sorted((one, two))
    assert 0 <= tail.survival(shape, far) <= tail.survival(shape, near) <= 1


@pytest.mark.parametrize(
    ("tolerance", "expected"),
    [(0.01, 3.0344276612), (0.001, 5.7227250548), (0.0001, 11.0865835358)],
)
def test_the_quantile_matches_its_published_numbers(tolerance: float, expected: float) -> None:
    shape = tail.Tail(threshold=2, scale=0.5, shape=0.3)
    assert tail.quantile(shape, tolerance) == pytest.approx(expected, rel=1e-9)


@given(st.floats(0.001, 1000), st.floats(0.01, 1000))
def test_hazard_and_tolerance_are_inverse(hazard: float, hours: float) -> None:
    tolerance = window_tolerance(hazard, hours=hours)
    if tolerance < 1 - 1e-6:
        assert yearly_hazard(tolerance, hours=hours) == pytest.approx(hazard, rel=1e-6)


def test_one_liquidation_a_year_is_the_tabulated_share_of_an_hour() -> None:
    assert window_tolerance(1, hours=1) == pytest.approx(1.14e-4, rel=2e-3)
    assert window_tolerance(12, hours=24) == pytest.approx(3.23e-2, rel=2e-3)


@given(st.floats(1e-5, 3), st.sampled_from(Side))
def test_distance_and_log_distance_are_inverse_and_rounded_to_safety(
    a_log: float, side: Side
) -> None:
    there = distance.from_log(a_log, side)
    if side is Side.LONG and there >= 1:
        return
    back = distance.to_log(there, side)
    assert back >= a_log * (1 - 1e-9)
    assert abs(
        there - D(repr(-math.expm1(-a_log) if side is Side.LONG else math.expm1(a_log)))
    ) <= D("0.0000011")


series = st.lists(st.floats(-0.05, 0.05), min_size=48, max_size=200)


@given(series, st.floats(0.01, 1000))
def test_rescaling_prices_leaves_volatility_unchanged(steps: list[float], k: float) -> None:
    close = np.exp(np.cumsum(np.array(steps)))
    high, low = close * 1.01, close * 0.99
    one = hourly_volatility(high, low, close, bar_hours=1)
    many = hourly_volatility(high * k, low * k, close * k, bar_hours=1)
    assert many == pytest.approx(one, rel=1e-6, abs=1e-9)


@given(series)
def test_mirrored_returns_have_the_same_volatility(steps: list[float]) -> None:
    close = np.exp(np.cumsum(np.array(steps)))
    one = hourly_volatility(close * 1.01, close / 1.01, close, bar_hours=1)
    two = hourly_volatility(1.01 / close, 1 / (close * 1.01), 1 / close, bar_hours=1)
    assert two == pytest.approx(one, rel=1e-6)


@pytest.mark.parametrize(
    ("high", "low", "message"),
    [(math.nan, 1.0, "finite"), (1.0, 0.0, "finite"), (0.9, 1.0, "must not lie below")],
)
def test_broken_history_is_refused(high: float, low: float, message: str) -> None:
    flat = np.ones(48)
    with np.errstate(divide="ignore"), pytest.raises(ValueError, match=message):
        hourly_volatility(flat * high, flat * low, flat, bar_hours=1)
