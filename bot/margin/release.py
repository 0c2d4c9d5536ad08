"""How much margin may leave a position, how much may enter, and what stands in the way?"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bot.margin.curve import ZERO
from bot.margin.rules import Release

TENTH = Decimal("0.1")
"""Of the value at mark: what Hyperliquid keeps in whatever the setting; not verified. [ratio]"""


class Binding(StrEnum):
    """Which limit is the smallest."""

    MAINTENANCE = "maintenance"
    """Less would liquidate: nothing but margin or a smaller position helps."""
    LEVERAGE_SETTING = "leverage_setting"
    """The initial margin of the setting: raise the setting."""
    TENTH = "tenth_of_notional"
    """What a venue keeps whatever the setting."""
    WALLET = "wallet"
    """What backs others."""
    AVAILABLE = "available"
    """What the venue calls available."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What may move.

    Attributes:
        amount: >= 0. [settle]
        binding: The limit that makes it no larger.
        limits: All of them, signed. [settle]
    """

    amount: Decimal
    binding: Binding
    limits: Mapping[Binding, Decimal]

    @property
    def setting_blocks(self) -> bool:
        """Whether nothing may move although everything but the leverage setting would let it."""
        return self.amount == 0 and all(
            amount > 0
            for binding, amount in self.limits.items()
            if binding is not Binding.LEVERAGE_SETTING
        )


def smallest(limits: Mapping[Binding, Decimal]) -> Limit:
    """Return the limit that binds; where two do, the one that stands first.

    Args:
        limits: At least one, signed. [settle]
    """
    binding = min(limits, key=lambda one: limits[one])
    return Limit(amount=max(ZERO, limits[binding]), binding=binding, limits=limits)


def removable(
    release: Release,
    *,
    margin: Decimal,
    equity: Decimal,
    maintenance: Decimal,
    value: Decimal,
    leverage_setting: Decimal,
) -> Limit:
    """Return how much isolated margin the venue would let out now.

    Args:
        release: Of the rule. Where the venue has no formula the fallback is meant: equity must stay
            above maintenance, fees included, and above the initial margin of the setting.
        margin: Without profit. [settle]
        equity: At mark. [settle]
        maintenance: At mark; with the closing fee where the rule adds one. [settle]
        value: At mark, > 0. [settle]
        leverage_setting: > 0. [x]

    Source: Binance's help page 360038447311, linear and inverse; the fallback is derived, and
    Hyperliquid's tenth not verified.
    """
    over_setting = equity - value / leverage_setting
    if release is Release.BINANCE:
        return smallest(
            {
                Binding.MAINTENANCE: margin - maintenance,
                Binding.LEVERAGE_SETTING: over_setting,
            }
        )
    limits = {
        # The lesser of both: profit may not leave, a loss is gone.
        Binding.MAINTENANCE: min(margin, equity) - maintenance,
        Binding.LEVERAGE_SETTING: over_setting,
    }
    if release is Release.TENTH:
        limits[Binding.TENTH] = equity - value * TENTH
    return smallest(limits)


def setting_for(*, equity: Decimal, value: Decimal, amount: Decimal) -> Decimal | None:
    """Return the least leverage setting that lets an amount out; ``None`` if none does. [x].

    Args:
        equity: At mark. [settle]
        value: At mark, > 0. [settle]
        amount: > 0. [settle]

    Source: derived from the initial margin that `removable` keeps.
    """
    left = equity - amount
    return value / left if left > 0 else None


def addable(
    *, wallet: Decimal, isolated_order_margin: Decimal, cross_maintenance: Decimal,
    available: Decimal,
) -> Limit:  # fmt: skip
    """Return how much the wallet of an account may put into an isolated position.

    Args:
        wallet: Cross wallet without profit. [settle]
        isolated_order_margin: Initial margin of open orders of isolated positions. [settle]
        cross_maintenance: Of all cross positions. [settle]
        available: As the venue shows it. [settle]

    Source: Binance's help page 360038447311.
    """
    return smallest(
        {
            Binding.WALLET: wallet - isolated_order_margin - cross_maintenance,
            Binding.AVAILABLE: available,
        }
    )


def withdrawable(
    *, wallet: Decimal, isolated_order_margin: Decimal, cross_maintenance: Decimal,
    cross_initial: Decimal, cross_pnl: Decimal,
) -> Limit:  # fmt: skip
    """Return how much may leave a cross wallet.

    Args:
        wallet: Cross wallet without profit. [settle]
        isolated_order_margin: Initial margin of open orders of isolated positions. [settle]
        cross_maintenance: Of all cross positions. [settle]
        cross_initial: Initial margin of all cross positions, by their leverage settings. [settle]
        cross_pnl: Unrealized, signed. [settle]

    Source: Binance's help page 360038447311; an older copy of it lacks the maintenance.
    """
    return smallest(
        {
            Binding.MAINTENANCE: wallet - isolated_order_margin - cross_maintenance,
            Binding.LEVERAGE_SETTING: wallet + cross_pnl - cross_initial - isolated_order_margin,
        }
    )
