"""What was decided in one poll, and why?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from bot.domain.account import Wallet
from bot.domain.action import Action
from bot.domain.band import LeverageBand
from bot.domain.mode import Mode
from bot.domain.position import PositionKey
from bot.domain.risk import Blackout, PositionRisk
from bot.domain.stop import RestingStop


class Verdict(StrEnum):
    """The result of a poll in one word."""

    HOLD = "hold"
    ACT = "act"
    REFUSE = "refuse"
    NOT_READY = "not_ready"


class Urgency(StrEnum):
    """How soon something must happen; later members outrank earlier ones."""

    HOLD = "hold"
    ROUTINE = "routine"
    CONTINUE = "continue"
    EMERGENCY = "emergency"

    @property
    def rank(self) -> int:
        """0 for HOLD to 3 for EMERGENCY."""
        return tuple(Urgency).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a planned action, or a whole poll, was not allowed.

    Attributes:
        code: Stable, ``lower_snake_case``.
        text: The field, its value and what would be right.
    """

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The numbers of one position before and after an action.

    Attributes:
        size: Signed. [base or quote]
        margin: [settle]
        liquidation_price: [quote/base]
        distance: [ratio]
        leverage: [x]
    """

    size: Decimal
    margin: Decimal
    liquidation_price: Decimal | None
    distance: Decimal | None
    leverage: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAction:
    """An action with its reason and its projected effect.

    Attributes:
        action: What shall be done.
        why: Short code: ``below_trigger``, ``wallet_low``, ``re_add_released``, ...
        cost: Expected fees and slippage. [settle]
        before: The position before it; ``None`` for transfers and stops.
        after: The position after it; ``None`` for transfers, stops and a full close.
    """

    action: Action
    why: str
    cost: Decimal
    before: Snapshot | None
    after: Snapshot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionVerdict:
    """One position in a decision.

    Attributes:
        risk: Our assessment.
        band: What the strategy chose; ``None`` when it could not.
        urgency: How soon.
        reason: Short code.
        blackout: What it survives while nobody acts.
        stop: Our own resident stop that stands for it; ``None`` when none does.
    """

    risk: PositionRisk
    band: LeverageBand | None
    urgency: Urgency
    reason: str
    blackout: Blackout
    stop: RestingStop | None = None

    @property
    def key(self) -> PositionKey:
        """Symbol and side."""
        return self.risk.position.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Everything one poll concluded.

    Attributes:
        at: Venue time of the observation. Aware UTC.
        account: Name of the account.
        mode: The mode it was made in.
        urgency: The highest of all positions.
        verdict: In one word.
        reason: Short code, also for doing nothing.
        positions: One per open position, most endangered first.
        wallets: As observed.
        stops: Resident stops as observed, ours and others.
        approved: Actions to be executed in this order.
        refusals: What was planned and not allowed, or why nothing could be planned.
        inputs_age_ms: Age of the oldest input. [ms]
    """

    at: datetime
    account: str
    mode: Mode
    urgency: Urgency
    verdict: Verdict
    reason: str
    positions: tuple[PositionVerdict, ...] = ()
    wallets: tuple[Wallet, ...] = ()
    stops: tuple[RestingStop, ...] = ()
    approved: tuple[PlannedAction, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    inputs_age_ms: int = 0
