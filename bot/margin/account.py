"""Which price liquidates a cross account, and how far may all prices go together?

Exact, in one currency of settlement. The estimates over scenarios are in `bot.leverage.cross`; both
agree on the buffer of any prices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.instrument import Contract
from bot.margin import curve as curves
from bot.margin import legs, solver
from bot.margin.curve import ZERO, Curve
from bot.margin.legs import Leg, Span, coordinate


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What an account has of one symbol.

    Attributes:
        symbol: Unified name.
        mark_price: > 0. [quote/base]
        legs: Positions of it; none where it is held as collateral only.
        reflexive: Collateral whose worth moves with this price, after haircut, signed: linear,
            coins [base]; inverse, quote currency [quote].
    """

    symbol: str
    mark_price: Decimal
    legs: tuple[Leg, ...] = ()
    reflexive: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Positions that share one wallet.

    Attributes:
        contract: Of all positions: one account settles in one currency.
        margin: Wallet without profit, signed. [settle]
        holdings: One for each symbol.
        reserved: What else the venue keeps back, such as haircuts and orders, >= 0. [settle]

    Raises:
        ValueError: If a symbol is there twice.
    """

    contract: Contract
    margin: Decimal
    holdings: tuple[Holding, ...]
    reserved: Decimal = ZERO

    def __post_init__(self) -> None:
        symbols = {one.symbol for one in self.holdings}
        if len(symbols) < len(self.holdings):
            raise ValueError("symbols of an account must be different: a hedge is two legs of one")


def equity(account: Account) -> Decimal:
    """Return wallet, profit and reflexive collateral at mark, signed. [settle]."""
    return account.margin + sum((_worth(account, one) for one in account.holdings), ZERO)


def maintenance(account: Account) -> Decimal:
    """Return maintenance margin with closing fees at mark. [settle].

    Raises:
        ValueError: If a leg has no tiers.
    """
    return sum((_needed(account, one) for one in account.holdings), ZERO)


def buffer(account: Account) -> Decimal:
    """Return what the account may lose; <= 0 is liquidatable. [settle].

    Raises:
        ValueError: If a leg has no tiers.
    """
    return equity(account) - account.reserved - maintenance(account)


def spans(account: Account) -> dict[str, Span]:
    """Return the healthy prices of each symbol, all others standing still at mark.

    Long and short of a symbol share them. A symbol that alone cannot liquidate has no ends.

    Raises:
        ValueError: If a leg has no tiers.
    """
    contract = account.contract
    free, parts = account.margin - account.reserved, []
    for one in account.holdings:
        x = coordinate(contract, one.mark_price)
        fixed, slope = _line(contract, one)
        curve = legs.curve(one.legs)
        own = fixed + slope * x - curves.need(curve, x)
        free += own
        parts.append((one, own, fixed, slope, curve))
    return {
        one.symbol: legs.meeting(
            contract,
            # What the others leave, and where its own line begins.
            fixed=free - own + fixed,
            slope=slope,
            curve=curve,
            mark_price=one.mark_price,
        )
        for one, own, fixed, slope, curve in parts
    }


def along(account: Account, direction: Mapping[str, Decimal]) -> Decimal | None:
    """Return how far prices may go along a direction until the account is liquidated. [ratio].

    At t each price is ``mark * (1 + t * direction)``; a symbol that is not named stands still.

    Args:
        account: The positions.
        direction: By symbol, signed; 1 for all is a common rise, -1 a common fall. [ratio]

    Returns:
        0 where it is liquidatable now; ``None`` where no such move liquidates before a price is 0.

    Raises:
        ValueError: If nothing moves, a symbol is not held, a leg has no tiers, or prices of inverse
            contracts move by different shares: then one over a price is not straight.
    """
    unknown = set(direction) - {one.symbol for one in account.holdings}
    if unknown:
        raise ValueError(f"direction must name held symbols, was {sorted(unknown)}")
    steps = {one.symbol: direction.get(one.symbol, ZERO) for one in account.holdings}
    if not any(steps.values()):
        raise ValueError("direction must move a price")
    if account.contract is Contract.LINEAR:
        return _linear(account, steps)
    shares = set(steps.values())
    if len(shares) > 1:
        raise ValueError("prices of inverse contracts must move by one share, were different")
    share = shares.pop()
    # One over a price shrinks by u while the price grows by u / (1 - u), and the other way round.
    met = _linear(account, dict.fromkeys(steps, Decimal(-1 if share > 0 else 1)))
    if met is None:
        return None
    return met / (1 - met if share > 0 else 1 + met) / abs(share)


def _worth(account: Account, one: Holding) -> Decimal:
    fixed, slope = _line(account.contract, one)
    return fixed + slope * coordinate(account.contract, one.mark_price)


def _needed(account: Account, one: Holding) -> Decimal:
    return curves.need(legs.curve(one.legs), coordinate(account.contract, one.mark_price))


def _line(contract: Contract, one: Holding) -> tuple[Decimal, Decimal]:
    return legs.line(contract, margin=ZERO, legs=one.legs, reflexive=one.reflexive)


def _linear(account: Account, steps: Mapping[str, Decimal]) -> Decimal | None:
    """Return where a straight way of all coordinates meets the need, the first time."""
    fixed = equity(account) - account.reserved
    slope, needs = ZERO, list[Curve]()
    for one in account.holdings:
        at = coordinate(account.contract, one.mark_price)
        per = at * steps[one.symbol]
        slope += per * _line(account.contract, one)[1]
        needs.extend(_along(leg, at=at, per=per) for leg in one.legs)
    found = solver.healthy(fixed=fixed, slope=slope, curve=curves.total(needs))
    # A stretch says nothing of its own end: with exactly what is needed one may begin here.
    if not found or found[0].low > 0 or fixed <= maintenance(account):
        return ZERO
    # The way ends where the first price is 0, or never.
    end = min((-1 / step for step in steps.values() if step < 0), default=solver.INFINITE)
    return found[0].high if found[0].high < end else None


def _along(leg: Leg, *, at: Decimal, per: Decimal) -> Curve:
    if leg.fixed is not None:
        return curves.constant(leg.fixed)
    quantity = abs(leg.size)
    return curves.of_tiers(leg.tiers, at=quantity * at, per=quantity * per, fee=leg.fee)
