"""What must one poll know of the polls before it?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.action import Action, AddMargin, ReducePosition, RemoveMargin, Transfer
from bot.domain.band import LeverageBand
from bot.domain.decision import Decision
from bot.domain.mode import Mode
from bot.domain.position import PositionKey

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
        added: Margin the bot added that is still in it. [quote]
        beyond_since: Since when it stands beyond give-back; ``None`` when it does not.
    """

    key: PositionKey
    added: Decimal = Decimal(0)
    beyond_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The state of the decider between polls; a fold over decisions and outcomes.

    Attributes:
        mode: What the bot may do.
        good_polls: Complete polls in a row.
        keys: One entry per position with something to remember, ordered by key.
        moves: Of the last day, oldest first.
        unsettled: Actions whose effect is not known yet.
    """

    mode: Mode = Mode.NORMAL
    good_polls: int = 0
    keys: tuple[KeyMemory, ...] = ()
    moves: tuple[Move, ...] = ()
    unsettled: tuple[Action, ...] = ()

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

    def added_since(self, key: PositionKey, since: datetime) -> Decimal:
        """Return the margin added to a position since an instant. [quote].

        What a reduction released and the bot put back is not counted.
        """
        return sum(
            (
                move.action.amount
                for move in self.moves
                if move.at >= since
                and isinstance(move.action, AddMargin)
                and not move.action.after_reduction
                and move.action.key == key
            ),
            Decimal(0),
        )

    def is_margin_unsettled(self, key: PositionKey) -> bool:
        """Whether a margin move of this position waits to be settled."""
        return any(
            isinstance(action, AddMargin | RemoveMargin) and action.key == key
            for action in self.unsettled
        )

    def is_order_unsettled(self, key: PositionKey) -> bool:
        """Whether an order on this position waits to be settled."""
        return any(
            isinstance(action, ReducePosition) and action.key == key for action in self.unsettled
        )

    def is_transfer_unsettled(self) -> bool:
        """Whether a transfer waits to be settled."""
        return any(isinstance(action, Transfer) for action in self.unsettled)


def key_of(action: Action) -> PositionKey | None:
    """Return the position an action touches; ``None`` for transfers."""
    return None if isinstance(action, Transfer) else action.key


def remember(
    memory: Memory,
    decision: Decision,
    *,
    account: Account | None,
    effects: Iterable[Action],
    unsettled: Iterable[Action],
) -> Memory:
    """Return the memory after a decision and what became of it.

    Args:
        memory: Before.
        decision: Just made.
        account: As observed before the actions; ``None`` when the poll was not ready, which
            changes nothing about positions: an absent answer is not an absent position.
        effects: Actions that took effect, each with the amount that did.
        unsettled: Actions whose effect is not known; they count as spent.
    """
    effects, unsettled = tuple(effects), tuple(unsettled)
    keys = {entry.key: entry for entry in memory.keys}
    if account is not None:
        held = {position.key for position in account.positions}
        keys = {key: entry for key, entry in keys.items() if key in held}
        for verdict in decision.positions:
            entry = keys.get(verdict.key, KeyMemory(key=verdict.key))
            beyond = _is_beyond(verdict.risk.distance, verdict.band)
            since = (entry.beyond_since or decision.at) if beyond else None
            keys[verdict.key] = replace(entry, beyond_since=since)
    sizes = {p.key: p.size for p in account.positions} if account is not None else {}
    for action in effects:
        key = key_of(action)
        if key is not None and key in keys:
            keys[key] = _after(keys[key], action, size=sizes.get(key))
    cutoff = decision.at - KEPT
    moves = (
        *(move for move in memory.moves if move.at >= cutoff),
        *(Move(at=decision.at, action=action) for action in (*effects, *unsettled)),
    )
    return replace(
        memory,
        keys=tuple(
            keys[key]
            for key in sorted(keys)
            if keys[key].added or keys[key].beyond_since is not None
        ),
        moves=moves,
        unsettled=(*memory.unsettled, *unsettled),
    )


def settle(memory: Memory, action: Action, *, applied: Decimal) -> Memory:
    """Return the memory once the effect of an unsettled action is proven.

    The move it was counted as stays in the budgets at what was applied.

    Args:
        memory: With ``action`` among the unsettled.
        action: As it was sent.
        applied: What took effect, of the action's own unit; 0 is nothing.
    """
    rest = list(memory.unsettled)
    if action in rest:
        rest.remove(action)
    moves = list(memory.moves)
    for index in range(len(moves) - 1, -1, -1):
        if moves[index].action == action:
            moved = moves.pop(index)
            if applied:
                moves.insert(index, replace(moved, action=with_amount(action, applied)))
            break
    keys = {entry.key: entry for entry in memory.keys}
    key = key_of(action)
    if key is not None and applied:
        entry = keys.get(key, KeyMemory(key=key))
        keys[key] = _after(entry, with_amount(action, applied), size=None)
    return replace(
        memory,
        keys=tuple(keys[k] for k in sorted(keys)),
        moves=tuple(moves),
        unsettled=tuple(rest),
    )


def with_amount(action: Action, amount: Decimal) -> Action:
    """Return the action with another amount, of its own unit."""
    match action:
        case ReducePosition():
            return replace(action, size=amount)
        case AddMargin() | RemoveMargin() | Transfer():
            return replace(action, amount=amount)


def _is_beyond(distance: Decimal | None, band: LeverageBand | None) -> bool:
    return band is not None and (distance is None or distance > band.distance.give_back)


def _after(entry: KeyMemory, action: Action, *, size: Decimal | None) -> KeyMemory:
    match action:
        case AddMargin(after_reduction=True):
            # It was in the position before the bot came: not the bot's to give back.
            return entry
        case AddMargin(amount=amount):
            return replace(entry, added=entry.added + amount)
        case RemoveMargin(amount=amount):
            return replace(entry, added=max(Decimal(0), entry.added - amount))
        case ReducePosition(size=closed) if size:
            # What was added shrinks with the position: never give back more than is ours.
            kept = max(Decimal(0), 1 - closed / abs(size))
            return replace(entry, added=entry.added * kept)
    return entry
