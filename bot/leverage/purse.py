"""How would a purse that does not reach for everybody be shared best?

Decimals become floats here and proposals decimals again. What comes back may be anything: who asks
checks it, rounds it and goes on without it.
"""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from bot.domain.risk import PositionRisk
from bot.leverage import allocation, distance, impact, merit
from bot.leverage.arrays import Floats
from bot.leverage.claimant import Claimant
from bot.leverage.units import Units
from bot.margin import isolated
from bot.margin.legs import coordinate

DIGITS = 9
"""Of ratios: equal ones stay equal whatever the currency, so that order is no matter of luck."""
LEAST_COST = 1e-9
"""Closing is never free: else it would be preferred to margin that costs nothing. [ratio]"""
NOTHING = 1e-9
"""A lack below this share of the purse is none. [ratio]"""


def even(
    claimants: Sequence[Claimant],
    base: Sequence[Decimal],
    tops: Sequence[Decimal],
    rest: Decimal,
) -> tuple[Decimal, ...]:
    """Return the margin that puts positions at the same share of their triggers' log distances.

    Equal hit probabilities where a trigger is the same number of standard deviations for all.

    Args:
        claimants: The positions.
        base: Margin each gets before. [settle]
        tops: More than this none takes, ``base`` included. [settle]
        rest: To be shared. [settle]

    Raises:
        ValueError: A number is outside of what the estimate takes, or not all can stand on the
            safe side of their liquidation prices.
    """
    risks = [c.risk for c in claimants]
    equity = _floats([r.equity for r in risks])
    low, high = equity + _floats(base), equity + _floats(tops)
    sd = np.array([distance.to_log(c.trigger, c.risk.position.side) for c in claimants])
    pool = float(low.sum()) + float(rest)
    with np.errstate(all="ignore"):  # whatever comes of it is judged by who asked
        found = allocation.min_max(_units(risks), sd, pool, low=low, high=high)
    if found.deficit > 0:
        raise ValueError(
            f"{found.deficit:.6g} more is needed until all stand before their liquidation prices"
        )
    return _decimals(found.equity - equity)


def mixed(
    claimants: Sequence[Claimant],
    base: Sequence[Decimal],
    tops: Sequence[Decimal],
    rest: Decimal,
) -> tuple[Decimal, ...]:
    """Return the margin of the cheapest way to all triggers; what it leaves open is closed.

    What closing cannot do comes first; where not even that is enough it is shared evenly.

    Args:
        claimants: The positions.
        base: Margin each gets before. [settle]
        tops: More than this none takes, ``base`` included, although it may need more. [settle]
        rest: To be shared. [settle]

    Raises:
        ValueError: As `even`.
    """
    before, wanted = _floats(base), _floats(tops) - _floats(base)
    notional = _floats([c.risk.notional for c in claimants])
    required = np.round(_floats([c.required for c in claimants]), DIGITS)
    costs = np.array([_cost(c) for c in claimants])
    gain = np.maximum(required - costs, 0.0)
    # What its budgets keep from a position must be closed, whatever margin there is.
    forced = np.maximum(_floats([c.need for c in claimants]) - _floats(tops), 0.0)
    with np.errstate(all="ignore"):
        closed = np.where(gain > 0, forced / gain, 0.0)
        value = _floats([_offered(c) for c in claimants])
        caps = np.clip(value - closed, 0.0, notional)
        found = merit.merit_order(
            notional=notional,
            required=required,
            equity=notional * required - wanted,
            caps=caps[:, None],
            costs=costs[:, None],
            pool=float(rest),
            omega=0.0,
        )
    if float(found.short.sum()) > NOTHING * float(rest):
        must = _decimals(before + found.margin + found.short)
        most = [min(m, top) for m, top in zip(must, tops, strict=True)]
        return even(claimants, base, most, rest)
    return _decimals(before + found.margin)


def _cost(claimant: Claimant) -> float:
    """Return what closing costs where it does what margin else would. [ratio].

    Fee, half the spread and the visible book. Beyond a book that was not read everything is charged
    at the limit price; nothing beyond one that was read is ever closed.
    """
    risk, offer = claimant.risk, claimant.offer
    contract = risk.instrument.contract
    # An inverse position is the opposite linear one in one over the price.
    side = isolated.direction(contract, size=risk.position.size)
    mark = float(coordinate(contract, risk.position.mark_price))
    nearest = float(coordinate(contract, offer.nearest))
    taken = impact.Book(
        side=side,
        mark=mark,
        price=_floats([coordinate(contract, level.price) for level in offer.levels]),
        size=_floats([level.size for level in offer.levels]),
        half_spread=max(0.0, side * (mark - nearest) / mark),
        taker_fee=float(risk.instrument.taker_fee),
        sigma_day=0.0,
        volume_day=1.0,
    )
    size = float(min(_offered(claimant), offer.aim / offer.required))
    if size <= 0:
        return LEAST_COST
    cost = float(impact.cost(taken, np.array([size]))[0])
    return max(LEAST_COST, round(cost / size, DIGITS))


def _offered(claimant: Claimant) -> Decimal:
    """Return the value at mark of what could be closed. [settle]."""
    risk = claimant.risk
    return isolated.value(
        risk.instrument.contract, size=claimant.offer.size, price=risk.position.mark_price
    )


def _units(risks: Sequence[PositionRisk]) -> Units:
    longest = max(len(r.instrument.tiers) for r in risks)
    tables = [
        (*r.instrument.tiers, *(r.instrument.tiers[-1:] * (longest - len(r.instrument.tiers))))
        for r in risks
    ]
    return Units(
        notional=_floats([r.notional for r in risks]),
        side=_floats(
            [
                Decimal(isolated.direction(r.instrument.contract, size=r.position.size))
                for r in risks
            ]
        ),
        rate=np.array([[float(t.maintenance_rate) for t in table] for table in tables]),
        amount=np.array([[float(t.maintenance_amount) for t in table] for table in tables]),
    )


def _floats(values: Sequence[Decimal]) -> Floats:
    return np.array([float(value) for value in values])


def _decimals(values: Floats) -> tuple[Decimal, ...]:
    """Return eight digits of each: what a machine's last bits say is not repeated elsewhere."""
    return tuple(Decimal(f"{value:.8g}") for value in values)
