"""What must be known to judge one write?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.action import Action
from bot.domain.band import LeverageBand
from bot.domain.decision import Urgency
from bot.domain.instrument import Instrument
from bot.domain.mode import Mode
from bot.domain.position import Position, PositionKey, PositionMode
from bot.domain.switch import Switches
from bot.domain.venue import VenueCondition
from bot.execute.steps import floor
from bot.rebalance.memory import Memory, key_of
from bot.rebalance.policy import Policy
from bot.rebalance.project import position_of

KINDS = frozenset({
    "add_margin", "remove_margin", "reduce_position", "transfer", "place_stop", "cancel_stop",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What holds around a plan when one of its writes is about to leave.

    Attributes:
        venue: The way to it.
        has_lease: Whether this run alone may write, for as long as a request lasts.
        is_epoch_current: Whether no later run is known to have begun.
        plan_age: Since the observation. [s]
        planned_in: The mode the plan was made in.
        stalled: Whether the program stood still since.
        is_journal_writable: Whether the journal takes intents.
        reserve_free: Slots of the emergency reserve for it, the one it holds included.
        supported: Kinds of write the venue can do.
        owned: Wallets that belong to the owner.
        position_mode: Of the account now.
        is_torn: Whether inputs are from different instants.
        is_price_confirmed: Whether a second source agrees with the mark.
        are_tiers_changed: Whether the maintenance table changed since it was last agreed.
        closing: Symbols that stop trading.
        writes_10s: Writes of the last 10 s to this venue.
        writes_60s: Writes of the last 60 s to all venues.
        is_reduce_only: What the request to be signed says; ``None`` for what is no order.
    """

    venue: VenueCondition = field(default_factory=VenueCondition)
    has_lease: bool = True
    is_epoch_current: bool = True
    plan_age: float = 0.0
    planned_in: Mode = Mode.NORMAL
    stalled: bool = False
    is_journal_writable: bool = True
    reserve_free: int = 1
    supported: frozenset[str] = KINDS
    owned: frozenset[str] = frozenset({"spot", "futures"})
    position_mode: PositionMode = PositionMode.ONE_WAY
    is_torn: bool = False
    is_price_confirmed: bool = True
    are_tiers_changed: bool = False
    closing: frozenset[str] = frozenset()
    writes_10s: int = 0
    writes_60s: int = 0
    is_reduce_only: bool | None = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One write and everything it is judged by.

    Attributes:
        action: Exactly as it will be sent.
        account: As projected after the writes of the same plan before it.
        instruments: By symbol.
        bands: Chosen by the strategy.
        memory: Of earlier polls.
        policy: Limits.
        switches: Of the operator.
        urgency: Of the position it is about.
        now: Venue time. Aware UTC.
        age: Of the oldest input. [s]
        step: Finest step of what is sent. [settle]
        apart: Amounts that stand for one that was planned, where they carry no tags; else 0.
            [collateral steps]
        held: All wallets and margin when the plan was made; what a reduction of the same plan
            realises changes no budget. [settle]
        holds: What the books say wallets hold for certain, by wallet and currency; a wallet that
            is not there has nothing on its way, or the books have no opinion. [currency]
        conditions: Around it.
    """

    action: Action
    account: Account
    instruments: Mapping[str, Instrument]
    bands: Mapping[PositionKey, LeverageBand]
    memory: Memory
    policy: Policy
    switches: Switches
    urgency: Urgency
    now: datetime
    age: float
    step: Decimal
    held: Decimal
    conditions: Conditions
    holds: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    apart: int = 0

    @property
    def key(self) -> PositionKey | None:
        """The position it is about; ``None`` for transfers."""
        return key_of(self.action)

    @property
    def position(self) -> Position | None:
        """That position as it stands; ``None`` where it is not held."""
        return None if self.key is None else position_of(self.account, self.key)

    @property
    def rules(self) -> Instrument | None:
        """Rules of its symbol; ``None`` where they are not known."""
        return None if self.key is None else self.instruments.get(self.key.symbol)

    def whole(self, amount: Decimal) -> int:
        """Return an amount in whole steps, rounded down. [collateral steps]

        Raises:
            ValueError: If it is not countable.
        """
        return floor(amount, step=self.step)
