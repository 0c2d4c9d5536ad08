"""How is a stored row proven to be the one that was written, with none missing before it?

Each event carries a checksum of itself and the hash of the event before it; both cover the intent
it belongs to, so neither what was meant nor what became of it can change unseen.
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from bot.journal.faults import damaged

_EVENT = (
    "intent_events.row, intent_id, at, intent_events.state, applied, code, text, latency_ms,"
    " decision_id, account, action, written_at, previous"
)
_SEALED = ("schema", "created", "instance", "epoch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One event of the chain.

    Attributes:
        row: Its number; 0 before the first.
        hash: Of its content and its predecessor's hash; what its successor carries.
    """

    row: int
    hash: bytes


def append(connection: sqlite3.Connection, event: Sequence[Any]) -> Link:
    """Write one event behind the newest and return its link.

    Args:
        connection: Inside a transaction.
        event: intent_id, at, state, applied, code, text, latency_ms.

    Raises:
        sqlite3.Error: It cannot be written.
    """
    before = newest(connection)
    number = before.row + 1
    intent = connection.execute(
        "SELECT decision_id, account, action, written_at FROM intents WHERE id = ?", (event[0],)
    ).fetchone()
    body = _body((number, *event, *intent, before.hash))
    connection.execute(
        "INSERT INTO intent_events (row, intent_id, at, state, applied, code, text, latency_ms,"
        " previous, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (number, *event, before.hash, zlib.crc32(body)),
    )
    return Link(row=number, hash=hashlib.sha256(body).digest())


def newest(connection: sqlite3.Connection) -> Link:
    """Return the end of the chain; what it begins with where there is no event.

    Raises:
        sqlite3.Error: It cannot be read.
    """
    row = connection.execute(
        f"SELECT {_EVENT} FROM intent_events JOIN intents ON intents.id = intent_id"  # noqa: S608 - built from literals above
        " ORDER BY intent_events.row DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return _beginning(connection)
    return Link(row=row[0], hash=hashlib.sha256(_body(row)).digest())


def verify(connection: sqlite3.Connection, *, at: int) -> bytes | None:
    """Return the hash of event ``at`` after following the whole chain; ``None`` if it ends before.

    Raises:
        sqlite3.DatabaseError: An event is not what was written, is missing, or contradicts its
            intent; the text names it.
    """
    link = _beginning(connection)
    wanted = link.hash if at == 0 else None
    for *event, crc in _all(
        connection,
        f"SELECT {_EVENT}, crc FROM intent_events LEFT JOIN intents ON intents.id = intent_id"  # noqa: S608 - built from literals above
        " ORDER BY intent_events.row",
        what="event",
    ):
        number, intent_id, previous = event[0], event[1], event[-1]
        if number != link.row + 1:
            raise damaged(f"event {link.row + 1} is missing before event {number}")
        try:
            body = _body(event)
        except (TypeError, ValueError) as error:
            raise damaged(f"event {number} of intent {intent_id} cannot be read") from error
        if zlib.crc32(body) != crc:
            raise damaged(f"event {number} of intent {intent_id} is not what was written")
        if previous != link.hash:
            raise damaged(f"event {number} of intent {intent_id} does not follow event {link.row}")
        link = Link(row=number, hash=hashlib.sha256(body).digest())
        if number == at:
            wanted = link.hash
    _verify_states(connection)
    return wanted


def decision_crc(*columns: Any) -> int:
    """Return the checksum of a decision.

    Args:
        columns: id, seq, at, account, verdict, reason, urgency, record. Inputs have their own.
    """
    return zlib.crc32(orjson.dumps(columns))


def verify_decisions(connection: sqlite3.Connection) -> int:
    """Return the number of the newest decision after reading each.

    Raises:
        sqlite3.DatabaseError: One is not what was written; the text names it.
    """
    number = 0
    for number, *columns, crc in _all(
        connection,
        "SELECT row, id, seq, at, account, verdict, reason, urgency, record, crc FROM decisions"
        " ORDER BY row",
        what="decision",
    ):
        try:
            is_same = decision_crc(*columns) == crc
        except (TypeError, ValueError):
            is_same = False
        if not is_same:
            raise damaged(f"decision {number} ({columns[0]}) is not what was written")
    return number


def seal_meta(connection: sqlite3.Connection) -> None:
    """Write the checksum of the facts about the journal itself.

    Raises:
        sqlite3.Error: It cannot be written.
    """
    connection.execute(
        "INSERT INTO meta VALUES ('crc', :crc) ON CONFLICT (key) DO UPDATE SET value = :crc",
        {"crc": str(_meta_crc(connection))},
    )


def verify_meta(connection: sqlite3.Connection) -> None:
    """Refuse facts about the journal that are not what was written.

    Raises:
        sqlite3.DatabaseError: They are not.
    """
    row = connection.execute("SELECT value FROM meta WHERE key = 'crc'").fetchone()
    if row is None or row[0] != str(_meta_crc(connection)):
        raise damaged("its name or the number of its runs is not what was written")


def _meta_crc(connection: sqlite3.Connection) -> int:
    facts = dict(connection.execute("SELECT key, value FROM meta"))
    return zlib.crc32(repr([facts.get(key) for key in _SEALED]).encode(errors="replace"))


def _beginning(connection: sqlite3.Connection) -> Link:
    # Rows of another journal do not follow from it.
    (instance,) = connection.execute("SELECT value FROM meta WHERE key = 'instance'").fetchone()
    return Link(row=0, hash=hashlib.sha256(f"plimsoll journal {instance}".encode()).digest())


def _body(row: Sequence[Any]) -> bytes:
    *content, previous = row
    return orjson.dumps(content) + bytes(previous)


def _all(connection: sqlite3.Connection, query: str, *, what: str) -> Iterator[Any]:
    number = 0
    try:
        for row in connection.execute(query):
            number = row[0]
            yield row
    except sqlite3.OperationalError as error:
        if hasattr(error, "sqlite_errorcode"):
            raise
        raise damaged(f"the {what} after {number} cannot be read: {error}") from error


def _verify_states(connection: sqlite3.Connection) -> None:
    for (intent_id,) in connection.execute(
        "SELECT id FROM intents WHERE"
        " state IS NOT (SELECT state FROM intent_events WHERE row ="
        "  (SELECT max(row) FROM intent_events WHERE intent_id = intents.id))"
        " OR sent_at IS NOT"
        "  (SELECT at FROM intent_events WHERE intent_id = intents.id AND state = 'sent')"
        " LIMIT 1"
    ):
        raise damaged(f"intent {intent_id} is not in the state of its newest event")
