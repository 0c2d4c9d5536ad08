"""An adapter before a venue that only writes down and answers as documented.

What is a venue's own is its `Scene`, in a file beside this one; its cases are beside their tests.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal as D
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action, AddMargin, PlaceStop, ReducePosition, RemoveMargin, Transfer
from bot.domain.intent import Execution, Intent, Outcome
from bot.domain.position import PositionKey, Side
from bot.exchanges.adapter import Adapter
from bot.exchanges.client import Client
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.dialect import Dialect, Write
from tests.kit.builders import NOON
from tests.kit.fakes import FakeClock, OpenGate
from tests.kit.recorder import KEY, SECRET, Recorded, Recorder

GOLDEN = Path(__file__).parents[1] / "contract" / "golden"
SYMBOL = "SOL/USDT:USDT"
LONG, SHORT = PositionKey(SYMBOL, Side.LONG), PositionKey(SYMBOL, Side.SHORT)
NAME = "plab010001000aab"
DONE = Outcome.DONE
ABSURD = ("NaN", "sNaN", "Infinity", "-Infinity", "-5", "0", "1E-9")
"""Amounts that never leave."""


def kept(name: str) -> dict[str, Any]:
    """Read a file of the golden folder."""
    found: dict[str, Any] = json.loads((GOLDEN / name).read_text())
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A venue, as far as it differs from others before its adapter.

    Attributes:
        venue: Its id.
        dialect: Its words.
        adapter: Speaks them; its module calls ``write_for``.
        recorder: Writes down and answers.
        replies: What it answers, by method and path.
        symbols: Unified; one is watched, or both.
        password: The third word that some venues ask for.
        key: The first word, where it must have a form.
        secret: The second word, as the first.
    """

    venue: str
    dialect: Dialect
    adapter: Callable[[ConnectionSettings, Client, VenueClock], Adapter]
    recorder: type[Recorder]
    replies: Mapping[str, Any]
    symbols: tuple[str, str] = (SYMBOL, "BTC/USDT:USDT")
    password: str = ""
    key: str = KEY
    secret: str = SECRET


@dataclass(slots=True)
class Stand:
    """The adapter, started, before a venue that only writes down."""

    venue: Adapter
    recorder: Recorder
    clock: FakeClock
    gate: OpenGate

    def intent(self, action: Action) -> Intent:
        return Intent(
            id=NAME, decision_id="d", account="main", action=action, written_at=NOON, sent_at=NOON
        )

    async def execute(self, action: Action) -> Execution:
        return await self.venue.execute(self.intent(action), self.gate)

    async def send(self, action: Action) -> tuple[Outcome, D | None]:
        done = await self.execute(action)
        return done.outcome, done.applied

    async def settle(self, action: Action) -> D | None:
        return (await self.venue.settle(self.intent(action))).applied


@contextlib.asynccontextmanager
async def standing(
    scene: Scene,
    changes: Mapping[str, Any] | None = None,
    *,
    mode: Any = "paper",
    symbols: int = 1,
) -> AsyncIterator[Stand]:
    """Start the adapter of a venue whose answers are those of the table, or else the changes."""
    recorder, clock = scene.recorder({**scene.replies, **(changes or {})}), FakeClock()
    settings = ConnectionSettings(
        account="main",
        venue=scene.venue,
        api_key=scene.key,
        secret=scene.secret,
        password=scene.password,
        symbols=scene.symbols[:symbols],
        wallets=("futures",) if mode == "testnet" else ("futures", "spot"),
        mode=mode,
        bars=24,
    )
    venue_clock = VenueClock(clock)
    client = Client(
        dialect=scene.dialect,
        api_key=scene.key,
        secret=scene.secret,
        password=scene.password,
        clock=venue_clock,
        gateway=None,
        demo=mode == "testnet",
        rng=SeededRng("golden"),
        session=recorder,
    )
    venue = scene.adapter(settings, client, venue_clock)
    await venue.start()
    yield Stand(venue, recorder, clock, OpenGate())  # nothing is open that had to be closed


