import asyncio
import dataclasses
import math
from collections.abc import Callable, Iterator
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action, AddMargin, PlaceStop, ReducePosition, Transfer
from bot.domain.intent import Execution, Intent, Outcome, Settlement
from bot.domain.observation import Observation
from bot.domain.position import PositionKey, Side
from bot.errors import BotError, ConfigError, ExchangeError
from bot.exchanges.binance.adapter import BinanceVenue
from bot.exchanges.client import Client
from bot.exchanges.connect import SPOKEN
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.numbers import LARGEST, SMALLEST
from bot.exchanges.quota import Quota
from bot.paper.binance.desk import BinanceDesk
from bot.paper.desk import Asked, Reply
from bot.paper.engine import Engine
from bot.paper.pace import Stepped
from bot.paper.socketless import SocketlessSession
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory, amount_of
from tests.kit.builders import a_policy, choose
from tests.kit.coins import a_coin_engine
from tests.kit.fakes import an_open_gate
from tests.kit.paper import FAST, KEYS, an_engine
from tests.kit.spoiled import Line, as_it_is, spoilings

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
COIN = PositionKey("BTC/USD:BTC", Side.LONG)
WALLETS = ("/sapi/v1/account/apiRestrictions", "/sapi/v3/asset/getUserAsset")
BOTH = (
    "v1/time", "v1/exchangeInfo", "v1/positionSide/dual", "v1/premiumIndex", "v1/depth",
    "v1/markPriceKlines", "v1/openAlgoOrders",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A venue: its exchange with two positions, what is read there, and what is written.

    Attributes:
        host: Begins the paths of its futures.
        symbols: Unified.
        engine: Makes the exchange.
        own: Paths that only this one has, without the host.
        margin: Adds to the first position.
        order: Reduces it.
        transfer: Into its wallet.
        stop: Of it.
    """

    host: str
    symbols: tuple[str, ...]
    engine: Callable[[], Engine]
    own: tuple[str, ...]
    margin: AddMargin
    order: ReducePosition
    transfer: Transfer
    stop: PlaceStop

    @property
    def writes(self) -> tuple[tuple[str, Action], ...]:
        """Each with its path; the last has no history of its own."""
        return (
            (f"/{self.host}/v1/positionMargin", self.margin),
            (f"/{self.host}/v1/order", self.order),
            ("/sapi/v1/asset/transfer", self.transfer),
            (f"/{self.host}/v1/algoOrder", self.stop),
        )

    @property
    def reads(self) -> tuple[str, ...]:
        """Paths of the start and of a look."""
        return (*WALLETS, *(f"/{self.host}/{path}" for path in (*BOTH, *self.own)))


def in_quote() -> Engine:
    engine = an_engine(spot="5000")
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("BTCUSDT", D("-0.1"), leverage=20)
    return engine


def in_coin() -> Engine:
    engine = a_coin_engine()
    engine.hold("BTCUSD_PERP", D(12_000), leverage=10)
    engine.hold("ETHUSD_PERP", D(-900), leverage=20)
    return engine


GROUNDS = {
    "binanceusdm": Ground(
        host="fapi",
        symbols=("BTC/USDT:USDT", "SOL/USDT:USDT"),
        engine=in_quote,
        own=("v1/leverageBracket", "v1/symbolConfig", "v3/positionRisk", "v3/account"),
        margin=AddMargin(key=SOL, amount=D("100.00"), currency="USDT"),
        order=ReducePosition(key=SOL, size=D(7), limit_price=D("149.00")),
        transfer=Transfer(source="spot", destination="futures", amount=D(50), currency="USDT"),
        stop=PlaceStop(key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True),
    ),
    "binancecoinm": Ground(
        host="dapi",
        symbols=("BTC/USD:BTC", "ETH/USD:ETH"),
        engine=in_coin,
        own=("v2/leverageBracket", "v1/positionRisk", "v1/account"),
        margin=AddMargin(key=COIN, amount=D("0.00123456"), currency="BTC"),
        order=ReducePosition(key=COIN, size=D(700), limit_price=D("59000.0")),
        transfer=Transfer(source="spot", destination="futures", amount=D("0.05"), currency="BTC"),
        stop=PlaceStop(key=COIN, size=D(12_000), stop_price=D("55000.0"), is_needed=True),
    ),
}
READ = [(venue, path) for venue, ground in GROUNDS.items() for path in ground.reads]
WRITES = [
    (venue, path, action) for venue, ground in GROUNDS.items() for path, action in ground.writes
]
SETTLED = [
    (venue, path, action) for venue, ground in GROUNDS.items() for path, action in ground.writes[:3]
]
HISTORY = {"positionMargin": "positionMargin/history", "order": "allOrders", "transfer": "transfer"}
"""Where a write is looked for, by the last word of its path."""


class World:
    """An exchange with two positions, and a line to it that breaks what it is told to."""

    def __init__(self, name: str) -> None:
        self.name, self.ground = name, GROUNDS[name]
        self.engine = self.ground.engine()
        self.pace = Stepped(self.engine, speed=FAST)
        self.line = Line(BinanceDesk(self.engine, self.pace))
        self.clock = VenueClock(self.pace)
        self.client = Client(
            dialect=SPOKEN[name].dialect,
            api_key=KEYS.key, secret=KEYS.secret, clock=self.clock, gateway=None, demo=False,
            rng=SeededRng("bad answers"), session=SocketlessSession(self.line.carry),
        )  # fmt: skip

    def venue(self) -> BinanceVenue:
        """Return an adapter that knows nothing yet, at a desk that nobody asked before."""
        self.line.desk, self.line.spoil = BinanceDesk(self.engine, self.pace), as_it_is
        budgets = self.client.dialect.budgets
        # Each example has its own minute.
        self.client.quota = Quota(budgets, SeededRng("bad answers"))
        settings = ConnectionSettings(
            account="main",
            venue=self.name,
            api_key=KEYS.key,
            secret=KEYS.secret,
            symbols=self.ground.symbols,
            wallets=("futures", "spot"),
        )
        return BinanceVenue(settings, self.client, self.clock)

    def intent(self, action: Action) -> Intent:
        now = self.pace.now()
        return Intent(
            id="plfuzz0001", decision_id="d1", account="main", action=action, written_at=now,
            sent_at=now,
        )  # fmt: skip

    def spoil(self, path: str, spoil: Callable[[str], str], *, method: str = "") -> None:
        def broken(asked: Asked, reply: Reply) -> Reply:
            if asked.path != path or method not in ("", asked.method):
                return reply
            return dataclasses.replace(reply, text=spoil(reply.text))

        self.line.spoil = broken


FRESH: dict[str, World] = {}
"""The worlds of the last examples: building one costs ten times as much as asking it."""


def a_world(venue: str) -> World:
    if venue not in FRESH:
        FRESH[venue] = World(venue)
    return FRESH[venue]


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


async def seen_under(name: str, path: str, spoil: Callable[[str], str]) -> Observation | BotError:
    world = a_world(name)
    venue = world.venue()
    world.spoil(path, spoil)
    try:
        await venue.start()
        return await venue.observe()
    except (ExchangeError, ConfigError) as error:
        return error


FEW = settings(max_examples=max(20, settings().max_examples // 8))


@pytest.mark.parametrize(("name", "path"), READ)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_is_named_or_leaves_an_observation_of_sane_numbers(
    name: str, path: str, spoil: Callable[[str], str]
) -> None:
    found = asyncio.run(seen_under(name, path, spoil))
    if isinstance(found, BotError):
        assert str(found)
        return
    for number in numbers(found):
        assert math.isfinite(number)
        assert abs(number) <= 2 * LARGEST
        assert number == 0 or abs(number) >= SMALLEST
    # Nor is what it shows too much for the arithmetic behind it.
    decide(found, Memory(), a_policy(), choose=choose)


async def sent_under(
    name: str, path: str, action: Action, spoil: Callable[[str], str]
) -> tuple[Execution, bool]:
    world = a_world(name)
    venue = world.venue()
    await venue.start()
    await venue.observe()
    applied = False

    def before(text: str) -> str:
        nonlocal applied
        applied = True
        return spoil(text)

    world.spoil(path, before, method="POST")
    execution = await venue.execute(world.intent(action), an_open_gate())
    return execution, applied


@pytest.mark.parametrize(("name", "path", "action"), WRITES, ids=str)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_to_a_write_that_took_effect_never_says_rejected(
    name: str, path: str, action: Action, spoil: Callable[[str], str]
) -> None:
    FRESH.clear()  # each write meets an exchange that can do it
    execution, was_answered = asyncio.run(sent_under(name, path, action, spoil))
    assert was_answered
    assert execution.outcome is not Outcome.REJECTED
    if execution.applied is not None:
        assert 0 <= execution.applied <= amount_of(action)


async def settled_under(
    name: str, path: str, action: Action, spoil: Callable[[str], str], *, was_sent: bool
) -> Settlement | ExchangeError:
    world = a_world(name)
    venue = world.venue()
    await venue.start()
    await venue.observe()
    intent = world.intent(action)
    if was_sent:
        await venue.execute(intent, an_open_gate())
    head, _, last = path.rpartition("/")
    world.spoil(f"{head}/{HISTORY[last]}", spoil, method="GET")
    try:
        return await venue.settle(intent)
    except ExchangeError as error:
        return error


@pytest.mark.parametrize(("name", "path", "action"), SETTLED, ids=str)
@FEW
@given(spoil=spoilings(), was_sent=st.booleans())
def test_a_broken_history_invents_no_more_than_was_asked_for(
    name: str, path: str, action: Action, spoil: Callable[[str], str], was_sent: bool
) -> None:
    FRESH.clear()
    found = asyncio.run(settled_under(name, path, action, spoil, was_sent=was_sent))
    if isinstance(found, ExchangeError):
        assert str(found)
    elif found.applied is not None:
        assert 0 <= found.applied <= amount_of(action)
