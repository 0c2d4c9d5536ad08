"""How far may a figure of a replay be off, had other weeks come?

All positions of a block of days are drawn together, and all rules on the same blocks: they share
their storms. Columns are rules, shape (p,); days are rows, shape (d,).

Source: Carlstein (1986), blocks that do not overlap.
"""

from dataclasses import dataclass

import numpy as np

from bench.scoring.score import Costs, Ledger, charged
from bot.leverage.arrays import Floats
from bot.leverage.tolerance import HOURS_PER_YEAR

BLOCK = 7
"""Length of a block. [days]"""
ENDS = (0.025, 0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure and where it lies in 95 % of the samples.

    Attributes:
        value: Of what happened.
        low: 2.5 % quantile.
        high: 97.5 % quantile.
        undefined: Share of samples in which there was none. [ratio]
    """

    value: float
    low: float
    high: float
    undefined: float


def sums(ledger: Ledger, *columns: Floats, seed: int, draws: int) -> tuple[Floats, ...]:
    """Return sums over all days: first of what happened, then of each sample.

    Args:
        ledger: Whose days.
        columns: Of each day, shape (d, p) or (d,).
        seed: The same seed gives the same samples.
        draws: How many samples, >= 1.

    Returns:
        Of each column, shape (1 + draws, p) or (1 + draws,).
    """
    place = (ledger.day - ledger.day[0]) // BLOCK
    _, first = np.unique(place, return_index=True)
    chance = np.random.Generator(np.random.PCG64(seed))
    drawn = chance.multinomial(first.size, np.full(first.size, 1 / first.size), size=draws)
    times: Floats = np.concatenate((np.ones((1, first.size)), drawn.astype(np.float64)))
    return tuple(times @ np.add.reduceat(one, first, axis=0) for one in columns)


def interval(samples: Floats) -> Interval:
    """Return the interval of samples, the first of which is what happened.

    Args:
        samples: Shape (1 + draws,); NaN is undefined.
    """
    known = samples[1:][np.isfinite(samples[1:])]
    low, high = np.quantile(known, ENDS) if known.size else (np.nan, np.nan)
    return Interval(
        value=float(samples[0]),
        low=float(low),
        high=float(high),
        undefined=1.0 - known.size / (samples.size - 1),
    )


def cost_gap(
    ledger: Ledger, one: int, other: int, costs: Costs, *, seed: int, draws: int = 2000
) -> Interval:
    """Return how much more one rule costs than another. [bps/year].

    Args:
        ledger: Of both.
        one: Its column.
        other: That of the rival.
        costs: What is charged.
        seed: The same seed gives the same interval.
        draws: How many samples, >= 1.
    """
    by_day = charged(ledger, costs)
    hours, gap = sums(
        ledger, ledger.hours, by_day[:, one] - by_day[:, other], seed=seed, draws=draws
    )
    return interval(gap / hours * HOURS_PER_YEAR)
