"""How far beyond its volatility may a price run against a position?

The maximum adverse excursion of a window over the volatility forecast for it has a generalised
Pareto tail (peaks over threshold). A tail is fitted on the completed windows of a symbol, or of all
other symbols where its own are too few; ``PRIOR`` is used where nothing was recorded.
Beyond a chance of one in a thousand the variance mixture is asked too, and the farther counts.
"""

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.domain.position import Side
from bot.leverage import mixture as mixtures
from bot.leverage.arrays import Floats
from bot.leverage.history import PARKINSON, History, ahead_sum, excursions, variances
from bot.leverage.mixture import Mixture

EXCEEDANCE = 0.05
"""Share of windows beyond the threshold. [ratio]"""
SHAPES = (0.0, 0.6)
"""What a fitted shape is clipped to."""
LEAST_EXCEEDANCES = 30
LEAST_HOURS = 4380
"""Hours of windows that a symbol's own tail needs, after the burn-in of its volatility. [h]"""
DEEP = 1e-3
"""Below it the mixture is asked too. [ratio]"""
PROVEN = 3.0
"""A tolerance below so many over the number of windows is extrapolated."""
_BELOW_DEEP = math.nextafter(DEEP, 0.0)
# What lies beyond the quantile of DEEP is rarer than it, however the mixture weighs it.
_BODY_STEPS = 95
_FLAT = 1e-6


