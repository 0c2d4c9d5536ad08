"""What is written down before something is sent, and what then?"""

import pytest

from bot.domain.decision import Verdict
from bot.domain.intent import IntentState, Outcome
from bot.domain.observation import Observation
from bot.errors import JournalError, Unavailable
from bot.schemas import DecisionRecord
from tests.kit.builders import a_position, an_observation
from tests.kit.loops import BROKE, ENDANGERED, SHORT_OF_CASH, Rig


async def test_a_decision_that_changes_nothing_is_recorded_with_its_numbers() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    decision = await rig.loop.poll()
    assert decision.verdict is Verdict.HOLD
    assert rig.journal.records[0]["reason"] == "inside_band"
    assert rig.journal.records[0]["positions"][0]["liquidation_price"] is not None
    assert rig.seen.records == rig.journal.records


@pytest.mark.parametrize(
    "observation", [ENDANGERED, SHORT_OF_CASH, BROKE], ids=["rich", "short", "broke"]
)
async def test_every_record_keeps_its_schema(observation: Observation) -> None:
    rig = Rig(observation)
    rig.venue.failures = [Unavailable("x")]
    await rig.loop.poll()
    await rig.loop.poll()
    for record in (*rig.journal.records, *rig.seen.records):
        DecisionRecord.model_validate(record)
    assert rig.seen.records[-1]["actions"]


async def test_an_intent_is_durable_before_its_send_and_concluded_after() -> None:
    rig = Rig(ENDANGERED)
    states: list[IntentState] = []
    rig.venue.on_send = lambda i: states.append(rig.journal.intents[i.id].state)
    await rig.loop.poll()
    assert states == [IntentState.SENT]
    (name,) = rig.journal.intents
    assert rig.journal.steps == [(name, "written"), (name, "sent"), (name, "done")]
    assert rig.journal.intents[name].decision_id == rig.journal.records[0]["id"]


async def test_nothing_is_sent_when_the_journal_cannot_take_the_decision() -> None:
    rig = Rig(ENDANGERED)
    rig.journal.is_broken = True
    with pytest.raises(JournalError):
        await rig.loop.poll()
    assert rig.venue.sent == []


async def test_nothing_is_sent_when_the_journal_cannot_mark_the_send() -> None:
    rig = Rig(ENDANGERED)
    taken = rig.journal.record

    async def record_then_break(*args: object) -> None:
        await taken(*args)  # type: ignore[arg-type]  # passed through as given
        rig.journal.is_broken = True

    rig.journal.record = record_then_break  # type: ignore[assignment]  # a disk that fills up
    with pytest.raises(JournalError):
        await rig.loop.poll()
    assert rig.venue.sent == []


async def test_what_builds_on_a_rejected_action_is_dropped() -> None:
    rig = Rig(SHORT_OF_CASH)
    rig.venue.answers = [Outcome.REJECTED]
    await rig.loop.poll()
    assert len(rig.venue.sent) == 1
    states = [i.state for i in rig.journal.intents.values()]
    assert states == [IntentState.REJECTED, IntentState.DROPPED]
    assert [a["outcome"] for a in rig.seen.records[0]["actions"]] == ["rejected", "dropped"]
