"""The lease on a real journal, and the lock of an account between real processes."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.domain.intent import Execution, IntentState, Outcome, Settlement
from bot.domain.lease import USUAL, Claim, Lease
from bot.errors import InUse, JournalError, JournalLost
from bot.journal import chain, database, lease
from bot.journal.authority import LeaseKeeper
from bot.journal.ids import Ids
from bot.journal.lock import ProcessLock, lock_folder
from bot.journal.opened import Opened
from bot.journal.sqlite import SqliteJournal
from bot.simulate.disk import NoLock, NoNote
from tests.kit.fakes import FakeClock
from tests.kit.machines import forget_locks
from tests.kit.records import NOON, a_record, a_request, an_intent

ROOT = Path(__file__).parents[2]
HERE = Claim(holder="here", name="here, process 1", at=NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def there(waited_for: Lease | None) -> Claim:
    return Claim(holder="there", name="there, process 2", at=NOON, unless_changed=waited_for)


def standing(path: Path) -> Lease | None:
    with closing(sqlite3.connect(path)) as connection:
        return lease.read(connection)


async def test_a_run_takes_the_lease_with_its_epoch(path: Path) -> None:
    async with SqliteJournal.begin(Opened.open(path), HERE) as journal:
        expires = NOON + timedelta(seconds=USUAL.time_to_live)
        expected = Lease(holder="here", name="here, process 1", epoch=1, expires=expires)
        assert journal.held == expected == standing(path)


async def test_another_machine_that_did_not_wait_is_refused_and_raises_no_epoch(path: Path) -> None:
    async with SqliteJournal.begin(Opened.open(path), HERE) as journal:
        forget_locks(path)
        with (
            Opened.open(path) as opened,
            pytest.raises(InUse, match=r"in use by here, process 1 \(run 1, lease until 2026-03"),
        ):
            SqliteJournal.begin(opened, there(None))
        await journal.record(a_record(), b"", [])
    async with SqliteJournal.open(path) as journal:
        assert journal.ids.epoch == 2


async def test_a_lease_renewed_at_the_last_moment_is_seen(path: Path) -> None:
    async with SqliteJournal.begin(Opened.open(path), HERE) as journal:
        waited_for = journal.held
        await journal.renew(NOON + timedelta(seconds=USUAL.time_to_live + 1))
        forget_locks(path)
        with Opened.open(path) as opened, pytest.raises(InUse):
            SqliteJournal.begin(opened, there(waited_for))


async def test_the_next_run_of_the_same_machine_follows_at_once(path: Path) -> None:
    async with SqliteJournal.begin(Opened.open(path), HERE):
        pass
    async with SqliteJournal.begin(Opened.open(path), HERE) as journal:
        assert journal.held is not None
        assert journal.held.epoch == 2


Write = Callable[[SqliteJournal], Coroutine[Any, Any, Any]]
DONE = Execution(intent_id="pl2", outcome=Outcome.DONE, applied=Decimal(250))
LATE: dict[str, Write] = {
    "record": lambda j: j.record(a_record(9), b"", [an_intent("pl9", "d9")]),
    "sent": lambda j: j.sent("pl1", a_request(NOON)),
    "conclude": lambda j: j.conclude(DONE, NOON),
    "drop": lambda j: j.drop("pl1", NOON, "x"),
    "settled": lambda j: j.settled(Settlement(intent_id="pl2", applied=Decimal(0), text="x"), NOON),
    "doubt": lambda j: j.doubt("pl2", NOON, "x"),
    "give_up": lambda j: j.give_up("pl2", NOON, "x"),
    "thin": lambda j: j.thin(NOON),
    "renew": lambda j: j.renew(NOON),
}


@pytest.mark.parametrize("name", LATE)
async def test_a_run_that_was_succeeded_writes_nothing_any_more(path: Path, name: str) -> None:
    async with SqliteJournal.begin(Opened.open(path), HERE) as first:
        await first.record(a_record(1), b"", [an_intent("pl1", "d1")])
        await first.record(a_record(2), b"", [an_intent("pl2", "d2")])
        await first.sent("pl2", a_request(NOON))
        forget_locks(path)
        async with SqliteJournal.begin(Opened.open(path), there(first.held)) as second:
            before = await second.open_intents()
            with pytest.raises(InUse, match="run 1 of this journal was succeeded by there"):
                await LATE[name](first)
            assert first.is_succeeded
            assert await second.open_intents() == before
            assert [i.state for i in before] == [IntentState.WRITTEN, IntentState.SENT]
            assert standing(path) == second.held


async def test_a_send_renews_the_lease_in_its_own_transaction(path: Path) -> None:
    async with SqliteJournal.begin(Opened.open(path), HERE) as journal:
        await journal.record(a_record(), b"", [an_intent()])
        commits = journal._writer
        signed_at = NOON + timedelta(seconds=9)
        await journal.sent(an_intent().id, a_request(signed_at))
        assert journal._writer is commits
        assert journal.held is not None
        assert journal.held.expires == signed_at + timedelta(seconds=USUAL.time_to_live)
        assert standing(path) == journal.held


async def test_the_lease_is_renewed_when_it_is_5_s_old_and_not_before(path: Path) -> None:
    clock = FakeClock(NOON)
    async with SqliteJournal.begin(Opened.open(path), HERE) as journal:
        keeper = LeaseKeeper(journal, clock, is_shared=False)
        left = []
        for _ in range(12):
            clock.advance(1)
            await keeper.renew()
            left.append(keeper.left)
        assert left == [14, 13, 12, 11, 15, 14, 13, 12, 11, 15, 14, 13]
        assert keeper.is_epoch_current
        await keeper.release()
        assert keeper.left == 0
        found = standing(path)
        assert found is not None
        assert found.free_at == clock.now() + timedelta(seconds=USUAL.margin)


async def test_a_lease_is_corrected_when_venue_time_was_set_back(path: Path) -> None:
    async with SqliteJournal.begin(Opened.open(path), HERE) as journal:
        clock = FakeClock(NOON - timedelta(hours=1))
        keeper = LeaseKeeper(journal, clock, is_shared=False)
        await keeper.renew()
        assert keeper.left == USUAL.time_to_live


class NoDisk:
    """Commits that fail."""

    def __init__(self, error: JournalError) -> None:
        self.error = error

    async def do(self, work: object) -> Any:
        del work
        raise self.error

    async def close(self) -> None:
        """Nothing is held."""


def a_keeper(error: JournalError, clock: FakeClock, *, is_shared: bool) -> LeaseKeeper:
    journal = SqliteJournal(
        writer=NoDisk(error),
        lock=NoLock(),
        noted=NoNote(),
        ids=Ids(instance="keel", epoch=1),
        next_seq=1,
        held=HERE.lease(1),
    )
    return LeaseKeeper(journal, clock, is_shared=is_shared)


@pytest.mark.parametrize(
    ("error", "is_shared", "left"),
    [
        (JournalLost("gone"), False, float("inf")),
        (JournalLost("gone"), True, 7.0),
        (JournalError("too slow"), False, 7.0),
    ],
    ids=["only the own disk failed", "others may still reach it", "a slow disk is no lost disk"],
)
async def test_what_a_lease_that_cannot_be_renewed_is_worth(
    error: JournalError, is_shared: bool, left: float
) -> None:
    clock = FakeClock(NOON)
    keeper = a_keeper(error, clock, is_shared=is_shared)
    clock.advance(8)
    await keeper.renew()
    assert keeper.left == left
    await keeper.release()  # raises nothing


async def test_a_keeper_whose_run_was_succeeded_says_so_and_raises() -> None:
    clock = FakeClock(NOON)
    keeper = a_keeper(InUse("taken"), clock, is_shared=False)
    clock.advance(8)
    with pytest.raises(InUse):
        await keeper.renew()
    assert not keeper.is_epoch_current


async def test_a_journal_of_schema_2_gets_a_lease(path: Path) -> None:
    async with SqliteJournal.open(path) as journal:
        await journal.record(a_record(), b"inputs", [an_intent()])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE lease")
        connection.execute("DROP TABLE parts")
        connection.execute("UPDATE meta SET value = '2' WHERE key = 'schema'")
        chain.seal_meta(connection)
    assert database.check(path, thorough=True) == 2
    async with SqliteJournal.begin(Opened.open(path), HERE) as journal:
        assert await journal.open_intents() == (an_intent(),)
        assert await journal.last_inputs("main") == b"inputs"
        assert standing(path) == journal.held
    assert database.check(path, thorough=True) == database.SCHEMA_VERSION


@pytest.mark.parametrize(
    "change", ["expires = '2000-01-01T00:00:00+00:00'", "holder = 'there'", "expires = 'soon'"]
)
async def test_a_lease_that_was_changed_behind_the_programs_back_is_refused(
    path: Path, change: str
) -> None:
    async with SqliteJournal.begin(Opened.open(path), HERE):
        pass
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE lease SET {change}")  # noqa: S608 - a literal above
    with pytest.raises(JournalError, match="damaged and was left as it is"):
        Opened.open(path)


def test_a_machine_is_the_same_for_every_process_and_its_name_is_for_people() -> None:
    text = "from bot.journal.lease import this_machine; print(this_machine())"
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == lease.this_machine()
    assert lease.this_process().endswith(f"process {os.getpid()}")


ACCOUNT = "binanceusdm live key-id-of-mine"
TAKE = """
import sys
from pathlib import Path
from bot.errors import BotError
from bot.journal.lock import ProcessLock
try:
    ProcessLock.take_account(
        sys.argv[1], folder=Path(sys.argv[2]), name="main", journal=Path("j")
    )
    print("taken")
