"""How far does a fall run when it forces others to sell?"""

import math
from dataclasses import dataclass

import numpy as np

from bot.leverage.arrays import Floats

WEIGHT = 0.0
"""Of the cascade in the stressed distance, until depth and liquidation data calibrate it: the bot
observes no liquidations of others, so nothing asks for it yet. [ratio]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """Where a shock ends.

    Attributes:
        end: Log fall at which bids hold, infinite when they never do on the grid. [log]
        extra: Beyond the shock, at most the cap. [log]
        branching: Forced selling per bid at the shock; ``1 / (1 - b)`` is only a linearisation.
            [ratio]
    """

    end: float
    extra: float
    branching: float


def cascade(x: Floats, forced: Floats, depth: Floats, *, shock: float, cap: float) -> Cascade:
    """Return the smallest fall from the shock on at which bids take all that is forced to sell.

    ``depth(x) >= depth(shock) + forced(x)``: an exogenous seller has used up the bids down to the
    shock, the rest must take the liquidations.

    Args:
        x: Shape (n,), rising from 0 or more: falls. [log]
        forced: Shape (n,), never falling, >= 0: value force-sold by then. [quote]
        depth: Shape (n,), never falling, >= 0: bids resting within. [quote]
        shock: Exogenous, within the grid. [log]
        cap: Largest extra distance, >= 0. [log]

    Raises:
        ValueError: If a curve falls, or the shock is outside the grid.
    """
    if not x.shape == forced.shape == depth.shape or x.ndim != 1 or x.shape[0] < 2:  # noqa: PLR2004 - a curve has two ends
        raise ValueError("x, forced and depth must have one and the same dimension, >= 2")
    if not np.isfinite(np.concatenate((x, forced, depth))).all():
        raise ValueError("x, forced and depth must be finite")
    if not (
        (np.diff(x) > 0).all() and (np.diff(forced) >= 0).all() and (np.diff(depth) >= 0).all()
    ):
        raise ValueError("x must rise, forced and depth must not fall")
    if not (x[0] <= shock <= x[-1] and math.isfinite(cap) and cap >= 0):
        raise ValueError(f"shock must lie within the grid and cap be >= 0, were {shock}, {cap}")
    used = float(np.interp(shock, x, depth))
    holds = (x >= shock) & (depth >= used + forced)
    end = float(x[np.argmax(holds)]) if holds.any() else math.inf
    place = min(int(np.searchsorted(x, shock, side="right")), x.shape[0] - 1)
    sold, taken = (float(curve[place] - curve[place - 1]) for curve in (forced, depth))
    branching = sold / taken if taken > 0 else (math.inf if sold > 0 else 0.0)
    return Cascade(end=end, extra=min(cap, end - shock), branching=branching)
