"""The Bybit adapter before a venue that only writes down and answers as documented.

``tests/contract/golden/bybit_replies.json`` has the fields and the spelling that the venue
documents, with numbers of our own.
"""

import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from decimal import Decimal as D
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action
from bot.domain.intent import Intent, Outcome
from bot.exchanges.bybit.adapter import BybitVenue
from bot.exchanges.bybit.dialect import DIALECT
from bot.exchanges.client import Client
from bot.exchanges.connection import ConnectionSettings
from tests.kit.builders import NOON
from tests.kit.fakes import FakeClock, OpenGate
from tests.kit.golden import GOLDEN, NAME
from tests.kit.recorder import KEY, SECRET, Recorded, Recorder

REPLIES: dict[str, Any] = json.loads((GOLDEN / "bybit_replies.json").read_text())
NARROW = ("cursor", "orderLinkId", "orderId", "orderFilter", "symbol", "settleCoin", "category")
"""Parameters by which the table tells answers of one path apart."""


def line_of(request: Recorded) -> str:
    """Method, host and path, where the parameters stand, and they, byte for byte."""
    parts = urlsplit(request.url)
    access = "signed" if "X-BAPI-SIGN" in request.headers else "public"
    where = "body" if request.body else "query"
    address = f"{request.method} {parts.scheme}://{parts.netloc}{parts.path}"
    return " ".join([address, where, access, parts.query + request.body]).rstrip()


def is_signed_well(request: Recorded) -> bool:
    """Whether the signature in the headers is that of time, key, window and all that is said."""
    headers = request.headers
    said = request.body or urlsplit(request.url).query
    stamp, window = headers["X-BAPI-TIMESTAMP"], headers["X-BAPI-RECV-WINDOW"]
    text = f"{stamp}{KEY}{window}{said}"
    wanted = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    return headers["X-BAPI-SIGN"] == wanted and headers["X-BAPI-API-KEY"] == KEY


class BybitRecorder(Recorder):
    """Answers from a table, of the narrowest words that a request has."""

    def reply_to(self, request: Recorded) -> str:
        parts = urlsplit(request.url)
        path = f"{request.method} {parts.path}"
        query = parts.query.replace("%", "%25")  # as it stands
        asked: Mapping[str, str] = dict(parse_qsl(query))
        narrow = [f"{path}?{name}={asked[name]}" for name in NARROW if name in asked]
        key = next((key for key in narrow if key in self.replies), path)
        reply = self.replies[key]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, str) else json.dumps(reply)


@dataclass(slots=True)
class Stand:
    """The adapter, started, before a venue that only writes down."""

    venue: BybitVenue
    recorder: BybitRecorder
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
    changes: dict[str, Any] | None = None, *, mode: Any = "paper", symbols: int = 1
) -> AsyncIterator[Stand]:
    recorder, clock = BybitRecorder(REPLIES | (changes or {})), FakeClock()
    settings = ConnectionSettings(
        account="main",
        venue="bybit",
        api_key=KEY,
        secret=SECRET,
        symbols=("SOL/USDT:USDT", "BTC/USDT:USDT")[:symbols],
        wallets=("futures",) if mode == "testnet" else ("futures", "spot"),
        mode=mode,
        bars=24,
    )
    venue_clock = VenueClock(clock)
    client = Client(
        dialect=DIALECT,
        api_key=KEY,
        secret=SECRET,
        clock=venue_clock,
        gateway=None,
        demo=mode == "testnet",
        rng=SeededRng("golden"),
        session=recorder,
    )
    venue = BybitVenue(settings, client, venue_clock)
    await venue.start()
    yield Stand(venue, recorder, clock, OpenGate())  # nothing is open that had to be closed
