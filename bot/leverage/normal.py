"""How are the normal distribution and its inverse evaluated, many numbers at once?

Everything rests on one smooth function, the upper tail over its own density up to a constant,
``M(t) = exp(t**2 / 2) * (1 - cdf(t))`` for t >= 0. It neither overflows nor vanishes, so tails keep
their relative accuracy at any distance.
"""

import math

import numpy as np
import numpy.typing as npt

from bot.leverage.arrays import Floats

CENTRE = 5.0
"""``q = (t - CENTRE) / (t + CENTRE)`` maps [0, inf) to [-1, 1)."""
SLOPE = 1.25
"""``(1 + SLOPE * t) * M(t)`` runs between 0.4 and 0.58 and has a limit: a polynomial follows it."""
COEFFICIENTS = (
    2.5133333867759767e-11,
    -4.925058173267582e-10,
    -4.721072733757777e-10,
    5.697061009495663e-09,
    4.5770846452852086e-09,
    -4.019072008405241e-08,
    -3.088400520246166e-08,
    2.5520428966574323e-07,
    1.4131867753640618e-07,
    -1.6951798703922393e-06,
    8.036470625041557e-08,
    1.1642309799535012e-05,
    -1.4031029724098904e-05,
    -6.724980471798354e-05,
    0.00024302449761821692,
    -2.3829713923590247e-05,
    -0.002149978105589972,
    0.008747211923902518,
    -0.021210861891770662,
    0.036524679176520206,
    -0.04496514177887572,
    0.03272390979756865,
    0.009770757560952725,
    -0.0785759634765083,
    0.5576649610687956,
)
"""Of ``(1 + SLOPE * t) * M(t)`` in q, highest power first: its Chebyshev series up to degree 24,
which ends below 1e-17. A test derives them again."""

_FARTHEST = 40.0
"""The density is 0 in float64 from here on. [standard deviations]"""
_NEAR, _MIDDLE = 0.425, 5.0


def tail_ratio(t: npt.ArrayLike) -> Floats:
    """Return ``M(t) = exp(t**2 / 2) * (1 - cdf(t))``, half the scaled complementary error function.

    Relative error below 4 units in the last place. ``M(0)`` is 1/2, ``M(inf)`` is 0.

    Args:
        t: Any shape, >= 0, infinity included; NaN gives NaN. [standard deviations]

    Raises:
        ValueError: If a number is negative.

    Source: the variable of Shepherd and Laframboise (1981), coefficients of our own.
    """
    values = np.asarray(t, dtype=np.float64)
    flat = np.atleast_1d(values)
    if (flat < 0.0).any():
        raise ValueError(f"t must be >= 0, was {float(flat[flat < 0.0][0])}")
    return tail_ratio_of(flat).reshape(values.shape)


def pdf(z: npt.ArrayLike) -> Floats:
    """Return the density of the standard normal distribution. [1/standard deviation].

    Relative error below 4 units in the last place down to the smallest normal number.

    Args:
        z: Any shape; infinities give 0, NaN gives NaN. [standard deviations]
    """
    values = np.asarray(z, dtype=np.float64)
    bell = _bell(np.abs(np.atleast_1d(values)))
    return (bell / math.sqrt(2.0 * math.pi)).reshape(values.shape)


def cdf(z: npt.ArrayLike) -> Floats:
    """Return the probability that a standard normal variable is at most z. [ratio].

    Relative error below 6 units in the last place, in the lower tail as well.

    Args:
        z: Any shape; infinities give 0 and 1, NaN gives NaN. [standard deviations]
    """
    values = np.asarray(z, dtype=np.float64)
    flat = np.atleast_1d(values)
    t = np.abs(flat)
    tail = tail_ratio_of(t)
    tail *= _bell(t)
    return np.where(flat > 0.0, 1.0 - tail, tail).reshape(values.shape)


def log_cdf(z: npt.ArrayLike) -> Floats:
    """Return the natural logarithm of `cdf`, finite where `cdf` is 0 in float64.

    Relative error below 6 units in the last place; -inf only where ``z**2`` overflows.

    Args:
        z: Any shape; NaN gives NaN. [standard deviations]
    """
    values = np.asarray(z, dtype=np.float64)
    flat = np.atleast_1d(values)
    t = np.abs(flat)
    ratio = tail_ratio_of(t)
    with np.errstate(over="ignore", divide="ignore"):
        below = np.log(ratio) - 0.5 * t * t
    above = np.log1p(-ratio * _bell(t))
    return np.where(flat > 0.0, above, below).reshape(values.shape)


