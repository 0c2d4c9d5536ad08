"""How likely does a price touch a level within a time, and how far must the level be?

The log price is a Brownian motion. Distances are logarithmic, a drift counts towards safety, and
sides need no distinction. These probabilities screen, mix and test; alone they are never a promise,
because real prices run further (`bot.leverage.tail`).

Throughout, with ``s = sigma * sqrt(hours)``: ``z = a_log / s`` is the standardised distance and
``m = drift * hours / s`` the standardised drift. Both terms of the reflection formula share one
Gaussian factor, ``P = exp(-(z + m)**2 / 2) * (M(z + m) + M(z - m))`` with the tail ratio M of
`bot.leverage.normal`, so one exponential serves both and no exponent needs clipping.
"""

import math

import numpy as np
import numpy.typing as npt

from bot.leverage import checks, normal
from bot.leverage.arrays import Floats

MONITORING = 0.582597157939010670
"""``-zeta(1/2) / sqrt(2 pi)``: how much farther a level seems that is looked at step by step.
[standard deviations of a step]

Source: Broadie, Glasserman and Kou (1997)."""
STEPS = 5
"""Newton steps of `distance`: the probability of what they find is off by 1e-13 of it at most, for
standardised drifts up to 50 and tolerances down to 1e-300."""
LARGEST_TOLERANCE = 0.5
"""Above it the price stands beyond the drift's end, P is flat and Newton's method slow; no rule
tolerates a touch that is likelier than not. [ratio]"""
_DENSITY = 2.0 / math.sqrt(2.0 * math.pi)
_TINY = 5e-324
_IMAGES = 6
_WIDE = 0.6


def hit(
    a_log: npt.ArrayLike,
    *,
    sigma: npt.ArrayLike,
    hours: npt.ArrayLike,
    drift: npt.ArrayLike = 0.0,
    step_hours: npt.ArrayLike = 0.0,
) -> Floats:
    """Return the probability that the price touches a level within a time. [ratio].

    ``cdf((-a - nu T) / s) + exp(-2 nu a / sigma**2) * cdf((-a + nu T) / s)``. A level at or behind
    the price is touched: 1. The relative error is about ``z**2`` units in the last place, what
    rounding the distance itself costs.

    Args:
        a_log: Log distance to the level, > 0 is safe. [log]
        sigma: > 0. [1/sqrt(h)]
        hours: > 0. [h]
        drift: Of the log price, towards safety. [1/h]
        step_hours: Time between two looks, >= 0. Looking less often finds less: decisions take no
            credit for it and leave it 0. [h]

    All arguments broadcast against each other.

    Raises:
        ValueError: If an argument is not finite, ``sigma`` or ``hours`` is not positive, or
            ``step_hours`` is negative.

    Source: reflection principle; the shift for steps is Broadie, Glasserman and Kou (1997).
    """
    z, m = _standardised(a_log, sigma, hours, drift)
    shift = _shift(step_hours, hours)
    if shift is not None:
        z = np.where(z > 0.0, z + shift, z)
    shape = np.broadcast_shapes(z.shape, m.shape)
    z = np.broadcast_to(np.maximum(z, 0.0), shape)
    z, m = np.atleast_1d(z, m)
    return _probability(z, m).reshape(shape)


