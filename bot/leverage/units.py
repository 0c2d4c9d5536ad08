"""Which positions share a pool, and how does the equity of each grow with its distance?

The geometry of `bot.leverage.optimum` for n isolated linear positions at once; `bot.margin` is
exact and has the last word.
"""

from dataclasses import dataclass, field

import numpy as np

from bot.leverage import inputs, optimum
from bot.leverage.arrays import Floats
from bot.leverage.optimum import Tiers

FAR = 20.0
"""Farther than any price goes: a long that stands there cannot be liquidated. [log]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Isolated linear positions, or anything else whose maintenance table applies to one notional.

    An inverse position is the opposite linear one in one over the price: it comes here with its
    value in coin and the other side, and the log distances are its own.

    Attributes:
        notional: Shape (n,), > 0, at mark. [settle]
        side: Shape (n,), 1 long, -1 short; of inverse positions -1 long, 1 short.
        rate: Shape (n, k), maintenance rates in [0, 1), rising along a row; a shorter table
            repeats its last tier. [ratio]
        amount: Shape (n, k), maintenance amounts, >= 0, rising with the rates. [settle]
        tiers: The same as tables; where a step begins and what it caps is of no matter here.
    """

    notional: Floats
    side: Floats
    rate: Floats
    amount: Floats
    tiers: Tiers = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        n = self.notional.shape[0]
        if self.notional.shape != (n,) or self.side.shape != (n,):
            raise ValueError("notional and side must have one and the same dimension")
        inputs.positive(notional=self.notional)
        inputs.sides(self.side)
        inputs.tables(rate=self.rate, amount=self.amount, rows=n)
        zero, free = np.zeros_like(self.rate), np.full_like(self.rate, np.inf)
        tiers = Tiers(floor=zero, rate=self.rate, amount=self.amount, cap=free)
        object.__setattr__(self, "tiers", tiers)

    def __len__(self) -> int:
        return int(self.notional.shape[0])


def of_one_tier(notional: Floats, side: Floats, rate: Floats) -> Units:
    """Return units whose tables have one tier.

    Args:
        notional: Shape (n,). [quote]
        side: Shape (n,), 1 or -1.
        rate: Shape (n,). [ratio]

    Raises:
        ValueError: As `Units`.
    """
    return Units(
        notional=notional, side=side, rate=rate[:, None], amount=np.zeros((rate.shape[0], 1))
    )


def equity_at(units: Units, a_log: Floats) -> Floats:
    """Return `optimum.equity`: what is needed to be liquidated just there. Shape (n,). [quote].

    Args:
        units: The positions.
        a_log: Shape (n,); infinite where a price goes to nothing. [log]
    """
    reachable = np.minimum(a_log, optimum.FARTHEST)
    return optimum.equity(reachable, value=units.notional, tiers=units.tiers, side=units.side)


def equity_and_slope(units: Units, a_log: Floats) -> tuple[Floats, Floats]:
    """Return `equity_at` and its derivative; at a joint of tiers the farther one's. [quote].

    Args:
        units: The positions.
        a_log: Shape (n,). [log]
    """
    there = units.notional * np.exp(-units.side * a_log)
    if units.rate.shape[1] == 1:
        rate, held = units.rate[:, 0], units.rate[:, 0] * there - units.amount[:, 0]
    else:
        lines = units.rate * there[:, None] - units.amount
        held = lines.max(axis=1)
        last = lines.shape[1] - 1
        lowest = np.argmax(lines, axis=1)
        highest = last - np.argmax(lines[:, ::-1], axis=1)
        tier = np.where(units.side > 0, lowest, highest)
        rate = np.take_along_axis(units.rate, tier[:, None], axis=1)[:, 0]
    equity: Floats = units.side * (units.notional - there) + held
    slope: Floats = there * (1 - units.side * rate)
    return equity, slope


def distance_of(units: Units, equity: Floats) -> Floats:
    """Return the log distance at which positions with an equity stand. Shape (n,). [log].

    The inverse of `equity_at`: negative where a position is already beyond its liquidation price,
    at most `FAR`, which stands for "no price liquidates".

    Args:
        units: The positions.
        equity: Shape (n,). [quote]
    """
    a_log = optimum.log_distance(equity, value=units.notional, tiers=units.tiers, side=units.side)
    return np.minimum(a_log, FAR)
