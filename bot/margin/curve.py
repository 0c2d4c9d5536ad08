"""How much must be held while one coordinate moves?

A maintenance table is a broken line over the value of a position. Along any straight line that
moves values evenly (a price, one over a price, a step on a way that several prices go) the sum of
such lines is a broken line again.
"""

from collections.abc import Sequence
from decimal import Decimal

from bot.domain.instrument import MarginTier
from bot.margin.tiers import tier_at

ZERO = Decimal(0)

Piece = tuple[Decimal, Decimal, Decimal]
"""Start, inclusive [x]; slope [settle/x]; offset [settle]: ``slope * x - offset`` from there on."""

Curve = tuple[Piece, ...]
"""Ascending by start, the first of which is 0; the last has no end."""


def constant(amount: Decimal) -> Curve:
    """Return a need that no move changes.

    Args:
        amount: [settle]
    """
    return ((ZERO, ZERO, -amount),)


def of_tiers(
    tiers: Sequence[MarginTier], *, at: Decimal = ZERO, per: Decimal, fee: Decimal = ZERO
) -> Curve:
    """Return the maintenance margin and closing fee of a position whose value is ``at + per * x``.

    Args:
        tiers: Ascending by floor; the first floor is 0.
        at: Value where x is 0, >= 0. [settle]
        per: By how much it changes; where it falls, x must not go beyond the value of 0. [settle/x]
        fee: Of closing, a share of the value. [ratio]

    Raises:
        ValueError: If ``tiers`` is empty.
    """
    if at == 0 and per > 0 and tiers:
        # A price from 0 up, what nearly every call asks for: a fifth less work.
        return tuple(
            (
                tier.notional_floor / per,
                (tier.maintenance_rate + fee) * per,
                tier.maintenance_amount,
            )
            for tier in tiers
        )
    held = tier_at(tiers, notional=at)
    if per == 0:
        return constant(at * (held.maintenance_rate + fee) - held.maintenance_amount)
    if per > 0:
        met = [held, *(tier for tier in tiers if tier.notional_floor > at)]
        joints = met[1:]
    else:
        met = [tier for tier in reversed(tiers) if tier.notional_floor <= at]
        joints = met[:-1]
    starts = [ZERO, *((tier.notional_floor - at) / per for tier in joints)]
    pieces = []
    for start, tier in zip(starts, met, strict=True):
        rate = tier.maintenance_rate + fee
        pieces.append((start, rate * per, tier.maintenance_amount - rate * at))
    return tuple(pieces)


def total(curves: Sequence[Curve]) -> Curve:
    """Return the sum of several needs; of none it is 0."""
    if len(curves) == 1:
        return curves[0]
    changes: list[Piece] = []
    for curve in curves:
        before, held = ZERO, ZERO
        for start, slope, offset in curve:
            # A value that falls from a joint leaves its tier at once: two pieces begin at 0.
            changes.append((start, slope - before, offset - held))
            before, held = slope, offset
    changes.sort()
    pieces = [(ZERO, ZERO, ZERO)]
    for start, rise, more in changes:
        last, slope, offset = pieces[-1]
        made = (start, slope + rise, offset + more)
        if start == last:
            pieces[-1] = made
        else:
            pieces.append(made)
    return tuple(pieces)


def need(curve: Curve, x: Decimal) -> Decimal:
    """Return what must be held. [settle].

    Args:
        curve: With at least one piece.
        x: >= 0.
    """
    found = curve[0]
    for piece in curve:
        if piece[0] > x:
            break
        found = piece
    _, slope, offset = found
    return slope * x - offset
