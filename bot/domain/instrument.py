"""What are the rules of one contract at its venue?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Contract(StrEnum):
    """In what a contract is margined and settled."""

    LINEAR = "linear"
    """In quote: profit is linear in the price."""
    INVERSE = "inverse"
    """In the coin itself: profit is linear in one over the price."""


def settle_of(symbol: str) -> str:
    """Return the currency of margin and profit that a unified name tells; empty for none."""
    return symbol.partition(":")[2].partition("-")[0]


def contract_of(symbol: str) -> Contract:
    """Return the kind of contract that a unified name tells: inverse ones settle in their coin."""
    base = symbol.partition("/")[0]
    return Contract.INVERSE if base and settle_of(symbol) == base else Contract.LINEAR


class MarginRelease(StrEnum):
    """What a venue does with isolated margin when part of a position is closed."""

    PRO_RATA = "pro_rata"
    """The closed share of the margin returns to the wallet: the liquidation price stays."""
    STAYS = "stays"
    """All margin stays behind the rest: the liquidation price moves away."""
    UNKNOWN = "unknown"
    """Not measured yet: planned as the worse of the two, read back before the next step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTier:
    """One step of a maintenance table.

    Attributes:
        notional_floor: Where the step begins, inclusive. [settle]
        maintenance_rate: [ratio]
        maintenance_amount: Deduction that keeps the table continuous (Binance ``cum``). [settle]
        max_leverage: Highest leverage setting in this step. [x]
    """

    notional_floor: Decimal
    maintenance_rate: Decimal
    maintenance_amount: Decimal
    max_leverage: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A perpetual or future.

    Its sizes are in coins where it is linear. Where it is inverse they are contracts times their
    value, in quote currency; that value is the lot.

    Attributes:
        symbol: Unified name, ``BTC/USDT:USDT`` or ``BTC/USD:BTC``.
        settle: Currency of margin and profit.
        price_step: Tick. [quote/base]
        size_step: Lot. [base or quote]
        min_size: [base or quote]
        max_market_size: Largest market order. [base or quote]
        min_notional: Smallest opening order; reducing orders are exempt. [quote]
        margin_step: Finest step of a margin move, of the collateral, not of the contract. [settle]
        taker_fee: [ratio]
        tiers: Ascending by floor; the first floor is 0. What must be held: the fee of closing is
            in the rates where the venue adds it, and where its steps go by size the one of the
            size that is held is the only one.
        margin_release: What closing a part does with isolated margin.
        closes_at: When it stops trading; ``None`` while no end is known. Aware UTC.
        contract: Linear or inverse.
        added_fee: Fee by which the venue grosses margin beyond the initial; 0 where all margin
            counts as it is. [ratio]
        keeps_tenth: Whether a tenth of its value stays in a position whatever its setting.
    """

    symbol: str
    settle: str
    price_step: Decimal
    size_step: Decimal
    min_size: Decimal
    max_market_size: Decimal
    min_notional: Decimal
    margin_step: Decimal
    taker_fee: Decimal
    tiers: tuple[MarginTier, ...]
    margin_release: MarginRelease = MarginRelease.UNKNOWN
    closes_at: datetime | None = None
    contract: Contract = Contract.LINEAR
    added_fee: Decimal = Decimal(0)
    keeps_tenth: bool = False
