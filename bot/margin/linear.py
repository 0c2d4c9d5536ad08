"""At which price is a linear isolated position liquidated, and what would move that price?

Throughout: ``size`` is signed [base], ``margin`` is the collateral without unrealized PnL [quote].
"""

from collections.abc import Sequence
from decimal import Decimal

from bot.domain.instrument import Contract, MarginTier
from bot.margin import lone
from bot.margin.tiers import maintenance_margin


def notional(*, size: Decimal, price: Decimal) -> Decimal:
    """Return ``abs(size) * price``. [quote]."""
    return abs(size) * price


def unrealized_pnl(*, size: Decimal, entry_price: Decimal, price: Decimal) -> Decimal:
    """Return the profit at a price, signed. [quote]."""
    return size * (price - entry_price)


def equity(*, size: Decimal, entry_price: Decimal, margin: Decimal, price: Decimal) -> Decimal:
    """Return margin plus unrealized PnL at a price, signed. [quote]."""
    return margin + size * (price - entry_price)


def liquidation_price(
    tiers: Sequence[MarginTier], *, size: Decimal, entry_price: Decimal, margin: Decimal
) -> Decimal | None:
    """Return the mark price at which equity equals maintenance margin. [quote/base].

    Solves ``margin + size * (P - entry) = abs(size) * P * rate - amount``; the tier at the
    liquidation price, not the one at the mark price, sets the rate.

    Args:
        tiers: Ascending by floor, continuous; the first floor is 0.
        size: Signed, not 0. [base]
        entry_price: [quote/base]
        margin: Without unrealized PnL; may be negative. [quote]

    Returns:
        ``None`` when no positive price liquidates, e.g. a fully covered long; 0 when every price
        does, e.g. a short that has lost more than its margin whatever happens.

    Raises:
        ValueError: If ``tiers`` is empty or ``size`` is 0.

    Source: Binance's help page on USDS-margined liquidation prices; agrees with its recorded
    positions to 0.05 bp.
    """
    return lone.liquidation_price(
        tiers, contract=Contract.LINEAR, size=size, entry_price=entry_price, margin=margin
    )


def distance(*, size: Decimal, mark_price: Decimal, liquidation: Decimal | None) -> Decimal | None:
    """Return the adverse move to the liquidation price over mark. [ratio].

    Negative when mark is already beyond it; ``None`` when no price liquidates.
    """
    if liquidation is None:
        return None
    move = mark_price - liquidation if size > 0 else liquidation - mark_price
    return move / mark_price


def margin_for_distance(
    tiers: Sequence[MarginTier],
    *,
    size: Decimal,
    entry_price: Decimal,
    mark_price: Decimal,
    distance: Decimal,
) -> Decimal:
    """Return the margin that puts the liquidation price at a distance from mark. [quote].

    The inverse of `liquidation_price`: with ``P' = mark * (1 - side * distance)`` it is
    ``maintenance(P') - size * (P' - entry)``.

    Args:
        tiers: Ascending by floor; the first floor is 0.
        size: Signed, not 0. [base]
        entry_price: [quote/base]
        mark_price: [quote/base]
        distance: Below 1 for a long. [ratio]

    Raises:
        ValueError: If a long is asked for a distance of 1 or more: no price below 0 exists.
    """
    side = 1 if size > 0 else -1
    price = mark_price * (1 - side * distance)
    if price <= 0:
        raise ValueError(f"distance of a long must be below 1, was {distance}")
    return maintenance_margin(tiers, notional=abs(size) * price) - size * (price - entry_price)


def leverage_at_distance(
    tiers: Sequence[MarginTier], *, size: Decimal, mark_price: Decimal, distance: Decimal
) -> Decimal:
    """Return the effective leverage of a position that stands at a distance. [x].

    Raises:
        ValueError: As `margin_for_distance`.
    """
    side = 1 if size > 0 else -1
    price = mark_price * (1 - side * distance)
    if price <= 0:
        raise ValueError(f"distance of a long must be below 1, was {distance}")
    needed = maintenance_margin(tiers, notional=abs(size) * price) + size * (mark_price - price)
    return abs(size) * mark_price / needed


def distance_at_leverage(
    tiers: Sequence[MarginTier], *, size: Decimal, mark_price: Decimal, leverage: Decimal
) -> Decimal | None:
    """Return the distance of a position with an effective leverage. [ratio].

    Returns:
        ``None`` when no positive price liquidates at that leverage.

    Raises:
        ValueError: If the leverage is not positive.
    """
    if leverage <= 0:
        raise ValueError(f"leverage must be > 0, was {leverage}")
    margin = abs(size) * mark_price / leverage
    price = liquidation_price(tiers, size=size, entry_price=mark_price, margin=margin)
    return distance(size=size, mark_price=mark_price, liquidation=price)
