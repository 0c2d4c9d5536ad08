"""How is one pool shared over isolated positions so that hits are least likely?"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bot.leverage.arrays import Floats
from bot.leverage.tops import Tops
from bot.leverage.units import FAR, Units, distance_of, equity_and_slope, equity_at

_FIRST = -math.log(1e-3)
_LAST = -math.log(1e-300)  # no smaller hit probability is told apart from none
_ALL = (-math.inf, math.inf)
PRECISION = 1e-13
"""Of the sum against the pool. [ratio]"""
_STEPS = 200
_INNER = 60
_FLAT = 1e-6
_ROOT = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How a pool is shared.

    Attributes:
        equity: Shape (n,). [quote]
        a_log: Shape (n,), where that puts the positions. [log]
        idle: What no position may take. [quote]
        deficit: What even the least equities lack; above 0 nothing was shared and ``equity``
            holds those least ones. [quote]
    """

    equity: Floats
    a_log: Floats
    idle: float
    deficit: float


def min_max(
    units: Units,
    sd: Floats,
    pool: float,
    *,
    low: Floats,
    high: Floats,
    tails: Tops | None = None,
) -> Allocation:
    """Return the allocation whose largest hit probability is smallest.

    All positions that meet no bound have the same probability: with one tail for all they stand at
    the same number of standard deviations, with ``tails`` each at its own quantile. Below the
    threshold a tail runs linearly from 1 at 0 to its share there.

    Args:
        units: n positions.
        sd: Shape (n,), > 0, over the window. [log]
        pool: Free money plus the equity of all positions, >= 0. [quote]
        low: Shape (n,), equity that cannot be taken away. [quote]
        high: Shape (n,), equity beyond which money lies idle, >= ``low``; may be infinite. [quote]
        tails: Of each position's standardised excursion. [standard deviations]

    Raises:
        ValueError: If a number is outside.
    """
    _check(units, sd, pool, low, high)
    nearest, farthest, levels = np.zeros_like(sd), np.full_like(sd, FAR), _ALL
    if tails is None:

        def place(level: float) -> tuple[Floats, Floats]:
            return level * sd, sd

        start = pool / float((units.notional * sd).sum())
    else:
        _check_tails(tails, sd)

        def place(level: float) -> tuple[Floats, Floats]:
            z, slope = _quantile(tails, level)
            return z * sd, slope * sd

        farthest = np.minimum(farthest, place(_LAST)[0])
        start, levels = _FIRST, (0.0, _LAST)
    return _shared(units, pool, (low, high), place, (nearest, farthest), start, levels)


def min_sum(
    units: Units,
    sd: Floats,
    pool: float,
    *,
    weight: Floats,
    low: Floats,
    high: Floats,
    tails: Tops | None = None,
) -> Allocation:
    """Return the allocation whose weighted sum of hit probabilities is smallest.

    At the solution one more unit of money lowers every weighted probability alike. Without
    ``tails`` probabilities are those of the reflection formula, ``2 Phi(-a / sd)``, and the
    distance is a closed form; with them it is one safeguarded Newton iteration. Positions are kept
    where their probability is convex in their equity: a long at ``sd^2`` or farther, with tails at
    the threshold or farther. A pool that does not reach so far has a deficit.

    Args:
        units: n positions.
        sd: Shape (n,), > 0, over the window. [log]
        pool: Free money plus the equity of all positions, >= 0. [quote]
        weight: Shape (n,), > 0, what a liquidation adds to the loss. [quote]
        low: Shape (n,), equity that cannot be taken away. [quote]
        high: Shape (n,), equity beyond which money lies idle, >= ``low``; may be infinite. [quote]
        tails: Of each position's standardised excursion. [standard deviations]

    Raises:
        ValueError: If a number is outside, or a tail is so wide that the problem is not convex.
    """
    _check(units, sd, pool, low, high)
    if weight.shape != sd.shape or not (np.isfinite(weight) & (weight > 0)).all():
        raise ValueError("weight must have the shape of sd and be finite and > 0")
    joints = _joints(units)
    slopes = np.log(units.notional[:, None] * (1 - units.side[:, None] * units.rate))
    even = pool / float(units.notional.sum())
    if tails is None:
        constant = np.log(2.0 * weight / (sd * _ROOT))[:, None] - slopes
        stationary = _reflected(units, sd, constant)
        nearest, farthest = np.where(units.side > 0, sd * sd, 0.0), np.full_like(sd, FAR)
        start = float(np.median(0.5 * (even / sd) ** 2 - constant[:, 0]))
    else:
        _check_tails(tails, sd)
        constant = np.log(weight)[:, None] - slopes
        stationary = _pareto(units, sd, tails, constant)
        nearest, farthest = _convex(units, sd, tails)
        start = float(np.median(np.log(sd) - constant[:, 0])) + _FIRST

    def place(level: float) -> tuple[Floats, Floats]:
        # The level is -ln mu. With convex tables the nearer tier's own optimum lies farther, so the
        # optimum over all tiers is the farthest of those cut off where their tier ends.
        own, slope = stationary(level)
        if own.shape[1] == 1:
            return own[:, 0], slope[:, 0]
        ended = np.minimum(own, joints)
        tier = np.argmax(ended, axis=1)[:, None]
        moved = np.where(own < joints, slope, 0.0)
        return (
            np.take_along_axis(ended, tier, axis=1)[:, 0],
            np.take_along_axis(moved, tier, axis=1)[:, 0],
        )

    return _shared(units, pool, (low, high), place, (nearest, farthest), start, _ALL)


