"""How does a test serve the paper exchange of any venue, and reach it as it would the venue?"""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action
from bot.domain.instrument import MarginRelease
from bot.domain.intent import Execution, Intent
from bot.exchanges.adapter import Adapter
from bot.exchanges.connect import connect
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.gateway import GatewaySettings, open_session
from bot.paper.desk import Desk
from bot.paper.engine import Engine
from bot.paper.faults import Faults
from bot.paper.fronts import FRONTS, ruled
from bot.paper.pace import Pace, Stepped
from bot.paper.server import PaperServer
from bot.ports import BanNote
from tests.kit.fakes import an_open_gate
from tests.kit.moves import settled_in
from tests.kit.paper import FAST, KEYS, NAME


class Told(Protocol):
    """What a request said."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """By name."""
        ...


class Remembering(Desk, Protocol):
    """A desk that knows what arrived."""

    @property
    def requests(self) -> Sequence[tuple[str, str, Told]]:
        """Method, path and words of each request."""
        ...


DeskT = TypeVar("DeskT", bound=Remembering)
VenueT = TypeVar("VenueT", bound=Adapter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig(Generic[DeskT]):
    """Exchange, server and clock.

    Attributes:
        root: What all paths of the venue begin with; without the slash behind it.
        settle: What the contracts of the venue settle in.
    """

    engine: Engine
    server: PaperServer[DeskT]
    pace: Stepped
    faults: Faults
    root: str
    settle: str = "USDT"

    @property
    def gateway(self) -> GatewaySettings:
        return GatewaySettings(address=self.server.address, ca_file=self.server.ca_file)

    @property
    def desk(self) -> DeskT:
        return self.server.desk

    @property
    def last(self) -> tuple[str, str, Mapping[str, Any]]:
        """Method, path and parameters of what arrived last."""
        method, path, request = self.desk.requests[-1]
        return method, path, request.parameters

    def said(self, path: str, method: str = "") -> Mapping[str, Any]:
        """Return what the last request to a path said; of one method, or of any."""
        for asked_by, asked, request in reversed(self.desk.requests):
            if asked == f"{self.root}/{path}" and method in ("", asked_by):
                return request.parameters
        raise AssertionError(f"nobody asked for {path}")

    def count(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(asked == f"{self.root}/{path}" for _, asked, _ in self.desk.requests)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand(Generic[DeskT, VenueT]):
    """How one venue is stood in for, and what its adapter is.

    Attributes:
        venue: Its id.
        desk: Makes what answers.
        adapter: What connecting must return.
        root: As of `Rig`.
        settings: Of a connection, beside those that all venues take.
        settle: As of `Rig`.
    """

    venue: str
    desk: Callable[[Engine, Pace], DeskT]
    adapter: type[VenueT]
    root: str = ""
    settings: Mapping[str, object] = field(default_factory=dict, hash=False)
    settle: str = "USDT"

    @contextlib.asynccontextmanager
    async def serving(self, engine: Engine, folder: Path) -> AsyncIterator[Rig[DeskT]]:
        """Serve an exchange; its certificate is kept below a folder."""
        pace, faults = Stepped(ruled(self.venue, engine), speed=FAST), Faults()
        async with PaperServer(
            self.desk(engine, pace),
            hosts=FRONTS[self.venue].hosts,
            folder=folder / self.venue,
            faults=faults,
        ) as server:
            yield Rig(
                engine=engine,
                server=server,
                pace=pace,
                faults=faults,
                root=self.root,
                settle=self.settle,
            )

    def symbol(self, base: str) -> str:
        """Return the unified name of a contract."""
        return f"{base}/{self.settle}:{self.settle}"

    def connection(self, rig: Rig[DeskT], **changes: object) -> ConnectionSettings:
        """Return the settings that reach a served exchange."""
        values: dict[str, object] = {
            "account": "main",
            "venue": self.venue,
            "api_key": KEYS.key,
            "secret": KEYS.secret,
            "symbols": (self.symbol("BTC"), self.symbol("SOL")),
            "wallets": ("futures", "spot"),
            "gateway": rig.gateway,
            "margin_release": MarginRelease.PRO_RATA,
        }
        return ConnectionSettings(**(values | dict(self.settings) | changes))  # type: ignore[arg-type]  # any field by name

    @contextlib.asynccontextmanager
    async def connected(
        self, rig: Rig[DeskT], *, bans: BanNote | None = None, **changes: object
    ) -> AsyncIterator[VenueT]:
        """Connect the adapter."""
        settings, clock = self.connection(rig, **changes), VenueClock(rig.pace)
        venue = await connect(settings, clock, rng=SeededRng("test"), bans=bans)
        assert isinstance(venue, self.adapter)
        try:
            yield venue
        finally:
            await venue.close()


def an_intent_now(rig: Rig[Any], action: Action, name: str = NAME) -> Intent:
    """Return an intent that is sent at the exchange's time, in what its venue settles in."""
    now, action = rig.pace.now(), settled_in(action, rig.settle)
    return Intent(
        id=name, decision_id="d1", account="main", action=action, written_at=now, sent_at=now
    )


async def send(venue: Adapter, rig: Rig[Any], action: Action, name: str = NAME) -> Execution:
    """Have an action done now; nothing is in its way."""
    return await venue.execute(an_intent_now(rig, action, name), an_open_gate())


@contextlib.asynccontextmanager
async def plain(
    rig: Rig[Any], kind: Callable[[dict[str, Any]], Any], *addresses: str, **options: Any
) -> AsyncIterator[Any]:
    """Connect plain ccxt: only its session is ours, so that it finds the paper exchange.

    Args:
        rig: Where the exchange is.
        kind: Class of the library.
        addresses: Of the venue's hosts.
        options: Of the library.
    """
    session = open_session(rig.gateway, addresses)
    client = kind(
        {
            "apiKey": KEYS.key,
            "secret": KEYS.secret,
            "password": KEYS.password,
            "session": session,
            "enableRateLimit": False,
            "options": {"fetchMarkets": {"types": ["swap"]}, **options},
        }
    )
    client.nonce = lambda: rig.pace.now_ms
    client.has["fetchCurrencies"] = False
    try:
        yield client
    finally:
        await client.close()
        await session.close()
