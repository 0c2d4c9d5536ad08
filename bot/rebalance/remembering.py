"""What must the next poll know, after a decision and what became of it?"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account
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
from bot.domain.past import written
from bot.domain.position import PositionKey
from bot.rebalance.claims import (
    OLDEST,
    Landed,
    arrived,
    claimed,
    ending,
    kept,
    returned,
)
from bot.rebalance.memory import KEPT, KeyMemory, Memory, Move, amount_of, key_of, with_amount

_NO_EFFECT = frozenset({
    IntentState.WRITTEN, IntentState.DROPPED, IntentState.REJECTED, IntentState.ABSENT,
})  # fmt: skip
STOPS_KEPT = timedelta(minutes=1)
"""Changes of stops cost nothing and are forgotten sooner."""


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