def _check(units: Units, sd: Floats, pool: float, low: Floats, high: Floats) -> None:
    if len(units) == 0:
        raise ValueError("there must be a position")
    if not sd.shape == low.shape == high.shape == units.notional.shape:
        raise ValueError("sd, low and high must have the shape of the units")
    if not (np.isfinite(sd) & (sd > 0)).all():
        raise ValueError("sd must be finite and > 0")
    if not (math.isfinite(pool) and pool >= 0):
        raise ValueError(f"pool must be finite and >= 0, was {pool}")
    if not np.isfinite(low).all() or not (low <= high).all():
        raise ValueError("low must be finite and not above high")


def _check_tails(tails: Tops, sd: Floats) -> None:
    if not tails.threshold.shape == tails.scale.shape == tails.shape.shape == sd.shape:
        raise ValueError("tails must have the shape of the units")
    if not 0 < tails.share < 1:
        raise ValueError(f"share must be in (0, 1), was {tails.share}")
    if not (np.isfinite(tails.threshold) & (tails.threshold > 0)).all():
        raise ValueError("threshold must be finite and > 0")
    if not (np.isfinite(tails.scale) & (tails.scale > 0)).all():
        raise ValueError("scale must be finite and > 0")
    if not ((tails.shape >= 0) & (tails.shape < 1)).all():
        raise ValueError("shape must be in [0, 1)")


Place = Callable[[float], tuple[Floats, Floats]]
"""A level, rising towards safety, to distances and their derivatives by it. [log]"""


def _shared(
    units: Units,
    pool: float,
    bounds: tuple[Floats, Floats],
    place: Place,
    reach: tuple[Floats, Floats],
    start: float,
    levels: tuple[float, float],
) -> Allocation:
    """Return the allocation at the level that uses up the pool, by Newton inside a bracket.

    No level outside ``levels`` is asked for: at the ends all stand nearest and farthest.
    """
    low, high = bounds
    nearest, farthest = reach
    least = np.clip(equity_at(units, nearest), low, high)
    if least.sum() > pool * (1 + PRECISION):
        return _allocation(units, least, idle=0.0, deficit=float(least.sum()) - pool)
    most = np.clip(equity_at(units, farthest), low, high)
    if most.sum() <= pool:
        return _allocation(units, most, idle=pool - float(most.sum()), deficit=0.0)
    (bottom, top), level, within = levels, start, least
    for _ in range(_STEPS):
        wanted, moved = place(level)
        a_log = np.clip(wanted, nearest, farthest)
        equity, slope = equity_and_slope(units, a_log)
        free = (equity > low) & (equity < high) & (wanted > nearest) & (wanted < farthest)
        equity = np.clip(equity, low, high)
        gap = float(equity.sum()) - pool
        if gap > 0:
            top = level
        else:
            bottom, within = level, equity
        if abs(gap) <= PRECISION * pool:
            within = equity
            break
        rise = float((slope * moved)[free].sum())
        step = level - gap / rise if rise > 0 else math.inf
        following = step if bottom < step < top else _between(bottom, top, level)
        if following in (bottom, top):
            break  # a joint of tiers that holds the whole step: stay within the pool
        level = following
    return _allocation(units, within, idle=max(0.0, pool - float(within.sum())), deficit=0.0)


def _between(bottom: float, top: float, level: float) -> float:
    """Return where to look next: the middle, or twice as far where a side is still open."""
    stride = 1.0 + 2.0 * abs(level)
    if bottom == -math.inf:
        return level - stride
    if top == math.inf:
        return level + stride
    return 0.5 * (bottom + top)


