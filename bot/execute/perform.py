"""How do approved actions reach the venue, each once, in order, after the disk has them?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.domain.action import Action, AddMargin, CancelStop, PlaceStop, ReducePosition
from bot.domain.decision import Refusal
from bot.domain.intent import Execution, Intent, IntentState, Outcome, SignedRequest
from bot.execute.gate import SendGate
from bot.ports import Clock, Journal, Venue
from bot.rebalance.memory import amount_of, key_of, with_amount

Look = Callable[[Intent, SignedRequest], Refusal | None]
"""Whether an intent may be sent now as that request; asked before each step on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What became of the actions of one decision.

    Attributes:
        outcomes: By intent id: what the send brought, or why it was never sent.
        effects: Actions that took effect, each with the amount that did.
        followed: Intents that were sent and are not settled or not read back.
    """

    outcomes: dict[str, Execution | str]
    effects: tuple[Action, ...]
    followed: tuple[Intent, ...]

    @property
    def executions(self) -> tuple[Execution, ...]:
        """What the sends brought."""
        return tuple(o for o in self.outcomes.values() if isinstance(o, Execution))

    @property
    def unsettled(self) -> tuple[Intent, ...]:
        """Intents whose effect is not known."""
        return tuple(i for i in self.followed if i.state is IntentState.UNKNOWN)


async def perform(
    intents: Sequence[Intent], *, venue: Venue, journal: Journal, clock: Clock, look: Look
) -> Performance:
    """Send each intent once, in order; one that is not done drops what builds on it.

    Later actions were sized for the state that earlier ones produce: where that state did not
    come about, the next poll decides anew. A reduction that was only partly filled drops the
    margin that was to be re-added after it, for the same reason. Margin that did not arrive at one
    position keeps no other from its own: whether it left the wallet or not, the plan had counted it
    as gone. Nor does a stop keep another position from anything.

    Raises:
        JournalError: The journal could not take a step; nothing after it was sent.
    """
    outcomes: dict[str, Execution | str] = {}
    effects: list[Action] = []
    followed: list[Intent] = []
    undone: list[tuple[Action, str]] = []
    for intent in intents:
        why = _why_not(intent.action, undone)
        if why:
            outcomes[intent.id] = why
            await journal.drop(intent.id, clock.now(), why)
            undone.append((intent.action, why))
            continue
        execution, sent = await _send(intent, venue=venue, journal=journal, clock=clock, look=look)
        outcomes[intent.id] = execution
        match execution.outcome:
            case Outcome.DONE:
                wanted = amount_of(intent.action)
                applied = wanted if execution.applied is None else execution.applied
                if applied > 0:
                    effects.append(with_amount(intent.action, applied))
                followed.append(replace(sent, state=IntentState.DONE, applied=applied))
                part = f"{intent.id} took effect for {applied} of {wanted} only"
                why = part if applied < wanted else ""
            case Outcome.REJECTED:
                why = f"{intent.id} was rejected: {execution.code}"
            case _:  # UNKNOWN: nothing else is left
                followed.append(replace(sent, state=IntentState.UNKNOWN))
                why = f"{intent.id} is not settled"
        if why:
            undone.append((intent.action, why))
    return Performance(outcomes=outcomes, effects=tuple(effects), followed=tuple(followed))


def _why_not(action: Action, undone: Sequence[tuple[Action, str]]) -> str:
    """Return why an action is dropped; empty when it is not."""
    return next((why for earlier, why in undone if _builds_on(action, earlier)), "")


def _builds_on(action: Action, earlier: Action) -> bool:
    """Whether an action was sized for the state that an earlier one was to produce."""
    if key_of(action) == key_of(earlier):
        return True
    if isinstance(action, PlaceStop | CancelStop):
        return False
    only_takes = isinstance(earlier, AddMargin | PlaceStop | CancelStop)
    return not (only_takes and isinstance(action, AddMargin | ReducePosition))


async def _send(
    intent: Intent, *, venue: Venue, journal: Journal, clock: Clock, look: Look
) -> tuple[Execution, Intent]:
    """Return what one send brought, and the intent as it was sent."""
    gate = SendGate(
        intent, journal=journal, clock=clock, look=lambda request: look(intent, request)
    )
    execution = await venue.execute(intent, gate)
    if gate.request is None:
        await journal.drop(intent.id, clock.now(), f"{execution.code}: {execution.text}")
        return execution, intent
    await journal.conclude(execution, clock.now())
    return execution, replace(intent, sent_at=gate.request.signed_at)
