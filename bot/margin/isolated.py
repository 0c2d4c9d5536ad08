"""At which price is an isolated position liquidated, and what would move that price?

Both kinds of contract. Throughout: ``size`` is signed, linear [base], inverse contracts times their
value [quote]; ``margin`` is the collateral without unrealized PnL [settle]. A linear position
settles in quote, an inverse one in its coin.
"""

from collections.abc import Sequence
from decimal import Decimal

from bot.domain.instrument import Contract, MarginTier
from bot.margin import lone
from bot.margin.tiers import maintenance_margin

HIGHEST = Decimal("1E+12")
"""No price of a coin goes beyond: what only more would liquidate nothing does. [quote/base]"""


def direction(contract: Contract, *, size: Decimal) -> int:
    """Return 1 where equity rises with the coordinate of the contract, -1 where it falls.

    A linear long and an inverse short lose as their own value falls; the other two as it rises.
    """
    side = 1 if size > 0 else -1
    return side if contract is Contract.LINEAR else -side


def value(contract: Contract, *, size: Decimal, price: Decimal) -> Decimal:
    """Return the value of a position at a price, >= 0. [settle]."""
    return abs(size) * price if contract is Contract.LINEAR else abs(size) / price


def unrealized_pnl(
    contract: Contract, *, size: Decimal, entry_price: Decimal, price: Decimal
) -> Decimal:
    """Return the profit at a price, signed. [settle]."""
    if contract is Contract.LINEAR:
        return size * (price - entry_price)
    return size / entry_price - size / price


def equity(
    contract: Contract, *, size: Decimal, entry_price: Decimal, margin: Decimal, price: Decimal
) -> Decimal:
    """Return margin plus unrealized PnL at a price, signed. [settle]."""
    return margin + unrealized_pnl(contract, size=size, entry_price=entry_price, price=price)


def liquidation_price(
    contract: Contract,
    tiers: Sequence[MarginTier],
    *,
    size: Decimal,
    entry_price: Decimal,
    margin: Decimal,
) -> Decimal | None:
    """Return the mark price at which equity equals maintenance margin. [quote/base].

    Solves ``margin + size * (P - entry) = abs(size) * P * rate - amount`` for linear contracts and
    ``margin + size * (1 / entry - 1 / P) = abs(size) / P * rate - amount`` for inverse ones; the
    tier at the liquidation price, not the one at the mark price, sets the rate.

    Args:
        contract: Its kind.
        tiers: Ascending by floor, continuous; the first floor is 0.
        size: Signed, not 0. [base or quote]
        entry_price: > 0. [quote/base]
        margin: Without unrealized PnL; may be negative. [settle]

    Returns:
        ``None`` when no positive price liquidates, e.g. a fully covered linear long or inverse
        short. When every price does, e.g. a position that has lost more than its margin whatever
        happens: 0 for a linear short, `HIGHEST` for an inverse long, so that mark is beyond it.

    Raises:
        ValueError: If ``tiers`` is empty or ``size`` is 0.

    Source: Binance's help page on USDS-margined liquidation prices, which agrees with its recorded
    positions to 0.05 bp; inverse is derived from the same rule, no record (docs/margin.md, BN-C).
    """
    found = lone.liquidation_price(
        tiers, contract=contract, size=size, entry_price=entry_price, margin=margin
    )
    if contract is Contract.LINEAR or found is None or found < HIGHEST:
        return found
    # A short is safe from a price that no coin has; a long is lost at every one it has.
    return HIGHEST if size > 0 else None


def distance(*, size: Decimal, mark_price: Decimal, liquidation: Decimal | None) -> Decimal | None:
    """Return the adverse move to the liquidation price over mark. [ratio].

    Negative when mark is already beyond it; ``None`` when no price liquidates.
    """
    if liquidation is None:
        return None
    move = mark_price - liquidation if size > 0 else liquidation - mark_price
    return move / mark_price


def distance_of_loss(contract: Contract, *, size: Decimal, share: Decimal) -> Decimal | None:
    """Return the adverse move that loses a share of the value at its beginning. [ratio].

    Args:
        contract: Its kind.
        size: Signed, not 0. [base or quote]
        share: >= 0. [ratio]

    Returns:
        ``None`` where no price loses so much: an inverse short never loses its whole value.
    """
    if contract is Contract.LINEAR:
        return share
    left = 1 - direction(contract, size=size) * share
    return share / left if left > 0 else None


def margin_for_distance(
    contract: Contract,
    tiers: Sequence[MarginTier],
    *,
    size: Decimal,
    entry_price: Decimal,
    mark_price: Decimal,
    distance: Decimal,
) -> Decimal:
    """Return the margin that puts the liquidation price at a distance from mark. [settle].

    The inverse of `liquidation_price`: with ``P' = mark * (1 - side * distance)`` it is maintenance
    less profit at ``P'``.

    Args:
        contract: Its kind.
        tiers: Ascending by floor; the first floor is 0.
        size: Signed, not 0. [base or quote]
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
    needed = maintenance_margin(tiers, notional=value(contract, size=size, price=price))
    return needed - unrealized_pnl(contract, size=size, entry_price=entry_price, price=price)


def leverage_at_distance(
    contract: Contract,
    tiers: Sequence[MarginTier],
    *,
    size: Decimal,
    mark_price: Decimal,
    distance: Decimal,
) -> Decimal:
    """Return the effective leverage of a position that stands at a distance. [x].

    Raises:
        ValueError: As `margin_for_distance`.
    """
    needed = margin_for_distance(
        contract,
        tiers,
        size=size,
        entry_price=mark_price,
        mark_price=mark_price,
        distance=distance,
    )
    return value(contract, size=size, price=mark_price) / needed


def distance_at_leverage(
    contract: Contract,
    tiers: Sequence[MarginTier],
    *,
    size: Decimal,
    mark_price: Decimal,
    leverage: Decimal,
) -> Decimal | None:
    """Return the distance of a position with an effective leverage. [ratio].

    Returns:
        ``None`` when no positive price liquidates at that leverage.

    Raises:
        ValueError: If the leverage is not positive.
    """
    if leverage <= 0:
        raise ValueError(f"leverage must be > 0, was {leverage}")
    margin = value(contract, size=size, price=mark_price) / leverage
    price = liquidation_price(contract, tiers, size=size, entry_price=mark_price, margin=margin)
    return distance(size=size, mark_price=mark_price, liquidation=price)
