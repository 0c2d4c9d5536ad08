"""What does an endangered position ask for, and what else could be done about it?"""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.market import BookLevel
from bot.domain.risk import PositionRisk


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What could be closed of a position instead.

    Attributes:
        levels: Of the book at the worst price or better, best first; empty where none was read.
        nearest: Price of the first, or the worst where no book was read. [quote/base]
        size: At most, at that price or better; 0 where nothing. [base or quote]
        aim: Margin that brings the position to where a close would. [settle]
        required: Equity per notional there. [ratio]
    """

    levels: tuple[BookLevel, ...]
    nearest: Decimal
    size: Decimal
    aim: Decimal
    required: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """An endangered position, and what may enter it.

    Attributes:
        risk: Its numbers.
        trigger: Distance below which it is endangered. [ratio]
        required: Equity per notional at the trigger. [ratio]
        need: Margin that brings it to the trigger. [settle]
        to_trigger: What it may get for that: no less than ``least``, no more than its own budgets
            allow. [settle]
        to_target: The same for the target, >= ``to_trigger``. [settle]
        least: Less than this is not moved. [settle]
        is_measured: Whether the strategy measured a volatility: then equal shares of triggers are
            about equal chances.
        offer: What could be closed instead.
    """

    risk: PositionRisk
    trigger: Decimal
    required: Decimal
    need: Decimal
    to_trigger: Decimal
    to_target: Decimal
    least: Decimal
    is_measured: bool
    offer: Offer

    @property
    def step(self) -> Decimal:
        """Finest step of its margin. [settle]."""
        return self.risk.instrument.margin_step
