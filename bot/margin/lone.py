"""At which price is one position on its own collateral liquidated?

The answer of `bot.margin.legs` for one leg and a continuous table, found without building the whole
line of its need: the walk that venues describe, from the lowest tier up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.instrument import Contract, MarginTier
from bot.margin.curve import ZERO
from bot.margin.solver import INFINITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolated:
    """One of many positions to be looked at.

    Attributes:
        contract: Its kind.
        size: Signed, not 0. Linear [base], inverse [quote].
        entry_price: > 0. [quote/base]
        mark_price: > 0. [quote/base]
        margin: Without unrealized PnL. [settle]
        tiers: Ascending by floor, continuous; the first floor is 0.
        fee: Of closing, which the venue adds to maintenance. [ratio]
    """

    contract: Contract
    size: Decimal
    entry_price: Decimal
    mark_price: Decimal
    margin: Decimal
    tiers: tuple[MarginTier, ...]
    fee: Decimal = ZERO


def liquidation_price(
    tiers: Sequence[MarginTier],
    *,
    contract: Contract,
    size: Decimal,
    entry_price: Decimal,
    margin: Decimal,
    fee: Decimal = ZERO,
) -> Decimal | None:
    """Return the mark price at which equity equals maintenance margin plus fee. [quote/base].

    Args:
        tiers: Ascending by floor, continuous; the first floor is 0.
        contract: Linear or inverse.
        size: Signed, not 0. Linear [base], inverse [quote].
        entry_price: > 0. [quote/base]
        margin: Without unrealized PnL; may be negative. [settle]
        fee: Of closing, which the venue adds to maintenance. [ratio]

    Returns:
        ``None`` when no positive price liquidates. When every price does: 0 for a short, infinite
        for a long, so that mark is beyond it either way.

    Raises:
        ValueError: If ``tiers`` is empty, ``size`` is 0, or rate plus fee reach 1.
    """
    if size == 0:
        raise ValueError("size must not be 0")
    quantity = abs(size)
    if contract is Contract.LINEAR:
        side = 1 if size > 0 else -1
        kept, gain = walk(tiers, fixed=margin - size * entry_price, side=side, fee=fee)
        price = kept / (quantity * gain)
        if price > 0:
            return price
        return None if side > 0 else ZERO
    side = -1 if size > 0 else 1
    kept, gain = walk(tiers, fixed=margin + size / entry_price, side=side, fee=fee)
    if kept * gain > 0:
        return quantity * gain / kept
    return None if side > 0 else INFINITE


def walk(
    tiers: Sequence[MarginTier], *, fixed: Decimal, side: int, fee: Decimal = ZERO
) -> tuple[Decimal, Decimal]:
    """Return the value at liquidation as numerator and denominator. [settle], [1].

    Solves ``fixed + side * value = value * (rate + fee) - amount`` in one tier after the other, to
    the first whose solution lies below the next; each is visited once. Where amounts are printed
    with few digits the solution of a tier may lie before it, that is at the joint.

    Args:
        tiers: Ascending by floor, continuous; the first floor is 0.
        fixed: Equity less its part that moves with the value. [settle]
        side: +1 where equity rises with the value, else -1.
        fee: [ratio]

    Raises:
        ValueError: If ``tiers`` is empty, or a rate plus fee reaches 1: then equity never outgrows
            the need.
    """
    if not tiers:
        raise ValueError("tiers must not be empty")
    if side > 0 and tiers[-1].maintenance_rate + fee >= 1:
        raise ValueError(
            "maintenance rate plus fee must be below 1, was "
            f"{tiers[-1].maintenance_rate} plus {fee}"
        )
    k, last, tier = 0, len(tiers) - 1, tiers[0]
    kept, gain = fixed + tier.maintenance_amount, tier.maintenance_rate + fee - side
    while k < last and kept / gain >= tiers[k + 1].notional_floor:
        k += 1
        tier = tiers[k]
        kept, gain = fixed + tier.maintenance_amount, tier.maintenance_rate + fee - side
    if k and kept / gain < tier.notional_floor:
        return tier.notional_floor, Decimal(1)
    return kept, gain


def look(positions: Iterable[Isolated]) -> list[tuple[Decimal | None, Decimal | None]]:
    """Return liquidation price [quote/base] and distance [ratio] of each, as `liquidation_price`.

    A distance is the adverse move over mark: negative beyond it, ``None`` where nothing liquidates.

    Raises:
        ValueError: As `liquidation_price`.
    """
    found: list[tuple[Decimal | None, Decimal | None]] = []
    for one in positions:
        size, mark = one.size, one.mark_price
        price = liquidation_price(
            one.tiers,
            contract=one.contract,
            size=size,
            entry_price=one.entry_price,
            margin=one.margin,
            fee=one.fee,
        )
        if price is None:
            found.append((None, None))
        else:
            found.append((price, (mark - price if size > 0 else price - mark) / mark))
    return found
