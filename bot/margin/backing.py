"""How much collateral without profit stands behind a position, from what a venue tells?"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.instrument import Contract, Instrument
from bot.domain.position import Position
from bot.margin.curve import ZERO
from bot.margin.legs import value


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """One step of what a venue counts of a coin as collateral.

    Attributes:
        floor: Where the step begins. [coin]
        rate: What counts of the part inside of it; one less the haircut, in [0, 1]. [ratio]
    """

    floor: Decimal
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A currency in an account that takes several.

    Attributes:
        amount: Signed; a debt counts in full. [coin]
        price: In the account's currency, > 0. [quote/coin]
        discounts: Ascending by floor, the first of which is 0.
    """

    amount: Decimal
    price: Decimal
    discounts: tuple[Discount, ...]


def counted(amount: Decimal, discounts: Sequence[Discount]) -> Decimal:
    """Return how much of a coin counts, step by step; a debt counts in full. [coin].

    Binance's ``min(amount * index * rate, amount * index)`` is this with one step.

    Args:
        amount: Signed. [coin]
        discounts: Ascending by floor, the first of which is 0.

    Raises:
        ValueError: If ``discounts`` is empty.

    Source: Binance's announcement 5e33af8e6ac04d57a1d0a3398e0a0752; steps as OKX's help page
    360054690531 has them.
    """
    if not discounts:
        raise ValueError("discounts must not be empty")
    if amount <= 0:
        return amount
    found = ZERO
    for k, step in enumerate(discounts):
        end = discounts[k + 1].floor if k + 1 < len(discounts) else amount
        found += max(ZERO, min(amount, end) - step.floor) * step.rate
    return found


def of_assets(assets: Sequence[Asset]) -> Decimal:
    """Return what several currencies are worth as collateral, signed. [quote].

    Raises:
        ValueError: If a currency has no discounts.
    """
    return sum((counted(one.amount, one.discounts) * one.price for one in assets), ZERO)


def from_setting(
    *,
    contract: Contract,
    size: Decimal,
    entry_price: Decimal,
    leverage_setting: Decimal,
    extra: Decimal = ZERO,
    taker_fee: Decimal = ZERO,
) -> Decimal:
    """Return entry value over the leverage setting, plus what was added. [settle].

    Args:
        contract: Linear or inverse.
        size: Signed. Linear [base], inverse [quote].
        entry_price: > 0. [quote/base]
        leverage_setting: > 0. [x]
        extra: Added by hand. [settle]
        taker_fee: Where the venue sets it against what was added: Bybit divides by
            ``1 - side * fee`` for linear and ``1 + side * fee`` for inverse contracts. [ratio]

    Source: Bybit's help page on isolated margin, text of 2026-05-27; published for inverse.
    """
    initial = value(contract, size=size, price=entry_price) / leverage_setting
    return initial + extra / (1 + _against(contract, size) * taker_fee)


def of_position(position: Position, instrument: Instrument, *, change: Decimal = ZERO) -> Decimal:
    """Return what counts of the margin of an isolated position. [settle].

    All of it, unless the venue grosses what was added; what is left of an initial margin that was
    eaten into counts as it is.

    Args:
        position: As observed.
        instrument: Its rules.
        change: Of its margin, before it is asked. [settle]
    """
    margin = position.margin + change
    initial = _initial(position, instrument)
    if not instrument.added_fee or margin <= initial:
        return margin
    return initial + (margin - initial) / _turn(position, instrument)


def counting(counted: Decimal, position: Position, instrument: Instrument) -> Decimal:
    """Return the margin of a position of which so much counts, the other way round. [settle].

    Args:
        counted: What shall count. [settle]
        position: As observed.
        instrument: Its rules.
    """
    initial = _initial(position, instrument)
    if not instrument.added_fee or counted <= initial:
        return counted
    return initial + (counted - initial) * _turn(position, instrument)


def _initial(position: Position, instrument: Instrument) -> Decimal:
    """Return the entry value over the leverage setting. [settle]."""
    return from_setting(
        contract=instrument.contract,
        size=position.size,
        entry_price=position.entry_price,
        leverage_setting=position.leverage_setting,
    )


def _turn(position: Position, instrument: Instrument) -> Decimal:
    """Return what is added over what of it counts. [ratio]."""
    return 1 + _against(instrument.contract, position.size) * instrument.added_fee


def _against(contract: Contract, size: Decimal) -> int:
    """Return the sign of the fee: a long's gains more of what was added where it is linear."""
    side = 1 if size > 0 else -1
    return -side if contract is Contract.LINEAR else side


def from_raw(*, size: Decimal, entry_price: Decimal, raw: Decimal) -> Decimal:
    """Return the margin of a position whose cash has paid the entry value. [quote].

    Args:
        size: Signed. [base]
        entry_price: [quote/base]
        raw: Signed cash, ``rawUsd`` at Hyperliquid. [quote]

    Source: reproduces the positions that Hyperliquid returned (HL, docs/margin.md).
    """
    return raw + size * entry_price


def from_account_rate(*, size: Decimal, mark_price: Decimal, rate: Decimal) -> Decimal:
    """Return a position's share of all margin, as equity at mark. [quote].

    Args:
        size: Signed. [base]
        mark_price: [quote/base]
        rate: Total margin over the sum of all values (KuCoin's AMR). [ratio]

    Source: KuCoin's help page 35084431335065.
    """
    return abs(size) * mark_price * rate


def beside_others(*, wallet: Decimal, maintenance: Decimal, unrealized_pnl: Decimal) -> Decimal:
    """Return what a cross wallet leaves behind one symbol. [settle].

    Args:
        wallet: Without profit. [settle]
        maintenance: Of all other cross positions. [settle]
        unrealized_pnl: Of all other cross positions, signed. [settle]

    Source: Binance's help page b3c689c1f50a44cabb3a84e663b81d93.
    """
    return wallet - maintenance + unrealized_pnl
