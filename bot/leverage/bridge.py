"""What may a price have done between two looks at it?

Between two known log prices a Brownian motion is a bridge; the law of its minimum is known, so a
coarse path tells as much about touching a level as a fine one.
"""

import numpy as np
import numpy.typing as npt

from bot.leverage import checks
from bot.leverage.arrays import Floats


def survival(
    distances: npt.ArrayLike, *, sigma: npt.ArrayLike, step_hours: npt.ArrayLike
) -> Floats:
    """Return the probability that a path never touched its level, given where it was seen. [ratio].

    The product of ``1 - exp(-2 d_i d_{i+1} / (sigma**2 * step))``; 0 once a distance is not
    positive.

    Args:
        distances: Log distances to the level at each look, shape (..., looks), at least one look,
            time ascending along the last axis. [log]
        sigma: > 0, broadcasts against the leading axes. [1/sqrt(h)]
        step_hours: Time between two looks, > 0, likewise. [h]

    Returns:
        Shape of the leading axes.

    Raises:
        ValueError: If there is no look, or an argument is not finite, or ``sigma`` or
            ``step_hours`` is not positive.

    Source: the minimum of a Brownian bridge, e.g. Glasserman (2003), section 6.4.
    """
    d = checks.finite("distances", distances)
    if d.ndim == 0 or d.shape[-1] == 0:
        raise ValueError("distances must have a last axis of at least one look")
    variance = _step_variance(sigma, step_hours)
    safe = np.maximum(d, 0.0)
    exponent = -2.0 * safe[..., :-1] * safe[..., 1:] / variance[..., np.newaxis]
    with np.errstate(divide="ignore"):
        # Sums of logarithms: many near-certain factors must not each round to 1.
        logs = np.log(-np.expm1(exponent)).sum(axis=-1)
    return np.where((d > 0.0).all(axis=-1), np.exp(logs), 0.0)


def minimum(
    begin: npt.ArrayLike,
    end: npt.ArrayLike,
    exponential: npt.ArrayLike,
    *,
    sigma: npt.ArrayLike,
    step_hours: npt.ArrayLike,
) -> Floats:
    """Return a sample of the lowest log price between two looks. [log].

    ``(x + y - sqrt((x - y)**2 + 2 sigma**2 step e)) / 2``: one minimum per path serves every level.

    Args:
        begin: Log price at the first look. [log]
        end: At the second. [log]
        exponential: Drawn by the caller from the standard exponential distribution, >= 0.
        sigma: > 0. [1/sqrt(h)]
        step_hours: > 0. [h]

    All arguments broadcast against each other.

    Raises:
        ValueError: If an argument is not finite, ``exponential`` is negative, or ``sigma`` or
            ``step_hours`` is not positive.

    Source: as `survival`, its distribution function solved for the level.
    """
    x, y = checks.finite("begin", begin), checks.finite("end", end)
    e = checks.not_negative("exponential", exponential)
    gap = np.hypot(x - y, np.sqrt(2.0 * _step_variance(sigma, step_hours) * e))
    return np.asarray(0.5 * (x + y - gap))


def _step_variance(sigma: npt.ArrayLike, step_hours: npt.ArrayLike) -> Floats:
    volatility = checks.positive("sigma", sigma)
    return np.asarray(volatility * volatility * checks.positive("step_hours", step_hours))
