"""At which price does a venue liquidate, by its own rule?"""

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

from bot.domain.instrument import Contract, MarginTier
from bot.margin import legs, release
from bot.margin.curve import ZERO
from bot.margin.legs import Book, Leg
from bot.margin.release import Limit
from bot.margin.rules import Backing, Basis, Brackets, Fee, Finish, Mode, Rule
from bot.margin.tiers import maintenance_margin, tier_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One position in the words of a rule.

    Attributes:
        size: Signed, not 0. Linear [base], inverse [quote].
        entry_price: > 0. [quote/base]
        margin: As the rule's backing says (`bot.margin.backing`); for `Backing.EQUITY` equity at
            mark less what all others need. [settle]
        tiers: Over what the rule's brackets say; empty only where ``maintenance`` is given.
        mark_price: Needed where the rule speaks of it; else it tells stretches apart. [quote/base]
        closing_fee: Taker or liquidation fee, needed where the rule adds one. [ratio]
        maintenance: The venue's own figure where it fixes maintenance, fees included. [settle]
    """

    size: Decimal
    entry_price: Decimal
    margin: Decimal
    tiers: tuple[MarginTier, ...] = ()
    mark_price: Decimal | None = None
    closing_fee: Decimal | None = None
    maintenance: Decimal | None = None


def flat(rate: Decimal) -> tuple[MarginTier, ...]:
    """Return a table of one step.

    Args:
        rate: [ratio]
    """
    return (
        MarginTier(
            notional_floor=ZERO,
            maintenance_rate=rate,
            maintenance_amount=ZERO,
            max_leverage=1 / rate,
        ),
    )


def rate_by_size(*, base: Decimal, per_coin: Decimal, size: Decimal) -> Decimal:
    """Return a rate that grows evenly with size. [ratio].

    Args:
        base: Of nothing. [ratio]
        per_coin: [1/base]
        size: Signed. [base]

    Source: Deribit's help page 25944738177565: linear BTC 0.01 and 0.00005 per coin.
    """
    return base + per_coin * abs(size)


def book(rule: Rule, terms: Terms, *, estimate: bool = False) -> Book:
    """Return a position as the solver takes it.

    Args:
        rule: Of its venue, mode and kind.
        terms: What is known of it.
        estimate: Whether a price is wanted although the venue judges the account by a rate.

    Raises:
        ValueError: If the rule has no price, or needs a number that is absent.
    """
    if rule.brackets is Brackets.RATIO and not estimate:
        raise ValueError(f"{rule.key} has no price of its own: the account is judged by a rate")
    if rule.backing is Backing.LIABILITY:
        raise ValueError(f"{rule.key} is no contract: use spot")
    entry = _mark(rule, terms) if rule.backing is Backing.EQUITY else terms.entry_price
    leg = Leg(
        size=terms.size,
        entry_price=entry,
        tiers=_tiers(rule, terms),
        fee=_fee(rule, terms),
        fixed=_fixed(rule, terms),
    )
    return Book(contract=rule.contract, margin=terms.margin, legs=(leg,))


def liquidation_price(rule: Rule, terms: Terms, *, estimate: bool = False) -> Decimal | None:
    """Return the price at which the venue liquidates, before it rounds. [quote/base].

    Returns:
        As `bot.margin.legs.liquidation_price`.

    Raises:
        ValueError: If the rule has no price, or needs a number that is absent.
    """
    made = book(rule, terms, estimate=estimate)
    found = legs.span(made, mark_price=terms.mark_price)
    # One position loses on one side only, wherever mark stands.
    if terms.size > 0:
        return found.below if found.below > 0 else None
    return found.above if found.above.is_finite() else None


def removable(rule: Rule, terms: Terms, *, leverage_setting: Decimal) -> Limit:
    """Return how much isolated margin the venue lets out now, and what keeps the rest in.

    Args:
        rule: Of an isolated position.
        terms: What is known of it, mark included.
        leverage_setting: > 0. [x]

    Raises:
        ValueError: If the position is not isolated, or a number that is needed is absent.
    """
    if rule.mode is not Mode.ISOLATED:
        raise ValueError(f"{rule.key} is not isolated: margin leaves the account, not a position")
    made, mark = book(rule, terms), _mark(rule, terms)
    return release.removable(
        rule.release,
        margin=made.margin,
        equity=legs.equity(made, mark),
        maintenance=legs.needed(made, mark),
        value=legs.value(rule.contract, size=terms.size, price=mark),
        leverage_setting=leverage_setting,
    )


def spot(*, assets: Decimal, owed: Decimal, is_long: bool, rate: Decimal, fee: Decimal) -> Book:
    """Return isolated spot margin as the solver takes it.

    A long holds coins and owes quote, a short the other way round; liquidation is where the assets
    are worth ``owed * (1 + rate) * (1 + fee)``.

    Args:
        assets: Held: coins of a long [base], quote of a short [quote].
        owed: With interest: quote of a long [quote], coins of a short [base].
        is_long: Its side.
        rate: Of maintenance. [ratio]
        fee: Of closing. [ratio]

    Source: OKX's help page 6997123251341.
    """
    more = (1 + rate) * (1 + fee) - 1
    # Equity at a price of 1, as a reference pair.
    leg = Leg(
        size=assets if is_long else -owed,
        entry_price=Decimal(1),
        tiers=flat(more),
        fixed=owed * more if is_long else None,
    )
    return Book(contract=Contract.LINEAR, margin=assets - owed, legs=(leg,))


def finished(rule: Rule, price: Decimal, *, size: Decimal, tick: Decimal) -> Decimal:
    """Return a price as the venue shows it; decisions use the one before. [quote/base].

    Args:
        rule: Says how.
        price: [quote/base]
        size: Signed.
        tick: > 0. [quote/base]
    """
    if rule.finish is Finish.PLUS_TICK:
        return price + (tick if size > 0 else -tick)
    if rule.finish is Finish.NEAREST_TICK:
        return (price / tick).to_integral_value(ROUND_HALF_EVEN) * tick
    if rule.finish is Finish.UP_IF_LONG and size > 0:
        return (price / tick).to_integral_value(ROUND_CEILING) * tick
    return price


def _mark(rule: Rule, terms: Terms) -> Decimal:
    if terms.mark_price is None:
        raise ValueError(f"mark price must be given for {rule.key}")
    return terms.mark_price


def _fee(rule: Rule, terms: Terms) -> Decimal:
    if rule.fee_rate is not None:
        return rule.fee_rate
    if rule.fee is Fee.NONE:
        return ZERO
    if terms.closing_fee is None:
        raise ValueError(f"{rule.fee} fee must be given for {rule.key}")
    return terms.closing_fee


def _tiers(rule: Rule, terms: Terms) -> tuple[MarginTier, ...]:
    table = terms.tiers
    if not rule.has_amounts:
        table = tuple(replace(tier, maintenance_amount=ZERO) for tier in table)
    if rule.brackets is Brackets.SIZE:
        table = (replace(tier_at(table, notional=abs(terms.size)), notional_floor=ZERO),)
    return table


def _fixed(rule: Rule, terms: Terms) -> Decimal | None:
    if rule.basis is Basis.LIQUIDATION:
        return None
    if terms.maintenance is not None:
        return terms.maintenance
    at = terms.entry_price if rule.basis is Basis.ENTRY else _mark(rule, terms)
    worth = legs.value(rule.contract, size=terms.size, price=at)
    return maintenance_margin(_tiers(rule, terms), notional=worth) + worth * _fee(rule, terms)
