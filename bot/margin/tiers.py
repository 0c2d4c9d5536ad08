"""How much maintenance margin does a notional need?"""

import itertools
from collections.abc import Sequence
from decimal import Decimal

from bot.domain.instrument import Contract, MarginTier

CONTINUITY_TOLERANCE = Decimal("0.5")
"""Venues print amounts with few digits: a joint may be off by this much. [quote]"""
CONTINUITY_SHARE = Decimal("0.001")
"""Where amounts are in a coin, by this share of what must be held there. [ratio]"""


def tier_at(tiers: Sequence[MarginTier], *, notional: Decimal) -> MarginTier:
    """Return the tier that holds at a notional.

    Args:
        tiers: Ascending by floor; the first floor is 0.
        notional: >= 0. [settle]

    Raises:
        ValueError: If ``tiers`` is empty.
    """
    if not tiers:
        raise ValueError("tiers must not be empty")
    found = tiers[0]
    for tier in tiers:
        if tier.notional_floor > notional:
            break
        found = tier
    return found


def maintenance_margin(tiers: Sequence[MarginTier], *, notional: Decimal) -> Decimal:
    """Return the equity below which the venue liquidates. [settle]."""
    tier = tier_at(tiers, notional=notional)
    return notional * tier.maintenance_rate - tier.maintenance_amount


def continued(lower: MarginTier, *, floor: Decimal, rate: Decimal) -> Decimal:
    """Return the maintenance amount that lets a table go on without a jump. [settle].

    Args:
        lower: The step before.
        floor: Where the next one begins. [settle]
        rate: Of the next one. [ratio]
    """
    return lower.maintenance_amount + floor * (rate - lower.maintenance_rate)


def check_tiers(
    symbol: str, tiers: Sequence[MarginTier], *, contract: Contract = Contract.LINEAR
) -> None:
    """Accept only a table that the formulae of this package may rely on.

    A continuous, convex table with rates below 1 has exactly one liquidation price per side.

    Args:
        symbol: Unified name.
        tiers: In quote for linear, in coin for inverse contracts.
        contract: Its kind.

    Raises:
        ValueError: Naming the symbol, the tier and the number that is wrong.
    """
    if not tiers:
        raise ValueError(f"margin tiers of {symbol} must not be empty")
    if tiers[0].notional_floor != 0:
        raise ValueError(
            f"first notional floor of {symbol} must be 0, was {tiers[0].notional_floor}"
        )
    for tier in tiers:
        if not 0 < tier.maintenance_rate < 1:
            raise ValueError(
                f"maintenance rate of {symbol} at floor {tier.notional_floor} must be between "
                f"0 and 1, was {tier.maintenance_rate}"
            )
        if tier.maintenance_amount < 0:
            raise ValueError(
                f"maintenance amount of {symbol} at floor {tier.notional_floor} must be >= 0, "
                f"was {tier.maintenance_amount}"
            )
    for lower, upper in itertools.pairwise(tiers):
        if upper.notional_floor <= lower.notional_floor:
            raise ValueError(f"notional floors of {symbol} must ascend")
        if upper.maintenance_rate < lower.maintenance_rate:
            raise ValueError(f"maintenance rates of {symbol} must not fall")
        expected = continued(lower, floor=upper.notional_floor, rate=upper.maintenance_rate)
        needed = upper.notional_floor * lower.maintenance_rate - lower.maintenance_amount
        is_linear = contract is Contract.LINEAR
        tolerance = CONTINUITY_TOLERANCE if is_linear else CONTINUITY_SHARE * needed
        if abs(expected - upper.maintenance_amount) > tolerance:
            raise ValueError(
                f"maintenance amount of {symbol} at floor {upper.notional_floor} must be "
                f"{expected} to be continuous, was {upper.maintenance_amount}"
            )
