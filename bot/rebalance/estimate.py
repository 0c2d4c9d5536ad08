"""What do the estimates of `bot.leverage` propose where a purse does not reach?

Here decimals become floats and proposals become decimals again. What comes back may be anything:
`bot.rebalance.sharing` checks it, rounds it and goes on without it.
"""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from bot.domain.risk import PositionRisk
from bot.leverage import allocation, distance
from bot.leverage.arrays import Floats
from bot.leverage.units import Units


def even(
    risks: Sequence[PositionRisk],
    triggers: Sequence[Decimal],
    base: Sequence[Decimal],
    tops: Sequence[Decimal],
    rest: Decimal,
) -> tuple[Decimal, ...]:
    """Return the margin that puts positions at the same share of their triggers' log distances.

    Equal hit probabilities where a trigger is the same number of standard deviations for all.

    Args:
        risks: Of the positions.
        triggers: Their distances. [ratio]
        base: Margin each gets before. [quote]
        tops: More than this no position takes, ``base`` included. [quote]
        rest: To be shared. [quote]

    Raises:
        ValueError: A number is outside of what the estimate takes, or not all even stand on the
            safe side of their liquidation prices.
    """
    equity = _floats([r.equity for r in risks])
    low, high = equity + _floats(base), equity + _floats(tops)
    sides = [r.position.side for r in risks]
    sd = np.array([distance.to_log(d, s) for d, s in zip(triggers, sides, strict=True)])
    pool = float(low.sum()) + float(rest)
    with np.errstate(all="ignore"):  # whatever comes of it is judged by who asked
        found = allocation.min_max(_units(risks), sd, pool, low=low, high=high)
    if found.deficit > 0:
        raise ValueError(
            f"{found.deficit:.6g} more is needed until all stand before their liquidation prices"
        )
    return _decimals(found.equity - equity)


def _units(risks: Sequence[PositionRisk]) -> Units:
    longest = max(len(r.instrument.tiers) for r in risks)
    tables = [
        (*r.instrument.tiers, *(r.instrument.tiers[-1:] * (longest - len(r.instrument.tiers))))
        for r in risks
    ]
    return Units(
        notional=_floats([r.notional for r in risks]),
        side=_floats([Decimal(r.position.side.sign) for r in risks]),
        rate=np.array([[float(t.maintenance_rate) for t in table] for table in tables]),
        amount=np.array([[float(t.maintenance_amount) for t in table] for table in tables]),
    )


def _floats(values: Sequence[Decimal]) -> Floats:
    return np.array([float(value) for value in values])


def _decimals(values: Floats) -> tuple[Decimal, ...]:
    """Return eight digits of each: what a machine's last bits say is not repeated elsewhere."""
    return tuple(Decimal(f"{value:.8g}") for value in values)
