"""What do those see who only read, and what do they see once inputs were thinned?"""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import JournalError
from bot.journal.queries import JournalReader
from bot.journal.sqlite import SqliteJournal
from tests.kit.records import LATER, NOON, a_record, an_intent


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


def test_a_missing_journal_is_not_made_by_a_reader(path: Path) -> None:
    with pytest.raises(JournalError, match="does not exist"):
        JournalReader.open(path)
    assert not path.exists()
