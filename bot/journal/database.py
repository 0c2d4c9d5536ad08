"""How is a journal file made, checked and opened?"""

import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from bot.errors import JournalError
from bot.journal.faults import file_error, journal_error
from bot.journal.ids import new_instance

SCHEMA_VERSION = 1
APPLICATION_ID = 0x706C696D  # "plim", in the header of the file
BUSY_SECONDS = 5.0

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE decisions (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    seq INTEGER NOT NULL,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    urgency TEXT NOT NULL,
    record TEXT NOT NULL,
    inputs BLOB
);
CREATE INDEX decisions_at ON decisions (at);
CREATE INDEX decisions_account ON decisions (account, row);
CREATE INDEX decisions_verdict ON decisions (verdict, at);

CREATE TABLE intents (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    decision_id TEXT NOT NULL REFERENCES decisions (id),
    account TEXT NOT NULL,
    action TEXT NOT NULL,
    written_at TEXT NOT NULL,
    sent_at TEXT,
    state TEXT NOT NULL
);
CREATE INDEX intents_decision ON intents (decision_id);
CREATE INDEX intents_open ON intents (row)
    WHERE state IN ('written', 'sent', 'done', 'unknown', 'gave_up');

CREATE TABLE intent_events (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    intent_id TEXT NOT NULL REFERENCES intents (id),
    at TEXT NOT NULL,
    state TEXT NOT NULL,
    applied TEXT,
    code TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL DEFAULT '',
    latency_ms INTEGER
);
CREATE INDEX intent_events_intent ON intent_events (intent_id, row);
CREATE TRIGGER intent_events_stay BEFORE UPDATE ON intent_events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER intent_events_remain BEFORE DELETE ON intent_events
    BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;
CREATE TRIGGER intents_remain BEFORE DELETE ON intents
    BEGIN SELECT RAISE(ABORT, 'intents are never removed'); END;
"""


def create(path: Path, *, instance: str | None = None) -> None:
    """Make a new journal; it appears under its name only when it is complete.

    Raises:
        JournalError: The folder cannot be written, or remains of another journal lie there.
    """
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        raise JournalError(
            f"journal {path} is missing but {wal.name} lies beside it; "
            "restore the journal, or move that file aside to start a new one"
        )
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            fill(connection, instance=instance or new_instance(), at=datetime.now(UTC))
        unfinished.rename(path)
    except sqlite3.Error as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise journal_error(path, error) from error
    except OSError as error:
        raise file_error(path, error) from error


def fill(connection: sqlite3.Connection, *, instance: str, at: datetime) -> None:
    """Make the tables of a new journal in an empty database."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        [
            ("schema", str(SCHEMA_VERSION)),
            ("created", at.isoformat(timespec="seconds")),
            ("instance", instance),
            ("epoch", "0"),
        ],
    )


def check(path: Path, *, thorough: bool) -> None:
    """Look at a journal without changing a byte of it.

    Args:
        path: The journal.
        thorough: Read every page, as before writing to it.

    Raises:
        JournalError: It is absent, damaged, newer than this program or something else.
    """
    try:
        if path.is_dir():
            raise JournalError(f"journal {path} must be a file, was a directory; check the path")
        if not path.exists():
            raise JournalError(f"journal {path} does not exist; has the bot run with this path?")
        if path.stat().st_size == 0:
            raise JournalError(
                f"journal {path} is empty: its content was lost; restore a copy, or remove it "
                "to start a new one, and compare open positions by hand first"
            )
    except OSError as error:
        raise file_error(path, error) from error
    try:
        with closing(connect(path, read_only=True)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            if application != APPLICATION_ID:
                raise JournalError(f"journal {path} is a database of another program; check path")
            found = int(meta(connection, "schema"))
            if found > SCHEMA_VERSION:
                raise JournalError(
                    f"journal {path} has schema {found}, this program knows {SCHEMA_VERSION}; "
                    "run the newer program that wrote it"
                )
            if thorough:
                (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if finding != "ok":
                    damaged = sqlite3.DatabaseError(finding)
                    damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                    raise damaged
    except sqlite3.Error as error:
        raise journal_error(path, error) from error


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open an existing journal.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    mode = "ro" if read_only else "rw"
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS,
        check_same_thread=False,  # opened by the caller, then used by one thread alone
    )
    if not read_only:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk, not near it
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()
            raise
    return connection


def meta(connection: sqlite3.Connection, key: str) -> str:
    """Return one fact about the journal itself.

    Raises:
        sqlite3.DatabaseError: It is not there.
    """
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    if row is None:
        raise sqlite3.DatabaseError(f"meta must hold {key!r}, held nothing")
    value: str = row[0]
    return value


def stamp(at: datetime) -> str:
    """Return an instant as text that sorts by time.

    Raises:
        JournalError: It has no time zone.
    """
    if at.tzinfo is None:
        raise JournalError(f"instants must be aware, was {at.isoformat()}")
    return at.astimezone(UTC).isoformat(timespec="microseconds")
