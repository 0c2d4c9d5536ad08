"""What can people ask the journal?"""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from bot.domain.alarm import Alarm, Delivery, Told
from bot.domain.intent import Intent
from bot.errors import JournalError, JournalLost
from bot.journal import alarms, database, parts
from bot.journal.faults import damaged, journal_error, start_new
from bot.journal.rows import intent_from_row

_INTENT = "intents.id, decision_id, intents.account, action, written_at, sent_at, intents.state"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDecision:
    """A decision as recorded, its actions joined with what became of them.

    Attributes:
        row: Grows with every decision; where a reader that follows goes on.
        record: As in ``docs/schemas/decision.json``.
    """

    row: int
    record: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAction:
    """An intent and the last thing known of it.

    Attributes:
        row: Grows with every intent.
        intent: With its present state.
        at: When that state was recorded. Aware UTC.
        applied: What took effect, of the action's own unit; ``None`` where nothing is proven.
        code: Of the answer.
        text: Of the answer, or the evidence.
        latency_ms: Of the send; ``None`` where none was answered. [ms]
    """

    row: int
    intent: Intent
    at: datetime
    applied: Decimal | None
    code: str
    text: str
    latency_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlarm:
    """An alarm and what became of it.

    Attributes:
        row: Grows with every word about an alarm.
        alarm: As it was raised.
        told: What became of it on each way to people, in order.
    """

    row: int
    alarm: Alarm
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInputs:
    """What one decision was made from.

    Attributes:
        row: Grows with every decision.
        record: The decision as recorded when it was made.
        inputs: The bytes that reproduce it.
    """

    row: int
    record: dict[str, Any]
    inputs: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The present state as the journal knows it.

    Attributes:
        last: The newest decision; ``None`` in a new journal.
        age_s: Its age. [s]
        open_intents: Not settled, oldest first.
        counts: Decisions by verdict.
        last_action: The newest intent; ``None`` if there is none.
        instance: Name of the journal inside ids.
        epoch: Number of times a bot opened it.
    """

    last: StoredDecision | None
    age_s: float | None
    open_intents: tuple[Intent, ...]
    counts: dict[str, int]
    last_action: StoredAction | None
    instance: str
    epoch: int


class JournalReader:
    """A reader beside the bot, also while it writes; it cannot change anything."""

    def __init__(self, connection: sqlite3.Connection, *, path: Path) -> None:
        """Take a connection over; ``path`` is what error messages name."""
        self._connection, self._path = connection, path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file for reading, also where the disk has no room for what reading needs.

        Raises:
            JournalError: There is no journal there, or it cannot be read.
        """
        try:
            try:
                database.check(path, thorough=False)
                return cls(database.connect(path, read_only=True), path=path)
            except JournalLost:  # so no bot has it open: that room would be taken
                database.check(path, thorough=False, still=True)
                return cls(database.connect_still(path), path=path)
        except sqlite3.Error as error:
            raise journal_error(path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def decisions(
        self,
        *,
        since: datetime | None = None,
        verdict: str | None = None,
        account: str | None = None,
        after_row: int = 0,
        limit: int = 100,
    ) -> list[StoredDecision]:
        """Return the newest decisions that fit, oldest first.

        Args:
            since: Venue time.
            verdict: One word.
            account: Name of an account.
            after_row: Only what was recorded later.
            limit: At most so many.
        """
        where, values = _where(
            ("at >= ?", None if since is None else database.stamp(since)),
            ("verdict = ?", verdict),
            ("account = ?", account),
            ("row > ?", after_row or None),
        )
        rows = self._all(
            f"SELECT row, record FROM decisions {where} ORDER BY row DESC LIMIT ?",  # noqa: S608 - built from literals above
            (*values, limit),
        )
        with self._parsing():
            return [self._decision(row, record) for row, record in reversed(rows)]

    def decision(self, decision_id: str) -> StoredDecision | None:
        """Return one decision, or the one that approved the intent of that id."""
        rows = self._all(
            "SELECT row, record FROM decisions WHERE id = ?"
            " OR id = (SELECT decision_id FROM intents WHERE id = ?)",
            (decision_id, decision_id),
        )
        with self._parsing():
            return self._decision(*rows[0]) if rows else None

    def actions(
        self, *, since: datetime | None = None, after_row: int = 0, limit: int = 100
    ) -> list[StoredAction]:
        """Return the newest intents with what became of them, oldest first."""
        where, values = _where(
            ("written_at >= ?", None if since is None else database.stamp(since)),
            ("intents.row > ?", after_row or None),
        )
        rows = self._all(
            f"SELECT intents.row, {_INTENT}, at, applied, code, text, latency_ms"  # noqa: S608 - built from literals above
            " FROM intents JOIN intent_events ON intent_events.row ="
            " (SELECT max(row) FROM intent_events WHERE intent_id = intents.id)"
            f" {where} ORDER BY intents.row DESC LIMIT ?",
            (*values, limit),
        )
        with self._parsing():
            return [_action(row) for row in reversed(rows)]

    def alarms(self, *, since: datetime | None = None, limit: int = 100) -> list[StoredAlarm]:
        """Return the newest alarms with what became of them, oldest first."""
        if not alarms.exist(self._connection):
            return []
        rows = self._all(
            "SELECT row, at, code, text, intent_id FROM alarms"
            " WHERE row = alarm AND at >= ? ORDER BY row DESC LIMIT ?",
            ("" if since is None else database.stamp(since), limit),
        )
        with self._parsing():
            return [self._alarm(row) for row in reversed(rows)]

    def _alarm(self, row: tuple[Any, ...]) -> StoredAlarm:
        number, at, code, text, intent_id = row
        words = self._all(
            "SELECT sink, delivery, at FROM alarms WHERE alarm = ? AND row > alarm ORDER BY row",
            (number,),
        )
        raised = Alarm(code=code, text=text, at=datetime.fromisoformat(at), intent_id=intent_id)
        return StoredAlarm(
            row=number,
            alarm=raised,
            told=tuple(
                Told(
                    alarm=raised,
                    number=number,
                    at=datetime.fromisoformat(when),
                    sink=sink,
                    delivery=Delivery(delivery),
                )
                for sink, delivery, when in words
            ),
        )

    def status(self, *, now: datetime) -> Status:
        """Return the present state.

        Args:
            now: Venue time, for the age of the last decision.
        """
        last = next(iter(self.decisions(limit=1)), None)
        rows = self._all(
            f"SELECT {_INTENT} FROM intents"  # noqa: S608 - built from literals above
            " WHERE state IN ('written', 'sent', 'unknown', 'gave_up') ORDER BY row",
            (),
        )
        counts = self._all("SELECT verdict, count(*) FROM decisions GROUP BY verdict", ())
        facts = dict(self._all("SELECT key, value FROM meta", ()))
        last_action = next(iter(self.actions(limit=1)), None)
        with self._parsing():
            at = None if last is None else datetime.fromisoformat(last.record["at"])
            return Status(
                last=last,
                age_s=None if at is None else (now - at).total_seconds(),
                open_intents=tuple(intent_from_row(row) for row in rows),
                counts=dict(counts),
                last_action=last_action,
                instance=facts["instance"],
                epoch=int(facts["epoch"]),
            )

    def inputs(self, *, account: str | None = None) -> Iterator[StoredInputs]:
        """Yield what each decision was made from, in order; thinned decisions are left out.

        Raises:
            JournalError: The inputs of a decision are damaged.
        """
        try:
            for row, record, inputs in self._connection.execute(
                "SELECT row, record, inputs FROM decisions"
                " WHERE inputs IS NOT NULL AND account = coalesce(?, account) ORDER BY row",
                (account,),
            ):
                yield self._stored(row, record, inputs)
        except sqlite3.Error as error:
            raise journal_error(self._path, error) from error

    def newest_inputs(self, account: str) -> StoredInputs | None:
        """Return what the newest decision of an account was made from; ``None`` if there is none.

        Raises:
            JournalError: They are damaged.
        """
        rows = self._all(
            # What came over from the emergency reserve has none.
            "SELECT row, record, inputs FROM decisions WHERE account = ? AND inputs IS NOT NULL"
            " ORDER BY row DESC LIMIT 1",
            (account,),
        )
        for row, record, inputs in rows:
            return self._stored(row, record, inputs)
        return None

    def _all(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise journal_error(self._path, error) from error

    @contextmanager
    def _parsing(self) -> Iterator[None]:
        try:
            yield
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            raise journal_error(self._path, damaged(f"a row cannot be read: {error!r}")) from error

    def _stored(self, row: int, record: str, inputs: bytes) -> StoredInputs:
        try:
            unpacked = parts.joined(self._connection, zlib.decompress(inputs))
        except (TypeError, zlib.error) as error:
            raise JournalError(
                f"journal {self._path}: inputs of decision {row} are damaged ({error}); "
                f"{start_new(self._path)}"
            ) from error
        except sqlite3.Error as error:
            raise journal_error(self._path, error) from error
        with self._parsing():
            return StoredInputs(row=row, record=orjson.loads(record), inputs=unpacked)

    def _decision(self, row: int, text: str) -> StoredDecision:
        record: dict[str, Any] = orjson.loads(text)
        if record.get("actions"):
            fates = {
                intent_id: (state, latency_ms)
                for intent_id, state, latency_ms in self._all(
                    "SELECT intents.id, intents.state, max(latency_ms) FROM intents"
                    " JOIN intent_events ON intent_id = intents.id"
                    " WHERE decision_id = ? GROUP BY intents.id",
                    (record["id"],),
                )
            }
            for action in record["actions"]:
                if fate := fates.get(action.get("id")):
                    action["outcome"], action["latency_ms"] = fate
        return StoredDecision(row=row, record=record)


def _where(*conditions: tuple[str, object]) -> tuple[str, tuple[object, ...]]:
    # A condition without a value does not apply.
    given = [(text, value) for text, value in conditions if value is not None]
    clause = "WHERE " + " AND ".join(text for text, _ in given) if given else ""
    return clause, tuple(value for _, value in given)


def _action(row: tuple[Any, ...]) -> StoredAction:
    number, *intent, at, applied, code, text, latency_ms = row
    return StoredAction(
        row=number,
        intent=intent_from_row(tuple(intent)),
        at=datetime.fromisoformat(at),
        applied=None if applied is None else Decimal(applied),
        code=code,
        text=text,
        latency_ms=latency_ms,
    )