def quantile(p: npt.ArrayLike) -> Floats:
    """Return z with ``cdf(z) = p``. [standard deviations].

    Relative error about 1e-16 of z. A probability near 1 has lost the digits that matter: ask for
    the lower tail and change the sign.

    Args:
        p: Any shape, in [0, 1]; 0 gives -inf, 1 gives inf. [ratio]

    Raises:
        ValueError: If a probability is outside or NaN.

    Source: Wichura (1988), algorithm AS 241, PPND16.
    """
    values = np.asarray(p, dtype=np.float64)
    flat = np.atleast_1d(values)
    if not ((flat >= 0.0) & (flat <= 1.0)).all():
        raise ValueError(f"probability must be in [0, 1], was {_first_outside(flat)}")
    return _quantile(flat).reshape(values.shape)


def _first_outside(p: Floats) -> float:
    return float(p[~((p >= 0.0) & (p <= 1.0))][0])


def tail_ratio_of(t: Floats) -> Floats:
    """Return `tail_ratio` of an array that has a dimension and no negative number, unchecked."""
    # In place: passes over memory, not arithmetic, are what this costs.
    q = t + CENTRE
    np.divide(-2.0 * CENTRE, q, out=q)
    q += 1.0
    found = q * COEFFICIENTS[0]
    for coefficient in COEFFICIENTS[1:-1]:
        found += coefficient
        found *= q
    found += COEFFICIENTS[-1]
    np.multiply(t, SLOPE, out=q)
    q += 1.0
    found /= q
    return found


def _bell(t: Floats) -> Floats:
    # exp(-t**2 / 2). The square of a number of 24 bits is exact: what rounding t**2 would cost far
    # out, a relative error of t**2 units, goes into a second small exponent instead.
    near = np.minimum(t, _FARTHEST)
    coarse = near.astype(np.float32).astype(np.float64)
    fine = (near - coarse) * (near + coarse)
    coarse *= coarse
    coarse *= -0.5
    fine *= -0.5
    np.exp(coarse, out=coarse)
    np.exp(fine, out=fine)
    coarse *= fine
    return coarse


_CENTRAL = (
    (
        2.5090809287301226727e3,
        3.3430575583588128105e4,
        6.7265770927008700853e4,
        4.5921953931549871457e4,
        1.3731693765509461125e4,
        1.9715909503065514427e3,
        1.3314166789178437745e2,
        3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3,
        2.8729085735721942674e4,
        3.9307895800092710610e4,
        2.1213794301586595867e4,
        5.3941960214247511077e3,
        6.8718700749205790830e2,
        4.2313330701600911252e1,
        1.0,
    ),
)
_OUTER = (
    (
        7.74545014278341407640e-4,
        2.27238449892691845833e-2,
        2.41780725177450611770e-1,
        1.27045825245236838258e0,
        3.64784832476320460504e0,
        5.76949722146069140550e0,
        4.63033784615654529590e0,
        1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9,
        5.47593808499534494600e-4,
        1.51986665636164571966e-2,
        1.48103976427480074590e-1,
        6.89767334985100004550e-1,
        1.67638483018380384940e0,
        2.05319162663775882187e0,
        1.0,
    ),
)
_FAR = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        1.24266094738807843860e-3,
        2.65321895265761230930e-2,
        2.96560571828504891230e-1,
        1.78482653991729133580e0,
        5.46378491116411436990e0,
        6.65790464350110377720e0,
    ),
    (
        2.04426310338993978564e-15,
        1.42151175831644588870e-7,
        1.84631831751005468180e-5,
        7.86869131145613259100e-4,
        1.48753612908506148525e-2,
        1.36929880922735805310e-1,
        5.99832206555887937690e-1,
        1.0,
    ),
)


def _quantile(p: Floats) -> Floats:
    offset = p - 0.5
    found = np.empty_like(p)
    central = np.abs(offset) <= _NEAR
    if central.any():
        q = offset[central]
        found[central] = q * _ratio(_CENTRAL, 0.180625 - q * q)
    rest = ~central
    if not rest.any():
        return found
    with np.errstate(divide="ignore"):
        depth = np.sqrt(-np.log(np.minimum(p[rest], 1.0 - p[rest])))
    ends = np.isinf(depth)
    far = depth > _MIDDLE
    size = _ratio(_OUTER, np.where(far, 0.0, depth - 1.6))
    if far.any():
        size[far] = _ratio(_FAR, np.where(ends, 0.0, depth - 5.0)[far])
    size[ends] = np.inf
    found[rest] = np.copysign(size, offset[rest])
    return found


def _ratio(of: tuple[tuple[float, ...], tuple[float, ...]], r: Floats) -> Floats:
    above, below = r * of[0][0], r * of[1][0]
    for up, down in zip(of[0][1:-1], of[1][1:-1], strict=True):
        above += up
        above *= r
        below += down
        below *= r
    above += of[0][-1]
    below += of[1][-1]
    above /= below
    return above
