"""Is what was changed, cut off or exchanged refused by its name and left as it is?"""

import sqlite3
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from bot.domain.intent import Execution, Outcome
from bot.errors import JournalError
from bot.journal import chain
from bot.journal.sqlite import SqliteJournal
from tests.kit.disks import content
from tests.kit.records import LATER, a_record, a_request, an_intent


def follow(advice: str) -> None:
    subprocess.run(["/bin/sh", "-euc", advice], check=True)  # noqa: S603 - our own advice


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
