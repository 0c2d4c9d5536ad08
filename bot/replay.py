"""Does every recorded decision follow again from its inputs?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.domain.decision import Decision
from bot.domain.intent import Intent, IntentState
from bot.journal.queries import StoredAction, StoredInputs
from bot.ports import Strategy
from bot.rebalance.decide import decide
from bot.rebalance.inputs import Inputs
from bot.rebalance.memory import Memory, amount_of, with_amount
from bot.rebalance.remembering import recalled, remember, settle
from bot.record import record_of
from bot.schemas import decode

LoadStrategy = Callable[[Inputs], Strategy]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A decision that does not follow again.

    Attributes:
        decision_id: The recorded one.
        field: First field that differs.
        recorded: Its value then.
        again: Its value now.
    """

    decision_id: str
    field: str
    recorded: Any
    again: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a replay found.

    Attributes:
        reproduced: Decisions that follow again exactly.
        without_observation: Polls that had nothing to decide from.
        thinned: Decisions whose inputs were dropped to save room.
        differences: Decisions that do not follow again.
    """

    reproduced: int
    without_observation: int
    thinned: int
    differences: tuple[Difference, ...]


def replay(stored: Iterable[StoredInputs], load: LoadStrategy) -> Report:
    """Return whether ``decide`` gives each recorded decision again, field by field."""
    reproduced = without = thinned = 0
    differences: list[Difference] = []
    strategies: dict[tuple[object, ...], Strategy] = {}
    for item in stored:
        if not item.inputs:
            thinned += 1
            continue
        inputs = decode(Inputs, item.inputs)
        if inputs.observation is None:
            without += 1
            continue
        key = (inputs.strategy, inputs.strategy_settings)
        if key not in strategies:
            strategies[key] = load(inputs)
        decision = decide(
            inputs.observation, inputs.memory, inputs.policy, choose=strategies[key].choose
        )
        served = (i for i in inputs.observation.instruments if inputs.policy.serves(i))
        room = min((i.margin_step for i in served), default=Decimal(0))
        difference = _compare(item.record, decision, room=room)
        if difference is None:
            reproduced += 1
        else:
            differences.append(difference)
    return Report(
        reproduced=reproduced,
        without_observation=without,
        thinned=thinned,
        differences=tuple(differences),
    )


def memory_after(
    inputs: Inputs,
    strategy: Strategy,
    actions: Iterable[StoredAction],
    *,
    decision_id: str,
    at: datetime,
) -> Memory:
    """Return the memory a run left behind: the last decision again, and what came of it.

    Args:
        inputs: Of the newest decision.
        strategy: The one it was made with.
        actions: Every intent of the journal that may matter: those of the newest decision,
            those that were not settled when it was made, and those that came later from the
            emergency reserve.
        decision_id: Of the newest decision.
        at: Of the newest decision. Aware UTC.
    """
    known = list(actions)
    memory = inputs.memory
    if inputs.observation is not None:
        decision = decide(inputs.observation, inputs.memory, inputs.policy, choose=strategy.choose)
        own = [item for item in known if item.intent.decision_id == decision_id]
        memory = remember(
            memory,
            decision,
            account=inputs.observation.account if decision.positions else None,
            effects=[
                with_amount(item.intent.action, _applied(item)) for item in own if _applied(item)
            ],
            unsettled=[item.intent.action for item in own if _is_unsettled(item)],
        )
    for item in known:
        is_earlier = item.intent.decision_id != decision_id
        is_proven = item.intent.state in (IntentState.APPLIED, IntentState.ABSENT)
        waits = (*memory.unsettled, *memory.given_up)
        if is_earlier and is_proven and item.intent.action in waits:
            memory = settle(memory, item.intent.action, applied=_applied(item))
    memory = recalled(
        memory,
        [
            replace(item.intent, applied=item.applied)
            for item in known
            if item.intent.decision_id != decision_id and item.intent.written_at > at
        ],
    )
    return replace(memory, unsettled=(), given_up=(), in_transit=())


def _is_unsettled(item: StoredAction) -> bool:
    return item.intent.state in (IntentState.SENT, IntentState.UNKNOWN, IntentState.GAVE_UP)


def _applied(item: StoredAction) -> Decimal:
    if item.intent.state not in (IntentState.DONE, IntentState.APPLIED):
        return Decimal(0)
    return amount_of(item.intent.action) if item.applied is None else item.applied


def _compare(recorded: dict[str, Any], decision: Decision, *, room: Decimal) -> Difference | None:
    """Return the first field that does not follow again.

    Args:
        recorded: As it was.
        decision: As it is now.
        room: Step of what is planned. [settle]
    """
    ids = [action["id"] for action in recorded["actions"]]
    if len(ids) != len(decision.approved):
        return Difference(
            decision_id=recorded["id"],
            field="actions",
            recorded=len(ids),
            again=len(decision.approved),
        )
    again = record_of(
        decision,
        decision_id=recorded["id"],
        sequence=recorded["seq"],
        intents=[
            _named(action["id"], _as_sent(planned.action, action, room=room))
            for action, planned in zip(recorded["actions"], decision.approved, strict=True)
        ],
        config_hash=recorded["config_hash"],
        strategy=recorded["strategy"],
    )
    for field, value in recorded.items():
        if again.get(field) != value:
            return Difference(
                decision_id=recorded["id"], field=field, recorded=value, again=again.get(field)
            )
    return None


def _as_sent(planned: Action, recorded: dict[str, Any], *, room: Decimal) -> Action:
    """Return the action with the digits it was sent with, if they are digits of this plan.

    Tags are less than a hundredth of it; where there are none, digits are less than its step.
    """
    if not isinstance(planned, AddMargin | RemoveMargin | Transfer) or "amount" not in recorded:
        return planned
    sent = Decimal(recorded["amount"])
    more = planned.amount - sent if isinstance(planned, RemoveMargin) else sent - planned.amount
    return with_amount(planned, sent) if 0 <= more < max(planned.amount / 100, room) else planned


def _named(name: str, action: Action) -> Intent:
    return Intent(
        id=name,
        decision_id="",
        account="",
        action=action,
        written_at=datetime.min.replace(tzinfo=UTC),
    )
