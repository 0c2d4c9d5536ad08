"""Which buffer does an account need, by what its paths did?"""

import math
from dataclasses import dataclass

import numpy as np

from bot.leverage.arrays import Floats, Integers
from bot.leverage.tops import tops

WITHIN_STEP = 0.5826
"""``-zeta(1/2) / sqrt(2 pi)``: how far a continuous path runs beyond a sampled one. [sd of a step]

Source: Broadie, Glasserman and Kou (1997).
"""
COUNTED = 50
"""So many paths beyond it, and a quantile is counted; with fewer a tail is fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Buffer that each account needs for one tolerance.

    Attributes:
        total: Shape (a,), the larger of the next two plus the last. [quote]
        simulated: Shape (a,). [quote]
        book: Shape (a,), by the tail of the book as one symbol. [quote]
        within_step: Shape (a,), what the steps hide. [quote]
        extrapolated: The simulated part is a fitted tail, not a count.
    """

    total: Floats
    simulated: Floats
    book: Floats
    within_step: Floats
    extrapolated: bool


def need(
    worst: Floats,
    *,
    tolerance: float,
    sd_book: Floats,
    quantile_book: float,
    sd_step: Floats,
) -> Need:
    """Return the buffer each account needs so that a hit is no likelier than a tolerance.

    A quantile with 50 paths or more beyond it is counted; below that it is the one of a generalised
    Pareto tail of the largest twentieth, and never less than what can be counted. Extra cash that
    is needed is ``max(0, total - buffer)``, exact because cash moves every buffer alike.

    Args:
        worst: Shape (p, a), see `Simulation`. [quote]
        tolerance: Per horizon, in (0, 1). [ratio]
        sd_book: Shape (a,), delta-normal standard deviation over the horizon. [quote]
        quantile_book: Of the book's own tail at the tolerance, see `book_quantile`, >= 0.
            [standard deviations]
        sd_step: Shape (a,), delta-normal standard deviation over one step. [quote]

    Raises:
        ValueError: If a number is outside, or there are too few paths for a tail.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must be between 0 and 1, was {tolerance}")
    if not (math.isfinite(quantile_book) and quantile_book >= 0):
        raise ValueError(f"quantile_book must be finite and >= 0, was {quantile_book}")
    paths = worst.shape[0]
    extrapolated = tolerance * paths < COUNTED
    simulated = _counted(worst, max(tolerance, min(COUNTED / paths, 0.5)))
    if extrapolated:
        simulated = np.maximum(simulated, tops(worst).quantile(tolerance))
    book, within = quantile_book * sd_book, WITHIN_STEP * sd_step
    return Need(
        total=np.maximum(simulated, book) + within,
        simulated=simulated,
        book=book,
        within_step=within,
        extrapolated=extrapolated,
    )


def _counted(worst: Floats, tolerance: float) -> Floats:
    """Return the smallest values that no more than a share of the paths exceed. Shape (a,)."""
    paths = worst.shape[0]
    place = paths - 1 - math.floor(tolerance * paths)
    found: Floats = np.partition(worst, place, axis=0)[place]
    return found


def hits(worst: Floats, buffer: Floats) -> Integers:
    """Return on how many paths each account's buffer is used up. Shape (a,).

    Args:
        worst: Shape (p, a). [quote]
        buffer: Shape (a,), now. [quote]
    """
    found: Integers = (worst >= buffer).sum(axis=0)
    return found


def chance(worst: Floats, level: Floats) -> Floats:
    """Return how likely each account loses more than a level. Shape (a,). [ratio].

    The inverse of the simulated part of `need`: counted with more than 50 paths beyond it, else
    that of the fitted tail.

    Args:
        worst: Shape (p, a), see `Simulation`; p >= 1,000. [quote]
        level: Shape (a,). [quote]

    Raises:
        ValueError: If there are too few paths for a tail.
    """
    share: Floats = (worst > level).mean(axis=0)
    least = COUNTED / worst.shape[0]
    if (share > least).all():
        return share
    return np.where(share > least, share, np.minimum(tops(worst).survival(level), least))
