import math
from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.market import Bars
from bot.domain.position import Side
from bot.leverage import distance, tail
from bot.leverage.tolerance import window_tolerance, yearly_hazard
from bot.leverage.volatility import hourly_volatility, smoothed_of_bars, smoothed_variance

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


DECAY = 2 ** (-1 / 72)


def plainly_smoothed(returns: list[float]) -> float:
    """Return the variance by its recursion, one return after the other."""
    seed = min(168, max(len(returns) - 72, len(returns) // 2))
    variance = sum(r * r for r in returns[:seed]) / seed
    for r in returns[seed:]:
        variance = DECAY * variance + (1 - DECAY) * r * r
    return variance


@given(st.lists(st.floats(-0.05, 0.05), min_size=23, max_size=500))
def test_the_smoothed_variance_is_its_recursion(returns: list[float]) -> None:
    found = smoothed_variance(np.array(returns))
    assert found == pytest.approx(plainly_smoothed(returns), rel=1e-9, abs=1e-30)


@given(st.integers(30, 400), st.integers(0, 399), st.floats(0, 0.05), st.floats(0, 0.05))
def test_a_larger_move_never_gives_a_smaller_variance(
    count: int, at: int, one: float, two: float
) -> None:
    small, large = sorted((one, two))
    returns = np.full(count, 0.01)
    returns[at % count] = small
    calm = smoothed_variance(returns)
    returns[at % count] = -large
    assert smoothed_variance(returns) >= calm


def test_the_smoothed_variance_takes_the_published_step() -> None:
    assert pytest.approx(0.990419, abs=5e-7) == DECAY
    # 240 hours of .008 and then one of .02: the first 168 seed it, the next 72 leave it there.
    found = smoothed_variance(np.array([0.008] * 240 + [0.02]))
    assert found == pytest.approx(6.72192e-5, rel=1e-6)
    assert math.sqrt(found) == pytest.approx(0.00819873, rel=1e-6)


def test_the_variance_begins_with_the_first_168_hours_where_they_leave_a_half_life() -> None:
    loud_first = [0.02] * 168 + [0.0] * 72
    assert smoothed_variance(np.array(loud_first)) == pytest.approx(4e-4 / 2, rel=1e-12)
    # A week, as it is read by default: 95 hours begin it, and 72 follow.
    assert smoothed_variance(np.array([0.02] * 95 + [0.0] * 72)) == pytest.approx(2e-4, rel=1e-12)
    # A day: half of it.
    day = smoothed_variance(np.array([0.02] * 11 + [0.0] * 12))
    assert day == pytest.approx(4e-4 * DECAY**12, rel=1e-12)


@pytest.mark.parametrize("seconds", [300, 900, 3600])
def test_shorter_bars_are_read_by_the_hour_back_from_the_newest(seconds: int) -> None:
    per_hour = 3600 // seconds
    hours = [100 * math.exp(0.01 * (hour % 2) / (1 + hour)) for hour in range(49)]
    # Between the hours the price is elsewhere, and the first bars are no whole hour.
    close = [100.5] * (per_hour - 1) + [hours[0]]
    for price in hours[1:]:
        close += [101.0] * (per_hour - 1) + [price]
    close = close[per_hour // 2 :]
    bars = Bars(seconds=seconds, high=(102.0,) * len(close), low=(99.0,) * len(close),
                close=tuple(close))  # fmt: skip
    expected = math.sqrt(smoothed_variance(np.diff(np.log(np.array(hours)))))
    assert smoothed_of_bars(bars) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seconds", [0, -60, 7200, 3601])
def test_bars_that_do_not_divide_an_hour_are_refused(seconds: int) -> None:
    flat = (100.0,) * 48
    with pytest.raises(ValueError, match="must divide an hour"):
        smoothed_of_bars(Bars(seconds=seconds, high=flat, low=flat, close=flat))
