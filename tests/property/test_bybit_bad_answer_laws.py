"""Answers of Bybit broken in every way: what is broken is named, and nothing is invented."""

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
from bot.domain.action import Action, AddMargin, PlaceStop, ReducePosition, RemoveMargin, Transfer
from bot.domain.intent import Execution, Intent, Outcome, Settlement
from bot.domain.ledger import LedgerRow
from bot.domain.observation import Observation
from bot.domain.position import PositionKey, Side
from bot.errors import BotError, ConfigError, ExchangeError
from bot.exchanges.bybit.adapter import BybitVenue
from bot.exchanges.bybit.dialect import DIALECT
from bot.exchanges.client import Client
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.numbers import LARGEST, SMALLEST
from bot.exchanges.quota import Quota
from bot.paper.bybit.desk import BybitDesk
from bot.paper.desk import Asked, Reply
from bot.paper.pace import Stepped
from bot.paper.socketless import SocketlessSession
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory, amount_of
from tests.kit.builders import a_policy, choose
from tests.kit.fakes import an_open_gate
from tests.kit.paper import FAST, KEYS, START, an_engine
from tests.kit.spoiled import Line, as_it_is, spoilings

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
READ = (
    "/v5/market/time", "/v5/user/query-api", "/v5/market/instruments-info",
    "/v5/market/risk-limit", "/v5/account/fee-rate", "/v5/position/list", "/v5/account/info",
    "/v5/account/wallet-balance", "/v5/account/withdrawal",
    "/v5/asset/transfer/query-account-coins-balance", "/v5/market/tickers",
    "/v5/market/orderbook", "/v5/market/mark-price-kline", "/v5/order/realtime",
)  # fmt: skip
WRITES: tuple[tuple[str, Action], ...] = (
    ("/v5/position/add-margin", AddMargin(key=SOL, amount=D("100.0001"), currency="USDT")),
    ("/v5/position/add-margin", RemoveMargin(key=SOL, amount=D("10.0001"), currency="USDT")),
    ("/v5/order/create", ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))),
    ("/v5/asset/transfer/inter-transfer", Transfer(
        source="spot", destination="futures", amount=D(50), currency="USDT")),
    ("/v5/order/create", PlaceStop(
        key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True)),
)  # fmt: skip
HISTORY = (
    ("/v5/position/list", WRITES[0][1]),
    ("/v5/position/list", WRITES[1][1]),
    ("/v5/order/realtime", WRITES[2][1]),
    ("/v5/order/history", WRITES[2][1]),
    ("/v5/asset/transfer/query-inter-transfer-list", WRITES[3][1]),
    ("/v5/order/realtime", WRITES[4][1]),
)
LINES = ("/v5/account/transaction-log", "/v5/asset/transfer/query-inter-transfer-list")


class World:
    """An exchange with two positions, and a line to it that breaks what it is told to."""

    def __init__(self) -> None:
        self.engine = an_engine(spot="5000")
        self.engine.hold("SOLUSDT", D(50), leverage=10)
        self.engine.hold("BTCUSDT", D("-0.1"), leverage=20)
        self.engine.move_margin("SOLUSDT", "BOTH", D(100), add=True)
        self.pace = Stepped(self.engine, speed=FAST)
        self.line = Line(BybitDesk(self.engine, self.pace))
        self.clock = VenueClock(self.pace)
        self.client = Client(
            dialect=DIALECT,
            api_key=KEYS.key, secret=KEYS.secret, clock=self.clock, gateway=None, demo=False,
            rng=SeededRng("bad answers"), session=SocketlessSession(self.line.carry),
        )  # fmt: skip

    def venue(self) -> BybitVenue:
        """Return an adapter that knows nothing yet, at a desk that nobody asked before."""
        self.line.desk, self.line.spoil = BybitDesk(self.engine, self.pace), as_it_is
        self.client.quota = Quota(DIALECT.budgets, SeededRng("bad answers"))
        settings = ConnectionSettings(
            account="main",
            venue="bybit",
            api_key=KEYS.key,
            secret=KEYS.secret,
            symbols=("BTC/USDT:USDT", "SOL/USDT:USDT"),
            wallets=("futures", "spot"),
        )
        return BybitVenue(settings, self.client, self.clock)

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


def are_sane(found: Any) -> None:
    for number in numbers(found):
        assert math.isfinite(number)
        assert abs(number) <= 4 * LARGEST
        assert number == 0 or abs(number) >= SMALLEST


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
    are_sane(found)
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


@pytest.mark.parametrize(("path", "action"), WRITES, ids=[a.kind for _, a in WRITES])
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
    world.spoil(path, spoil, method="GET")
    try:
        return await venue.settle(intent)
    except ExchangeError as error:
        return error


@pytest.mark.parametrize(("path", "action"), HISTORY, ids=[f"{a.kind} {p}" for p, a in HISTORY])
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


async def lines_under(
    path: str, spoil: Callable[[str], str]
) -> tuple[LedgerRow, ...] | ExchangeError:
    world = a_world()
    venue = world.venue()
    await venue.start()
    await venue.execute(world.intent(WRITES[3][1]), an_open_gate())
    world.engine.pay_funding()
    world.spoil(path, spoil, method="GET")
    try:
        return await venue.rows(START)
    except ExchangeError as error:
        return error


@pytest.mark.parametrize("path", LINES)
@FEW
@given(spoil=spoilings())
def test_a_broken_ledger_is_named_or_leaves_lines_of_sane_numbers(
    path: str, spoil: Callable[[str], str]
) -> None:
    FRESH.clear()
    found = asyncio.run(lines_under(path, spoil))
    if isinstance(found, ExchangeError):
        assert str(found)
    else:
        are_sane(found)
        assert len({row.id for row in found}) == len(found)
