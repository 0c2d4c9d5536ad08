"""An adapter at an exchange whose answers are broken: what must hold, whatever the venue.

What is broken is named, and nothing is invented. A venue is a `Ground`, beside its laws.
"""

import asyncio
import dataclasses
import math
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal as D
from typing import Any

from hypothesis import settings

from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action, CancelStop, PlaceStop
from bot.domain.intent import Execution, Intent, Outcome, Settlement
from bot.domain.ledger import LedgerRow
from bot.domain.observation import Observation
from bot.errors import BotError, ConfigError, ExchangeError
from bot.exchanges.adapter import Adapter
from bot.exchanges.connect import SPOKEN, client_of
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.numbers import LARGEST, SMALLEST
from bot.exchanges.quota import Quota
from bot.paper.desk import Asked, Reply, about
from bot.paper.engine import Engine
from bot.paper.fronts import FRONTS, ruled
from bot.paper.pace import Stepped
from bot.paper.socketless import SocketlessSession
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory, amount_of
from tests.kit.builders import a_policy, choose
from tests.kit.fakes import an_open_gate
from tests.kit.paper import FAST, KEYS, NAME, START, an_engine
from tests.kit.spoiled import Line, as_it_is

FEW = settings(max_examples=max(20, settings().max_examples // 8))
Spoils = Callable[[str], str]
Prepares = Callable[["World", Adapter, Action], Awaitable[Action]]


def holding() -> Engine:
    """Return an exchange where two positions are held, in a currency."""
    engine = an_engine(spot="5000")
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("BTCUSDT", D("-0.1"), leverage=20)
    return engine


async def as_asked(world: "World", venue: Adapter, action: Action) -> Action:
    """Change nothing before an action."""
    del world, venue
    return action


def after(stop: PlaceStop) -> Prepares:
    """Place a stop before an action that takes it back, and name it by the venue's number."""

    async def prepared(world: "World", venue: Adapter, action: Action) -> Action:
        if not isinstance(action, CancelStop):
            return action
        await venue.execute(dataclasses.replace(world.intent(stop), id=NAME), an_open_gate())
        (number,) = (number for number, order in world.engine.orders.items() if order.is_open)
        return dataclasses.replace(action, stop_id=str(number))

    return prepared


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A venue whose answers are broken.

    Attributes:
        venue: Its id.
        engine: Makes its exchange, with two positions.
        symbols: Of these, unified.
        largest: What a number may come to, where products of two fields are shown.
        smallest: What it may come to without being 0.
        prepares: Does what an action needs first; returns the action.
        bars: How many are read of each price.
        key: The first word.
        secret: The second.
    """

    venue: str
    engine: Callable[[], Engine] = holding
    symbols: tuple[str, ...] = ("BTC/USDT:USDT", "SOL/USDT:USDT")
    largest: D = 2 * LARGEST
    smallest: D = SMALLEST
    prepares: Prepares = as_asked
    bars: int = 912
    key: str = KEYS.key
    secret: str = KEYS.secret


class World:
    """An exchange with two positions, and a line to it that breaks what it is told to."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.engine = ruled(ground.venue, ground.engine())
        self.pace = Stepped(self.engine, speed=FAST)
        self.desk = FRONTS[ground.venue].desk
        self.line = Line(self.desk(self.engine, self.pace))
        self.clock = VenueClock(self.pace)
        self.settings = ConnectionSettings(
            account="main",
            venue=ground.venue,
            api_key=ground.key,
            secret=ground.secret,
            password=KEYS.password,
            symbols=ground.symbols,
            wallets=("futures", "spot"),
            bars=ground.bars,
        )
        self.client = client_of(
            self.settings,
            self.clock,
            rng=SeededRng("bad answers"),
            session=SocketlessSession(self.line.carry),
        )

    def venue(self) -> Adapter:
        """Return an adapter that knows nothing yet, at a desk that nobody asked before."""
        self.line.desk, self.line.spoil = self.desk(self.engine, self.pace), as_it_is
        # Each example has its own minute.
        self.client.quota = Quota(self.client.dialect.budgets, SeededRng("bad answers"))
        self.client.api.plimsoll_quota = self.client.quota
        return SPOKEN[self.ground.venue].adapter(self.settings, self.client, self.clock)

    def intent(self, action: Action) -> Intent:
        now = self.pace.now()
        return Intent(
            id="plfuzz0001", decision_id="d1", account="main", action=action, written_at=now,
            sent_at=now,
        )  # fmt: skip

    async def does(self, venue: Adapter, action: Action) -> Execution:
        return await venue.execute(self.intent(action), an_open_gate())

    def spoil(self, path: str, spoil: Spoils, *, method: str) -> None:
        def broken(asked: Asked, reply: Reply) -> Reply:
            verb, what = about(self.line.desk, asked)
            if what != path or method not in ("", verb):
                return reply
            return dataclasses.replace(reply, text=spoil(reply.text))

        self.line.spoil = broken


FRESH: dict[Ground, World] = {}
"""The worlds of the last examples: building one costs ten times as much as asking it."""


def a_world(ground: Ground) -> World:
    """Return the world of the last example."""
    if ground not in FRESH:
        FRESH[ground] = World(ground)
    return FRESH[ground]


def a_new_world(ground: Ground) -> World:
    """Return one whose exchange has done nothing yet: each write meets one that can do it."""
    FRESH.clear()
    return a_world(ground)


def numbers(value: Any) -> Iterator[D]:
    """Yield every number of a value, however deep."""
    if isinstance(value, D | float):
        yield D(value)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from numbers(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from numbers(item)


def are_sane(ground: Ground, found: Any) -> None:
    """Judge every number in what was read."""
    for number in numbers(found):
        assert math.isfinite(number), number
        assert abs(number) <= ground.largest, number
        assert number == 0 or abs(number) >= ground.smallest, number


def a_broken_answer_is_named_or_leaves_sane_numbers(
    ground: Ground, path: str, spoil: Spoils
) -> None:
    """Judge a start and a look while one path is broken."""
    found = asyncio.run(_seen_under(ground, path, spoil))
    assert path in a_world(ground).line.paths
    if isinstance(found, BotError):
        assert str(found)
        return
    are_sane(ground, found)
    # Nor is what it shows too much for the arithmetic behind it.
    decide(found, Memory(), a_policy(), choose=choose)


async def _seen_under(ground: Ground, path: str, spoil: Spoils) -> Observation | BotError:
    world = a_world(ground)
    venue = world.venue()
    world.spoil(path, spoil, method="")
    try:
        await venue.start()
        return await venue.observe()
    except (ExchangeError, ConfigError) as error:
        return error


def a_broken_answer_to_a_write_never_says_rejected(
    ground: Ground, path: str, action: Action, spoil: Spoils, *, method: str = "POST"
) -> None:
    """Judge a write that took effect while its answer is broken."""
    execution, was_answered = asyncio.run(_sent_under(ground, path, action, spoil, method))
    assert was_answered
    assert execution.outcome is not Outcome.REJECTED, execution
    if execution.applied is not None:
        assert 0 <= execution.applied <= amount_of(action), execution


async def _sent_under(
    ground: Ground, path: str, action: Action, spoil: Spoils, method: str
) -> tuple[Execution, bool]:
    world = a_new_world(ground)
    venue = world.venue()
    await venue.start()
    await venue.observe()
    action = await ground.prepares(world, venue, action)
    was_answered = False

    def before(text: str) -> str:
        nonlocal was_answered
        was_answered = True
        return spoil(text)

    world.spoil(path, before, method=method)
    return await world.does(venue, action), was_answered


def a_broken_history_invents_nothing(
    ground: Ground, path: str, action: Action, spoil: Spoils, *, was_sent: bool
) -> None:
    """Judge what is settled of an action while the path that tells of it is broken."""
    found = asyncio.run(_settled_under(ground, path, action, spoil, was_sent=was_sent))
    if isinstance(found, ExchangeError):
        assert str(found)
    elif found.applied is not None:
        assert 0 <= found.applied <= amount_of(action), found


async def _settled_under(
    ground: Ground, path: str, action: Action, spoil: Spoils, *, was_sent: bool
) -> Settlement | ExchangeError:
    world = a_new_world(ground)
    venue = world.venue()
    await venue.start()
    await venue.observe()
    intent = world.intent(action)
    if was_sent:
        await venue.execute(intent, an_open_gate())
    world.spoil(path, spoil, method="GET")
    try:
        return await venue.settle(intent)
    except ExchangeError as error:
        return error


def a_broken_ledger_is_named_or_leaves_sane_lines(
    ground: Ground, path: str, action: Action, spoil: Spoils
) -> None:
    """Judge the lines of an action and of a funding payment while their path is broken."""
    found = asyncio.run(_rows_under(ground, path, action, spoil))
    if isinstance(found, ExchangeError):
        assert str(found)
        return
    are_sane(ground, found)
    assert all(row.amount for row in found), found
    assert len({row.id for row in found}) == len(found), found


async def _rows_under(
    ground: Ground, path: str, action: Action, spoil: Spoils
) -> tuple[LedgerRow, ...] | ExchangeError:
    world = a_new_world(ground)
    venue = world.venue()
    await venue.start()
    await world.does(venue, action)
    world.engine.pay_funding()
    world.spoil(path, spoil, method="GET")
    try:
        return await venue.rows(START)
    except ExchangeError as error:
        return error