class Origin(StrEnum):
    """Whose windows a tail was fitted on."""

    OWN = "own"
    POOLED = "pooled"
    PRIOR = "prior"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Generalised Pareto tail of the standardised excursion beyond a threshold.

    Attributes:
        threshold: Where the tail begins, > 0. [standard deviations]
        scale: > 0. [standard deviations]
        shape: 0 is exponential, larger is heavier, below 1.
        body: Empirical quantiles from 0 to 0.95 in equal steps, the last being the threshold;
            empty where the body is not known. [standard deviations]
        windows: How many it was fitted on; 0 for the prior.
        exceedances: How many of them ran beyond the threshold.
        at_bound: The fitted shape was clipped.
        origin: Whose windows they were.
        mixture: Variance ratios of the same windows, or ``None``.
    """

    threshold: float
    scale: float
    shape: float
    body: tuple[float, ...] = ()
    windows: int = 0
    exceedances: int = 0
    at_bound: bool = False
    origin: Origin = Origin.PRIOR
    mixture: Mixture | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "Tail":
        """Return the tail of `as_dict`.

        Raises:
            ValueError: If it is no tail.
        """
        mixture = raw["mixture"]
        found = cls(
            threshold=float(raw["threshold"]),
            scale=float(raw["scale"]),
            shape=float(raw["shape"]),
            body=tuple(map(float, raw["body"])),
            windows=int(raw["windows"]),
            exceedances=int(raw["exceedances"]),
            at_bound=bool(raw["at_bound"]),
            origin=Origin(raw["origin"]),
            mixture=None if mixture is None else Mixture.from_dict(mixture),
        )
        # A comparison with NaN is false, so these also ask for finite numbers.
        if not (0 < found.threshold < math.inf and 0 < found.scale < math.inf):
            raise ValueError(f"threshold and scale must be > 0, were {raw}")
        if not 0 <= found.shape < 1:
            raise ValueError(f"shape must be in [0, 1), was {found.shape}")
        if found.body and not (
            found.body[0] >= 0
            and found.body[-1] == found.threshold
            and all(a <= b for a, b in zip(found.body, found.body[1:], strict=False))
        ):
            raise ValueError("body must ascend from >= 0 to the threshold")
        return found

    def is_extrapolated(self, tolerance: float) -> bool:
        """Whether too few windows were seen to have shown such a rare one."""
        return tolerance * self.windows < PROVEN


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Windows:
    """Completed windows of one symbol, one every ``max(1, hours // 4)`` hours.

    Attributes:
        hours: Length of a window. [h]
        known: When each was complete, ascending, shape (n,). [h since 1970-01-01 UTC]
        long: Standardised adverse excursion of a long, shape (n,). [standard deviations]
        short: That of a short, shape (n,). [standard deviations]
        ratio: Larger of realised and Parkinson variance over the forecast one, shape (n,).
    """

    hours: int
    known: npt.NDArray[np.int64]
    long: Floats
    short: Floats
    ratio: Floats

    def until(self, hour: int) -> "Windows":
        """Return those that were complete before an hour began."""
        count = int(np.searchsorted(self.known, hour, side="right"))
        return Windows(
            hours=self.hours,
            known=self.known[:count],
            long=self.long[:count],
            short=self.short[:count],
            ratio=self.ratio[:count],
        )

    def of(self, side: Side) -> Floats:
        """Return the excursions of a side."""
        return self.long if side is Side.LONG else self.short


def windows(history: History, sigma: Floats, hours: int) -> Windows:
    """Return the windows of a history whose bars are whole and that had a forecast.

    Args:
        history: The bars.
        sigma: Raw forecast when each bar closed, shape (n,); NaN where there was none.
            [log, over the horizon]
        hours: Length of a window, >= 1. [h]

    Raises:
        ValueError: If shapes differ.
    """
    if sigma.shape != (len(history),):
        raise ValueError(f"sigma must have shape ({len(history)},), was {sigma.shape}")
    long, short = excursions(history, hours)
    parts = variances(history)
    ranged = np.square(np.log(history.high) - np.log(history.low)) / PARKINSON
    realised = np.fmax(ahead_sum(parts.squared, hours), ahead_sum(ranged, hours))
    # By the clock, not by the start of the record: the same windows whatever was read before.
    hour = history.start + 1 + np.arange(len(history))
    chosen = (hour % max(1, hours // 4) == 0) & np.isfinite(long + short + sigma) & (sigma > 0)
    return Windows(
        hours=hours,
        known=(hour + hours)[chosen],
        long=long[chosen] / sigma[chosen],
        short=short[chosen] / sigma[chosen],
        ratio=realised[chosen] / np.square(sigma[chosen]),
    )


def pooled(many: Sequence[Windows]) -> Windows:
    """Return the windows of several symbols as one sample, ascending in time.

    Raises:
        ValueError: If there is none, or their lengths differ.
    """
    if len({one.hours for one in many}) != 1:
        raise ValueError("windows to pool must be of one length, and at least one symbol")
    known = np.concatenate([one.known for one in many])
    order = np.argsort(known, kind="stable")
    return Windows(
        hours=many[0].hours,
        known=known[order],
        long=np.concatenate([one.long for one in many])[order],
        short=np.concatenate([one.short for one in many])[order],
        ratio=np.concatenate([one.ratio for one in many])[order],
    )


def is_enough(sample: Windows) -> bool:
    """Whether a tail may be fitted on these windows."""
    count = sample.known.size
    return (
        count * max(1, sample.hours // 4) >= LEAST_HOURS and count * EXCEEDANCE > LEAST_EXCEEDANCES
    )


def fit(sample: Windows, side: Side, *, origin: Origin, with_mixture: bool = True) -> Tail:
    """Return the tail of completed windows.

    Args:
        sample: At least 4,380 h of them.
        side: Whose adverse moves.
        origin: Whose windows they are.
        with_mixture: Whether it also keeps their variance ratios.

    Raises:
        ValueError: If there are too few, or they have no tail.
    """
    if not is_enough(sample):
        raise ValueError(
            f"a tail needs {LEAST_HOURS} h of windows and {LEAST_EXCEEDANCES} exceedances, had "
            f"{sample.known.size} windows of {sample.hours} h"
        )
    found = replace(fit_excursions(sample.of(side)), origin=origin)
    return replace(found, mixture=Mixture.of(sample.ratio)) if with_mixture else found


def fit_excursions(excursion: Floats) -> Tail:
    """Return the tail of standardised excursions, by probability-weighted moments.

    Args:
        excursion: Shape (n,), finite, >= 0; n large enough for 30 beyond the 95 % quantile.
            [standard deviations]

    Raises:
        ValueError: If a value is not finite, fewer than 30 lie beyond the threshold, or the
            threshold is 0.

    Source: Hosking and Wallis (1987), plotting positions ``(j - 0.35) / n``.
    """
    if not np.isfinite(excursion).all():
        raise ValueError("excursions must be finite")
    ordered = np.sort(excursion)
    if ordered.size == 0:
        raise ValueError("excursions must be at least one")
    body = np.quantile(ordered, np.linspace(0.0, 1.0 - EXCEEDANCE, _BODY_STEPS + 1))
    body = np.maximum.accumulate(body)  # interpolation may round a tie down
    threshold = float(body[-1])
    beyond = ordered[np.searchsorted(ordered, threshold, side="right") :] - threshold
    if beyond.size < LEAST_EXCEEDANCES or threshold <= 0:
        raise ValueError(
            f"a tail needs {LEAST_EXCEEDANCES} excursions beyond a threshold > 0, had "
            f"{beyond.size} beyond {threshold}"
        )
    scale, shape, at_bound = moments(beyond)
    return Tail(
        threshold=threshold,
        scale=scale,
        shape=shape,
        body=tuple(body.tolist()),
        windows=int(ordered.size),
        exceedances=int(beyond.size),
        at_bound=at_bound,
        origin=Origin.OWN,
    )


def moments(beyond: Floats) -> tuple[float, float, bool]:
    """Return scale, shape and whether the shape was clipped to [0, 0.6].

    ``a0 = mean(y)``, ``a1 = mean(y_j (1 - (j - 0.35) / n))`` over ascending y, ``shape = 2 - a0 /
    (a0 - 2 a1)``, ``scale = 2 a0 a1 / (a0 - 2 a1)``; where clipped, ``scale = (1 - shape) a0``.

    Args:
        beyond: Exceedances, shape (n,), ascending, >= 0. [any]

    Source: Hosking and Wallis (1987).
    """
    count = beyond.size
    first = float(beyond.mean())
    share = 1.0 - (np.arange(1, count + 1) - 0.35) / count
    second = float(beyond @ share) / count
    gap = first - 2.0 * second
    # Equal values leave no gap: that is the lightest tail there is.
    shape = 2.0 - first / gap if gap > 0 else -math.inf
    low, high = SHAPES
    if low <= shape <= high:
        return 2.0 * first * second / gap, shape, False
    shape = min(high, max(low, shape))
    return (1.0 - shape) * first, shape, True


def quantile(tail: Tail, tolerance: float) -> float:
    """Return the excursion that is exceeded with a probability. [standard deviations].

    Args:
        tail: The tail.
        tolerance: In (0, 1]; above 0.05 from the body, which without one is bounded by a straight
            line. [ratio]

    Raises:
        ValueError: If ``tolerance`` is outside.

    Source: McNeil and Frey (2000), the peaks-over-threshold quantile.
    """
    if not 0 < tolerance <= 1:
        raise ValueError(f"tolerance must be in (0, 1], was {tolerance}")
    if tolerance >= EXCEEDANCE:
        body = tail.body or (0.0, tail.threshold)
        return float(np.interp(1.0 - tolerance, _shares(body), body))
    log_ratio = math.log(EXCEEDANCE / tolerance)
    if abs(tail.shape) < _FLAT:
        return tail.threshold + tail.scale * log_ratio
    return tail.threshold + tail.scale / tail.shape * math.expm1(tail.shape * log_ratio)


def survival(tail: Tail, excursion: float) -> float:
    """Return the probability that a window runs further than an excursion. [ratio].

    Below the threshold interpolated between the quantiles of the body. Where the body is not known
    the answer is bounded from above: it runs linearly from 1 at 0 to the exceedance share at the
    threshold.

    Args:
        tail: The tail.
        excursion: [standard deviations]
    """
    if excursion <= 0:
        return 1.0
    if excursion <= tail.threshold:
        body = tail.body or (0.0, tail.threshold)
        at = bisect.bisect_left(body, excursion)
        if at == 0:
            return 1.0
        part = (excursion - body[at - 1]) / (body[at] - body[at - 1])
        return 1.0 - (1.0 - EXCEEDANCE) * (at - 1 + part) / (len(body) - 1)
    beyond = (excursion - tail.threshold) / tail.scale
    if abs(tail.shape) < _FLAT:
        return EXCEEDANCE * math.exp(-beyond)
    return EXCEEDANCE * math.exp(-math.log1p(tail.shape * beyond) / tail.shape)


def survivals(tail: Tail, excursion: Floats) -> Floats:
    """Return `survival` of many excursions, shape (n,). [ratio]."""
    body = np.array(tail.body or (0.0, tail.threshold))
    at = np.clip(np.searchsorted(body, excursion, side="left"), 1, body.size - 1)
    low, high = body[at - 1], body[at]
    part = (np.clip(excursion, low, high) - low) / np.where(high > low, high - low, 1.0)
    inside = 1.0 - (1.0 - EXCEEDANCE) * (at - 1 + part) / (body.size - 1)
    beyond = np.maximum(excursion - tail.threshold, 0.0) / tail.scale
    logs = -beyond if abs(tail.shape) < _FLAT else -np.log1p(tail.shape * beyond) / tail.shape
    found = np.where(excursion > tail.threshold, EXCEEDANCE * np.exp(logs), inside)
    return np.where(excursion <= 0, 1.0, found)


def _shares(body: tuple[float, ...]) -> Floats:
    return np.linspace(0.0, 1.0 - EXCEEDANCE, len(body))


def required(tail: Tail, tolerance: float) -> float:
    """Return the excursion to be kept away from. [standard deviations].

    The quantile; below one in a thousand the larger of it and the mixture's. Falls in the
    tolerance.

    Args:
        tail: The tail, with or without a mixture.
        tolerance: In (0, 1]. [ratio]

    Raises:
        ValueError: If ``tolerance`` is outside.
    """
    far = quantile(tail, tolerance)
    if tolerance >= DEEP or tail.mixture is None:
        return far
    return max(far, mixtures.quantile(tail.mixture, tolerance))


def distance(tail: Tail, sigma_h: float, tolerance: float) -> float:
    """Return the log distance to be kept. [log].

    Args:
        tail: The tail.
        sigma_h: Forecast over the horizon of the tail, >= 0. [log, over the horizon]
        tolerance: In (0, 1]. [ratio]

    Raises:
        ValueError: If ``tolerance`` is outside or ``sigma_h`` is negative or not finite.
    """
    if not 0 <= sigma_h < math.inf:
        raise ValueError(f"sigma_h must be >= 0 and finite, was {sigma_h}")
    return required(tail, tolerance) * sigma_h


def hit(tail: Tail, excursion: float) -> float:
    """Return the chance that belongs to a distance: what `required` is the inverse of. [ratio].

    Args:
        tail: The tail, with or without a mixture.
        excursion: Log distance over the forecast. [standard deviations]
    """
    chance = survival(tail, excursion)
    if chance >= DEEP or tail.mixture is None:
        return chance
    return min(_BELOW_DEEP, max(chance, mixtures.survival(tail.mixture, excursion)))


def hits(tail: Tail, excursion: Floats) -> Floats:
    """Return `hit` of many excursions, shape (n,). [ratio]."""
    chance = survivals(tail, excursion)
    if tail.mixture is None:
        return chance
    for at in np.flatnonzero(chance < DEEP):
        chance[at] = min(
            _BELOW_DEEP, max(chance[at], mixtures.survival(tail.mixture, float(excursion[at])))
        )
    return chance