def distance(
    tolerance: npt.ArrayLike,
    *,
    sigma: npt.ArrayLike,
    hours: npt.ArrayLike,
    drift: npt.ArrayLike = 0.0,
) -> Floats:
    """Return the log distance that is touched with a probability; the inverse of `hit`. [log].

    Without drift ``-quantile(alpha / 2) * s``. With drift Newton's method on ``ln P`` in z: P is
    log-concave, so from the right of the root the steps never pass it.

    Args:
        tolerance: In (0, 0.5]. [ratio]
        sigma: > 0. [1/sqrt(h)]
        hours: > 0. [h]
        drift: Of the log price, towards safety. [1/h]

    All arguments broadcast against each other.

    Raises:
        ValueError: If an argument is not finite, ``sigma`` or ``hours`` is not positive, or the
            tolerance is outside.
    """
    alpha = tolerances(tolerance)
    s, m = standardised_time(sigma, hours, drift)
    start = -normal.quantile(0.5 * alpha)
    if not m.any():
        return start * s
    shape = np.broadcast_shapes(start.shape, m.shape)
    m = np.atleast_1d(np.broadcast_to(m, shape))
    found = start + np.maximum(-m, 0.0)
    wanted = np.broadcast_to(np.log(alpha), shape)
    for _ in range(STEPS):
        log_p, slope = _log_probability(found, m)
        found = np.clip(found - (log_p - wanted) / slope, 0.0, found)
    if not np.isfinite(found).all():
        raise ValueError("distance must be finite: tolerance, sigma and drift do not fit together")
    return found.reshape(shape) * s


def two_sided(below: npt.ArrayLike, above: npt.ArrayLike, *, deviation: npt.ArrayLike) -> Floats:
    """Return the probability of leaving ``(-below, above)`` within a time, without drift. [ratio].

    Paths that touch one level, then the other, and so on, reflected: an alternating sum of
    one-sided probabilities at distances that grow by the width, which keeps its relative accuracy
    for rare exits. Where the deviation exceeds 0.6 widths one minus two terms of the Fourier
    series of staying. Both end below 1e-17.

    Args:
        below: Log distance down; infinite where nothing threatens on that side. [log]
        above: Log distance up, likewise. [log]
        deviation: Of the log price over the time, > 0. [log]

    Returns:
        1 where a distance is not positive.

    Raises:
        ValueError: If the deviation is not finite and positive, or a distance is NaN.
    """
    a, b, s = np.broadcast_arrays(
        np.asarray(below, dtype=np.float64),
        np.asarray(above, dtype=np.float64),
        checks.positive("deviation", deviation),
    )
    shape = a.shape
    a, b, s = np.atleast_1d(a, b, s)
    if np.isnan(a).any() or np.isnan(b).any():
        raise ValueError("log distances must not be NaN")
    outside = (a <= 0.0) | (b <= 0.0)
    a, b = np.where(outside, 1.0, a), np.where(outside, 1.0, b)
    width = a + b
    found = np.where(s > _WIDE * width, _by_series(a, width, s), _by_images(a, b, width, s))
    return np.where(outside, 1.0, np.minimum(found, 1.0)).reshape(shape)


def _by_images(a: Floats, b: Floats, width: Floats, s: Floats) -> Floats:
    found = 2.0 * (normal.cdf(-a / s) + normal.cdf(-b / s))
    for k in range(1, _IMAGES):
        pair = 2.0 * (normal.cdf(-(a + k * width) / s) + normal.cdf(-(b + k * width) / s))
        found += pair if k % 2 == 0 else -pair
    return found


def _by_series(a: Floats, width: Floats, s: Floats) -> Floats:
    share = np.where(np.isfinite(width), a / np.where(np.isfinite(width), width, 1.0), 0.5)
    rate = 0.5 * (math.pi * s / width) ** 2
    stays = np.zeros_like(a)
    for n in (1, 3):
        stays += np.sin(n * math.pi * share) * np.exp(-n * n * rate) / n
    return 1.0 - 4.0 / math.pi * stays


def _standardised(
    a_log: npt.ArrayLike, sigma: npt.ArrayLike, hours: npt.ArrayLike, drift: npt.ArrayLike
) -> tuple[Floats, Floats]:
    s, m = standardised_time(sigma, hours, drift)
    with np.errstate(over="ignore"):
        z = np.asarray(np.divide(np.asarray(a_log, dtype=np.float64), s))
    if not np.isfinite(z).all():
        checks.finite("a_log", a_log)
        raise ValueError("a_log / (sigma * sqrt(hours)) must be finite")
    return z, m


