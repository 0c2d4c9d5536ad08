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
from bot.domain.decision import Urgency, Verdict
from bot.domain.intent import (
    STEPS,
    Execution,
    Intent,
    IntentState,
    Outcome,
    Settlement,
    SignedRequest,
)
from bot.domain.lease import TIME_TO_LIVE, Claim, Lease
from bot.domain.mode import Mode
from bot.errors import InUse, JournalError, JournalLost
from bot.journal import alarms, chain, database, lease
from bot.journal.chain import Link
from bot.journal.faults import file_error, journal_error
from bot.journal.ids import Ids, epoch_of
from bot.journal.lock import ProcessLock
from bot.journal.migrate import migrate
from bot.journal.slots import Reserved
from bot.journal.tip import Tip, TipFile
from bot.journal.writer import Writer
from bot.record import VERSION
from bot.schemas import decode, encode

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
        lock = ProcessLock.take(path)
        try:
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
        except sqlite3.Error as error:
            lock.release()
            raise journal_error(path, error) from error
        except BaseException:
            lock.release()
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
        cls, opened: "Opened", claim: Claim | None = None, *, queue_limit: int = QUEUE_LIMIT
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
        lock = ProcessLock.take(path)
        try:
            database.check(path, thorough=True, still=True)
            with closing(database.connect_still(path)) as connection:
                instance = database.meta(connection, "instance")
                epoch = max((int(database.meta(connection, "epoch")), *map(epoch_of, given)))
                next_seq = next_sequence(connection)
        except sqlite3.Error as error:
            lock.release()
            raise journal_error(path, error) from error
        except BaseException:
            lock.release()
            raise
        return cls(
            writer=Still(path, why),
            lock=lock,
            noted=_NothingNoted(),
            ids=Ids(instance=instance, epoch=epoch + 1),
            next_seq=next_seq,
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
        rows = [_intent_row(intent) for intent in intents]

        def work(connection: sqlite3.Connection) -> tuple[int, Link | None]:
            decision = connection.execute(
                "INSERT INTO decisions (id, seq, at, account, verdict, reason, urgency, record,"
                " inputs, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, zlib.compress(inputs, _FAST), chain.decision_crc(*row)),
            ).lastrowid
            link = None
            for values in rows:
                connection.execute(
                    "INSERT INTO intents (id, decision_id, account, action, written_at, state)"
                    " VALUES (:id, :decision_id, :account, :action, :written_at, 'written')",
                    values,
                )
                link = _append(connection, values["id"], values["written_at"], IntentState.WRITTEN)
            return decision or 0, link

        decision, link = await self._do(work)
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
        until = request.signed_at + timedelta(seconds=TIME_TO_LIVE)
        renewed = None if self.held is None else replace(self.held, expires=until)

        def work(connection: sqlite3.Connection) -> Link:
            _step(connection, intent_id, IntentState.SENT)
            if renewed is not None:
                lease.write(connection, renewed)
            connection.execute("UPDATE intents SET sent_at = ? WHERE id = ?", (when, intent_id))
            return _append(
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
            _step(connection, execution.intent_id, state)
            return _append(
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
            _step(connection, intent_id, IntentState.DROPPED)
            return _append(connection, intent_id, when, IntentState.DROPPED, text=why)

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
            _step(connection, settlement.intent_id, state)
            return _append(
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
            _step(connection, intent_id, state)
            return _append(connection, intent_id, when, state, text=why)

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
                return zlib.decompress(row[0])
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
        row = _decision_of(reserved)
        values = _intent_row(replace(intent, state=IntentState.WRITTEN, sent_at=None, applied=None))
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
                link = _append(
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
            with closing(database.connect_still(self._path)) as connection:
                connection.execute("PRAGMA query_only = ON")
                return work(connection)
        except sqlite3.Error as error:
            raise JournalLost(self._why) from error

    async def close(self) -> None:
        """Nothing is held."""


class _NothingNoted:
    """What is noted beside a journal that is not written."""

    def advance(self, *, decision: int = 0, event: int = 0, hash_: bytes = b"") -> None:
        """Note nothing: nothing became durable."""

    def close(self) -> None:
        """Nothing is held."""


def intent_from_row(row: tuple[Any, ...]) -> Intent:
    """Return the intent of a row of the table ``intents``."""
    names = ("id", "decision_id", "account", "action", "written_at", "sent_at", "state")
    fields = dict(zip(names, row, strict=True))
    fields["action"] = orjson.Fragment(fields["action"])
    return decode(Intent, orjson.dumps(fields))


def refuse_late(connection: sqlite3.Connection, epoch: int) -> None:
    """Refuse a run after which a later one has begun.

    Raises:
        InUse: One has.
    """
    # Less than its own a run finds that its disk let it not be counted.
    if int(database.meta(connection, "epoch")) <= epoch:
        return
    now = lease.read(connection)
    who = "somebody" if now is None else now.name
    raise InUse(f"run {epoch} of this journal was succeeded by {who}: nothing is written any more")


def begin_epoch(connection: sqlite3.Connection, claim: Claim | None = None) -> tuple[Ids, Tip]:
    """Begin a run: raise the epoch; return its names and how far the journal has come.

    The caller commits before any of the names is used.

    Raises:
        InUse: Another machine holds the lease that is claimed.
    """
    epoch = int(database.meta(connection, "epoch")) + 1
    if claim is not None:
        lease.take(connection, claim, epoch=epoch)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (str(epoch),))
    chain.seal_meta(connection)
    (decision,) = connection.execute("SELECT coalesce(max(row), 0) FROM decisions").fetchone()
    newest = chain.newest(connection)
    instance = database.meta(connection, "instance")
    tip = Tip(
        instance=instance,
        epoch=epoch,
        decision=decision,
        event=newest.row,
        hash=newest.hash.hex(),
    )
    return Ids(instance=instance, epoch=epoch), tip


def next_sequence(connection: sqlite3.Connection) -> int:
    """Return one more than the highest ``seq`` recorded."""
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM decisions").fetchone()
    return int(last) + 1


def _decision_of(reserved: Reserved) -> tuple[Any, ...]:
    """Return the row of the decision that approved an emergency intent."""
    intent = reserved.intent
    record = {
        "v": VERSION,
        "id": intent.decision_id,
        "at": database.stamp(intent.written_at),
        "seq": reserved.sequence,
        "account": intent.account,
        "mode": Mode.DEGRADED.value,
        "urgency": Urgency.EMERGENCY.value,
        "verdict": Verdict.ACT.value,
        "reason": reserved.reason,
        "positions": [],
        "wallets": [],
        "actions": [],
        "refusals": [],
        "inputs_age_ms": 0,
        "config_hash": "",
        "strategy": "",
    }
    columns = ("id", "seq", "at", "account", "verdict", "reason", "urgency")
    return (*(record[name] for name in columns), orjson.dumps(record).decode())


def _intent_row(intent: Intent) -> dict[str, str]:
    if intent.state is not IntentState.WRITTEN or intent.sent_at is not None:
        raise JournalError(f"intent {intent.id} must be new, was {intent.state}")
    return {
        "id": intent.id,
        "decision_id": intent.decision_id,
        "account": intent.account,
        "action": encode(intent.action).decode(),
        "written_at": database.stamp(intent.written_at),
    }


def _step(connection: sqlite3.Connection, intent_id: str, state: IntentState) -> None:
    row = connection.execute("SELECT state FROM intents WHERE id = ?", (intent_id,)).fetchone()
    if row is None:
        raise JournalError(f"intent {intent_id} must be recorded before it becomes {state}")
    if state not in STEPS[IntentState(row[0])]:
        allowed = " or ".join(before for before, after in STEPS.items() if state in after)
        raise JournalError(f"intent {intent_id} must be {allowed} to become {state}, was {row[0]}")
    connection.execute("UPDATE intents SET state = ? WHERE id = ?", (state.value, intent_id))


def _append(
    connection: sqlite3.Connection,
    intent_id: str,
    at: str,
    state: IntentState,
    *,
    applied: str | None = None,
    code: str = "",
    text: str = "",
    latency_ms: int | None = None,
) -> Link:
    # A venue's text may hold half of a surrogate pair, which UTF-8 has no bytes for.
    code, text = (words.encode(errors="backslashreplace").decode() for words in (code, text))
    return chain.append(connection, (intent_id, at, state.value, applied, code, text, latency_ms))
