"""Which states does an intent go through in the journal, and on what evidence?"""

from decimal import Decimal
from pathlib import Path

import pytest

from bot.domain.intent import STEPS, Execution, IntentState, Outcome, Settlement
from bot.errors import JournalError
from bot.journal.queries import JournalReader
from bot.journal.sqlite import SqliteJournal
from bot.ports import Journal
from tests.kit.records import LATER, a_record, a_request, an_action_record, an_intent


async def state_of(journal: Journal) -> list[IntentState]:
    return [intent.state for intent in await journal.open_intents()]


async def test_a_decision_id_is_used_once_and_a_refused_record_leaves_no_intent(
    journal: SqliteJournal,
) -> None:
    await journal.record(a_record(), b"first", [])
    with pytest.raises(JournalError, match="refuses the row"):
        await journal.record(a_record(), b"second", [an_intent()])
    assert await journal.open_intents() == ()
    assert await journal.last_inputs("main") == b"first"


async def test_an_intent_id_is_used_once_and_takes_its_decision_with_it(
    journal: SqliteJournal, path: Path
) -> None:
    await journal.record(a_record(1), b"", [an_intent()])
    with pytest.raises(JournalError, match="refuses the row"):
        await journal.record(a_record(2), b"", [an_intent(decision_id="d2")])
    with JournalReader.open(path) as reader:
        assert [stored.record["id"] for stored in reader.decisions()] == ["d1"]


async def test_an_intent_goes_from_written_to_sent_to_done(
    journal: SqliteJournal, path: Path
) -> None:
    await journal.record(a_record(actions=[an_action_record()]), b"", [an_intent()])
    assert await state_of(journal) == [IntentState.WRITTEN]
    await journal.sent(an_intent().id, a_request(LATER))
    (intent,) = await journal.open_intents()
    assert (intent.state, intent.sent_at) == (IntentState.SENT, LATER)
    done = Execution(
        intent_id=intent.id, outcome=Outcome.DONE, applied=Decimal("249.90"), latency_ms=87
    )
    await journal.conclude(done, LATER)
    (confirmed,) = await journal.open_intents()
    assert (confirmed.state, confirmed.applied) == (IntentState.DONE, Decimal("249.90"))
    with JournalReader.open(path) as reader:
        (action,) = reader.actions()
        assert (action.intent.state, str(action.applied)) == (IntentState.DONE, "249.90")
        why = reader.decision("d1")
        assert why is not None
        assert why.record["actions"][0]["outcome"] == "done"
        assert why.record["actions"][0]["latency_ms"] == 87
        assert reader.decision(intent.id) == why


@pytest.mark.parametrize(
    ("applied", "state"),
    [
        pytest.param(Decimal(250), IntentState.APPLIED, id="the history shows it"),
        pytest.param(Decimal("0.00"), IntentState.ABSENT, id="the history shows nothing"),
    ],
)
@pytest.mark.parametrize("answered", [True, False], ids=["answered", "restarted after send"])
async def test_an_unknown_effect_is_settled_by_evidence(
    journal: SqliteJournal,
    path: Path,
    applied: Decimal,
    state: IntentState,
    answered: bool,
) -> None:
    await journal.record(a_record(), b"", [an_intent()])
    await journal.sent(an_intent().id, a_request(LATER))
    if answered:
        lost = Execution(intent_id=an_intent().id, outcome=Outcome.UNKNOWN, code="timeout")
        await journal.conclude(lost, LATER)
    settlement = Settlement(intent_id=an_intent().id, applied=applied, text="history")
    await journal.settled(settlement, LATER)
    with JournalReader.open(path) as reader:
        (action,) = reader.actions()
    assert (action.intent.state, action.text) == (state, "history")
    assert bool(await journal.open_intents()) is state.is_open


async def test_what_proves_nothing_settles_nothing(journal: SqliteJournal) -> None:
    await journal.record(a_record(), b"", [an_intent()])
    await journal.sent(an_intent().id, a_request(LATER))
    with pytest.raises(JournalError, match="must be proven"):
        await journal.settled(Settlement(intent_id=an_intent().id, applied=None, text=""), LATER)
    assert await state_of(journal) == [IntentState.SENT]


async def test_a_confirmed_intent_that_cannot_be_read_back_is_unknown_again(
    journal: SqliteJournal,
) -> None:
    await journal.record(a_record(), b"", [an_intent()])
    await journal.sent(an_intent().id, a_request(LATER))
    done = Execution(intent_id=an_intent().id, outcome=Outcome.DONE, applied=Decimal(250))
    await journal.conclude(done, LATER)
    await journal.doubt(an_intent().id, LATER, "not in the history")
    assert await state_of(journal) == [IntentState.UNKNOWN]


async def test_an_intent_given_up_is_still_followed_and_settled_by_later_evidence(
    journal: SqliteJournal,
) -> None:
    await journal.record(a_record(), b"", [an_intent()])
    await journal.sent(an_intent().id, a_request(LATER))
    await journal.give_up(an_intent().id, LATER, "not settled within 300 s")
    assert await state_of(journal) == [IntentState.GAVE_UP]
    found = Settlement(intent_id=an_intent().id, applied=Decimal(250), text="history")
    await journal.settled(found, LATER)
    assert await state_of(journal) == []


async def test_no_state_leads_from_unknown_to_rejected() -> None:
    assert IntentState.REJECTED not in STEPS[IntentState.UNKNOWN]
    assert IntentState.REJECTED not in STEPS[IntentState.GAVE_UP]
    assert set(STEPS) == set(IntentState)


async def test_a_dropped_intent_cannot_be_sent_any_more(journal: SqliteJournal) -> None:
    await journal.record(a_record(), b"", [an_intent()])
    await journal.drop(an_intent().id, LATER, "an earlier action was not done")
    with pytest.raises(JournalError, match="must be written to become sent, was dropped"):
        await journal.sent(an_intent().id, a_request(LATER))


async def test_nothing_is_sent_twice(journal: SqliteJournal) -> None:
    await journal.record(a_record(), b"", [an_intent()])
    await journal.sent(an_intent().id, a_request(LATER))
    with pytest.raises(JournalError, match="was sent"):
        await journal.sent(an_intent().id, a_request(LATER))


async def test_an_intent_that_was_never_recorded_cannot_be_sent(journal: SqliteJournal) -> None:
    with pytest.raises(JournalError, match="must be recorded"):
        await journal.sent("plnever", a_request(LATER))


async def test_half_of_a_surrogate_pair_in_a_venues_text_is_recorded(
    journal: SqliteJournal, path: Path
) -> None:
    await journal.record(a_record(), b"", [an_intent()])
    await journal.sent(an_intent().id, a_request(LATER))
    odd = Execution(intent_id=an_intent().id, outcome=Outcome.UNKNOWN, text="no \ud83d")
    await journal.conclude(odd, LATER)
    with JournalReader.open(path) as reader:
        assert reader.actions()[0].text == "no \\ud83d"