def tolerances(tolerance: npt.ArrayLike) -> Floats:
    """Return tolerances as an array. [ratio].

    Raises:
        ValueError: If one is outside (0, 0.5] or NaN.
    """
    alpha = np.asarray(tolerance, dtype=np.float64)
    fits = (alpha > 0.0) & (alpha <= LARGEST_TOLERANCE)
    if not fits.all():
        raise ValueError(f"tolerance must be in (0, {LARGEST_TOLERANCE}], was {alpha[~fits][0]}")
    return alpha


def standardised_time(
    sigma: npt.ArrayLike, hours: npt.ArrayLike, drift: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Return the deviation over a time [log] and the standardised drift [standard deviations].

    Raises:
        ValueError: If ``sigma`` or ``hours`` is not finite and positive, or the drift not finite.
    """
    volatility, time = checks.positive("sigma", sigma), checks.positive("hours", hours)
    root = np.sqrt(time)
    s = np.asarray(volatility * root)
    m = np.asarray(checks.finite("drift", drift) * root / volatility)
    if not np.isfinite(m).all():
        raise ValueError("drift * sqrt(hours) / sigma must be finite")
    return s, m


def _shift(step_hours: npt.ArrayLike, hours: npt.ArrayLike) -> Floats | None:
    steps = checks.not_negative("step_hours", step_hours)
    if not steps.any():
        return None
    return np.asarray(MONITORING * np.sqrt(steps / np.asarray(hours, dtype=np.float64)))


def _probability(z: Floats, m: Floats) -> Floats:
    # For z >= 0. Where z + m or z - m is negative, the tail beyond it is one minus the other tail.
    if not m.any():
        found = normal.tail_ratio_of(z)
        found *= 2.0
        found *= _gauss(z)
        return _at_the_level(found, z)
    plus, minus, one, two = _terms(z, m)
    found = np.add(one, two, out=one)
    found *= _gauss(plus)
    against, beyond = plus < 0.0, minus < 0.0
    if against.any():
        found += against
    if beyond.any():
        found += beyond * np.exp(-2.0 * np.maximum(m, 0.0) * z)
    return _at_the_level(found, z)


def _terms(z: Floats, m: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    # z + m, z - m and their tail ratios with the signs they have; one call for both.
    both = np.empty((2, *z.shape))
    np.add(z, m, out=both[0])
    np.subtract(z, m, out=both[1])
    ratios = normal.tail_ratio_of(np.abs(both))
    np.copysign(ratios, both, out=ratios)
    return both[0], both[1], ratios[0], ratios[1]


def _at_the_level(found: Floats, z: Floats) -> Floats:
    np.minimum(found, 1.0, out=found)
    np.copyto(found, 1.0, where=z <= 0.0)
    return found


def _gauss(t: Floats) -> Floats:
    found = t * t
    found *= -0.5
    return np.exp(found, out=found)


def _log_probability(z: Floats, m: Floats) -> tuple[Floats, Floats]:
    # ln P and its slope in z. P is exp(base) * scale, and base carries all that may vanish.
    plus, minus, one, two = _terms(z, m)
    base = plus * plus
    base *= -0.5
    against, beyond = plus < 0.0, minus < 0.0
    if not (against.any() or beyond.any()):
        scale = one + two
        slope = _DENSITY + 2.0 * m * two
    else:
        inner = against | beyond
        bell = np.where(inner, _gauss(np.where(beyond, minus, plus)), 1.0)
        base = np.where(beyond, -2.0 * m * z, np.where(against, 0.0, base))
        scale = inner + bell * (one + two)
        slope = bell * _DENSITY + 2.0 * m * (beyond + bell * two)
    slope /= scale
    np.maximum(slope, _TINY, out=slope)
    np.negative(slope, out=slope)
    base += np.log(scale)
    return base, slope
