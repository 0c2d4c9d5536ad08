"""What must one poll know of the polls before it?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Wallet
from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.mode import Mode
from bot.domain.past import Past, read
from bot.domain.position import PositionKey
from bot.domain.switch import Pause
from bot.rebalance.claims import (
    LONGEST_WAY,
    Claim,
    Landed,
    unseen,
)

KEPT = timedelta(days=1)
"""The longest budget window: older moves are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An action that took effect, or may have: unknown effects count as spent.

    Attributes:
        at: When it was decided. Aware UTC.
        action: With the amount that took effect.
    """

    at: datetime
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMemory:
    """What is remembered of one position.

    Attributes:
        key: The position.
        added: Margin the bot added that is still in it. [settle]
        beyond_since: Since when it stands beyond give-back; ``None`` when it does not.
        touched_at: When it was seen that somebody else moved its margin; ``None`` for never.
        carried: What the strategy carries from decision to decision, as text; empty for nothing.
    """

    key: PositionKey
    added: Decimal = Decimal(0)
    beyond_since: datetime | None = None
    touched_at: datetime | None = None
    carried: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The state of the decider between polls; a fold over decisions and outcomes.

    Attributes:
        mode: What the bot may do.
        pause: What a person paused.
        good_polls: Complete polls in a row.
        keys: One entry per position with something to remember, ordered by key.
        moves: Of the last day, oldest first.
        unsettled: Actions whose effect is not known yet.
        given_up: Actions whose effect was not known in time; they close their position to
            optional moves, and block nothing that protects.
        in_transit: Confirmed transfers that are not known to have arrived.
        claims: What wallets hold at most, because of what left them.
        landed: Transfers that are proven to have arrived, while a look may not show it.
    """

    mode: Mode = Mode.NORMAL
    pause: Pause = Pause.NONE
    good_polls: int = 0
    keys: tuple[KeyMemory, ...] = ()
    moves: tuple[Move, ...] = ()
    unsettled: tuple[Action, ...] = ()
    given_up: tuple[Action, ...] = ()
    in_transit: tuple[Action, ...] = ()
    claims: tuple[Claim, ...] = ()
    landed: tuple[Landed, ...] = ()

    def coming(self, wallet: Wallet, *, at: datetime) -> Decimal:
        """Return what is on its way to a wallet and not in its reading. [currency], >= 0.

        Args:
            wallet: As observed.
            at: Of the observation. Aware UTC.
        """
        place = (wallet.name, wallet.currency)
        sent = (t.amount for t in self.travelling(at) if (t.destination, t.currency) == place)
        return sum(sent, unseen(self.landed, self.claims, wallet, at=at))

    def travelling(self, at: datetime) -> tuple[Transfer, ...]:
        """Return the transfers that may still arrive: no money is counted on for ever."""
        recent = {m.action for m in self.moves if at - m.at <= LONGEST_WAY}
        return tuple(
            action
            for action in self.in_transit
            if isinstance(action, Transfer) and action in recent
        )

    def of(self, key: PositionKey) -> KeyMemory:
        """Return what is remembered of a position."""
        for entry in self.keys:
            if entry.key == key:
                return entry
        return KeyMemory(key=key)

    def last_move_at(self, key: PositionKey, *, kinds: Sequence[type[Action]]) -> datetime | None:
        """Return when an action of these kinds last touched a position."""
        for move in reversed(self.moves):
            if isinstance(move.action, tuple(kinds)) and key_of(move.action) == key:
                return move.at
        return None

    def past_of(self, key: PositionKey, *, now: datetime) -> Past:
        """Return what a strategy may know of what came before. Aware UTC."""
        moves = (AddMargin, RemoveMargin, ReducePosition)
        return Past(
            now=now,
            moved_at=self.last_move_at(key, kinds=moves),
            carried=read(self.of(key).carried),
        )

    def last_transfer_at(self) -> datetime | None:
        """Return when collateral was last sent from wallet to wallet."""
        for move in reversed(self.moves):
            if isinstance(move.action, Transfer):
                return move.at
        return None

    def added_since(self, key: PositionKey | None, since: datetime, *, coin: str = "") -> Decimal:
        """Return the margin added to a position since an instant. [settle].

        What a reduction released and the bot put back is not counted. What is not settled or was
        given up on is counted once, however old it is: nobody knows that it did not happen.

        Args:
            key: The position; ``None`` for all of them.
            since: The instant.
            coin: Only what is of this coin; empty for all.
        """
        added = (a for a in self._additions(key, since) if not coin or a.currency == coin)
        return sum((a.amount for a in added), Decimal(0))

    def additions_since(self, key: PositionKey, since: datetime) -> int:
        """Return how often margin was added to a position since an instant."""
        return sum(1 for _ in self._additions(key, since))

    def _additions(self, key: PositionKey | None, since: datetime) -> Iterator[AddMargin]:
        recent = [move.action for move in self.moves if move.at >= since]
        open_ = [*self.unsettled, *self.given_up]
        for action in recent:
            if action in open_:
                open_.remove(action)
        for action in (*recent, *open_):
            if (
                isinstance(action, AddMargin)
                and not action.after_reduction
                and (key is None or action.key == key)
            ):
                yield action

    def is_margin_unsettled(self, key: PositionKey) -> bool:
        """Whether a margin move of this position waits to be settled."""
        return self.unsettled_moves(key) > 0

    def unsettled_moves(self, key: PositionKey) -> int:
        """Return how many margin moves of this position wait to be settled."""
        return sum(
            isinstance(action, AddMargin | RemoveMargin) and action.key == key
            for action in self.unsettled
        )

    def is_order_unsettled(self, key: PositionKey) -> bool:
        """Whether an order on this position waits to be settled."""
        return any(
            isinstance(action, ReducePosition) and action.key == key for action in self.unsettled
        )

    def is_stop_unsettled(self, key: PositionKey) -> bool:
        """Whether a change of a resident stop of this position waits to be settled."""
        return any(
            isinstance(action, PlaceStop | CancelStop) and action.key == key
            for action in self.unsettled
        )

    def is_given_up(self, key: PositionKey) -> bool:
        """Whether a move of this position was given up on."""
        return any(key_of(action) == key for action in self.given_up)


def key_of(action: Action) -> PositionKey | None:
    """Return the position an action touches; ``None`` for transfers."""
    return None if isinstance(action, Transfer) else action.key


def amount_of(action: Action) -> Decimal:
    """Return how much an action moves, of its own unit; of a stop, one order."""
    if isinstance(action, PlaceStop | CancelStop):
        return Decimal(1)
    return action.size if isinstance(action, ReducePosition) else action.amount


def with_amount(action: Action, amount: Decimal) -> Action:
    """Return the action with another amount, of its own unit."""
    if isinstance(action, PlaceStop | CancelStop):
        return action  # one order, wholly or not at all
    if isinstance(action, ReducePosition):
        return replace(action, size=amount)
    return replace(action, amount=amount)
