import math

import mpmath as mp
import numpy as np
import pytest
from scipy import special

from bot.leverage import normal

ULP = 2.0**-52
T = [0.0, 1e-9, 0.03, 0.5, 1.0, 2.5, 4.9, 5.0, 5.1, 8.0, 13.7, 26.0, 38.0, 100.0, 1e5, 1e12]
Z = [-37.5, -30.1, -12.3, -8.0, -5.01, -5.0, -4.99, -1.3, -1e-9, 0.0, 1e-9, 0.7, 3.3, 8.2]


def exact_ratio(t: float | mp.mpf) -> mp.mpf:
    with mp.workdps(60):
        x = mp.mpf(t)
        if t > 60:  # the asymptotic series: exp(t**2 / 2) would need millions of digits
            terms = ((-1) ** k * mp.fac2(2 * k - 1 if k else 0) / x ** (2 * k) for k in range(20))
            return mp.fsum(terms) / (x * mp.sqrt(2 * mp.pi))
        return mp.exp(x * x / 2) * mp.erfc(x / mp.sqrt(2)) / 2


def exact_cdf(z: float) -> mp.mpf:
    with mp.workdps(60):
        return mp.erfc(-mp.mpf(z) / mp.sqrt(2)) / 2


def continued_fraction(t: float, depth: int = 400) -> float:
    # The tail ratio, slowly: 1/(t + 1/(t + 2/(t + 3/(t + ...)))) over sqrt(2 pi).
    found = t
    for k in range(depth, 0, -1):
        found = t + k / found
    return 1.0 / found / math.sqrt(2.0 * math.pi)


def units(found: float, exact: mp.mpf) -> float:
    with mp.workdps(60):
        return float(abs(mp.mpf(found) / exact - 1)) / ULP if exact else abs(found)


@pytest.mark.parametrize("t", T)
def test_the_tail_ratio_is_right_to_four_units(t: float) -> None:
    assert units(float(normal.tail_ratio(t)), exact_ratio(t)) <= 4


@pytest.mark.parametrize("t", [t for t in T if t >= 2])
def test_the_tail_ratio_is_its_continued_fraction(t: float) -> None:
    assert float(normal.tail_ratio(t)) == pytest.approx(continued_fraction(t), rel=1e-14)


@pytest.mark.parametrize("z", Z)
def test_distribution_density_and_logarithm_are_right_to_six_units(z: float) -> None:
    assert units(float(normal.cdf(z)), exact_cdf(z)) <= 6
    with mp.workdps(60):
        assert units(float(normal.pdf(z)), mp.npdf(mp.mpf(z))) <= 4
        assert units(float(normal.log_cdf(z)), mp.log(exact_cdf(z))) <= 6


@pytest.mark.parametrize("z", [-40.0, -200.0, -1e6])
def test_the_logarithm_goes_on_where_the_distribution_is_zero(z: float) -> None:
    with mp.workdps(60):
        exact = mp.log(exact_ratio(-z)) - mp.mpf(z) ** 2 / 2
    assert units(float(normal.log_cdf(z)), exact) <= 6


@pytest.mark.parametrize("p", [1e-300, 1e-12, 1e-11, *np.geomspace(1e-40, 0.9, 60).tolist(), 0.98])
def test_the_quantile_is_right_to_three_units(p: float) -> None:
    with mp.workdps(60):
        z = mp.mpf(float(normal.quantile(p)))
        for _ in range(3):
            z -= (mp.erfc(-z / mp.sqrt(2)) / 2 - mp.mpf(p)) / mp.npdf(z)
    assert units(float(normal.quantile(p)), z) <= 3


def test_scipy_agrees() -> None:
    z = np.linspace(-37, 9, 4001)
    assert np.allclose(normal.cdf(z), special.ndtr(z), rtol=5e-13, atol=0)
    assert np.allclose(normal.log_cdf(z), special.log_ndtr(z), rtol=1e-13, atol=1e-300)
    p = np.geomspace(1e-300, 0.999, 4001)
    assert np.allclose(normal.quantile(p), special.ndtri(p), rtol=1e-13, atol=1e-15)


def test_the_ends_are_exact() -> None:
    assert normal.cdf([-np.inf, np.inf]).tolist() == [0.0, 1.0]
    assert normal.pdf([-np.inf, np.inf]).tolist() == [0.0, 0.0]
    assert normal.log_cdf([-np.inf, -1e200]).tolist() == [-math.inf, -math.inf]
    assert normal.quantile([0.0, 0.5, 1.0]).tolist() == [-math.inf, 0.0, math.inf]
    assert float(normal.tail_ratio(np.inf)) == 0.0


def test_no_number_stays_no_number() -> None:
    for of in (normal.cdf, normal.pdf, normal.log_cdf, normal.tail_ratio):
        assert math.isnan(float(of(math.nan)))


def test_what_is_no_probability_is_refused() -> None:
    for wrong in (-1e-9, 1.1, math.nan):
        with pytest.raises(ValueError, match="probability must be in"):
            normal.quantile([0.5, wrong])
    with pytest.raises(ValueError, match="t must be >= 0"):
        normal.tail_ratio(-1.0)


def test_any_shape_comes_back() -> None:
    z = np.zeros((2, 3))
    assert normal.cdf(z).shape == normal.log_cdf(z).shape == normal.pdf(z).shape == (2, 3)
    assert normal.quantile(z + 0.1).shape == (2, 3)
    assert normal.cdf(0.0).shape == ()
    assert normal.cdf([]).shape == normal.quantile([]).shape == (0,)


def test_the_coefficients_follow_again_from_the_function() -> None:
    nodes, degree = 70, len(normal.COEFFICIENTS) - 1
    with mp.workdps(50):
        angles = [mp.pi * (mp.mpf(j) + mp.mpf(1) / 2) / nodes for j in range(nodes)]
        values = []
        for angle in angles:
            q = mp.cos(angle)
            t = mp.mpf(normal.CENTRE) * (1 + q) / (1 - q)
            values.append((1 + mp.mpf(normal.SLOPE) * t) * exact_ratio(t))
        one, two, power = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)], [mp.mpf(0)] * (degree + 1)
        for i in range(degree + 1):
            total = mp.fsum(v * mp.cos(i * a) for v, a in zip(values, angles, strict=True))
            for j, coefficient in enumerate(one):
                power[j] += total * (2 if i else 1) / nodes * coefficient
            shifted = [mp.mpf(0), *(2 * c for c in two)]
            padded = [*one, *[mp.mpf(0)] * (len(shifted) - len(one))]
            one, two = two, [a - b for a, b in zip(shifted, padded, strict=True)]
        for ours, theirs in zip(normal.COEFFICIENTS, reversed(power), strict=True):
            assert float(abs(ours - theirs)) < 1e-14
