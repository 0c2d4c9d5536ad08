"""Laws of first passage; every number is asserted finite before it is compared."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.leverage import bridge, normal, passage
from bot.leverage.arrays import Floats

SLACK = 1e-12
distances = st.floats(1e-6, 5)
volatilities = st.floats(1e-4, 0.2)
times = st.floats(1 / 3600, 100)
drifts = st.one_of(st.just(0.0), st.floats(-0.2, 0.2))
tolerances = st.floats(-12, -0.302).map(lambda power: 10.0**power)
standard_drifts = st.one_of(st.just(0.0), st.floats(-50, 50), st.floats(-2, 2))


def finite(found: Floats) -> float:
    assert np.isfinite(found).all()
    return float(found)


def touched(a: float, sigma: float, hours: float, drift: float = 0.0, **more: Any) -> float:
    found = finite(passage.hit(a, sigma=sigma, hours=hours, drift=drift, **more))
    assert 0 <= found <= 1
    return found


@given(st.floats(-40, 40), st.floats(-40, 40))
def test_the_normal_distribution_rises_and_mirrors(one: float, two: float) -> None:
    low, high = sorted((one, two))
    below, above = finite(normal.cdf(low)), finite(normal.cdf(high))
    assert 0 <= below <= above * (1 + SLACK) <= 1 + SLACK
    assert abs(below + finite(normal.cdf(-low)) - 1) <= 1e-15
    assert finite(normal.log_cdf(low)) <= finite(normal.log_cdf(high)) * (1 - SLACK) <= 0


@given(st.floats(-300, -0.001).map(lambda power: 10.0**power))
def test_the_normal_quantile_is_the_inverse(p: float) -> None:
    z = finite(normal.quantile(p))
    # What rounding z costs: a relative error of z**2 units.
    assert abs(finite(normal.cdf(z)) / p - 1) <= 1e-15 * (4 + z * z)


@given(distances, distances, volatilities, times, drifts)
def test_a_farther_level_is_never_likelier(
    one: float, two: float, sigma: float, hours: float, drift: float
) -> None:
    near, far = sorted((one, two))
    nearer = touched(near, sigma, hours, drift)
    assert touched(far, sigma, hours, drift) <= nearer * (1 + 1e-9) + 1e-300


@given(distances, volatilities, volatilities, times)
def test_more_volatility_is_never_safer_without_drift(
    a: float, one: float, two: float, hours: float
) -> None:
    calm, wild = sorted((one, two))
    assert touched(a, calm, hours) <= touched(a, wild, hours) * (1 + 1e-9) + 1e-300


@given(distances, volatilities, times, times, drifts)
def test_more_time_is_never_safer(
    a: float, sigma: float, one: float, two: float, drift: float
) -> None:
    short, long = sorted((one, two))
    longer = touched(a, sigma, long, drift)
    assert touched(a, sigma, short, drift) <= longer * (1 + 1e-9) + 1e-300


@given(distances, volatilities, times, st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_a_drift_towards_safety_is_never_more_dangerous(
    a: float, sigma: float, hours: float, one: float, two: float
) -> None:
    worse, better = sorted((one, two))
    dangerous = touched(a, sigma, hours, worse)
    assert touched(a, sigma, hours, better) <= dangerous * (1 + 1e-9) + 1e-300


@given(distances, volatilities, times, drifts)
def test_a_touch_is_at_least_as_likely_as_ending_beyond(
    a: float, sigma: float, hours: float, drift: float
) -> None:
    ends = finite(normal.cdf((-a - drift * hours) / (sigma * hours**0.5)))
    assert touched(a, sigma, hours, drift) >= ends * (1 - 1e-9)


@given(st.floats(-5, 0), volatilities, times, drifts)
def test_what_stands_at_or_behind_its_level_is_touched(
    a: float, sigma: float, hours: float, drift: float
) -> None:
    assert touched(a, sigma, hours, drift) == 1
    assert touched(a, sigma, hours, drift, step_hours=hours / 10) == 1


@given(distances, volatilities, times, drifts, st.integers(1, 10_000))
def test_looking_less_often_never_finds_more(
    a: float, sigma: float, hours: float, drift: float, looks: int
) -> None:
    seen = touched(a, sigma, hours, drift, step_hours=hours / looks)
    assert seen <= touched(a, sigma, hours, drift) * (1 + 1e-9) + 1e-300


@given(tolerances, volatilities, times, standard_drifts)
def test_distance_is_the_inverse_of_hit(
    tolerance: float, sigma: float, hours: float, m: float
) -> None:
    drift = m * sigma / hours**0.5
    a = finite(passage.distance(tolerance, sigma=sigma, hours=hours, drift=drift))
    assert a > 0
    assert abs(touched(a, sigma, hours, drift) / tolerance - 1) <= 1e-9


@given(tolerances, tolerances, volatilities, times, standard_drifts)
def test_a_smaller_tolerance_is_never_nearer(
    one: float, two: float, sigma: float, hours: float, m: float
) -> None:
    found = passage.distance(
        sorted((one, two)), sigma=sigma, hours=hours, drift=m * sigma / hours**0.5
    )
    assert np.isfinite(found).all()
    assert found[0] >= found[1] * (1 - SLACK)


@given(tolerances, volatilities, times, st.floats(0.01, 100))
def test_distance_grows_as_volatility_does(
    tolerance: float, sigma: float, hours: float, k: float
) -> None:
    one = finite(passage.distance(tolerance, sigma=sigma, hours=hours))
    many = finite(passage.distance(tolerance, sigma=sigma * k, hours=hours))
    assert abs(many / (one * k) - 1) <= SLACK


@given(distances, volatilities, times, drifts, st.floats(0.01, 100))
def test_the_unit_of_time_does_not_matter(
    a: float, sigma: float, hours: float, drift: float, k: float
) -> None:
    one = touched(a, sigma, hours, drift)
    other = touched(a, sigma / k**0.5, hours * k, drift / k)
    conditioning = (a / sigma / hours**0.5 + abs(drift) * hours**0.5 / sigma) ** 2
    assert abs(one - other) <= one * 1e-15 * (10 + 10 * conditioning) + 1e-300


@given(distances, distances, volatilities)
def test_two_sides_are_at_most_their_sum_and_at_least_each(
    a: float, b: float, deviation: float
) -> None:
    both = finite(passage.two_sided(a, b, deviation=deviation))
    one, two = touched(a, deviation, 1), touched(b, deviation, 1)
    assert 0 <= both <= 1
    assert max(one, two) * (1 - 1e-9) - 1e-15 <= both <= (one + two) * (1 + 1e-9) + 1e-300
    mirrored = finite(passage.two_sided(b, a, deviation=deviation))
    assert abs(both - mirrored) <= 1e-13 * both + 1e-15


@given(distances, distances, volatilities, st.floats(1, 2))
def test_two_levels_farther_away_are_never_likelier(
    a: float, b: float, deviation: float, k: float
) -> None:
    near = finite(passage.two_sided(a, b, deviation=deviation))
    assert finite(passage.two_sided(a * k, b, deviation=deviation)) <= near * (1 + 1e-9) + 1e-15


@given(st.integers(1, 300), st.integers(0, 2**32 - 1), drifts)
def test_units_do_not_feel_each_other(count: int, seed: int, drift: float) -> None:
    random = np.random.default_rng(seed)
    a, sigma = random.uniform(-0.01, 1, count), random.uniform(0.01, 0.3, count)
    order = random.permutation(count)
    found = passage.hit(a, sigma=sigma, hours=2, drift=drift)
    again = passage.hit(a[order], sigma=sigma[order], hours=2, drift=drift)
    assert (found[order] == again).all()
    alone = float(passage.hit(a[0], sigma=sigma[0], hours=2, drift=drift))
    assert abs(alone - found[0]) <= 4e-16 * alone


looks = st.lists(st.floats(1e-3, 1), min_size=1, max_size=6)


@given(looks, volatilities, times)
def test_a_bridge_survives_less_the_wilder_the_price(
    d: list[float], sigma: float, hours: float
) -> None:
    calm = finite(bridge.survival(d, sigma=sigma, step_hours=hours))
    wild = finite(bridge.survival(d, sigma=sigma * 1.5, step_hours=hours))
    assert 0 <= wild <= calm * (1 + SLACK) <= 1 + SLACK


@given(looks, st.integers(0, 5), volatilities, times)
def test_a_path_seen_behind_its_level_did_not_survive(
    d: list[float], at: int, sigma: float, hours: float
) -> None:
    seen = [*d[:at], 0.0, *d[at:]]
    assert finite(bridge.survival(seen, sigma=sigma, step_hours=hours)) == 0


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 50), volatilities, times)
def test_the_minimum_of_a_bridge_has_the_law_of_its_survival(
    x: float, y: float, e: float, sigma: float, hours: float
) -> None:
    lowest = finite(bridge.minimum(x, y, e, sigma=sigma, step_hours=hours))
    assert lowest <= min(x, y) + 1e-15
    # P(minimum > lowest) = 1 - exp(-e): the level at which a uniform variable was used up.
    above = np.array([x - lowest, y - lowest])
    exponent = 2 * above[0] * above[1] / (sigma * sigma * hours)
    rounding = 1e-14 * (1 + abs(x) + abs(y)) * (above.max() + 1e-15) / (sigma * sigma * hours)
    assert abs(exponent - e) <= 1e-9 * e + rounding
