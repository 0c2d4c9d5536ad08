"""What must one poll know of the polls before it?"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account, Wallet
from bot.domain.action import (
    Action,
    AddMargin,
    CancelStop,
    PlaceStop,
    ReducePosition,
    RemoveMargin,
    Transfer,
)
from bot.domain.band import LeverageBand
from bot.domain.decision import Decision
from bot.domain.intent import Intent, IntentState
from bot.domain.mode import Mode
from bot.domain.past import Past, read, written
from bot.domain.position import PositionKey
from bot.domain.switch import Pause
from bot.rebalance.claims import (
    LONGEST_WAY,
    OLDEST,
    Claim,
    Landed,
    arrived,
    claimed,
    ending,
    kept,
    returned,
    unseen,
)

KEPT = timedelta(days=1)
"""The longest budget window: older moves are forgotten."""
_NO_EFFECT = frozenset({
    IntentState.WRITTEN, IntentState.DROPPED, IntentState.REJECTED, IntentState.ABSENT,
})  # fmt: skip
STOPS_KEPT = timedelta(minutes=1)
"""Changes of stops cost nothing and are forgotten sooner."""


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
            carried = entry.carried  # without a band nothing is known that would replace it
            if verdict.band is not None:
                carried = written(verdict.band.carry) or ""
            keys[verdict.key] = replace(entry, beyond_since=since, carried=carried)
    sizes = {p.key: p.size for p in account.positions} if account is not None else {}
    keys = {key: _recent(entry, decision.at) for key, entry in keys.items()}
    for action in effects:
        key = key_of(action)
        if key is not None and key in keys:
            keys[key] = _after(keys[key], action, size=sizes.get(key))
    moves = (
        *(move for move in memory.moves if _is_remembered(move, decision.at)),
        *(Move(at=decision.at, action=action) for action in (*effects, *unsettled)),
    )
    return replace(
        memory,
        keys=tuple(keys[key] for key in sorted(keys) if keys[key] != KeyMemory(key=key)),
        moves=moves,
        unsettled=(*memory.unsettled, *unsettled),
        in_transit=(
            *memory.in_transit,
            *(action for action in effects if isinstance(action, Transfer)),
        ),
        claims=claimed(
            kept(memory.claims, at=decision.at) if memory.unsettled else memory.claims,
            account,
            effects=effects,
            unsettled=unsettled,
            at=decision.at,
            landed=memory.landed,
        ),
        landed=tuple(one for one in memory.landed if one.until > decision.at),
    )


def _recent(entry: KeyMemory, now: datetime) -> KeyMemory:
    if entry.touched_at is not None and now - entry.touched_at > KEPT:
        return replace(entry, touched_at=None)
    return entry


def _is_remembered(move: Move, now: datetime) -> bool:
    is_stop = isinstance(move.action, PlaceStop | CancelStop)
    return now - move.at <= (STOPS_KEPT if is_stop else KEPT)


def adopt(memory: Memory, keys: Iterable[PositionKey], *, amount: Decimal, at: datetime) -> Memory:
    """Return the memory after somebody else moved the margin of positions: that is how it is now.

    Args:
        memory: Before.
        keys: The positions it may be about.
        amount: What entered; < 0 left, and was the bot's as far as the bot had added. [settle]
        at: When it was seen.
    """
    entries = {entry.key: entry for entry in memory.keys}
    for key in keys:
        entry = entries.get(key, KeyMemory(key=key))
        added = max(Decimal(0), entry.added + min(amount, Decimal(0)))
        entries[key] = replace(entry, added=added, touched_at=at)
    return replace(memory, keys=tuple(entries[key] for key in sorted(entries)))


def repeated(memory: Memory, action: Action, *, at: datetime) -> Memory:
    """Return the memory once an action turns out to have taken effect once more: it is spent."""
    return replace(memory, moves=(*memory.moves, Move(at=at, action=action)))


def settle(memory: Memory, action: Action, *, applied: Decimal) -> Memory:
    """Return the memory once the effect of an unsettled or given-up action is proven.

    The move it was counted as stays in the budgets at what was applied.

    Args:
        memory: With ``action`` among the unsettled or the given up.
        action: As it was sent.
        applied: What took effect, of the action's own unit; 0 is nothing.
    """
    return replace(
        memory,
        keys=_with_effect(memory.keys, action, applied),
        moves=_with_move(memory.moves, action, applied),
        unsettled=_without(memory.unsettled, action),
        given_up=_without(memory.given_up, action),
        claims=arrived(
            returned(memory.claims, action, sent=amount_of(action), applied=applied),
            action,
            applied=applied,
        ),
    )


def give_up(memory: Memory, action: Action) -> Memory:
    """Return the memory once nobody waits for the effect of an unsettled action any more.

    It stays counted as done in the budgets and as absent everywhere else.
    """
    return replace(
        memory,
        unsettled=_without(memory.unsettled, action),
        given_up=(*memory.given_up, action),
    )


def correct(memory: Memory, action: Action, *, believed: Decimal, applied: Decimal) -> Memory:
    """Return the memory once a confirmed action is read back, and did this.

    Args:
        memory: With ``believed`` counted.
        action: As it was sent.
        believed: What the venue's answer had confirmed, of the action's own unit.
        applied: What its history shows.
    """
    memory = replace(
        memory,
        in_transit=_without(memory.in_transit, action),
        claims=arrived(
            returned(memory.claims, action, sent=believed, applied=applied),
            action,
            applied=applied,
        ),
    )
    if applied == believed:
        return memory
    counted = with_amount(action, believed)
    undone = _without_effect(memory.keys, counted)
    return replace(
        memory,
        keys=_with_effect(undone, action, applied),
        moves=_with_move(memory.moves, counted, applied),
    )


def land(memory: Memory, action: Action, *, applied: Decimal, at: datetime) -> Memory:
    """Return the memory once it is proven what became of a transfer; old answers may not show it.

    Args:
        memory: After `settle` or `correct`.
        action: As it was sent; what is no transfer changes nothing.
        applied: What arrived. [currency]
        at: When it was proven: no answer to a later question is older than `OLDEST`. Aware UTC.
    """
    if not isinstance(action, Transfer):
        return memory
    if not any(
        isinstance(other, Transfer)
        and (other.destination, other.currency) == (action.destination, action.currency)
        for other in (*memory.in_transit, *memory.unsettled)
    ):
        memory = replace(memory, claims=ending(memory.claims, action, at=at))
    if not applied:
        return memory
    came = Landed(transfer=replace(action, amount=applied), until=at + OLDEST)
    return replace(memory, landed=(*memory.landed, came))


def doubt(memory: Memory, action: Action, *, believed: Decimal) -> Memory:
    """Return the memory once a confirmed action is unknown again.

    It stays in the budgets; margin it may have added is not the bot's to give back.
    """
    return replace(
        memory,
        keys=_without_effect(memory.keys, with_amount(action, believed)),
        unsettled=(*memory.unsettled, action),
        in_transit=_without(memory.in_transit, action),
    )


def recalled(memory: Memory, intents: Iterable[Intent]) -> Memory:
    """Return the memory with intents counted that were written where it was not.

    Args:
        memory: That knows of none of them.
        intents: As they stand now, oldest first.
    """
    for intent in intents:
        if intent.state in _NO_EFFECT:
            continue
        is_known = intent.state in (IntentState.DONE, IntentState.APPLIED)
        believed = amount_of(intent.action) if intent.applied is None else intent.applied
        move = Move(at=intent.written_at, action=with_amount(intent.action, believed))
        memory = replace(
            memory,
            moves=(*memory.moves, move),
            keys=_with_effect(memory.keys, intent.action, believed if is_known else Decimal(0)),
        )
    return memory


def _without(actions: tuple[Action, ...], action: Action) -> tuple[Action, ...]:
    rest = list(actions)
    if action in rest:
        rest.remove(action)
    return tuple(rest)


def _with_move(moves: tuple[Move, ...], action: Action, applied: Decimal) -> tuple[Move, ...]:
    """Return the moves with the newest one of an action at what it applied; 0 removes it."""
    found = list(moves)
    for index in range(len(found) - 1, -1, -1):
        if found[index].action == action:
            moved = found.pop(index)
            if applied:
                found.insert(index, replace(moved, action=with_amount(action, applied)))
            break
    return tuple(found)


def _with_effect(
    entries: tuple[KeyMemory, ...], action: Action, applied: Decimal
) -> tuple[KeyMemory, ...]:
    key = key_of(action)
    if key is None or not applied:
        return entries
    keys = {entry.key: entry for entry in entries}
    entry = keys.get(key, KeyMemory(key=key))
    keys[key] = _after(entry, with_amount(action, applied), size=None)
    return tuple(keys[k] for k in sorted(keys))


def _without_effect(entries: tuple[KeyMemory, ...], action: Action) -> tuple[KeyMemory, ...]:
    # Only what was added is taken back: forgetting a removal would let too much be given back.
    if not isinstance(action, AddMargin) or action.after_reduction:
        return entries
    return tuple(
        replace(entry, added=max(Decimal(0), entry.added - action.amount))
        if entry.key == action.key
        else entry
        for entry in entries
    )


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


def _is_beyond(distance: Decimal | None, band: LeverageBand | None) -> bool:
    if band is None or not band.may_give_back:
        return False
    return distance is None or distance > band.distance.give_back


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
