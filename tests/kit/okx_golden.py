"""The OKX adapter before a venue that only writes down and answers as documented.

``tests/contract/golden/okx_replies.json`` has the fields and the spelling that the venue documents,
with numbers of our own.
"""

import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal as D
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action
from bot.domain.intent import Intent, Outcome
from bot.exchanges.client import Client
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.okx.adapter import OkxVenue
from bot.exchanges.okx.dialect import DIALECT
from tests.kit.builders import NOON
from tests.kit.fakes import FakeClock, OpenGate
from tests.kit.golden import GOLDEN, NAME
from tests.kit.recorder import KEY, SECRET, Recorded, Recorder

REPLIES: dict[str, Any] = json.loads((GOLDEN / "okx_replies.json").read_text())
WORD = "golden-word"
NARROW = ("type", "instFamily")


def line(request: Recorded) -> str:
    """Return all of a request but its time, signature and key, byte for byte."""
    where = "test" if request.headers.get("x-simulated-trading") == "1" else "own"
    access = "signed" if "OK-ACCESS-SIGN" in request.headers else "public"
    return f"{request.method} {request.url} {where} {access} {request.body}".rstrip()


def signed_at(request: Recorded) -> datetime:
    """Return the time inside."""
    return datetime.fromisoformat(request.headers["OK-ACCESS-TIMESTAMP"])


def is_signed_well(request: Recorded) -> bool:
    """Whether the signature is that of time, method, path, query and body, with all three words."""
    parts = urlsplit(request.url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    text = f"{request.headers['OK-ACCESS-TIMESTAMP']}{request.method}{path}{request.body}"
    wanted = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()
    return (
        request.headers["OK-ACCESS-SIGN"] == base64.b64encode(wanted).decode()
        and request.headers["OK-ACCESS-KEY"] == KEY
        and request.headers["OK-ACCESS-PASSPHRASE"] == WORD
    )


class OkxRecorder(Recorder):
    """Answers from a table by path, and by a parameter where the table has it."""

    def reply_to(self, request: Recorded) -> str:
        path = f"{request.method} {urlsplit(request.url).path}"
        asked = parse_qs(urlsplit(request.url).query)
        names = [f"{path}?{name}={asked[name][0]}" for name in NARROW if name in asked]
        found = next((name for name in names if name in self.replies), path)
        reply = self.replies[found]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, str) else json.dumps(reply)


@dataclass(slots=True)
class OkxStand:
    """The adapter, started, before a venue that only writes down."""

    venue: OkxVenue
    recorder: OkxRecorder
    clock: FakeClock
    gate: OpenGate

    def intent(self, action: Action) -> Intent:
        return Intent(
            id=NAME, decision_id="d", account="main", action=action, written_at=NOON, sent_at=NOON
        )

    async def send(self, action: Action) -> tuple[Outcome, D | None]:
        done = await self.venue.execute(self.intent(action), self.gate)
        return done.outcome, done.applied

    async def settle(self, action: Action) -> D | None:
        return (await self.venue.settle(self.intent(action))).applied


@contextlib.asynccontextmanager
async def standing(
    changes: dict[str, Any] | None = None, *, mode: Any = "paper"
) -> AsyncIterator[OkxStand]:
    recorder, clock = OkxRecorder(REPLIES | (changes or {})), FakeClock()
    settings = ConnectionSettings(
        account="main",
        venue="okx",
        api_key=KEY,
        secret=SECRET,
        password=WORD,
        symbols=("SOL/USDT:USDT",),
        wallets=("futures",) if mode == "testnet" else ("futures", "spot"),
        mode=mode,
        bars=24,
    )
    venue_clock = VenueClock(clock)
    client = Client(
        dialect=DIALECT,
        api_key=KEY,
        secret=SECRET,
        password=WORD,
        clock=venue_clock,
        gateway=None,
        demo=mode == "testnet",
        rng=SeededRng("golden"),
        session=recorder,
    )
    venue = OkxVenue(settings, client, venue_clock)
    await venue.start()
    yield OkxStand(venue, recorder, clock, OpenGate())  # nothing is open that had to be closed
