import asyncio
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.domain.intent import STEPS, Execution, IntentState, Outcome, Settlement
from bot.errors import JournalError
from bot.journal import chain
from bot.journal.queries import JournalReader
from bot.journal.sqlite import SqliteJournal
from bot.ports import Journal
from tests.kit.records import NOON, a_record, a_request, an_action_record, an_intent

RECORDS_UNTIL_KILLED = Path(__file__).with_name("record_until_killed.py")
LATER = NOON + timedelta(seconds=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal.open(path) as journal:
        yield journal


async def state_of(journal: Journal) -> list[IntentState]:
    return [intent.state for intent in await journal.open_intents()]


def content(path: Path) -> bytes:
    return path.read_bytes()


def leave_only_the_log(path: Path, log: bytes) -> None:
    path.unlink()
    path.with_name("journal.db-wal").write_bytes(log)


def follow(advice: str) -> None:
    subprocess.run(["/bin/sh", "-euc", advice], check=True)  # noqa: S603 - our own advice


async def record_many(journal: SqliteJournal) -> None:
    for number in range(2, 400):
        await journal.record(a_record(number), random.Random(number).randbytes(2000), [])  # noqa: S311 - bytes that do not compress


async def test_an_intent_survives_reopening_with_every_digit(path: Path) -> None:
    async with SqliteJournal.open(path) as journal:
        await journal.record(a_record(), b"inputs", [an_intent()])
    async with SqliteJournal.open(path) as journal:
        assert await journal.open_intents() == (an_intent(),)
        assert str((await journal.open_intents())[0].action) == str(an_intent().action)
        assert await journal.last_inputs("main") == b"inputs"
        assert await journal.last_inputs("other") is None


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


async def test_one_refused_record_does_not_harm_the_others_of_its_batch(
    journal: SqliteJournal, path: Path
) -> None:
    results = await asyncio.gather(
        *(journal.record(a_record(number), b"", []) for number in (1, 2, 1, 3)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [
        type(None),
        type(None),
        JournalError,
        type(None),
    ]
    with JournalReader.open(path) as reader:
        assert [stored.record["seq"] for stored in reader.decisions()] == [1, 2, 3]


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


async def test_a_second_process_is_told_who_holds_the_journal(path: Path) -> None:
    async with SqliteJournal.open(path):
        script = (
            "import sys; from pathlib import Path; from bot.journal.sqlite import SqliteJournal\n"
            "from bot.errors import JournalError\n"
            "try: SqliteJournal.open(Path(sys.argv[1]))\n"
            "except JournalError as error: print(error)"
        )
        answer = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", script, str(path)],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    assert f"in use by process {os.getpid()};" in answer.stdout


async def test_ids_are_never_given_again_after_a_restart(path: Path) -> None:
    given: list[str] = []
    for _ in range(3):
        async with SqliteJournal.open(path) as journal:
            given += [journal.ids.intent() for _ in range(40)] + [journal.ids.decision()]
    assert len(set(given)) == len(given)
    assert all(len(name) <= 20 and name.isalnum() and name == name.lower() for name in given)


async def test_the_number_of_the_next_poll_is_kept_over_a_restart(path: Path) -> None:
    async with SqliteJournal.open(path) as journal:
        assert journal.next_seq == 1
        await journal.record(a_record(7), b"", [])
    async with SqliteJournal.open(path) as journal:
        assert journal.next_seq == 8


def _damage_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xa5" * 4096
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 3])


def _of_another_program(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE notes (text)")
    other.close()


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as newer:
        newer.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    newer.close()


@pytest.mark.parametrize(
    ("damage", "advice"),
    [
        pytest.param(_damage_middle, "damaged and was left as it is", id="overwritten page"),
        pytest.param(_truncate, "damaged and was left as it is", id="truncated"),
        pytest.param(lambda path: path.write_bytes(b""), "its content was lost", id="empty"),
        pytest.param(
            lambda path: path.write_bytes(b"not a database at all" * 99),
            "not a database",
            id="text",
        ),
        pytest.param(_of_another_program, "of another program", id="another program's"),
        pytest.param(_newer, "has schema 99, this program knows", id="newer"),
    ],
)
async def test_a_journal_that_cannot_be_trusted_is_named_and_left_untouched(
    path: Path,
    damage: Callable[[Path], object],
    advice: str,
) -> None:
    async with SqliteJournal.open(path) as journal:
        for number in range(1, 30):
            await journal.record(a_record(number), bytes(5000), [])
    damage(path)
    before = content(path)
    for _ in range(2):
        with pytest.raises(JournalError, match=advice):
            SqliteJournal.open(path)
    assert content(path) == before


@pytest.mark.parametrize(
    ("place", "advice"),
    [
        pytest.param("folder", "must be a file, was a directory", id="a directory"),
        pytest.param("file/journal.db", "check the path, its owner", id="below a file"),
    ],
)
def test_an_impossible_place_is_refused_with_advice(
    tmp_path: Path, place: str, advice: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=advice):
        SqliteJournal.open(tmp_path / place)


def test_a_place_that_cannot_be_written_is_refused_with_advice() -> None:
    with pytest.raises(JournalError, match="check the path, its owner and permissions"):
        SqliteJournal.open(Path("/proc/self/journal.db"))


async def test_doing_what_a_refusal_says_gives_a_journal_whose_ids_are_new(path: Path) -> None:
    async with SqliteJournal.open(path) as journal:
        old = [journal.ids.intent() for _ in range(50)]
        await journal.record(a_record(), b"", [an_intent(old[0])])
        copies = {f: content(f) for f in path.parent.iterdir() if f.suffix != ".lock"}
    for file, data in copies.items():
        file.write_bytes(data)
    log = path.with_name("journal.db-wal")
    log.write_bytes(content(log)[:-1])
    for _ in range(2):  # the advice holds again beside what an earlier journal left
        with pytest.raises(JournalError, match="run `mkdir") as refusal:
            SqliteJournal.open(path)
        command = str(refusal.value).split("`")[1]
        follow(command)
        async with SqliteJournal.open(path) as journal:
            assert await journal.open_intents() == ()
            assert await journal.last_inputs("main") is None
            new = [journal.ids.intent() for _ in range(50)]
            await journal.record(a_record(), b"", [an_intent(new[0])])
        assert not set(old) & set(new)
        old += new
        _damage_middle(path)
    aside = path.with_name("journal.db.aside")
    assert {file.name for file in aside.iterdir()} >= {"journal.db", "journal.db-wal"}
    assert content(aside / "journal.db-wal") == copies[log][:-1]
    assert path.with_name("journal.db.aside-2").is_dir()


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        pytest.param(
            "UPDATE intent_events SET applied = '9' WHERE row = 3",
            "event 3 of intent pl1 is not what was written",
            id="what took effect",
        ),
        pytest.param(
            "UPDATE intents SET action = replace(action, '250.00', '950.00') WHERE id = 'pl1'",
            "event 1 of intent pl1 is not what was written",
            id="what was meant",
        ),
        pytest.param(
            "DELETE FROM intent_events WHERE row = 2", "event 2 is missing", id="gone from within"
        ),
        pytest.param(
            "DELETE FROM intent_events WHERE row = 4; DELETE FROM intents WHERE id = 'pl2'",
            "its end is lost: event 4 was acknowledged",
            id="gone from the end",
        ),
        pytest.param(
            "UPDATE intents SET state = 'dropped' WHERE id = 'pl2'",
            "intent pl2 is not in the state of its newest event",
            id="state",
        ),
        pytest.param(
            "UPDATE intents SET sent_at = NULL WHERE id = 'pl1'",
            "intent pl1 is not in the state",
            id="when it was sent",
        ),
        pytest.param(
            "UPDATE decisions SET record = replace(record, 'hold', 'act ') WHERE row = 1",
            r"decision 1 \(d1\) is not what was written",
            id="decision",
        ),
        pytest.param(
            "UPDATE meta SET value = '0' WHERE key = 'epoch'",
            "the number of its runs is not what was written",
            id="number of runs",
        ),
        pytest.param(
            "UPDATE intent_events SET previous = zeroblob(32), crc = 0 WHERE row = 2",
            "event 2 of intent pl1 is not what was written",
            id="link",
        ),
    ],
)
async def test_a_changed_row_is_refused_by_its_name(path: Path, change: str, finding: str) -> None:
    async with SqliteJournal.open(path) as journal:
        await journal.record(a_record(1), b"", [an_intent("pl1", "d1")])
        await journal.sent("pl1", a_request(LATER))
        done = Execution(intent_id="pl1", outcome=Outcome.DONE, applied=Decimal(250))
        await journal.conclude(done, LATER)
        await journal.record(a_record(2), b"", [an_intent("pl2", "d2")])
    foreign = sqlite3.connect(path)
    foreign.executescript(
        "DROP TRIGGER intent_events_stay; DROP TRIGGER intent_events_remain;"
        f"DROP TRIGGER intents_remain; {change};"
    )
    foreign.close()
    before = content(path)
    with pytest.raises(JournalError, match=finding):
        SqliteJournal.open(path)
    assert content(path) == before