def _allocation(units: Units, equity: Floats, *, idle: float, deficit: float) -> Allocation:
    return Allocation(equity=equity, a_log=distance_of(units, equity), idle=idle, deficit=deficit)


def _quantile(tails: Tops, level: float) -> tuple[Floats, Floats]:
    """Return the quantile at the probability ``exp(-level)`` and its derivative by the level."""
    probability = math.exp(-level)
    if probability >= tails.share:
        width = tails.threshold / (1.0 - tails.share)
        return (1.0 - probability) * width, probability * width
    ratio = math.log(tails.share) + level
    flat = tails.shape < _FLAT
    shape = np.where(flat, 1.0, tails.shape)
    grown = np.where(flat, ratio, np.expm1(shape * ratio) / shape)
    return tails.threshold + tails.scale * grown, tails.scale * np.exp(
        np.where(flat, 0.0, shape * ratio)
    )


def _joints(units: Units) -> Floats:
    """Return where each tier ends on the way away from mark. Shape (n, k). [log]."""
    rates, amounts = np.diff(units.rate, axis=1), np.diff(units.amount, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        meet = np.where(rates > 0, amounts / rates, np.inf)
        away = np.abs(np.log(units.notional[:, None] / meet)) * np.where(
            units.side[:, None] * (units.notional[:, None] - meet) > 0, 1.0, -1.0
        )
    end = np.full((len(units), 1), np.inf)
    # A long falls through its tiers downwards, a short rises through them.
    return np.where(
        units.side[:, None] > 0,
        np.concatenate((end, away), axis=1),
        np.concatenate((away, end), axis=1),
    )


Stationary = Callable[[float], tuple[Floats, Floats]]
"""A level to the optimal distance in each tier and its derivative, shape (n, k). [log]"""


def _reflected(units: Units, sd: Floats, constant: Floats) -> Stationary:
    s = sd[:, None]
    side = units.side[:, None]
    least = np.where(side > 0, -0.5 * s * s, 0.0)

    def at(level: float) -> tuple[Floats, Floats]:
        k = np.maximum(constant + level, least)
        root = np.sqrt(np.maximum(s * s + 2.0 * k, 0.0))
        with np.errstate(divide="ignore"):
            slope = np.where(root > 0, s / root, 0.0)
        return side * s * s + s * root, slope

    return at


def _pareto(units: Units, sd: Floats, tails: Tops, constant: Floats) -> Stationary:
    s, side = sd[:, None], units.side[:, None]
    flat = tails.shape[:, None] < _FLAT
    shape = np.where(flat, 0.0, tails.shape[:, None])
    spread = s * tails.scale[:, None]
    start = s * tails.threshold[:, None]
    _, end = _convex(units, sd, tails)
    base = constant + np.log(tails.share / spread)
    a_log = np.broadcast_to(start, constant.shape).copy()

    def value(a: Floats, level: float) -> tuple[Floats, Floats]:
        # ln of the density, less ln of the slope of the equity; falling and convex in a.
        width = spread + shape * (a - start)
        safe = np.where(flat, 1.0, shape)
        fall = np.where(flat, (a - start) / spread, np.log(width / spread) * (1.0 + 1.0 / safe))
        slope = np.where(flat, -1.0 / spread, -(1.0 + shape) / width)
        return base + level - fall + side * a, slope + side

    def at(level: float) -> tuple[Floats, Floats]:
        nonlocal a_log
        for _ in range(_INNER):
            gap, slope = value(a_log, level)
            with np.errstate(divide="ignore", invalid="ignore"):
                stepped = np.where(slope < 0, a_log - gap / slope, np.where(gap > 0, FAR, start))
            stepped = np.clip(stepped, start, np.minimum(end[:, None], FAR))
            if (np.abs(stepped - a_log) <= 1e-15 * stepped).all():
                break
            a_log = stepped
        _, slope = value(a_log, level)
        return a_log, np.where(slope < 0, -1.0 / np.where(slope < 0, slope, -1.0), 0.0)

    return at


def _convex(units: Units, sd: Floats, tails: Tops) -> tuple[Floats, Floats]:
    """Return between which distances a Pareto tail is convex in the equity. [log]."""
    start = sd * tails.threshold
    room = 1.0 + tails.shape - sd * tails.scale
    if (room[units.side > 0] <= 0).any():
        raise ValueError("sd * scale of a long must be below 1 + shape")
    with np.errstate(divide="ignore"):
        end = np.where(tails.shape < _FLAT, FAR, start + room / tails.shape)
    return start, np.where(units.side > 0, np.minimum(end, FAR), FAR)
