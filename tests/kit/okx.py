"""The paper exchange in the words of OKX, and clients that reach it as they would the venue."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action
from bot.domain.instrument import MarginRelease
from bot.domain.intent import Intent
from bot.exchanges.connect import connect
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.gateway import GatewaySettings
from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.engine import Engine
from bot.paper.faults import Faults
from bot.paper.fronts import ruled
from bot.paper.okx.codes import HOSTS
from bot.paper.okx.desk import OkxDesk
from bot.paper.pace import Stepped
from bot.paper.server import PaperServer
from tests.kit.paper import FAST, KEYS, NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class OkxRig:
    """Exchange, server and clock."""

    engine: Engine
    server: PaperServer[OkxDesk]
    pace: Stepped
    faults: Faults

    @property
    def gateway(self) -> GatewaySettings:
        return GatewaySettings(address=self.server.address, ca_file=self.server.ca_file)

    @property
    def desk(self) -> OkxDesk:
        return self.server.desk

    def said(self, path: str) -> dict[str, Any]:
        """Return what the last request to a path said."""
        for _, asked, request in reversed(self.desk.requests):
            if asked == f"/api/v5/{path}":
                one = request.items[0] if request.items else request
                return dict(one.parameters)
        raise AssertionError(f"nobody asked for {path}")

    def count(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(asked == f"/api/v5/{path}" for _, asked, _ in self.desk.requests)


@contextlib.asynccontextmanager
async def serving(engine: Engine, folder: Path) -> AsyncIterator[OkxRig]:
    """Serve an exchange."""
    pace, faults = Stepped(ruled("okx", engine), speed=FAST), Faults()
    async with PaperServer(
        OkxDesk(engine, pace), hosts=HOSTS, folder=folder / "okx", faults=faults
    ) as server:
        yield OkxRig(engine=engine, server=server, pace=pace, faults=faults)


@contextlib.asynccontextmanager
async def connected(rig: OkxRig, **changes: object) -> AsyncIterator[OkxVenue]:
    """Connect the adapter."""
    values: dict[str, object] = {
        "account": "main",
        "venue": "okx",
        "api_key": KEYS.key,
        "secret": KEYS.secret,
        "password": KEYS.password,
        "symbols": ("BTC/USDT:USDT", "SOL/USDT:USDT"),
        "wallets": ("futures", "spot"),
        "gateway": rig.gateway,
        "margin_release": MarginRelease.PRO_RATA,
        "bars": 48,
    }
    settings = ConnectionSettings(**(values | changes))  # type: ignore[arg-type]  # any field by name
    venue = await connect(settings, VenueClock(rig.pace), rng=SeededRng("test"))
    assert isinstance(venue, OkxVenue)
    try:
        yield venue
    finally:
        await venue.close()


def an_intent_now(rig: OkxRig, action: Action, name: str = NAME) -> Intent:
    """Return an intent that is sent at the exchange's time."""
    now = rig.pace.now()
    return Intent(
        id=name, decision_id="d1", account="main", action=action, written_at=now, sent_at=now
    )
