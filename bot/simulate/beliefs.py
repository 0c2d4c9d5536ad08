"""Does the journal believe what the exchange did?"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import orjson

from bot.paper.engine import Engine
from bot.simulate.network import Sent

NONE_SENT = frozenset({"dropped", "written"})
NO_EFFECT = frozenset({"rejected", "absent"})
EFFECT = frozenset({"applied", "done"})
ALARM_AFTER_MS = 60_000


def beliefs(connection: sqlite3.Connection, writes: Sequence[Sent], engine: Engine) -> list[str]:
    """Return every intent of which the journal believes something else than what happened."""
    rows = connection.execute("SELECT id, action, sent_at, state FROM intents ORDER BY row")
    # An order that found no counterpart is done, and is known to have done nothing.
    unfilled = {
        name
        for (name,) in connection.execute(
            "SELECT intent_id FROM intent_events WHERE state = 'done' AND applied = '0'"
        )
    }
    found: list[str] = []
    known: set[int] = set()
    for name, action, sent_at, state in rows:
        mine = [
            index
            for index, sent in enumerate(writes)
            if _is_of(sent, name, orjson.loads(action), sent_at)
        ]
        known |= set(mine)
        meant = orjson.loads(action)
        effects = sum(_effects(writes[index], name, engine) for index in mine)
        if meant["kind"] == "cancel_stop" and state in EFFECT:
            # Taking an order back twice is taking it back: whichever request did it.
            gone = [w for w in writes if w.method == "DELETE" and _stop_of(w) == meant["stop_id"]]
            effects = sum(sent.effects for sent in gone)
        if len(mine) > 1:
            found.append(f"P01: {name} left {len(mine)} times")
        if state in NONE_SENT and mine:
            found.append(f"I6: {name} is {state} and left")
        if state in NO_EFFECT and effects:
            found.append(f"I2: {name} is {state} and took effect")
        if state in EFFECT and not effects and name not in unfilled:
            found.append(f"I2: {name} is {state} and took no effect")
    found += [
        f"I6: {writes[index].method} {writes[index].path} left without an intent"
        for index in range(len(writes))
        if index not in known
    ]
    return found


def _is_of(sent: Sent, name: str, action: dict[str, Any], sent_at: str | None) -> bool:
    """Whether a request carries an intent: by our id, else by signed time and amount."""
    content = parse_qs(sent.content)
    if action["kind"] == "cancel_stop":
        is_cancel = sent.method == "DELETE" and content.get("algoId") == [action["stop_id"]]
        return is_cancel and sent_at is not None and content["timestamp"] == [_signed_ms(sent_at)]
    if name in {*content.get("newClientOrderId", ()), *content.get("clientAlgoId", ())}:
        return True
    if sent_at is None or "amount" not in content or "amount" not in action:
        return False
    return content["timestamp"] == [_signed_ms(sent_at)] and Decimal(
        content["amount"][0]
    ) == Decimal(action["amount"])


def _stop_of(sent: Sent) -> str:
    return parse_qs(sent.content).get("algoId", [""])[0]


def _signed_ms(sent_at: str) -> str:
    return str(round(datetime.fromisoformat(sent_at).timestamp() * 1000))


def _effects(sent: Sent, name: str, engine: Engine) -> int:
    if not sent.path.endswith("/order"):
        return sent.effects
    filled = [o for o in engine.orders.values() if o.client_id == name and o.filled]
    return len(filled)
