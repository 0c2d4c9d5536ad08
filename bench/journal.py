"""How long until the disk has a decision and each state of an intent?"""

import asyncio
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.measure import timing
from bot.domain.action import AddMargin
from bot.domain.intent import Execution, Intent, Outcome, SignedRequest
from bot.domain.position import PositionKey, Side
from bot.journal.sqlite import SqliteJournal

ROUNDS = 1500
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACTION = AddMargin(
    key=PositionKey("BTC/USDT:USDT", Side.LONG), amount=Decimal("250.00"), currency="USDT"
)


def run() -> dict[str, Any]:
    """Return each durable call of the journal, and what opening it again costs."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        path = Path(name) / "journal.sqlite"
        taken = asyncio.run(_write(path))
        began = time.perf_counter()
        asyncio.run(_reopen(path))
        opened = (time.perf_counter() - began) * 1000
    rows: dict[str, Any] = {name: asdict(timing(values)) for name, values in taken.items()}
    rows[f"check and open, {ROUNDS} decisions [ms]"] = {"once": opened}
    return {"what": "durable calls of the journal", "aim": "record p99 < 5 ms", "rows": rows}


async def _write(path: Path) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = defaultdict(list)
    async with SqliteJournal.open(path) as journal:
        for number in range(ROUNDS):
            decision, intent = journal.ids.decision(), journal.ids.intent()
            began = time.perf_counter()
            await journal.record(
                _record(decision, number), bytes(2000), [_intent(intent, decision)]
            )
            recorded = time.perf_counter()
            await journal.sent(
                intent, SignedRequest(signed_at=AT, window_ms=5000, digest="ab" * 32)
            )
            sent = time.perf_counter()
            done = Execution(intent_id=intent, outcome=Outcome.DONE, applied=ACTION.amount)
            await journal.conclude(done, AT)
            concluded = time.perf_counter()
            taken["record with one intent [ms]"].append((recorded - began) * 1000)
            taken["sent [ms]"].append((sent - recorded) * 1000)
            taken["conclude [ms]"].append((concluded - sent) * 1000)
    return taken


async def _reopen(path: Path) -> None:
    async with SqliteJournal.open(path):
        pass


def _record(decision: str, number: int) -> dict[str, Any]:
    position = {"symbol": "BTC/USDT:USDT", "side": "long", "reason": "below_trigger", "size": "0.5"}
    return {
        "id": decision,
        "seq": number + 1,
        "at": AT.isoformat(),
        "account": "main",
        "verdict": "act",
        "reason": "below_trigger",
        "urgency": "routine",
        "positions": [position] * 10,
        "actions": [],
    }


def _intent(intent: str, decision: str) -> Intent:
    return Intent(id=intent, decision_id=decision, account="main", action=ACTION, written_at=AT)
