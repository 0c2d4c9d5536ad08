import asyncio
import dataclasses
import math
from collections.abc import Callable
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action, AddMargin, CancelStop, PlaceStop, ReducePosition, Transfer
from bot.domain.intent import Execution, Intent, Outcome, Settlement
from bot.domain.ledger import LedgerRow
from bot.domain.observation import Observation
from bot.domain.position import PositionKey, Side
from bot.errors import BotError, ConfigError, ExchangeError
from bot.exchanges.client import Client
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.numbers import LARGEST, SMALLEST
from bot.exchanges.okx.adapter import OkxVenue
from bot.exchanges.okx.dialect import DIALECT
from bot.exchanges.quota import Quota
from bot.paper.desk import Asked, Reply
from bot.paper.fronts import ruled
from bot.paper.okx.desk import OkxDesk
from bot.paper.pace import Stepped
from bot.paper.socketless import SocketlessSession
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory, amount_of
from tests.kit.builders import a_policy, choose
from tests.kit.fakes import an_open_gate
from tests.kit.paper import FAST, KEYS, NAME, an_engine
from tests.kit.spoiled import Line, as_it_is, spoilings
from tests.property.test_bad_answer_laws import numbers

SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
READ = (
    "public/time", "account/config", "account/trade-fee", "public/instruments",
    "public/position-tiers", "account/positions", "account/balance",
    "account/account-position-risk", "asset/balances", "public/mark-price",
    "market/index-tickers", "market/books", "market/mark-price-candles", "public/funding-rate",
    "trade/orders-algo-pending",
)  # fmt: skip
STOP = PlaceStop(key=SOL, size=D(50), stop_price=D("140.00"), is_needed=True)
WRITES: tuple[tuple[str, Action], ...] = (
    ("account/position/margin-balance",
        AddMargin(key=SOL, amount=D("100.00"), currency="USDT")),
    ("trade/order", ReducePosition(key=SOL, size=D(7), limit_price=D("149.00"))),
    ("asset/transfer", Transfer(
        source="spot", destination="futures", amount=D(50), currency="USDT")),
    ("trade/order-algo", STOP),
    ("trade/cancel-algos", CancelStop(key=SOL, stop_id="3", client_id="plfuzz0002")),
)  # fmt: skip
HISTORY: tuple[tuple[str, Action], ...] = (
    ("account/bills", WRITES[0][1]),
    ("trade/order", WRITES[1][1]),
    ("asset/transfer-state", WRITES[2][1]),
    ("trade/order-algo", STOP),
    ("trade/orders-algo-pending", STOP),
)


class World:
    """An exchange with two positions, and a line to it that breaks what it is told to."""

    def __init__(self) -> None:
        self.engine = ruled("okx", an_engine(spot="5000"))
        self.engine.hold("SOLUSDT", D(50), leverage=10)
        self.engine.hold("BTCUSDT", D("-0.1"), leverage=20)
        self.pace = Stepped(self.engine, speed=FAST)
        self.line = Line(OkxDesk(self.engine, self.pace))
        self.clock = VenueClock(self.pace)
        self.client = Client(
            dialect=DIALECT,
            api_key=KEYS.key, secret=KEYS.secret, password=KEYS.password, clock=self.clock,
            gateway=None, demo=False, rng=SeededRng("bad answers"),
            session=SocketlessSession(self.line.carry),
        )  # fmt: skip

    def venue(self) -> OkxVenue:
        """Return an adapter that knows nothing yet, at a desk that nobody asked before."""
        self.line.desk, self.line.spoil = OkxDesk(self.engine, self.pace), as_it_is
        # Each example has its own seconds.
        self.client.quota = Quota(DIALECT.budgets, SeededRng("bad answers"))
        self.client.api.plimsoll_quota = self.client.quota
        settings = ConnectionSettings(
            account="main",
            venue="okx",
            api_key=KEYS.key,
            secret=KEYS.secret,
            password=KEYS.password,
            symbols=("BTC/USDT:USDT", "SOL/USDT:USDT"),
            wallets=("futures", "spot"),
            bars=24,
        )
        return OkxVenue(settings, self.client, self.clock)

    def intent(self, action: Action) -> Intent:
        now = self.pace.now()
        return Intent(
            id="plfuzz0001", decision_id="d1", account="main", action=action, written_at=now,
            sent_at=now,
        )  # fmt: skip

    def spoil(self, path: str, spoil: Callable[[str], str], *, method: str = "") -> None:
        def broken(asked: Asked, reply: Reply) -> Reply:
            if asked.path != f"/api/v5/{path}" or method not in ("", asked.method):
                return reply
            return dataclasses.replace(reply, text=spoil(reply.text))

        self.line.spoil = broken


FRESH: list[World] = []
"""The world of the last example: building one costs ten times as much as asking it."""


def a_world() -> World:
    if not FRESH:
        FRESH[:] = [World()]
    return FRESH[0]


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
    assert f"/api/v5/{path}" in a_world().line.paths
    if isinstance(found, BotError):
        assert str(found)
        return
    for number in numbers(found):
        assert math.isfinite(number)
        assert abs(number) <= 2 * LARGEST**2  # of a size: contracts times coins
        assert number == 0 or abs(number) >= SMALLEST**2
    # Nor is what it shows too much for the arithmetic behind it.
    decide(found, Memory(), a_policy(), choose=choose)


async def sent_under(
    path: str, action: Action, spoil: Callable[[str], str]
) -> tuple[Execution, bool]:
    world = a_world()
    venue = world.venue()
    await venue.start()
    await venue.observe()
    if isinstance(action, CancelStop):
        await venue.execute(dataclasses.replace(world.intent(STOP), id=NAME), an_open_gate())
        (number,) = (number for number, o in world.engine.orders.items() if o.is_open)
        action = dataclasses.replace(action, stop_id=str(number))
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
    world.spoil(path, spoil, method="GET")
    try:
        return await venue.settle(intent)
    except ExchangeError as error:
        return error


@pytest.mark.parametrize(("path", "action"), HISTORY, ids=[path for path, _ in HISTORY])
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


async def rows_under(spoil: Callable[[str], str]) -> tuple[LedgerRow, ...] | ExchangeError:
    world = a_world()
    venue = world.venue()
    await venue.start()
    since = world.pace.now()
    await venue.execute(world.intent(WRITES[0][1]), an_open_gate())
    world.spoil("account/bills", spoil)
    try:
        return await venue.rows(since)
    except ExchangeError as error:
        return error


@FEW
@given(spoil=spoilings())
def test_a_broken_ledger_is_named_or_has_lines_of_sane_numbers(
    spoil: Callable[[str], str],
) -> None:
    FRESH.clear()
    found = asyncio.run(rows_under(spoil))
    if isinstance(found, ExchangeError):
        assert str(found)
        return
    for row in found:
        assert row.amount.is_finite()
        assert row.amount
