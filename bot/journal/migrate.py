"""How does a journal of an earlier program become one of this program, losing nothing?"""

import sqlite3

from bot.journal import chain, database

_EVENT = "intent_id, at, state, applied, code, text, latency_ms"


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a journal of schema 1 to schema 2, in one transaction: wholly or not at all.

    Schema 2 adds checksums to decisions, and checksums and the chain to events. Every row keeps
    its content and its place.

    Raises:
        sqlite3.Error: It could not be done; the journal is as it was.
    """
    connection.execute("BEGIN IMMEDIATE")
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
    connection.execute(
        "UPDATE meta SET value = ? WHERE key = 'schema'", (str(database.SCHEMA_VERSION),)
    )
    chain.seal_meta(connection)
    connection.execute("COMMIT")
