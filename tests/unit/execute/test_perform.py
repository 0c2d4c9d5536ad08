from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.domain.action import Action, AddMargin, PlaceStop, ReducePosition
from bot.domain.decision import Refusal
from bot.domain.intent import Execution, Intent, IntentState, Outcome, SignedRequest
from bot.execute.perform import Performance, perform
from bot.ports import Gate
from tests.kit.builders import BTC, ETH, NOON, a_position, an_instrument, an_observation
from tests.kit.fakes import FakeClock, FakeJournal, FakeVenue
from tests.kit.records import a_record, an_intent

KEY, OTHER = a_position().key, a_position(ETH).key
REDUCE = ReducePosition(key=KEY, size=D("0.5"), limit_price=D(59000))
BACK = AddMargin(key=KEY, amount=D(100), currency="USDT", after_reduction=True)
ADD = AddMargin(key=OTHER, amount=D(50), currency="USDT")
STOP = PlaceStop(key=KEY, size=None, stop_price=D(50000), is_needed=True)
OTHER_STOP = replace(STOP, key=OTHER)


class PartVenue(FakeVenue):
    """A venue that does part of the first thing it is sent."""

    part = D(0)

    async def execute(self, intent: Intent, gate: Gate) -> Execution:
        whole = await super().execute(intent, gate)
        is_first = len(self.sent) == 1 and whole.outcome is Outcome.DONE
        return replace(whole, applied=self.part) if is_first else whole


class Plan:
    """Actions on their way to a venue, and what became of them."""

    def __init__(self, *actions: Action) -> None:
        self.clock, self.journal = FakeClock(), FakeJournal()
        seen = an_observation(
            a_position(BTC), a_position(ETH, mark="3000", entry="3000", margin="300"),
            instruments=(an_instrument(BTC), an_instrument(ETH)), futures="9000",
        )  # fmt: skip
        self.venue = PartVenue(seen, self.clock)
        self.intents = [an_intent(f"pl{n}", action=action) for n, action in enumerate(actions)]

    async def perform(
        self, look: Callable[[Intent, SignedRequest], Refusal | None] = lambda *_: None
    ) -> Performance:
        await self.journal.record(a_record(), b"", self.intents)
        return await perform(
            self.intents, venue=self.venue, journal=self.journal, clock=self.clock, look=look
        )

    @property
    def sent(self) -> list[str]:
        return [intent.id for intent in self.venue.sent]

    def states(self) -> list[str]:
        return [intent.state.value for intent in self.journal.intents.values()]


async def test_what_is_done_is_sent_once_in_order_and_read_back() -> None:
    plan = Plan(REDUCE, BACK, STOP)
    plan.venue.part = REDUCE.size
    found = await plan.perform()
    assert plan.sent == ["pl0", "pl1", "pl2"]
    assert found.effects == (REDUCE, BACK, STOP)
    assert [(i.state, i.applied, i.sent_at) for i in found.followed] == [
        (IntentState.DONE, D("0.5"), NOON),
        (IntentState.DONE, D(100), NOON),
        (IntentState.DONE, D(1), NOON),
    ]
    assert found.unsettled == ()
    assert len(found.executions) == 3


@pytest.mark.parametrize("part", ["0", "0.2"])
async def test_a_part_of_a_reduction_counts_as_that_and_what_was_to_follow_is_dropped(
    part: str,
) -> None:
    plan = Plan(REDUCE, BACK)
    plan.venue.part = D(part)
    found = await plan.perform()
    assert plan.sent == ["pl0"]
    assert found.effects == ((replace(REDUCE, size=D(part)),) if part != "0" else ())
    (followed,) = found.followed
    assert (followed.state, followed.applied) == (IntentState.DONE, D(part))
    assert found.outcomes["pl1"] == f"pl0 took effect for {part} of 0.5 only"
    assert plan.states() == ["done", "dropped"]


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome.REJECTED, "pl0 was rejected: scripted"),
        (Outcome.UNKNOWN, "pl0 is not settled"),
    ],
)
async def test_what_is_not_done_drops_the_rest_but_not_the_stop_of_another_position(
    outcome: Outcome, why: str
) -> None:
    plan = Plan(REDUCE, ADD, STOP, OTHER_STOP)
    plan.venue.answers = [outcome]
    plan.venue.part = REDUCE.size
    found = await plan.perform()
    assert plan.sent == ["pl0"]
    assert [found.outcomes[name] for name in ("pl1", "pl2", "pl3")] == [why, why, why]
    assert found.effects == ()
    assert [i.id for i in found.unsettled] == (["pl0"] if outcome is Outcome.UNKNOWN else [])
    alone = Plan(REDUCE, OTHER_STOP)
    alone.venue.answers = [outcome]
    await alone.perform()
    assert alone.sent == ["pl0", "pl1"]


async def test_what_the_look_stops_is_dropped_as_never_sent() -> None:
    plan = Plan(REDUCE, BACK)
    found = await plan.perform(lambda *_: Refusal(code="killed", text="a person said so"))
    assert plan.sent == []
    assert plan.states() == ["dropped", "dropped"]
    assert found.followed == ()
    (execution,) = found.executions
    assert (execution.outcome, execution.code) == (Outcome.REJECTED, "killed")