async def test_a_chain_forged_with_new_checksums_breaks_at_the_next_event(path: Path) -> None:
    async with SqliteJournal.open(path) as journal:
        await journal.record(a_record(1), b"", [an_intent("pl1"), an_intent("pl2")])
    foreign = sqlite3.connect(path, isolation_level=None)
    foreign.execute("DROP TRIGGER intent_events_stay")
    second = foreign.execute("SELECT * FROM intent_events WHERE row = 2").fetchone()
    foreign.execute("DROP TRIGGER intent_events_remain")
    foreign.execute("DELETE FROM intent_events")
    chain.append(foreign, ("pl1", "2026-03-01T12:00:00.000001+00:00", "written", *second[4:8]))
    marks = ", ".join("?" * len(second))
    foreign.execute(f"INSERT INTO intent_events VALUES ({marks})", second)  # noqa: S608 - only marks
    foreign.close()
    with pytest.raises(JournalError, match="event 2 of intent pl2 does not follow event 1"):
        SqliteJournal.open(path)


async def test_half_of_a_surrogate_pair_in_a_venues_text_is_recorded(
    journal: SqliteJournal, path: Path
) -> None:
    await journal.record(a_record(), b"", [an_intent()])
    await journal.sent(an_intent().id, a_request(LATER))
    odd = Execution(intent_id=an_intent().id, outcome=Outcome.UNKNOWN, text="no \ud83d")
    await journal.conclude(odd, LATER)
    with JournalReader.open(path) as reader:
        assert reader.actions()[0].text == "no \\ud83d"


