"""How do decisions and intents become durable?"""

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import orjson

from bot.domain.alarm import Told
from bot.domain.decision import Verdict
from bot.domain.intent import (
    Execution,
    Intent,
    IntentState,
    Outcome,
    Settlement,
    SignedRequest,
)
from bot.domain.lease import Claim, Lease
from bot.errors import InUse, JournalError, JournalLost
from bot.journal import alarms, chain, database, lease, parts
from bot.journal.chain import Link
from bot.journal.epochs import begin_epoch, next_sequence, refuse_late
from bot.journal.faults import journal_error
from bot.journal.ids import Ids, epoch_of
from bot.journal.opened import NothingNoted, Opened, Still, held
from bot.journal.rows import append_event, decision_of, intent_from_row, intent_row, take_step
from bot.journal.slots import Reserved
from bot.journal.tip import TipFile
from bot.journal.writer import Writer

T = TypeVar("T")

QUEUE_LIMIT = 1024
_FAST = 1  # zlib level: inputs repeat themselves, more effort gains little
_THIN_AT_ONCE = 500  # decisions per transaction, so that a poll never waits long behind it


class Commits(Protocol):
    """What makes the work of a call durable; `bot.journal.writer.Writer` on a real disk."""

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` inside a transaction and return its result after the commit.

        Raises:
            JournalError: It is not durable.
        """
        ...

    async def close(self) -> None:
        """Commit what is queued."""
        ...


class Lock(Protocol):
    """What keeps other writers out."""

    def release(self) -> None:
        """Let another process have the journal."""
        ...


class Noted(Protocol):
    """What remembers beside the database how far it had come."""

    def advance(self, *, decision: int = 0, event: int = 0, hash_: bytes = b"") -> None:
        """Note that rows up to these are durable."""
        ...

    def close(self) -> None:
        """Write what waits."""
        ...


class SqliteJournal:
    """The `Journal` port on one SQLite file, for one process at a time.

    Other processes read it through `bot.journal.queries`.
    """

    def __init__(
        self,
        *,
        writer: Commits,
        lock: Lock,
        noted: Noted,
        ids: Ids,
        next_seq: int,
        held: Lease | None = None,
    ) -> None:
        self._writer = writer
        self._lock = lock
        self._splitter = parts.Splitter()
        self._noted = noted
        self.ids = ids
        """Names for decisions and intents of this run."""
        self.next_seq = next_seq
        """One more than the highest ``seq`` recorded before this run."""
        self.held = held
        """The lease as it was last made durable; ``None`` where none was claimed."""
        self.is_succeeded = False
        """Whether a later run is known to have begun: this one can write nothing any more."""

    @classmethod
    def open(
        cls, path: Path, *, instance: str | None = None, queue_limit: int = QUEUE_LIMIT
    ) -> Self:
        """Open the journal at ``path``, or make it if nothing is there, and begin a run.

        No lease is claimed: for tools and tests that share the journal with nobody.

        Args:
            path: The file; its folder is made if absent.
            instance: Four characters of ``[a-z0-9]`` for a journal made now; random if ``None``.
            queue_limit: Calls that may wait for the disk at once.

        Raises:
            InUse: Another process has it.
            JournalError: It is damaged, newer than this program or cannot be written; the text
                says what a person should do. A damaged file is not touched.
        """
        with Opened.open(path, instance=instance) as opened:
            return cls.begin(opened, queue_limit=queue_limit)

    @classmethod
    def begin(
        cls, opened: Opened, claim: Claim | None = None, *, queue_limit: int = QUEUE_LIMIT
    ) -> Self:
        """Begin a run in a journal that is open; it belongs to the run from now on.

        Args:
            opened: The journal.
            claim: To its lease; ``None`` claims none.
            queue_limit: Calls that may wait for the disk at once.

        Raises:
            InUse: Another machine holds the lease.
            JournalError: It cannot be written.
        """
        connection = opened.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            for statement in alarms.TABLE:
                connection.execute(statement)
            ids, tip = begin_epoch(connection, claim)
            connection.execute("COMMIT")
            noted = TipFile.open(opened.path, tip)
            next_seq = next_sequence(connection)
        except sqlite3.Error as error:
            raise journal_error(opened.path, error) from error
        opened.leave()
        return cls(
            writer=Writer(connection, path=opened.path, limit=queue_limit),
            lock=opened.lock,
            noted=noted,
            ids=ids,
            next_seq=next_seq,
            held=None if claim is None else claim.lease(ids.epoch),
        )

    @classmethod
    def still(cls, path: Path, why: str, *, given: Iterable[str] = ()) -> Self:
        """Open a journal whose disk takes nothing: it can be read, and each write is refused.

        That a run began cannot be counted: its names are told from those of other such runs by
        what these left in the reserve.

        Args:
            path: The file.
            why: Its disk takes nothing.
            given: Names that the reserve holds.

        Raises:
            JournalError: It is in use, damaged, absent or cannot be read.
        """
        if not path.exists():
            raise JournalLost(why)  # nor can one be made
        with held(path) as lock:
            database.check(path, thorough=True, still=True)
            with closing(database.connect_still(path)) as connection:
                instance = database.meta(connection, "instance")
                epoch = max((int(database.meta(connection, "epoch")), *map(epoch_of, given)))
                return cls(
                    writer=Still(path, why),
                    lock=lock,
                    noted=NothingNoted(),
                    ids=Ids(instance=instance, epoch=epoch + 1),
                    next_seq=next_sequence(connection),
                )

    async def outrun(self, names: Iterable[str]) -> None:
        """Make the names of this run differ from those of runs that could not be counted.

        Args:
            names: Names that the reserve holds.

        Raises:
            JournalError: Not durable; no name of this run may be used.
        """
        given = max(map(epoch_of, names), default=0)
        if given < self.ids.epoch:
            return
        epoch = given + 1

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (str(epoch),))
            chain.seal_meta(connection)

        await self._writer.do(work)
        self.ids = Ids(instance=self.ids.instance, epoch=epoch)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Commit what waits and let another process have the journal."""
        await self._writer.close()
        self._noted.close()
        self._lock.release()

    async def record(
        self, record: dict[str, Any], inputs: bytes, intents: Sequence[Intent]
    ) -> None:
        """Write one decision, the inputs that reproduce it, and its intents (state WRITTEN).

        Raises:
            JournalError: Not durable, or an id was used before; nothing of it may be sent.
        """
        try:
            row = (
                record["id"],
                record["seq"],
                database.stamp(datetime.fromisoformat(record["at"])),
                record["account"],
                record["verdict"],
                record["reason"],
                record["urgency"],
                orjson.dumps(record).decode(),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise JournalError(f"decision record cannot be written: {error!r}") from error
        rows = [intent_row(intent) for intent in intents]
        apart = self._splitter.split(inputs)

        def work(connection: sqlite3.Connection) -> tuple[int, Link | None]:
            parts.write(connection, apart.parts)
            decision = connection.execute(
                "INSERT INTO decisions (id, seq, at, account, verdict, reason, urgency, record,"
                " inputs, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, zlib.compress(apart.inputs, _FAST), chain.decision_crc(*row)),
            ).lastrowid
            link = None
            for values in rows:
                connection.execute(
                    "INSERT INTO intents (id, decision_id, account, action, written_at, state)"
                    " VALUES (:id, :decision_id, :account, :action, :written_at, 'written')",
                    values,
                )
                link = append_event(
                    connection, values["id"], values["written_at"], IntentState.WRITTEN
                )
            return decision or 0, link

        decision, link = await self._do(work)
        self._splitter.learn(apart)
        if link is None:
            self._noted.advance(decision=decision)
        else:
            self._noted.advance(decision=decision, event=link.row, hash_=link.hash)

    async def sent(self, intent_id: str, request: SignedRequest) -> None:
        """Mark an intent SENT at the instant signed, before its first byte leaves.

        The same transaction renews the lease, so no send waits for one of its own.

        Raises:
            InUse: A later run has begun; the intent may not be sent.
            JournalError: Not durable, or not in state WRITTEN; the intent may not be sent.
        """
        when = database.stamp(request.signed_at)
        renewed = None if self.held is None else _renewed(self.held, request.signed_at)

        def work(connection: sqlite3.Connection) -> Link:
            take_step(connection, intent_id, IntentState.SENT)
            if renewed is not None:
                lease.write(connection, renewed)
            connection.execute("UPDATE intents SET sent_at = ? WHERE id = ?", (when, intent_id))
            return append_event(
                connection,
                intent_id,
                when,
                IntentState.SENT,
                text=f"window {request.window_ms} ms, digest {request.digest}",
            )

        await self._append(work)
        self.held = renewed

    async def conclude(self, execution: Execution, at: datetime) -> None:
        """Record what a send brought: DONE, REJECTED or UNKNOWN.

        Raises:
            JournalError: Not durable, or the intent is not in state SENT.
        """
        when = database.stamp(at)
        state = {
            Outcome.DONE: IntentState.DONE,
            Outcome.REJECTED: IntentState.REJECTED,
            Outcome.UNKNOWN: IntentState.UNKNOWN,
        }[execution.outcome]

        def work(connection: sqlite3.Connection) -> Link:
            take_step(connection, execution.intent_id, state)
            return append_event(
                connection,
                execution.intent_id,
                when,
                state,
                applied=None if execution.applied is None else str(execution.applied),
                code=execution.code,
                text=execution.text,
                latency_ms=execution.latency_ms,
            )

        await self._append(work)

    async def drop(self, intent_id: str, at: datetime, why: str) -> None:
        """Record that an intent was never sent.

        Raises:
            JournalError: Not durable, or the intent is not in state WRITTEN.
        """
        when = database.stamp(at)

        def work(connection: sqlite3.Connection) -> Link:
            take_step(connection, intent_id, IntentState.DROPPED)
            return append_event(connection, intent_id, when, IntentState.DROPPED, text=why)

        await self._append(work)

    async def settled(self, settlement: Settlement, at: datetime) -> None:
        """Record APPLIED or ABSENT for an intent that was unknown or is read back.

        An intent found SENT after a restart counts as unknown.

        Raises:
            JournalError: Not durable, nothing is proven, or the intent is settled already.
        """
        if settlement.applied is None:
            raise JournalError(f"intent {settlement.intent_id} must be proven to be settled")
        when = database.stamp(at)
        state = IntentState.APPLIED if settlement.applied else IntentState.ABSENT
        applied = str(settlement.applied)

        def work(connection: sqlite3.Connection) -> Link:
            take_step(connection, settlement.intent_id, state)
            return append_event(
                connection,
                settlement.intent_id,
                when,
                state,
                applied=applied,
                text=settlement.text,
            )

        await self._append(work)

    async def renew(self, until: datetime) -> None:
        """Let the lease of this run last until an instant; without a lease do nothing.

        Raises:
            InUse: A later run has begun.
            JournalError: Not durable.
        """
        if self.held is None:
            return
        renewed = replace(self.held, expires=until)
        await self._do(lambda connection: lease.write(connection, renewed))
        self.held = renewed

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what the work came to, unless a later run has begun."""

        def fenced(connection: sqlite3.Connection) -> T:
            refuse_late(connection, self.ids.epoch)
            return work(connection)

        try:
            return await self._writer.do(fenced)
        except InUse:
            self.is_succeeded = True
            raise

    async def _append(self, work: Callable[[sqlite3.Connection], Link]) -> None:
        link = await self._do(work)
        self._noted.advance(event=link.row, hash_=link.hash)

    async def doubt(self, intent_id: str, at: datetime, why: str) -> None:
        """Record UNKNOWN for an intent that was confirmed and cannot be read back.

        Raises:
            JournalError: Not durable, or the intent is not in state DONE.
        """
        await self._mark(intent_id, at, IntentState.UNKNOWN, why)

    async def give_up(self, intent_id: str, at: datetime, why: str) -> None:
        """Record that an intent was not settled in time.

        Raises:
            JournalError: Not durable, or the intent is neither SENT nor UNKNOWN.
        """
        await self._mark(intent_id, at, IntentState.GAVE_UP, why)

    async def _mark(self, intent_id: str, at: datetime, state: IntentState, why: str) -> None:
        when = database.stamp(at)

        def work(connection: sqlite3.Connection) -> Link:
            take_step(connection, intent_id, state)
            return append_event(connection, intent_id, when, state, text=why)

        await self._append(work)

    async def open_intents(self) -> tuple[Intent, ...]:
        """Return intents that are not settled or not read back, oldest first."""
        followed = [state.value for state in IntentState if state.is_followed]
        marks = ", ".join("?" * len(followed))

        def work(connection: sqlite3.Connection) -> tuple[Intent, ...]:
            rows = connection.execute(
                "SELECT id, decision_id, account, action, written_at, sent_at, state,"  # noqa: S608 - marks only
                " (SELECT applied FROM intent_events WHERE intent_id = intents.id"
                "  ORDER BY row DESC LIMIT 1)"
                f" FROM intents WHERE state IN ({marks}) ORDER BY row",
                followed,
            )
            return tuple(
                replace(
                    intent_from_row(row[:-1]),
                    applied=None if row[-1] is None else Decimal(row[-1]),
                )
                for row in rows
            )

        return await self._do(work)

    async def last_inputs(self, account: str) -> bytes | None:
        """Return the inputs of the newest decision of an account."""

        def work(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute(
                "SELECT inputs FROM decisions WHERE account = ? ORDER BY row DESC LIMIT 1",
                (account,),
            ).fetchone()
            if row is None or row[0] is None:
                return None
            try:
                return parts.joined(connection, zlib.decompress(row[0]))
            except zlib.error as error:
                raise JournalError(
                    f"inputs of the newest decision are damaged ({error})"
                ) from error

        return await self._do(work)

    async def adopt(self, reserved: Reserved) -> None:
        """Take an emergency intent over from the reserve; one that is here already stays as it is.

        Its decision is recorded with what the reserve kept of it, without inputs.

        Raises:
            JournalError: Not durable; it must stay in the reserve.
        """
        intent = reserved.intent
        row = decision_of(reserved)
        values = intent_row(replace(intent, state=IntentState.WRITTEN, sent_at=None, applied=None))
        sent_at = None if intent.sent_at is None else database.stamp(intent.sent_at)

        def work(connection: sqlite3.Connection) -> Link | None:
            known = connection.execute("SELECT 1 FROM intents WHERE id = ?", (intent.id,))
            if known.fetchone() is not None:
                return None
            connection.execute(
                "INSERT OR IGNORE INTO decisions (id, seq, at, account, verdict, reason, urgency,"
                " record, inputs, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
                (*row, chain.decision_crc(*row)),
            )
            connection.execute(
                "INSERT INTO intents (id, decision_id, account, action, written_at, state, sent_at)"
                " VALUES (:id, :decision_id, :account, :action, :written_at, :state, :sent_at)",
                values | {"state": intent.state.value, "sent_at": sent_at},
            )
            link = None
            for step in reserved.steps:
                link = append_event(
                    connection,
                    intent.id,
                    database.stamp(step.at),
                    step.state,
                    applied=None if step.applied is None else str(step.applied),
                    code=step.code,
                    text=step.text,
                    latency_ms=step.latency_ms,
                )
            return link

        link = await self._do(work)
        if link is not None:
            self._noted.advance(event=link.row, hash_=link.hash)

    async def alarmed(self, told: Told) -> int:
        """Write one word about an alarm; return the number of its first word.

        Raises:
            JournalError: Not durable; the alarm leaves all the same.
        """
        at = database.stamp(told.at)
        return await self._writer.do(lambda connection: alarms.append(connection, told, at=at))

    async def thin(self, before: datetime) -> int:
        """Forget the inputs of hold decisions made before an instant; return how many.

        Records, intents and their events stay, and so do the inputs of the newest decision of
        each account, which the next start needs.
        """
        limit = database.stamp(before)

        def work(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "UPDATE decisions SET inputs = NULL WHERE row IN ("
                " SELECT row FROM decisions AS old WHERE verdict = ? AND at < ?"
                " AND inputs IS NOT NULL"
                " AND row < (SELECT max(row) FROM decisions WHERE account = old.account)"
                " ORDER BY at LIMIT ?)",
                (Verdict.HOLD.value, limit, _THIN_AT_ONCE),
            ).rowcount

        total = 0
        while done := await self._do(work):
            total += done
        return total


def _renewed(held: Lease, at: datetime) -> Lease:
    """Return a lease that begins to live anew."""
    return replace(held, expires=at + timedelta(seconds=held.terms.time_to_live))
