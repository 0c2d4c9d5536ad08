"""How much margin do two families of rules hold at the same number of liquidations?

A family is swept over its parameter; each member has a rate of liquidations and a mean margin. The
curve between them is read at one rate, so that no family gains by standing nearer or farther than
another. Columns are members, shape (p,); days are rows, shape (d,).
"""

from dataclasses import dataclass

import numpy as np

from bot.leverage.arrays import Floats
from bot.leverage.score import Ledger
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
    """Margin of one family over that of another at equal liquidations, minus 1.

    Attributes:
        rate: At which both are read. [1/year]
        margin: Of the one. [ratio]
        rival: Of the other. [ratio]
        value: Negative where the one needs less. [ratio]
        low: 2.5 % quantile over resampled blocks of days. [ratio]
        high: 97.5 % quantile. [ratio]
        undefined: Share of samples in which a curve did not reach the rate. [ratio]
    """

    rate: float
    margin: float
    rival: float
    value: float
    low: float
    high: float
    undefined: float


def saving(
    ledger: Ledger,
    one: slice,
    other: slice,
    rate: float,
    *,
    seed: int,
    draws: int = 2000,
    block: int = 7,
) -> Saving:
    """Return what one family saves, with an interval from resampled blocks of days.

    All positions of a block are drawn together, and both families on the same blocks: they share
    their storms.

    Args:
        ledger: Of the members of both.
        one: Its columns.
        other: Those of the rival.
        rate: Liquidations. [1/year]
        seed: The same seed gives the same interval.
        draws: How many samples, >= 1.
        block: Length of a block. [days]

    Source: Carlstein (1986), blocks that do not overlap.
    """
    place = (ledger.day - ledger.day[0]) // block
    _, first = np.unique(place, return_index=True)
    hours, margin, lost = (
        np.add.reduceat(x, first, axis=0)
        for x in (ledger.hours, ledger.margin, ledger.liquidations)
    )
    chance = np.random.Generator(np.random.PCG64(seed))
    drawn = chance.multinomial(first.size, np.full(first.size, 1 / first.size), size=draws)
    times = np.concatenate((np.ones((1, first.size)), drawn))
    total = (times @ hours)[:, None]
    rates, margins = times @ lost / total * HOURS_PER_YEAR, times @ margin / total
    pairs = np.array(
        [
            [margin_at(r[part], m[part], rate) for part in (one, other)]
            for r, m in zip(rates, margins, strict=True)
        ]
    )
    ratio = pairs[:, 0] / pairs[:, 1] - 1.0
    known = ratio[1:][np.isfinite(ratio[1:])]
    low, high = np.quantile(known, (0.025, 0.975)) if known.size else (np.nan, np.nan)
    return Saving(
        rate=rate,
        margin=float(pairs[0, 0]),
        rival=float(pairs[0, 1]),
        value=float(ratio[0]),
        low=float(low),
        high=float(high),
        undefined=1.0 - known.size / draws,
    )
