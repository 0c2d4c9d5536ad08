"""How does a journal of an earlier program become one of this program, losing nothing?"""

import sqlite3
from collections.abc import Callable

from bot.journal import chain, database, lease, parts

_EVENT = "intent_id, at, state, applied, code, text, latency_ms"


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a journal of an earlier schema to this one, in one transaction: wholly or not at all.

    Every row keeps its content and its place.

    Raises:
        sqlite3.Error: It could not be done; the journal is as it was.
    """
    connection.execute("BEGIN IMMEDIATE")
    for step in _STEPS[int(database.meta(connection, "schema")) - 1 :]:
        step(connection)
    connection.execute(
        "UPDATE meta SET value = ? WHERE key = 'schema'", (str(database.SCHEMA_VERSION),)
    )
    chain.seal_meta(connection)
    connection.execute("COMMIT")


def _add_checksums(connection: sqlite3.Connection) -> None:
    """Schema 2: checksums of decisions, checksums and the chain of events."""
    connection.create_function("decision_crc", 8, chain.decision_crc)
    connection.execute("ALTER TABLE decisions ADD COLUMN crc INTEGER NOT NULL DEFAULT 0")
    connection.execute(
        "UPDATE decisions SET crc ="
        " decision_crc(id, seq, at, account, verdict, reason, urgency, record)"
    )
    for statement in (
        "DROP TRIGGER intent_events_stay",
        "DROP TRIGGER intent_events_remain",
        "DROP INDEX intent_events_intent",
        "ALTER TABLE intent_events RENAME TO intent_events_1",
        *database.EVENTS,
        "DROP INDEX intents_open",
        database.OPEN_INTENTS,
    ):
        connection.execute(statement)
    for event in connection.execute(f"SELECT {_EVENT} FROM intent_events_1 ORDER BY row"):  # noqa: S608 - a literal above
        chain.append(connection, event)
    connection.execute("DROP TABLE intent_events_1")


def _add_lease(connection: sqlite3.Connection) -> None:
    """Schema 3: which run may write."""
    connection.execute(lease.TABLE)


def _add_parts(connection: sqlite3.Connection) -> None:
    """Schema 4: price histories, a day once."""
    connection.execute(parts.TABLE)


_STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _add_checksums,
    _add_lease,
    _add_parts,
)
"""The first leads from schema 1 to schema 2, and so on."""
