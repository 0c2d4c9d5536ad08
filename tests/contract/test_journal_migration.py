import resource
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.domain.intent import IntentState
from bot.errors import JournalError
from bot.journal import database
from bot.journal.queries import JournalReader
from bot.journal.sqlite import SqliteJournal
from tests.kit.journal_v1 import make_journal_v1
from tests.kit.records import NOON, a_record, an_intent

EVENT = "row, intent_id, at, state, applied, code, text, latency_ms"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def content(path: Path) -> dict[str, Any]:
    """Return every row that schema 1 knows, and what a reader sees."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        rows = {
            "events": connection.execute(f"SELECT {EVENT} FROM intent_events").fetchall(),  # noqa: S608 - a literal above
            "intents": connection.execute("SELECT * FROM intents").fetchall(),
            "decisions": connection.execute(
                "SELECT row, id, seq, at, account, verdict, reason, urgency, record, inputs"
                " FROM decisions"
            ).fetchall(),
        }
    with JournalReader.open(path) as reader:
        return rows | {
            "read": reader.decisions(limit=10**6),
            "actions": reader.actions(limit=10**6),
            "open": reader.status(now=NOON).open_intents,
            "inputs": list(reader.inputs()),
        }


async def test_a_journal_of_schema_1_becomes_one_of_this_program_and_loses_nothing(
    path: Path,
) -> None:
    make_journal_v1(path, decisions=40)
    before = content(path)
    async with SqliteJournal.open(path) as journal:
        assert journal.next_seq == 41
        assert journal.ids.intent() == "plkeel0008000000"
        states = [intent.state for intent in await journal.open_intents()]
        assert (len(states), states.count(IntentState.DONE)) == (
            40,
            20,
        )
        await journal.drop("pl1", NOON, "restart before it was sent")
        await journal.record(a_record(41), b"", [an_intent("pl41", "d41")])
    after = content(path)
    assert len(before["events"]) == 80
    assert after["events"][:80] == before["events"]
    assert after["decisions"][:40] == before["decisions"]
    assert after["inputs"][:40] == before["inputs"]
    assert after["actions"][1:40] == before["actions"][1:]
    assert database.check(path, thorough=True) == database.SCHEMA_VERSION
    foreign = sqlite3.connect(path)
    for statement in ("UPDATE intent_events SET state = 'done'", "DELETE FROM intent_events"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            foreign.execute(statement)
    foreign.close()


async def test_a_migration_that_a_full_disk_stops_changes_nothing(path: Path) -> None:
    make_journal_v1(path, decisions=400)
    before = content(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(JournalError, match="disk"):
            SqliteJournal.open(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert database.check(path, thorough=True) == 1
    assert content(path) == before
    async with SqliteJournal.open(path):
        pass
    assert content(path) == before
    assert database.check(path, thorough=True) == database.SCHEMA_VERSION


def test_a_reader_reads_a_journal_of_schema_1_without_changing_it(path: Path) -> None:
    make_journal_v1(path, decisions=3)
    before = path.read_bytes()
    with JournalReader.open(path) as reader:
        assert len(reader.decisions()) == 3
    assert path.read_bytes() == before


def test_a_damaged_journal_of_schema_1_is_refused_and_left_as_it_is(path: Path) -> None:
    make_journal_v1(path, decisions=40)
    damaged = bytearray(path.read_bytes())
    damaged[4096:8192] = bytes(4096)
    path.write_bytes(damaged)
    with pytest.raises(JournalError, match="damaged and was left as it is"):
        SqliteJournal.open(path)
    assert path.read_bytes() == damaged
