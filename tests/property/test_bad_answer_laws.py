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
from bot.exchanges.binance.dialect import DIALECT
from bot.exchanges.client import Client
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.numbers import LARGEST, SMALLEST
from bot.exchanges.quota import Quota
from bot.paper.binance.desk import BinanceDesk
from bot.paper.desk import Asked, Reply
from bot.paper.pace import Stepped
from bot.paper.socketless import SocketlessSession
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory, amount_of
from tests.kit.builders import a_policy, choose
from tests.kit.fakes import an_open_gate
from tests.kit.paper import FAST, KEYS, an_engine
from tests.kit.spoiled import Line, as_it_is, spoilings

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
BTC = PositionKey("BTC/USDT:USDT", Side.SHORT)
READ = (
    "/fapi/v1/time", "/sapi/v1/account/apiRestrictions", "/fapi/v1/exchangeInfo",
    "/fapi/v1/leverageBracket", "/fapi/v1/positionSide/dual", "/fapi/v1/symbolConfig",
    "/fapi/v3/positionRisk", "/fapi/v3/account", "/sapi/v3/asset/getUserAsset",
    "/fapi/v1/premiumIndex", "/fapi/v1/depth", "/fapi/v1/markPriceKlines",
    "/fapi/v1/openAlgoOrders",
)  # fmt: skip
WRITES: tuple[tuple[str, Action], ...] = (
    ("/fapi/v1/positionMargin", AddMargin(key=SOL, amount=D("100.00"), currency="USDT")),
    ("/fapi/v1/order", ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))),
    ("/sapi/v1/asset/transfer", Transfer(
        source="spot", destination="futures", amount=D(50), currency="USDT")),
    ("/fapi/v1/algoOrder", PlaceStop(
        key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True)),
)  # fmt: skip
HISTORY = {
    "/fapi/v1/positionMargin": "/fapi/v1/positionMargin/history",
    "/fapi/v1/order": "/fapi/v1/allOrders",
    "/sapi/v1/asset/transfer": "/sapi/v1/asset/transfer",
}


class World:
    """An exchange with two positions, and a line to it that breaks what it is told to."""

    def __init__(self) -> None:
        self.engine = an_engine(spot="5000")
        self.engine.hold("SOLUSDT", D(50), leverage=10)
        self.engine.hold("BTCUSDT", D("-0.1"), leverage=20)
        self.pace = Stepped(self.engine, speed=FAST)
        self.line = Line(BinanceDesk(self.engine, self.pace))
        self.clock = VenueClock(self.pace)
        self.client = Client(
            dialect=DIALECT,
            api_key=KEYS.key, secret=KEYS.secret, clock=self.clock, gateway=None, demo=False,
            rng=SeededRng("bad answers"), session=SocketlessSession(self.line.carry),
        )  # fmt: skip

    def venue(self) -> BinanceVenue:
        """Return an adapter that knows nothing yet, at a desk that nobody asked before."""
        self.line.desk, self.line.spoil = BinanceDesk(self.engine, self.pace), as_it_is
        self.client.quota = Quota(
            DIALECT.budgets, SeededRng("bad answers")
        )  # each example has its own minute
        settings = ConnectionSettings(
            account="main",
            venue="binanceusdm",
            api_key=KEYS.key,
            secret=KEYS.secret,
            symbols=("BTC/USDT:USDT", "SOL/USDT:USDT"),
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


FRESH: list[World] = []
"""The world of the last example: building one costs ten times as much as asking it."""


def a_world() -> World:
    if not FRESH:
        FRESH[:] = [World()]
    return FRESH[0]


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


async def seen_under(path: str, spoil: Callable[[str], str]) -> Observation | BotError:
    world = a_world()
    venue = world.venue()
    world.spoil(path, spoil)
    try:
        await venue.start()
        return await venue.observe()
    except (ExchangeError, ConfigError) as error:
        return error


FEW = settings(max_examples=max(20, settings().max_examples // 8))


@pytest.mark.parametrize("path", READ)
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_is_named_or_leaves_an_observation_of_sane_numbers(
    path: str, spoil: Callable[[str], str]
) -> None:
    found = asyncio.run(seen_under(path, spoil))
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
    path: str, action: Action, spoil: Callable[[str], str]
) -> tuple[Execution, bool]:
    world = a_world()
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


@pytest.mark.parametrize(("path", "action"), WRITES, ids=[path for path, _ in WRITES])
@FEW
@given(spoil=spoilings())
def test_a_broken_answer_to_a_write_that_took_effect_never_says_rejected(
    path: str, action: Action, spoil: Callable[[str], str]
) -> None:
    FRESH.clear()  # each write meets an exchange that can do it
    execution, was_answered = asyncio.run(sent_under(path, action, spoil))
    assert was_answered
    assert execution.outcome is not Outcome.REJECTED
    if execution.applied is not None:
        assert 0 <= execution.applied <= amount_of(action)


async def settled_under(
    path: str, action: Action, spoil: Callable[[str], str], *, was_sent: bool
) -> Settlement | ExchangeError:
    world = a_world()
    venue = world.venue()
    await venue.start()
    await venue.observe()
    intent = world.intent(action)
    if was_sent:
        await venue.execute(intent, an_open_gate())
    world.spoil(HISTORY[path], spoil, method="GET")
    try:
        return await venue.settle(intent)
    except ExchangeError as error:
        return error


@pytest.mark.parametrize(("path", "action"), WRITES[:3], ids=[path for path, _ in WRITES[:3]])
@FEW
@given(spoil=spoilings(), was_sent=st.booleans())
def test_a_broken_history_invents_no_more_than_was_asked_for(
    path: str, action: Action, spoil: Callable[[str], str], was_sent: bool
) -> None:
    FRESH.clear()
    found = asyncio.run(settled_under(path, action, spoil, was_sent=was_sent))
    if isinstance(found, ExchangeError):
        assert str(found)
    elif found.applied is not None:
        assert 0 <= found.applied <= amount_of(action)
