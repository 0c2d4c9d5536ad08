"""How do many callers share one durable transaction?"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.errors import JournalError, JournalLost
from bot.journal.faults import journal_error

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class _Job:
    """One call that waits: its work, its future and what came of it."""

    work: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def deliver(self) -> None:
        # The caller may have been cancelled; what was written stays written.
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """One thread that owns a connection and commits everything queued in one transaction.

    A call whose rows contradict a constraint fails alone. Any other database error fails the
    whole batch, everything queued and every later call: after it nothing is known to be durable.
    """

    def __init__(self, connection: sqlite3.Connection, *, path: Path, limit: int) -> None:
        self._connection = connection
        self._path = path
        self._limit = limit
        self._queue: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._failure: JournalError | None = None
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` inside a transaction and return its result after the commit.

        Raises:
            JournalError: It is not durable.
        """
        loop = asyncio.get_running_loop()
        job = _Job(work=work, future=loop.create_future())
        with self._wake:
            if self._failure is not None:
                raise self._again(self._failure)
            if self._closing:
                raise JournalError(f"journal {self._path} is closed")
            if len(self._queue) >= self._limit:
                raise JournalError(
                    f"journal {self._path} has {self._limit} writes waiting; the disk is too slow"
                )
            self._queue.append(job)
            self._wake.notify()
        result: T = await job.future
        return result

    async def close(self) -> None:
        """Commit what is queued, then close the connection."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def _again(self, failure: JournalError) -> JournalError:
        return JournalLost(f"nothing is recorded since an earlier failure: {failure}")

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                self._commit(batch)
            except sqlite3.Error as error:
                self._fail(batch, error)
            _deliver(batch)
        with suppress(sqlite3.Error):  # everything acknowledged is durable without this
            self._connection.close()

    def _next_batch(self) -> list[_Job]:
        with self._wake:
            self._wake.wait_for(lambda: self._queue or self._closing)
            batch = list(self._queue)
            self._queue.clear()
            return batch

    def _commit(self, batch: list[_Job]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        for job in batch:
            connection.execute("SAVEPOINT job")
            try:
                job.result = job.work(connection)
            except sqlite3.IntegrityError as error:
                job.error = JournalError(f"journal {self._path} refuses the row: {error}")
                job.error.__cause__ = error
            except sqlite3.Error:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is belongs to the caller
                job.error = error
            if job.error is not None:
                connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")
        connection.execute("COMMIT")

    def _fail(self, batch: list[_Job], error: sqlite3.Error) -> None:
        failure = journal_error(self._path, error)
        with suppress(sqlite3.Error):  # the disk that failed the commit may fail this too
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        with self._wake:
            self._failure = failure
            batch.extend(self._queue)
            self._queue.clear()
        for job in batch:
            job.error = JournalLost(str(failure))
            job.error.__cause__ = error


def _deliver(batch: Iterable[_Job]) -> None:
    for job in batch:
        with suppress(RuntimeError):  # the loop of the caller is closed: nobody waits
            job.future.get_loop().call_soon_threadsafe(job.deliver)
