"""The adapter before a venue that only writes down and answers as documented.

``tests/contract/golden/replies.json`` and ``coin_replies.json``, of the host of coin-margined
contracts, have the fields and the spelling that the venue documents, with numbers of our own.
"""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal as D
from pathlib import Path
from typing import Any

from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action, AddMargin, RemoveMargin, Transfer
from bot.domain.intent import Intent, Outcome
from bot.domain.position import PositionKey, Side
from bot.exchanges.binance.adapter import BinanceVenue
from bot.exchanges.binance.dialect import COIN_DIALECT, DIALECT
from bot.exchanges.client import Client
from bot.exchanges.connection import ConnectionSettings
from tests.kit.builders import NOON
from tests.kit.fakes import FakeClock, OpenGate
from tests.kit.recorder import KEY, SECRET, Recorder

GOLDEN = Path(__file__).parents[1] / "contract" / "golden"
REPLIES: dict[str, Any] = json.loads((GOLDEN / "replies.json").read_text())
COIN_REPLIES: dict[str, Any] = json.loads((GOLDEN / "coin_replies.json").read_text())
LONG = PositionKey("SOL/USDT:USDT", Side.LONG)
COIN_LONG = PositionKey("BTC/USD:BTC", Side.LONG)
NAME = "plab010001000aab"


@dataclass(slots=True)
class Stand:
    """The adapter, started, before a venue that only writes down."""

    venue: BinanceVenue
    recorder: Recorder
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
    changes: dict[str, Any] | None = None,
    *,
    mode: Any = "paper",
    symbols: int = 1,
    in_coin: bool = False,
) -> AsyncIterator[Stand]:
    replies, dialect = (COIN_REPLIES, COIN_DIALECT) if in_coin else (REPLIES, DIALECT)
    names = ("BTC/USD:BTC", "ETH/USD:ETH") if in_coin else ("SOL/USDT:USDT", "BTC/USDT:USDT")
    recorder, clock = Recorder(replies | (changes or {})), FakeClock()
    settings = ConnectionSettings(
        account="main",
        venue="binancecoinm" if in_coin else "binanceusdm",
        api_key=KEY,
        secret=SECRET,
        symbols=names[:symbols],
        wallets=("futures",) if mode == "testnet" else ("futures", "spot"),
        mode=mode,
        bars=24,
    )
    venue_clock = VenueClock(clock)
    client = Client(
        dialect=dialect,
        api_key=KEY,
        secret=SECRET,
        clock=venue_clock,
        gateway=None,
        demo=mode == "testnet",
        rng=SeededRng("golden"),
        session=recorder,
    )
    venue = BinanceVenue(settings, client, venue_clock)
    await venue.start()
    yield Stand(venue, recorder, clock, OpenGate())  # nothing is open that had to be closed


def margin(
    kind: type[AddMargin | RemoveMargin], key: PositionKey = LONG
) -> AddMargin | RemoveMargin:
    return kind(key=key, amount=D("12.75"), currency="USDT")


def coin_margin(
    kind: type[AddMargin | RemoveMargin], key: PositionKey = COIN_LONG
) -> AddMargin | RemoveMargin:
    return kind(key=key, amount=D("0.00123456"), currency="BTC")


def coin_transfer(source: str, destination: str) -> Transfer:
    return Transfer(source=source, destination=destination, amount=D("0.05"), currency="BTC")


def transfer(source: str, destination: str) -> Transfer:
    return Transfer(source=source, destination=destination, amount=D("10.5"), currency="USDT")
