"""Alarms are in the journal with what became of them, in a chain nobody changes unseen."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.alarm import Alarm, Delivery, Told
from bot.errors import JournalError, JournalLost
from bot.journal.failover import FailoverJournal
from bot.journal.queries import JournalReader
from bot.journal.sqlite import SqliteJournal
from bot.views import alarm_text, alarms
from tests.kit.records import NOON, a_record

ALARM = Alarm(code="unsettled", text="pl1 is not settled \ud800", at=NOON, intent_id="pl1")
RAISED = Told(alarm=ALARM, number=0, at=NOON, sink="", delivery=Delivery.RAISED)


def left(number: int, sink: str, delivery: Delivery, *, after: float) -> Told:
    return replace(
        RAISED, number=number, sink=sink, delivery=delivery, at=NOON + timedelta(seconds=after)
    )


async def written(path: Path) -> None:
    async with SqliteJournal.open(path) as journal:
        await journal.record(a_record(), b"", [])
        first = await journal.alarmed(RAISED)
        second = await journal.alarmed(replace(RAISED, alarm=replace(ALARM, code="stalled")))
        await journal.alarmed(left(second, "log", Delivery.DELIVERED, after=0.1))
        await journal.alarmed(left(first, "mqtt", Delivery.FAILED, after=5))
        await journal.alarmed(left(first, "mqtt", Delivery.DELIVERED, after=60))


async def test_each_alarm_is_kept_with_its_words(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await written(path)
    async with SqliteJournal.open(path):
        pass  # the chain follows
    first, second = alarms(path, since=None, limit=9)
    assert (first["code"], first["intent"]) == ("unsettled", "pl1")
    assert first["text"] == r"pl1 is not settled \ud800"
    assert [(w["sink"], w["delivery"]) for w in first["told"]] == [
        ("mqtt", "failed"),
        ("mqtt", "delivered"),
    ]
    assert first["told"][1]["at"] > first["told"][0]["at"] > first["at"]
    assert alarm_text(second).endswith("[log delivered]\n")
    assert [row["code"] for row in alarms(path, since=None, limit=1)] == ["stalled"]
    assert list(alarms(path, since="2030-01-01T00:00:00Z", limit=9)) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE alarms SET code = 'calm' WHERE row = 1",
        "UPDATE alarms SET delivery = 'delivered' WHERE delivery = 'failed'",
        "DELETE FROM alarms WHERE row = 2",
        "DELETE FROM alarms WHERE row = 1",
    ],
)
async def test_a_word_that_was_changed_or_taken_out_is_found(tmp_path: Path, change: str) -> None:
    path = tmp_path / "journal.sqlite"
    await written(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="alarms are never"):
            connection.execute(change)
        connection.execute("DROP TRIGGER alarms_stay")
        connection.execute("DROP TRIGGER alarms_remain")
        connection.execute(change)
    with pytest.raises(JournalError, match=r"alarm \d is missing or not what was written"):
        SqliteJournal.open(path)


async def test_a_journal_from_before_there_were_alarms_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await written(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE alarms")
    with JournalReader.open(path) as reader:
        assert reader.alarms() == []
    async with SqliteJournal.open(path) as journal:
        assert await journal.alarmed(RAISED) == 1
    with JournalReader.open(path) as reader:
        assert [stored.alarm.code for stored in reader.alarms()] == ["unsettled"]


async def test_a_lost_journal_takes_no_alarm_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await written(path)
    async with SqliteJournal.still(path, "the disk is full") as still:
        journal = FailoverJournal(still, None)
        for _ in range(2):
            with pytest.raises(JournalLost, match="the disk is full"):
                await journal.alarmed(RAISED)
