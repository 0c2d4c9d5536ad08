"""How is a journal file made, checked and opened?"""

import re
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from bot.errors import JournalError
from bot.journal import alarms, chain, lease, parts, tip
from bot.journal.faults import damaged, file_error, journal_error, start_new
from bot.journal.ids import new_instance

SCHEMA_VERSION = 4
_CHECKSUMS_SINCE, _LEASE_SINCE = 2, 3
APPLICATION_ID = 0x706C696D  # "plim", in the header of the file
BUSY_SECONDS = 5.0
_SMALLEST_PAGE = 512  # of any SQLite database [bytes]

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
    inputs BLOB,
    crc INTEGER NOT NULL
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

CREATE TRIGGER intents_remain BEFORE DELETE ON intents
    BEGIN SELECT RAISE(ABORT, 'intents are never removed'); END;
"""

OPEN_INTENTS = """CREATE INDEX intents_open ON intents (row)
    WHERE state IN ('written', 'sent', 'done', 'unknown', 'gave_up')"""

EVENTS = (
    """CREATE TABLE intent_events (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    intent_id TEXT NOT NULL REFERENCES intents (id),
    at TEXT NOT NULL,
    state TEXT NOT NULL,
    applied TEXT,
    code TEXT NOT NULL,
    text TEXT NOT NULL,
    latency_ms INTEGER,
    previous BLOB NOT NULL,
    crc INTEGER NOT NULL
)""",
    "CREATE INDEX intent_events_intent ON intent_events (intent_id, row)",
    """CREATE TRIGGER intent_events_stay BEFORE UPDATE ON intent_events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END""",
    """CREATE TRIGGER intent_events_remain BEFORE DELETE ON intent_events
    BEGIN SELECT RAISE(ABORT, 'events are never removed'); END""",
)
"""The table of events, one statement each; see `bot.journal.chain`."""


def create(path: Path, *, instance: str | None = None) -> None:
    """Make a new journal; it appears under its name only when it is complete.

    Raises:
        JournalError: The folder cannot be written, or remains of another journal lie there.
    """
    for remains in (path.with_name(path.name + "-wal"), tip.place_of(path)):
        if remains.exists():
            raise JournalError(
                f"journal {path} is missing but {remains.name} lies beside it; restore the journal "
                f"if it was moved by mistake; {start_new(path)}"
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
    connection.executescript(
        f"BEGIN; {_SCHEMA} "
        f"{'; '.join((OPEN_INTENTS, *EVENTS, lease.TABLE, *alarms.TABLE, parts.TABLE))}; COMMIT;"
    )
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        [
            ("schema", str(SCHEMA_VERSION)),
            ("created", at.isoformat(timespec="seconds")),
            ("instance", instance),
            ("epoch", "0"),
        ],
    )
    chain.seal_meta(connection)


def check(path: Path, *, thorough: bool, still: bool = False) -> int:
    """Look at a journal without changing a byte of it; return its schema.

    Args:
        path: The journal.
        thorough: Read every page, follow the chain of events, and compare its end with what was
            acknowledged, as before writing to it.
        still: Its disk takes nothing, see `connect_still`.

    Raises:
        JournalError: It is absent, damaged, newer than this program or something else.
    """
    _check_file(path)
    noted = tip.read(path) if thorough else None
    try:
        reading = connect_still(path) if still else connect(path, read_only=True)
        with closing(reading) as connection:
            schema = _check_kind(connection, path)
            if thorough:
                _check_pages(connection)
            if schema >= _CHECKSUMS_SINCE:
                chain.verify_meta(connection)
            if schema >= _CHECKSUMS_SINCE and thorough:
                _check_rows(connection, noted)
            if schema >= _LEASE_SINCE:
                lease.read(connection)
            return schema
    except sqlite3.Error as error:
        raise journal_error(path, error) from error


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise JournalError(f"journal {path} must be a file, was a directory; check the path")
        if not path.exists():
            raise JournalError(f"journal {path} does not exist; has the bot run with this path?")
        # Beside a file of 0 or 1 bytes SQLite removes the log, even when it opens for reading.
        if path.stat().st_size < _SMALLEST_PAGE:
            raise JournalError(f"journal {path} is empty: its content was lost; {start_new(path)}")
    except OSError as error:
        raise file_error(path, error) from error


def _check_kind(connection: sqlite3.Connection, path: Path) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise JournalError(f"journal {path} is a database of another program; check path")
    text = meta(connection, "schema")
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise damaged(f"its schema is {text!r}")
    if int(text) > SCHEMA_VERSION:
        raise JournalError(
            f"journal {path} has schema {text}, this program knows {SCHEMA_VERSION}; "
            "run the newer program that wrote it"
        )
    instance, epoch = meta(connection, "instance"), meta(connection, "epoch")
    if not re.fullmatch("[a-z0-9]{4}", instance) or not re.fullmatch("[0-9]{1,18}", epoch):
        raise damaged(f"its name is {instance!r} and the number of its runs {epoch!r}")
    return int(text)


def _check_pages(connection: sqlite3.Connection) -> None:
    # Not the quick check: an index that disagrees with its table would hide an open intent.
    (finding,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if finding != "ok":
        raise damaged(finding)


def _check_rows(connection: sqlite3.Connection, noted: tip.Tip | None) -> None:
    decision = chain.verify_decisions(connection)
    if alarms.exist(connection):
        alarms.verify(connection)
    found = chain.verify(connection, at=0 if noted is None else noted.event)
    if noted is None:
        return
    instance, epoch = meta(connection, "instance"), int(meta(connection, "epoch"))
    if instance != noted.instance:
        raise damaged(f"it is journal {instance}, beside it lies the note of {noted.instance}")
    if found is None:
        raise damaged(f"its end is lost: event {noted.event} was acknowledged and is missing")
    if found.hex() != noted.hash:
        raise damaged(f"event {noted.event} is not the one that was acknowledged")
    if decision < noted.decision:
        raise damaged(f"its end is lost: it ends with decision {decision} of {noted.decision}")
    if epoch < noted.epoch:
        raise damaged(f"its end is lost: it was opened {noted.epoch} times, knows of {epoch}")


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


def connect_still(path: Path) -> sqlite3.Connection:
    """Open a journal for reading whose disk takes nothing, not even the index of its log.

    The caller holds its lock: nobody writes it.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        return connect(path, read_only=True)  # its index is there as well, with room of its own
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True, isolation_level=None
    )


def meta(connection: sqlite3.Connection, key: str) -> str:
    """Return one fact about the journal itself.

    Raises:
        sqlite3.DatabaseError: It is not there.
    """
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    if row is None or not isinstance(row[0], str):
        raise damaged(f"meta must hold {key!r}, held nothing")
    return row[0]


def stamp(at: datetime) -> str:
    """Return an instant as text that sorts by time.

    Raises:
        JournalError: It has no time zone.
    """
    if at.tzinfo is None:
        raise JournalError(f"instants must be aware, was {at.isoformat()}")
    return at.astimezone(UTC).isoformat(timespec="microseconds")
