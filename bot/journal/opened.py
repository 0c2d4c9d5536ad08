"""How does one get hold of a journal: checked, of this program's schema, locked?"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self, TypeVar

from bot.domain.lease import Lease
from bot.errors import JournalLost
from bot.journal import database, lease
from bot.journal.faults import file_error, journal_error
from bot.journal.lock import ProcessLock
from bot.journal.migrate import migrate

T = TypeVar("T")


@contextlib.contextmanager
def held(path: Path) -> Iterator[ProcessLock]:
    """Take the lock of a journal, and let it go again if what is done with it fails.

    Raises:
        InUse: Another process has it.
        JournalError: The database failed meanwhile.
    """
    lock = ProcessLock.take(path)
    try:
        yield lock
    except sqlite3.Error as error:
        lock.release()
        raise journal_error(path, error) from error
    except BaseException:
        lock.release()
        raise


class Opened:
    """A journal that is checked, of this program's schema and locked; no run has begun in it."""

    def __init__(self, connection: sqlite3.Connection, lock: ProcessLock, *, path: Path) -> None:
        self.connection, self.lock, self.path = connection, lock, path
        self._is_left = False

    @classmethod
    def open(cls, path: Path, *, instance: str | None = None) -> Self:
        """Open the journal at ``path``, or make it if nothing is there.

        Raises:
            InUse: Another process has it.
            JournalError: As `SqliteJournal.open`.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise file_error(path, error) from error
        with held(path) as lock:
            if not path.exists():
                database.create(path, instance=instance)
            schema = database.check(path, thorough=True)
            connection = database.connect(path, read_only=False)
            try:
                if schema < database.SCHEMA_VERSION:
                    migrate(connection)
            except BaseException:
                connection.close()
                raise
            return cls(connection, lock, path=path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, unless a run took it over."""
        if not self._is_left:
            self.connection.close()
            self.lock.release()

    def lease(self) -> Lease | None:
        """Return the lease as it stands.

        Raises:
            JournalError: It cannot be read.
        """
        try:
            return lease.read(self.connection)
        except sqlite3.Error as error:
            raise journal_error(self.path, error) from error

    def leave(self) -> None:
        """Leave it to a run, which closes it."""
        self._is_left = True


class Still:
    """The way to a journal whose disk takes nothing; a `Commits` that only reads."""

    def __init__(self, path: Path, why: str) -> None:
        self._path, self._why = path, why

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` where it only reads.

        Raises:
            JournalLost: It writes.
        """
        try:
            with contextlib.closing(database.connect_still(self._path)) as connection:
                connection.execute("PRAGMA query_only = ON")
                return work(connection)
        except sqlite3.Error as error:
            raise JournalLost(self._why) from error

    async def close(self) -> None:
        """Nothing is held."""


class NothingNoted:
    """What is noted beside a journal that is not written."""

    def advance(self, *, decision: int = 0, event: int = 0, hash_: bytes = b"") -> None:
        """Note nothing: nothing became durable."""

    def close(self) -> None:
        """Nothing is held."""
