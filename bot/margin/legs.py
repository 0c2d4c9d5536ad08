"""Between which prices do positions of one symbol live on common collateral?

A contract that settles in quote is straight in its price. One that settles in the coin is straight
in one over the price: a long of Q [quote] from entry EP is a linear short of Q from ``1 / EP``. So
both are one line against one curve (`bot.margin.solver`), in a coordinate of their own.

The *reference pair* that venues use in place of collateral and entry, equity at a price and that
price, needs no form of its own: it is a leg entered at the price with the equity as its margin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.instrument import Contract, MarginTier
from bot.margin import curve as curves
from bot.margin import solver
from bot.margin.curve import ZERO, Curve
from bot.margin.solver import INFINITE, Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One position.

    Attributes:
        size: Signed, long > 0. Linear: coins [base]; inverse: contracts times their value [quote].
        entry_price: > 0. [quote/base]
        tiers: Over the value in settle currency, ascending by floor; the first floor is 0.
        fee: Of closing, which the venue adds to maintenance: a share of the value. [ratio]
        fixed: Maintenance margin where the venue fixes it at one price, closing fee included;
            ``None`` where it follows the price. [settle]
    """

    size: Decimal
    entry_price: Decimal
    tiers: tuple[MarginTier, ...]
    fee: Decimal = ZERO
    fixed: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Positions of one symbol, or long and short of it, and what stands behind them.

    Attributes:
        contract: Of all legs.
        margin: Collateral without their unrealized PnL, signed. [settle]
        legs: At least one.
        reflexive: Collateral whose worth in settle currency moves with the same price, after
            haircut: linear, coins [base]; inverse, quote currency [quote].
    """

    contract: Contract
    margin: Decimal
    legs: tuple[Leg, ...]
    reflexive: Decimal = ZERO

    def __post_init__(self) -> None:
        if not self.legs:
            raise ValueError("legs must not be empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The prices at which equity exceeds what must be held lie between two.

    Attributes:
        below: 0 where no price below liquidates; infinite where every price does. [quote/base]
        above: Infinite where no price above liquidates; 0 where every price does. [quote/base]
    """

    below: Decimal
    above: Decimal

    @property
    def is_empty(self) -> bool:
        """Whether every price liquidates."""
        return self.below >= self.above

    def distance(self, mark_price: Decimal) -> Decimal | None:
        """Return the move to the nearer end over mark; <= 0 beyond it, ``None`` without end.

        Args:
            mark_price: > 0. [quote/base]
        """
        ends = []
        if self.below > 0:
            ends.append((mark_price - self.below) / mark_price)
        if self.above < INFINITE:
            ends.append((self.above - mark_price) / mark_price)
        return min(ends, default=None)


LOST = Span(below=INFINITE, above=ZERO)
"""Every price liquidates."""


def coordinate(contract: Contract, price: Decimal) -> Decimal:
    """Return in what a contract is straight: its price, or one over it.

    Args:
        contract: Its kind.
        price: > 0. [quote/base]
    """
    return price if contract is Contract.LINEAR else 1 / price


def value(contract: Contract, *, size: Decimal, price: Decimal) -> Decimal:
    """Return the value of a position, >= 0. [settle]."""
    return abs(size) * coordinate(contract, price)


def line(
    contract: Contract, *, margin: Decimal, legs: Sequence[Leg], reflexive: Decimal
) -> tuple[Decimal, Decimal]:
    """Return equity where the coordinate is 0, and by how much it rises with it.

    Args:
        contract: Of all legs.
        margin: As of a `Book`. [settle]
        legs: May be none.
        reflexive: As of a `Book`.
    """
    turn = 1 if contract is Contract.LINEAR else -1
    fixed, slope = margin, reflexive
    for leg in legs:
        size = turn * leg.size
        fixed -= size * coordinate(contract, leg.entry_price)
        slope += size
    return fixed, slope


def curve(legs: Sequence[Leg]) -> Curve:
    """Return what legs need together over their coordinate, fees included.

    Raises:
        ValueError: If a leg has no tiers.
    """
    return curves.total([_need(leg) for leg in legs])


def equity(book: Book, price: Decimal) -> Decimal:
    """Return collateral plus unrealized PnL at a price, signed. [settle]."""
    fixed, slope = _line(book)
    return fixed + slope * coordinate(book.contract, price)


def needed(book: Book, price: Decimal) -> Decimal:
    """Return maintenance margin plus closing fees at a price. [settle].

    Raises:
        ValueError: If a leg has no tiers.
    """
    return curves.need(curve(book.legs), coordinate(book.contract, price))


def span(book: Book, *, mark_price: Decimal | None = None) -> Span:
    """Return the healthy prices around mark.

    Args:
        book: The positions.
        mark_price: > 0. Matters where a table jumps at its joints, which leaves several stretches;
            without it the one where the book earns most is meant. A mark outside of all of them
            gives the nearest. [quote/base]

    Raises:
        ValueError: If a leg has no tiers.
    """
    fixed, slope = _line(book)
    return meeting(
        book.contract, fixed=fixed, slope=slope, curve=curve(book.legs), mark_price=mark_price
    )


def meeting(
    contract: Contract, *, fixed: Decimal, slope: Decimal, curve: Curve, mark_price: Decimal | None
) -> Span:
    """Return the healthy prices of a line and a need over a contract's coordinate, as `span`."""
    found = solver.healthy(fixed=fixed, slope=slope, curve=curve)
    if not found:
        return LOST
    if mark_price is not None:
        return _prices(contract, solver.nearest(found, coordinate(contract, mark_price)))
    return _prices(contract, found[-1] if slope > 0 else found[0])


def liquidation_price(book: Book, *, mark_price: Decimal | None = None) -> Decimal | None:
    """Return the price at which equity equals maintenance margin plus closing fees. [quote/base].

    Args:
        book: The positions.
        mark_price: > 0; where both a fall and a rise liquidate, the one that is nearer is meant.
            Without it the side is meant on which the book loses, and where no price of that side
            liquidates the other, where the need outgrows the equity. [quote/base]

    Returns:
        ``None`` when no positive price liquidates. When every price does: 0 for a book that loses
        by a rise, infinite for one that loses by a fall, so that mark is beyond it either way.

    Raises:
        ValueError: If a leg has no tiers.
    """
    found = span(book, mark_price=mark_price)
    if found.is_empty:
        return found.below if _loses_by_a_fall(book) else found.above
    below = found.below if found.below > 0 else None
    above = found.above if found.above < INFINITE else None
    if below is None or above is None:
        return above if below is None else below
    if mark_price is None:
        return below if _loses_by_a_fall(book) else above
    return below if mark_price - below < above - mark_price else above


def _line(book: Book) -> tuple[Decimal, Decimal]:
    return line(book.contract, margin=book.margin, legs=book.legs, reflexive=book.reflexive)


def _need(leg: Leg) -> Curve:
    if leg.fixed is not None:
        return curves.constant(leg.fixed)
    return curves.of_tiers(leg.tiers, per=abs(leg.size), fee=leg.fee)


def _loses_by_a_fall(book: Book) -> bool:
    _, slope = _line(book)
    return slope > 0 if book.contract is Contract.LINEAR else slope < 0


def _prices(contract: Contract, one: Interval) -> Span:
    if contract is Contract.LINEAR:
        return Span(below=one.low, above=one.high)
    return Span(
        below=1 / one.high if one.high < INFINITE else ZERO,
        above=1 / one.low if one.low > 0 else INFINITE,
    )