async def test_a_journal_that_is_gone_while_its_log_remains_is_not_made_anew(path: Path) -> None:
    async with SqliteJournal.open(path) as journal:
        await journal.record(a_record(), b"", [])
        log = content(path.with_name("journal.db-wal"))
    leave_only_the_log(path, log)
    with pytest.raises(JournalError, match="lies beside it"):
        SqliteJournal.open(path)
    with pytest.raises(JournalError, match="does not exist"):
        JournalReader.open(path)


async def test_after_a_full_disk_nothing_more_may_be_sent(path: Path) -> None:
    journal = SqliteJournal.open(path)
    await journal.record(a_record(1), b"", [an_intent()])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(content(path)) + 70_000, hard))
    try:
        with pytest.raises(JournalError, match="disk"):
            await record_many(journal)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(JournalError, match="since an earlier failure"):
        await journal.sent(an_intent().id, a_request(LATER))
    await journal.close()
    async with SqliteJournal.open(path) as again:
        assert await again.open_intents() == (an_intent(),)


async def test_a_lock_of_a_foreign_program_stops_the_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.journal.database.BUSY_SECONDS", 0.05)
    journal = SqliteJournal.open(path)
    foreign = sqlite3.connect(path, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="another program holds a write lock"):
        await journal.record(a_record(), b"", [])
    foreign.close()
    await journal.close()


async def test_more_waiting_writes_than_allowed_are_refused_not_piled_up(path: Path) -> None:
    async with SqliteJournal.open(path, queue_limit=2) as journal:
        results = await asyncio.gather(
            *(journal.record(a_record(number), b"", []) for number in range(1, 200)),
            return_exceptions=True,
        )
    refused = [result for result in results if result is not None]
    assert refused
    assert all("writes waiting" in str(error) for error in refused)


