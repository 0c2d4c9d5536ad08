"""How far beyond its volatility may a price run against a position?

The maximum adverse excursion of a window over the volatility of that window has a generalised
Pareto tail. This module evaluates such a tail; ``PRIOR`` is the one used where a symbol has no
fitted tail of its own.
"""

import math
from dataclasses import dataclass

from bot.domain.position import Side

EXCEEDANCE = 0.05
"""Share of windows beyond the threshold. [ratio]"""
_FLAT = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Generalised Pareto tail of the standardised excursion beyond a threshold.

    Attributes:
        threshold: Where the tail begins, > 0. [standard deviations]
        scale: > 0. [standard deviations]
        shape: 0 is exponential, larger is heavier, below 1.
    """

    threshold: float
    scale: float
    shape: float


PRIOR_SHAPE = 0.35
"""Heavier than every shape fitted, on purpose: the prior knows nothing about the symbol."""

PRIOR: dict[tuple[Side, int], Tail] = {
    (Side.LONG, 1): Tail(threshold=2.094, scale=0.787, shape=PRIOR_SHAPE),
    (Side.LONG, 8): Tail(threshold=2.166, scale=0.778, shape=PRIOR_SHAPE),
    (Side.LONG, 24): Tail(threshold=2.191, scale=0.844, shape=PRIOR_SHAPE),
    (Side.SHORT, 1): Tail(threshold=1.961, scale=0.726, shape=PRIOR_SHAPE),
    (Side.SHORT, 8): Tail(threshold=2.085, scale=0.713, shape=PRIOR_SHAPE),
    (Side.SHORT, 24): Tail(threshold=2.093, scale=0.711, shape=PRIOR_SHAPE),
}
"""By side and window in hours; pooled over hourly marks of seven large coins up to 2025-09."""


def prior(side: Side, *, hours: float) -> Tail:
    """Return the prior tail of the shortest tabulated window that is not shorter than asked.

    Raises:
        ValueError: If the window is longer than the longest one in the table.
    """
    for window in (1, 8, 24):
        if hours <= window:
            return PRIOR[side, window]
    raise ValueError(f"hours must be <= 24, was {hours}")


def quantile(tail: Tail, tolerance: float) -> float:
    """Return the excursion that is exceeded with a probability. [standard deviations].

    Args:
        tail: The tail.
        tolerance: In (0, 0.05]; above it lies the body, which this tail does not know. [ratio]

    Raises:
        ValueError: If ``tolerance`` is outside.

    Source: McNeil and Frey (2000), the peaks-over-threshold quantile.
    """
    if not 0 < tolerance <= EXCEEDANCE:
        raise ValueError(f"tolerance must be in (0, {EXCEEDANCE}], was {tolerance}")
    log_ratio = math.log(EXCEEDANCE / tolerance)
    if abs(tail.shape) < _FLAT:
        return tail.threshold + tail.scale * log_ratio
    return tail.threshold + tail.scale / tail.shape * math.expm1(tail.shape * log_ratio)


def survival(tail: Tail, excursion: float) -> float:
    """Return the probability that a window runs further than an excursion. [ratio].

    Below the threshold the body is not known and the answer is bounded from above: it runs
    linearly from 1 at 0 to the exceedance share at the threshold.

    Args:
        tail: The tail.
        excursion: [standard deviations]
    """
    if excursion <= 0:
        return 1.0
    if excursion <= tail.threshold:
        return 1.0 - (1.0 - EXCEEDANCE) * excursion / tail.threshold
    beyond = (excursion - tail.threshold) / tail.scale
    if abs(tail.shape) < _FLAT:
        return EXCEEDANCE * math.exp(-beyond)
    return EXCEEDANCE * math.exp(-math.log1p(tail.shape * beyond) / tail.shape)