except BotError as error:
    print(type(error).__name__, error)
"""


def take(folder: Path, account: str = ACCOUNT) -> ProcessLock:
    return ProcessLock.take_account(account, folder=folder, name="main", journal=Path("j"))


async def elsewhere(folder: Path, account: str = ACCOUNT) -> str:
    """Return what another process is told."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", TAKE, account, str(folder)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await child.communicate()
    return told.decode().strip()


async def test_one_process_at_a_time_has_an_account(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    with take(folder) as lock:
        told = await elsewhere(folder)
        assert told.startswith(f"InUse account main is in use by process {os.getpid()}, its journ")
        assert await elsewhere(folder, "another account") == "taken"
        lock.touch()
    assert await elsewhere(folder) == "taken"


def test_names_of_locks_tell_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    with take(folder):
        (file,) = folder.iterdir()
        assert "key-id" not in file.name + file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_can_change_is_refused(tmp_path: Path) -> None:
    open_, link = tmp_path / "open", tmp_path / "link"
    open_.mkdir()
    open_.chmod(0o777)
    link.symlink_to(tmp_path)
    (tmp_path / "file").touch()
    for folder in (open_, link, tmp_path / "file"):
        with pytest.raises(JournalError, match=r"set bot\.lock_dir to a folder of your own"):
            take(folder)


def test_no_environment_variable_moves_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    before = lock_folder()
    for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, "/nowhere")
    assert lock_folder() == before
