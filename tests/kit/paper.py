"""A paper exchange on an ephemeral port, and clients that reach it as they would the venue."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action
from bot.domain.instrument import MarginRelease
from bot.domain.intent import Intent
from bot.exchanges.adapter import Adapter
from bot.exchanges.binance.dialect import DIALECT
from bot.exchanges.client import Client
from bot.exchanges.connect import connect
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.gateway import GatewaySettings
from bot.paper.binance.codes import HOSTS
from bot.paper.binance.desk import BinanceDesk
from bot.paper.desk import Keys
from bot.paper.engine import Engine
from bot.paper.faults import Faults
from bot.paper.instruments import CONTRACTS
from bot.paper.market import HISTORY_HOURS, Scripted
from bot.paper.market import Path as PricePath
from bot.paper.pace import Stepped
from bot.paper.server import PaperServer
from bot.ports import BanNote

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
PRICES = {"BTCUSDT": 60000.0, "ETHUSDT": 3000.0, "SOLUSDT": 150.0, "DOGEUSDT": 0.2}
FAST = 1e6
KEYS = Keys()
NAME = "pltest0001000001"
"""Of an intent, where it does not matter."""


def an_engine(
    *,
    symbols: Sequence[str] = ("BTCUSDT", "SOLUSDT"),
    futures: str = "20000",
    spot: str = "5000",
    volatility: float = 0.002,
    points: tuple[tuple[int, float], ...] = ((0, 1.0),),
    seed: int = 1,
    hours: int = HISTORY_HOURS,
) -> Engine:
    """Return an exchange with money and no positions."""
    paths = [
        PricePath(
            contract=CONTRACTS[symbol],
            start=PRICES[symbol],
            volatility=volatility,
            points=points,
        )
        for symbol in symbols
    ]
    engine = Engine(
        contracts=CONTRACTS,
        feed=Scripted(paths, start_ms=START_MS, seed=seed, hours=hours),
        start_ms=START_MS,
    )
    engine.cross["USDT"], engine.spot["USDT"] = Decimal(futures), Decimal(spot)
    return engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """Exchange, server and clock."""

    engine: Engine
    server: PaperServer[BinanceDesk]
    pace: Stepped
    faults: Faults

    @property
    def gateway(self) -> GatewaySettings:
        return GatewaySettings(address=self.server.address, ca_file=self.server.ca_file)


@contextlib.asynccontextmanager
async def serving(engine: Engine, folder: Path) -> AsyncIterator[Rig]:
    """Serve an exchange."""
    pace, faults = Stepped(engine, speed=FAST), Faults()
    async with PaperServer(
        BinanceDesk(engine, pace), hosts=HOSTS, folder=folder, faults=faults
    ) as server:
        yield Rig(engine=engine, server=server, pace=pace, faults=faults)


def connection(rig: Rig, **changes: object) -> ConnectionSettings:
    """Return the settings that reach a served exchange."""
    values: dict[str, object] = {
        "account": "main",
        "venue": "binanceusdm",
        "api_key": KEYS.key,
        "secret": KEYS.secret,
        "symbols": ("BTC/USDT:USDT", "SOL/USDT:USDT"),
        "wallets": ("futures", "spot"),
        "gateway": rig.gateway,
        "margin_release": MarginRelease.PRO_RATA,
    }
    return ConnectionSettings(**(values | changes))  # type: ignore[arg-type]  # any field by name


@contextlib.asynccontextmanager
async def connected(
    rig: Rig, *, bans: BanNote | None = None, **changes: object
) -> AsyncIterator[Adapter]:
    """Connect the adapter."""
    venue = await connect(
        connection(rig, **changes), VenueClock(rig.pace), rng=SeededRng("test"), bans=bans
    )
    try:
        yield venue
    finally:
        await venue.close()


def an_intent_now(rig: Rig, action: Action, name: str = NAME) -> Intent:
    """Return an intent that is sent at the exchange's time."""
    now = rig.pace.now()
    return Intent(
        id=name, decision_id="d1", account="main", action=action, written_at=now, sent_at=now
    )


@contextlib.asynccontextmanager
async def raw_client(rig: Rig, **changes: str) -> AsyncIterator[Client]:
    """Connect unmodified ccxt calls, without the adapter."""
    client = Client(
        dialect=DIALECT,
        api_key=changes.get("api_key", KEYS.key),
        secret=changes.get("secret", KEYS.secret),
        clock=rig.pace,
        gateway=rig.gateway,
        demo=False,
        rng=SeededRng("test"),
    )
    try:
        yield client
    finally:
        await client.close()