Does = Callable[[Stand], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One operation and what its documented reply means."""

    does: Does
    means: object
    replies: Mapping[str, Any] | None = None
    mode: str = "paper"


def sends(action: Action) -> Does:
    return lambda stand: stand.send(action)


def settles(action: Action) -> Does:
    return lambda stand: stand.settle(action)


def glances(*symbols: str) -> Does:
    return lambda stand: stand.venue.glance(symbols)


def reads_rows(*fields: str) -> Does:
    """Read the ledger of two hours, of each line the fields."""

    async def does(stand: Stand) -> object:
        return set(map(attrgetter(*fields), await stand.venue.rows(NOON - timedelta(hours=2))))

    return does


def reads_marks(symbol: str) -> Does:
    """Read the closes of two hours."""

    async def does(stand: Stand) -> object:
        found = await stand.venue.marks(symbol, NOON - timedelta(hours=2))
        return [candle.close for candle in found]

    return does


async def sees_spot_total(stand: Stand) -> object:
    found = (await stand.venue.observe()).account.wallet("spot", "USDT")
    return found and found.total


async def sees_keys(stand: Stand) -> object:
    return [str(p.key) for p in (await stand.venue.observe()).account.positions]


async def nothing(stand: Stand) -> object:
    del stand
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What one operation came to.

    Attributes:
        requests: What left.
        found: What it returned.
        gate: What was asked before each write left.
    """

    requests: list[Recorded]
    found: object
    gate: OpenGate

    @property
    def lines(self) -> list[str]:
        """What left, as golden tables have it."""
        return sorted(request.line for request in self.requests)

    @property
    def posts(self) -> list[str]:
        """What could have changed something."""
        return [request.line for request in self.requests if request.method != "GET"]

    @property
    def signed(self) -> list[Recorded]:
        """What left with a signature."""
        return [request for request in self.requests if request.is_signed]

    @property
    def badly_signed(self) -> list[str]:
        """What left with another signature than that of all of it."""
        return [request.line for request in self.signed if not request.is_signed_well]


async def written(scene: Scene, case: Case) -> Written:
    """Do one operation; what leaves is without the start, unless that is the operation."""
    async with standing(scene, case.replies, mode=case.mode) as stand:
        before = stand.recorder.requests[:]
        stand.recorder.requests.clear()
        found = await case.does(stand)
        requests = before if case.does is nothing else stand.recorder.requests
        return Written(requests=requests, found=found, gate=stand.gate)


# how an adapter or its library may be careless

Careless = Callable[[dict[str, Any]], dict[str, Any]]


def without(name: str) -> Careless:
    return lambda said: {k: v for k, v in said.items() if k != name}


def having(**more: Any) -> Careless:
    return lambda said: said | more


async def written_by_a_careless_adapter(
    patch: pytest.MonkeyPatch, scene: Scene, case: Case, careless: Careless
) -> Written:
    """Do one operation where the adapter means another request than that."""
    module = import_module(scene.adapter.__module__)
    write_for = module.write_for

    def worse(*arguments: Any) -> Write:
        write = write_for(*arguments)
        assert isinstance(write, Write)
        said = careless(write.given)
        words = {k: v if isinstance(v, str) else json.dumps(v) for k, v in said.items()}
        return replace(write, typed=said, expected=replace(write.expected, parameters=words))

    patch.setattr(module, "write_for", worse)
    return await written(scene, case)


async def written_by_a_generous_library(scene: Scene, action: Action, **more: Any) -> Written:
    """Send an action where the library adds parameters by itself; what is found is code and all."""

    async def does(stand: Stand) -> object:
        api = stand.venue._client.api
        sign = api.sign

        def generous(path: str, api_: Any, method: str, params: Any, *rest: Any) -> Any:
            return sign(path, api_, method, {**params, **more}, *rest)

        api.sign = generous
        done = await stand.execute(action)
        return done.outcome, done.code

    return await written(scene, Case(does=does, means=None))


def margin(
    kind: type[AddMargin | RemoveMargin], key: PositionKey = LONG
) -> AddMargin | RemoveMargin:
    return kind(key=key, amount=D("12.75"), currency="USDT")


def transfer(source: str, destination: str) -> Transfer:
    return Transfer(source=source, destination=destination, amount=D("10.5"), currency="USDT")


def order(key: PositionKey) -> ReducePosition:
    return ReducePosition(key=key, size=D(7), limit_price=D("149.00"))


def stop(key: PositionKey, size: D | None = D(50)) -> PlaceStop:
    return PlaceStop(key=key, size=size, stop_price=D("140.00"), is_needed=True)


MOVES = (margin(AddMargin), margin(RemoveMargin), transfer("spot", "futures"))
"""One of each that moves collateral."""
