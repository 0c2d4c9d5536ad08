"""A journal as the program with schema 1 made it."""

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import orjson

from bot.journal.database import APPLICATION_ID
from bot.schemas import encode
from tests.kit.records import NOON, a_record, an_intent

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
CREATE INDEX intents_open ON intents (row) WHERE state IN ('written', 'sent', 'unknown');
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
_EVENT = "INSERT INTO intent_events (intent_id, at, state, applied, code, text, latency_ms)"


def make_journal_v1(path: Path, *, decisions: int) -> None:
    """Make one; every decision has an intent, every second of those was done."""
    at = NOON.isoformat(timespec="microseconds")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(f"BEGIN; {_SCHEMA}")
        facts = {"schema": "1", "created": "2026-03-01", "instance": "keel", "epoch": "7"}
        connection.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
        for number in range(1, decisions + 1):
            record = a_record(number)
            columns = ("id", "seq", "at", "account", "verdict", "reason", "urgency")
            connection.execute(
                "INSERT INTO decisions (id, seq, at, account, verdict, reason, urgency, record,"
                " inputs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(record[name] for name in columns),
                    orjson.dumps(record).decode(),
                    zlib.compress(b"inputs" * number),
                ),
            )
            intent = an_intent(f"pl{number}", f"d{number}")
            is_done = number % 2 == 0
            connection.execute(
                "INSERT INTO intents (id, decision_id, account, action, written_at, sent_at, state)"
                " VALUES (?, ?, 'main', ?, ?, ?, ?)",
                (
                    intent.id,
                    intent.decision_id,
                    encode(intent.action).decode(),
                    at,
                    at if is_done else None,
                    "done" if is_done else "written",
                ),
            )
            steps = ("written", "sent", "done") if is_done else ("written",)
            for state in steps:
                applied, latency = ("249.90", 80) if state == "done" else (None, None)
                connection.execute(
                    f"{_EVENT} VALUES (?, ?, ?, ?, '', 'as it was', ?)",
                    (intent.id, at, state, applied, latency),
                )
        connection.execute("COMMIT")
