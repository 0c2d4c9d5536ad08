"""How does a disk behave that is slow, full, and loses what was not synced when power fails?"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from bot.errors import JournalError
from bot.journal import database
from bot.simulate.process import Process

T = TypeVar("T")

NAME = Path("simulated")


class Disk:
    """One journal file that survives the processes that write it."""

    def __init__(self, *, instance: str, at: datetime, syncs: bool = True) -> None:
        """Make it.

        Args:
            instance: Of the journal.
            at: When it was made.
            syncs: Whether a commit waits for the disk; off, a crash loses acknowledged rows.
        """
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        database.fill(self.connection, instance=instance, at=at.astimezone(UTC))
        self.syncs = syncs
        self.fails_at: set[int] = set()
        """The commits that fail, counted from 0."""
        self.commits = 0
        if not syncs:
            self.connection.execute("BEGIN")

    def lose_unsynced(self) -> None:
        """Fail the power: what was not synced is gone."""
        if not self.syncs:
            self.connection.execute("ROLLBACK")
            self.connection.execute("BEGIN")

    def sync(self) -> None:
        """Write back what waits, as a kernel does from time to time."""
        if not self.syncs:
            self.connection.execute("COMMIT")
            self.connection.execute("BEGIN")

    def commit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run one transaction.

        Raises:
            JournalError: The disk is full, or the rows contradict each other.
        """
        number, self.commits = self.commits, self.commits + 1
        if number in self.fails_at:
            raise JournalError("the simulated disk is full")
        self.connection.execute("SAVEPOINT work")
        try:
            result = work(self.connection)
        except BaseException as error:
            self.connection.execute("ROLLBACK TO work")
            self.connection.execute("RELEASE work")
            if isinstance(error, sqlite3.Error):
                raise JournalError(f"the simulated journal refuses: {error}") from error
            raise
        self.connection.execute("RELEASE work")
        return result


@dataclass(slots=True, kw_only=True)
class Writes:
    """A process's way to the disk; a `bot.journal.sqlite.Commits`.

    Attributes:
        disk: Shared with the processes before and after.
        process: Whose it is.
        delay: Draws the time of one commit. [s]
    """

    disk: Disk
    process: Process
    delay: Callable[[], float]
    _broken: bool = False

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Commit, and tell the caller; a crash may come before either.

        Raises:
            JournalError: It is not durable.
        """
        if self._broken:
            raise JournalError("nothing is recorded since an earlier failure")
        self.process.step("before commit")
        await asyncio.sleep(self.delay())
        await self.process.thaw()
        self.process.step("at commit")
        try:
            result = self.disk.commit(work)
        except JournalError as error:
            self._broken = "full" in str(error)
            raise
        await self.process.thaw()
        self.process.step("after commit")
        return result

    async def close(self) -> None:
        """Everything acknowledged is committed already."""


class NoLock:
    """The lock of a process that is alone by construction."""

    def release(self) -> None:
        """Nothing is held."""


class NoNote:
    """A note beside a database that loses nothing but what this simulation makes it lose."""

    def advance(self, *, decision: int = 0, event: int = 0, hash_: bytes = b"") -> None:
        """Note nothing."""

    def close(self) -> None:
        """Nothing is held."""
