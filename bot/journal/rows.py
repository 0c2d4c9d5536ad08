"""How do an intent, its steps and its decision stand in the tables?"""

import sqlite3
from typing import Any

import orjson

from bot.domain.decision import Urgency, Verdict
from bot.domain.intent import STEPS, Intent, IntentState
from bot.domain.mode import Mode
from bot.errors import JournalError
from bot.journal import chain, database
from bot.journal.chain import Link
from bot.journal.slots import Reserved
from bot.record import VERSION
from bot.schemas import decode, encode


def intent_from_row(row: tuple[Any, ...]) -> Intent:
    """Return the intent of a row of the table ``intents``."""
    names = ("id", "decision_id", "account", "action", "written_at", "sent_at", "state")
    fields = dict(zip(names, row, strict=True))
    fields["action"] = orjson.Fragment(fields["action"])
    return decode(Intent, orjson.dumps(fields))


def decision_of(reserved: Reserved) -> tuple[Any, ...]:
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


def intent_row(intent: Intent) -> dict[str, str]:
    """Return the columns of an intent that was never sent.

    Raises:
        JournalError: It was.
    """
    if intent.state is not IntentState.WRITTEN or intent.sent_at is not None:
        raise JournalError(f"intent {intent.id} must be new, was {intent.state}")
    return {
        "id": intent.id,
        "decision_id": intent.decision_id,
        "account": intent.account,
        "action": encode(intent.action).decode(),
        "written_at": database.stamp(intent.written_at),
    }


def take_step(connection: sqlite3.Connection, intent_id: str, state: IntentState) -> None:
    """Move an intent to its next state.

    Raises:
        JournalError: It is not there, or may not go there from where it is.
    """
    row = connection.execute("SELECT state FROM intents WHERE id = ?", (intent_id,)).fetchone()
    if row is None:
        raise JournalError(f"intent {intent_id} must be recorded before it becomes {state}")
    if state not in STEPS[IntentState(row[0])]:
        allowed = " or ".join(before for before, after in STEPS.items() if state in after)
        raise JournalError(f"intent {intent_id} must be {allowed} to become {state}, was {row[0]}")
    connection.execute("UPDATE intents SET state = ? WHERE id = ?", (state.value, intent_id))


def append_event(
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
    """Append what happened to an intent to the chain; return the new end."""
    # A venue's text may hold half of a surrogate pair, which UTF-8 has no bytes for.
    code, text = (words.encode(errors="backslashreplace").decode() for words in (code, text))
    return chain.append(connection, (intent_id, at, state.value, applied, code, text, latency_ms))
