"""What happens where a write cannot be made?"""

import asyncio
import random
import resource
import sqlite3
from pathlib import Path

import pytest

from bot.errors import JournalError
from bot.journal.queries import JournalReader
from bot.journal.sqlite import SqliteJournal
from tests.kit.disks import content
from tests.kit.records import LATER, a_record, a_request, an_intent


async def record_many(journal: SqliteJournal) -> None:
    for number in range(2, 400):
        await journal.record(a_record(number), random.Random(number).randbytes(2000), [])  # noqa: S311 - bytes that do not compress


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