async def test_a_closed_journal_says_so(path: Path) -> None:
    journal = SqliteJournal.open(path)
    await journal.close()
    with pytest.raises(JournalError, match="is closed"):
        await journal.record(a_record(), b"", [])


async def test_thinning_forgets_inputs_of_old_holds_only(
    journal: SqliteJournal, path: Path
) -> None:
    await journal.record(a_record(1), b"one", [])
    await journal.record(a_record(2, verdict="act"), b"two", [an_intent(decision_id="d2")])
    await journal.record(a_record(3), b"three", [])
    await journal.record(a_record(4), b"four", [])
    assert await journal.thin(NOON + timedelta(minutes=2, seconds=30)) == 1
    assert await journal.thin(NOON + timedelta(days=9)) == 1
    with JournalReader.open(path) as reader:
        assert [stored.inputs for stored in reader.inputs()] == [b"two", b"four"]
        assert len(reader.decisions()) == 4
    assert await journal.last_inputs("main") == b"four"
    assert len(await journal.open_intents()) == 1


async def test_a_reader_sees_the_state_while_the_bot_writes(
    journal: SqliteJournal, path: Path
) -> None:
    with JournalReader.open(path) as reader:
        assert reader.status(now=NOON).last is None
        await journal.record(a_record(1), b"", [])
        await journal.record(a_record(2, verdict="act"), b"", [an_intent(decision_id="d2")])
        status = reader.status(now=NOON + timedelta(minutes=2, seconds=5))
        assert status.last is not None
        assert status.last.record == a_record(2, verdict="act")
        assert status.age_s == 5
        assert status.counts == {"hold": 1, "act": 1}
        assert [intent.id for intent in status.open_intents] == [an_intent().id]
        assert status.last_action is not None
        assert [s.record["seq"] for s in reader.decisions(verdict="act")] == [2]
        assert [s.record["seq"] for s in reader.decisions(since=NOON + timedelta(minutes=2))] == [2]
        assert [s.record["seq"] for s in reader.decisions(after_row=1)] == [2]
        assert [s.record["seq"] for s in reader.decisions(limit=1)] == [2]
        assert reader.decisions(account="other") == []
        assert reader.actions(since=LATER) == []
        assert reader.decision("none") is None


async def test_a_reader_cannot_write(journal: SqliteJournal, path: Path) -> None:
    with (
        JournalReader.open(path) as reader,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        reader._connection.execute("DELETE FROM meta")


async def test_events_of_an_intent_cannot_be_rewritten(journal: SqliteJournal, path: Path) -> None:
    await journal.record(a_record(), b"", [an_intent()])
    with sqlite3.connect(path) as foreign:
        for statement in (
            "UPDATE intent_events SET state = 'done'",
            "DELETE FROM intent_events",
            "DELETE FROM intents",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                foreign.execute(statement)
    foreign.close()


def test_a_missing_journal_is_not_made_by_a_reader(path: Path) -> None:
    with pytest.raises(JournalError, match="does not exist"):
        JournalReader.open(path)
    assert not path.exists()


def test_every_acknowledged_intent_survives_sigkill(path: Path) -> None:
    acknowledged: list[str] = []
    for delay_s in (0.03, 0.11, 0.2, 0.07):
        with subprocess.Popen(  # noqa: S603 - this interpreter and a file of this folder
            [sys.executable, str(RECORDS_UNTIL_KILLED), str(path)],
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            acknowledged.append(child.stdout.readline().strip())
            time.sleep(delay_s)
            child.send_signal(signal.SIGKILL)
            # A last line without its end was not acknowledged.
            rest = child.stdout.read()
            acknowledged += rest[: rest.rfind("\n") + 1].split()
    assert len(acknowledged) > 8
    assert len(set(acknowledged)) == len(acknowledged)

    async def reopen() -> set[str]:
        async with SqliteJournal.open(path) as journal:
            return {intent.id for intent in await journal.open_intents()}

    assert set(acknowledged) <= asyncio.run(reopen())
