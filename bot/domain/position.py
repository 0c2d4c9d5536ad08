"""What does one open position look like?"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """Direction of a position."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short."""
        return 1 if self is Side.LONG else -1


class MarginMode(StrEnum):
    """Whose collateral stands behind a position."""

    ISOLATED = "isolated"
    CROSS = "cross"


class PositionMode(StrEnum):
    """Whether a symbol can be held long and short at once."""

    ONE_WAY = "one_way"
    HEDGE = "hedge"


@dataclass(frozen=True, slots=True, order=True)
class PositionKey:
    """Names one position of an account."""

    symbol: str
    side: Side

    def __str__(self) -> str:
        """``BTC/USDT:USDT long``."""
        return f"{self.symbol} {self.side}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """An open position as the venue reports it.

    Attributes:
        symbol: Unified name.
        size: Signed, long > 0, never 0. [base or quote]
        entry_price: Average price of the open size. [quote/base]
        mark_price: Price the venue liquidates against. [quote/base]
        margin: Collateral assigned to it, without unrealized PnL. [settle]
        leverage_setting: The number set at the venue; limits removal, not risk. [x]
        margin_mode: Isolated or cross.
        venue_liquidation_price: The venue's own figure; ``None`` when it gives none. [quote/base]
        venue_maintenance_margin: The venue's own figure; ``None`` when it gives none. [settle]
        venue_adds_margin: Whether the venue was told to add margin to it by itself.
    """

    symbol: str
    size: Decimal
    entry_price: Decimal
    mark_price: Decimal
    margin: Decimal
    leverage_setting: Decimal
    margin_mode: MarginMode
    venue_liquidation_price: Decimal | None
    venue_maintenance_margin: Decimal | None
    venue_adds_margin: bool = False

    @property
    def side(self) -> Side:
        """Direction, from the sign of the size."""
        return Side.LONG if self.size > 0 else Side.SHORT

    @property
    def key(self) -> PositionKey:
        """Symbol and side."""
        return PositionKey(self.symbol, self.side)
