"""How do approved actions reach the venue, each once, in order, after the disk has them?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.domain.action import Action, ReducePosition
from bot.domain.intent import Execution, Intent, IntentState, Outcome
from bot.ports import Clock, Journal, Venue
from bot.rebalance.memory import with_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What became of the actions of one decision.

    Attributes:
        outcomes: By intent id: what the send brought, or why it was never sent.
        effects: Actions that took effect, each with the amount that did.
        unsettled: Intents whose effect is not known.
    """

    outcomes: dict[str, Execution | str]
    effects: tuple[Action, ...]
    unsettled: tuple[Intent, ...]


async def perform(
    intents: Sequence[Intent], *, venue: Venue, journal: Journal, clock: Clock
) -> Performance:
    """Send each intent once, in order; the first that is not done drops the rest.

    Later actions were sized for the state that earlier ones produce: where that state did not
    come about, the next poll decides anew. A reduction that was only partly filled drops the
    margin that was to be re-added after it, for the same reason.

    Raises:
        JournalError: The journal could not take a step; nothing after it was sent.
    """
    outcomes: dict[str, Execution | str] = {}
    effects: list[Action] = []
    unsettled: list[Intent] = []
    stop = ""
    for intent in intents:
        if stop:
            outcomes[intent.id] = stop
            await journal.drop(intent.id, clock.now(), stop)
            continue
        sent_at = clock.now()
        await journal.sent(intent.id, sent_at)
        sent = replace(intent, sent_at=sent_at, state=IntentState.SENT)
        execution = await venue.execute(sent)
        await journal.conclude(execution, clock.now())
        outcomes[intent.id] = execution
        match execution.outcome:
            case Outcome.DONE:
                wanted = _amount(intent.action)
                applied = wanted if execution.applied is None else execution.applied
                if applied > 0:
                    effects.append(with_amount(intent.action, applied))
                if applied < wanted:
                    stop = f"{intent.id} took effect for {applied} of {wanted} only"
            case Outcome.REJECTED:
                stop = f"{intent.id} was rejected: {execution.code}"
            case Outcome.UNKNOWN:
                unsettled.append(replace(sent, state=IntentState.UNKNOWN))
                stop = f"{intent.id} is not settled"
    return Performance(outcomes=outcomes, effects=tuple(effects), unsettled=tuple(unsettled))


def _amount(action: Action) -> Decimal:
    return action.size if isinstance(action, ReducePosition) else action.amount
