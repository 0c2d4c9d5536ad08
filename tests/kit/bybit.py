"""A paper exchange that speaks Bybit, and clients that reach it as they would the venue."""

import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ccxt.async_support as ccxt

from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action
from bot.domain.instrument import MarginRelease
from bot.domain.intent import Intent
from bot.exchanges.bybit.adapter import BybitVenue
from bot.exchanges.connect import connect
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.gateway import GatewaySettings, open_session
from bot.paper.bybit.codes import HOSTS
from bot.paper.bybit.desk import BybitDesk
from bot.paper.desk import Asked, Keys
from bot.paper.engine import Engine
from bot.paper.faults import Faults
from bot.paper.pace import Stepped
from bot.paper.server import PaperServer
from tests.kit.paper import FAST, NAME

KEYS = Keys()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """Exchange, server and clock."""

    engine: Engine
    server: PaperServer[BybitDesk]
    pace: Stepped
    faults: Faults

    @property
    def gateway(self) -> GatewaySettings:
        return GatewaySettings(address=self.server.address, ca_file=self.server.ca_file)

    @property
    def last(self) -> tuple[str, str, Mapping[str, Any]]:
        """Method, path and parameters of what arrived last."""
        method, path, request = self.server.desk.requests[-1]
        return method, path, request.parameters

    def sent(self, path: str) -> Mapping[str, Any]:
        """Parameters of what arrived last on a path."""
        found = [r.parameters for _, p, r in self.server.desk.requests if p == path]
        return found[-1]


@contextlib.asynccontextmanager
async def serving(engine: Engine, folder: Path) -> AsyncIterator[Rig]:
    """Serve an exchange."""
    pace, faults = Stepped(engine, speed=FAST), Faults()
    async with PaperServer(
        BybitDesk(engine, pace), hosts=HOSTS, folder=folder, faults=faults
    ) as server:
        yield Rig(engine=engine, server=server, pace=pace, faults=faults)


def connection(rig: Rig, **changes: object) -> ConnectionSettings:
    """Return the settings that reach a served exchange."""
    values: dict[str, object] = {
        "account": "main",
        "venue": "bybit",
        "api_key": KEYS.key,
        "secret": KEYS.secret,
        "symbols": ("BTC/USDT:USDT", "SOL/USDT:USDT"),
        "wallets": ("futures", "spot"),
        "gateway": rig.gateway,
        "margin_release": MarginRelease.PRO_RATA,
    }
    return ConnectionSettings(**(values | changes))  # type: ignore[arg-type]  # any field by name


@contextlib.asynccontextmanager
async def connected(rig: Rig, **changes: object) -> AsyncIterator[BybitVenue]:
    """Connect the adapter."""
    venue = await connect(connection(rig, **changes), VenueClock(rig.pace), rng=SeededRng("test"))
    assert isinstance(venue, BybitVenue)
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
async def plain_ccxt(rig: Rig, **changes: Any) -> AsyncIterator[Any]:
    """Connect the library as it is: only its session is ours, so that it finds the exchange."""
    session = open_session(rig.gateway, ["https://api.bybit.com"])
    client = ccxt.bybit(
        {
            "apiKey": KEYS.key,
            "secret": KEYS.secret,
            "session": session,
            "enableRateLimit": False,
            "options": {"fetchMarkets": {"types": ["linear"]}, "fetchCurrencies": False},
            **changes,
        }
    )
    client.has["fetchCurrencies"] = False  # of the whole exchange, it is no part of this one
    client.nonce = lambda: rig.pace.now_ms
    try:
        yield client
    finally:
        await client.close()
        await session.close()


def signed(
    desk: BybitDesk,
    method: str,
    path: str,
    said: str = "",
    *,
    at_ms: int | None = None,
    window: str = "5000",
    secret: str = KEYS.secret,
    key: str = KEYS.key,
) -> Asked:
    """Return a request signed by hand; ``said`` is the query, or the body of a POST."""
    stamp = str(desk.pace.now_ms if at_ms is None else at_ms)
    raw = f"{stamp}{key}{window}{said}"
    headers = {
        "x-bapi-api-key": key,
        "x-bapi-timestamp": stamp,
        "x-bapi-recv-window": window,
        "x-bapi-sign": hmac.new(secret.encode(), raw.encode(), hashlib.sha256).hexdigest(),
    }
    if method == "POST":
        return Asked(method=method, path=path, body=said.encode(), headers=headers)
    return Asked(method=method, path=path, query=said, headers=headers)


def code_of(desk: BybitDesk, asked: Asked) -> int:
    """Return the code of an answer."""
    found = json.loads(desk.answer(asked).text)["retCode"]
    assert isinstance(found, int)
    return found


def result_of(desk: BybitDesk, method: str, path: str, said: str = "") -> Any:
    """Return the result of a request that is taken."""
    body = json.loads(desk.answer(signed(desk, method, path, said)).text)
    assert body["retCode"] == 0, body
    return body["result"]
