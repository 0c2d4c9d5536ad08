"""Where may a journal lie, and who may have it at a time?"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import JournalError
from bot.journal.queries import JournalReader
from bot.journal.sqlite import SqliteJournal
from tests.kit.disks import content
from tests.kit.records import a_record


def leave_only_the_log(path: Path, log: bytes) -> None:
    path.unlink()
    path.with_name("journal.db-wal").write_bytes(log)


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


async def test_a_journal_that_is_gone_while_its_log_remains_is_not_made_anew(path: Path) -> None:
    async with SqliteJournal.open(path) as journal:
        await journal.record(a_record(), b"", [])
        log = content(path.with_name("journal.db-wal"))
    leave_only_the_log(path, log)
    with pytest.raises(JournalError, match="lies beside it"):
        SqliteJournal.open(path)
    with pytest.raises(JournalError, match="does not exist"):
        JournalReader.open(path)
