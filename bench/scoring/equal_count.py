"""How much margin do two families of rules hold at the same number of liquidations?

A family is swept over its parameter; each member has a rate of liquidations and a mean margin. The
curve between them is read at one rate, so that no family gains by standing nearer or farther than
another. Columns are members, shape (p,); days are rows, shape (d,).
"""

from dataclasses import dataclass

import numpy as np

from bench.scoring import resampled
from bench.scoring.resampled import Interval
from bench.scoring.score import Ledger
from bot.leverage.arrays import Floats
from bot.leverage.tolerance import HOURS_PER_YEAR


def margin_at(rates: Floats, margins: Floats, rate: float) -> float:
    """Return the least margin at which a family is liquidated so often. [ratio].

    Members are ordered by margin; of a member with more margin and more liquidations than one
    before it the smaller number counts. Between two members the logarithm of margin is linear in
    the rate. NaN where the family has no member on one of the sides: nothing is extrapolated.

    Args:
        rates: Liquidations, shape (p,). [1/year]
        margins: Mean margin, > 0, shape (p,). [ratio]
        rate: > 0. [1/year]
    """
    order = np.argsort(margins, kind="stable")
    falling = np.minimum.accumulate(rates[order])
    logs = np.log(margins[order])
    at = int(np.searchsorted(-falling, -rate, side="left"))
    if at in {0, falling.size}:
        return float("nan")
    share = (falling[at - 1] - rate) / (falling[at - 1] - falling[at])
    return float(np.exp(logs[at - 1] + share * (logs[at] - logs[at - 1])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Margins of two families at equal liquidations.

    Attributes:
        margin: Of the one. [ratio]
        rival: Of the other. [ratio]
        change: The one over the other, minus 1; negative where it needs less. [ratio]
    """

    margin: float
    rival: float
    change: Interval


def saving(
    ledger: Ledger, one: slice, other: slice, rate: float, *, seed: int, draws: int = 2000
) -> Saving:
    """Return what one family saves over another.

    Args:
        ledger: Of the members of both.
        one: Its columns.
        other: Those of the rival.
        rate: Liquidations. [1/year]
        seed: The same seed gives the same interval.
        draws: How many samples, >= 1.
    """
    hours, margin, lost = resampled.sums(
        ledger, ledger.hours, ledger.margin, ledger.liquidations, seed=seed, draws=draws
    )
    rates, margins = lost / hours[:, None] * HOURS_PER_YEAR, margin / hours[:, None]
    pairs = np.array(
        [
            [margin_at(r[part], m[part], rate) for part in (one, other)]
            for r, m in zip(rates, margins, strict=True)
        ]
    )
    return Saving(
        margin=float(pairs[0, 0]),
        rival=float(pairs[0, 1]),
        change=resampled.interval(pairs[:, 0] / pairs[:, 1] - 1.0),
    )
