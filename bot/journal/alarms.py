"""How are alarms, and what became of them, kept in a chain of their own?

They are no part of the chain of intents: a bot that only raised alarms has moved nothing. The
table is made where it is missing, so a journal of an earlier program needs no migration.
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Sequence
from typing import Any

import orjson

from bot.domain.alarm import Told
from bot.journal.faults import damaged

TABLE = (
    """CREATE TABLE IF NOT EXISTS alarms (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    alarm INTEGER NOT NULL,
    at TEXT NOT NULL,
    sink TEXT NOT NULL,
    delivery TEXT NOT NULL,
    code TEXT NOT NULL,
    text TEXT NOT NULL,
    intent_id TEXT NOT NULL,
    previous BLOB NOT NULL,
    crc INTEGER NOT NULL
)""",
    "CREATE INDEX IF NOT EXISTS alarms_alarm ON alarms (alarm, row)",
    """CREATE TRIGGER IF NOT EXISTS alarms_stay BEFORE UPDATE ON alarms
    BEGIN SELECT RAISE(ABORT, 'alarms are never changed'); END""",
    """CREATE TRIGGER IF NOT EXISTS alarms_remain BEFORE DELETE ON alarms
    BEGIN SELECT RAISE(ABORT, 'alarms are never removed'); END""",
)
"""The table, one statement each."""
_COLUMNS = "row, alarm, at, sink, delivery, code, text, intent_id, previous"


def append(connection: sqlite3.Connection, told: Told, *, at: str) -> int:
    """Write one word behind the newest; return the number of the first word of its alarm.

    Raises:
        sqlite3.Error: It cannot be written.
    """
    newest = connection.execute(
        f"SELECT {_COLUMNS} FROM alarms ORDER BY row DESC LIMIT 1"  # noqa: S608 - a literal above
    ).fetchone()
    number = 1 if newest is None else newest[0] + 1
    before = _beginning(connection) if newest is None else _hash(newest)
    # A text may hold half of a surrogate pair, which UTF-8 has no bytes for.
    text = told.alarm.text.encode(errors="backslashreplace").decode()
    row = (
        number, told.number or number, at, told.sink, told.delivery.value, told.alarm.code,
        "" if told.number else text, told.alarm.intent_id, before,
    )  # fmt: skip
    connection.execute(
        f"INSERT INTO alarms ({_COLUMNS}, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a literal above
        (*row, zlib.crc32(_body(row))),
    )
    return told.number or number


def exist(connection: sqlite3.Connection) -> bool:
    """Whether the journal has the table."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alarms'").fetchone()
    return found is not None


def verify(connection: sqlite3.Connection) -> None:
    """Follow the chain.

    Raises:
        sqlite3.DatabaseError: A word is not what was written, or one is missing before it.
    """
    expected, before = 1, _beginning(connection)
    for *row, crc in connection.execute(
        f"SELECT {_COLUMNS}, crc FROM alarms ORDER BY row"  # noqa: S608 - a literal above
    ):
        try:
            is_same = zlib.crc32(_body(row)) == crc and row[-1] == before
        except (TypeError, ValueError):
            is_same = False
        if row[0] != expected or not is_same:
            raise damaged(f"alarm {expected} is missing or not what was written")
        expected, before = row[0] + 1, _hash(row)


def _beginning(connection: sqlite3.Connection) -> bytes:
    (instance,) = connection.execute("SELECT value FROM meta WHERE key = 'instance'").fetchone()
    return hashlib.sha256(f"plimsoll alarms {instance}".encode()).digest()


def _hash(row: Sequence[Any]) -> bytes:
    return hashlib.sha256(_body(row)).digest()


def _body(row: Sequence[Any]) -> bytes:
    *content, previous = row
    return orjson.dumps(content) + bytes(previous)
