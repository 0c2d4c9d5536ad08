"""How does a card reach the adapter, and the books that judge it?

The adapter, ccxt's signing and parsers and the exchange are the ones of every other run; only
sockets are missing. Time moves when somebody waits, so that a card gives the same every time.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.cards.expect import ended
from bot.cards.scene import BARS, Scene, engine_of
from bot.cards.tongue import Forgery, No, Said, Target, Tongue
from bot.cards.tongues import tongue_of
from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.action import Action, AddMargin, ReducePosition, RemoveMargin, Transfer
from bot.domain.instrument import MarginRelease
from bot.domain.intent import Execution, Intent, Outcome, SignedRequest
from bot.domain.position import Position, PositionKey, Side
from bot.exchanges.adapter import Adapter
from bot.exchanges.connect import ConnectionSettings, connect
from bot.exchanges.gateway import look
from bot.exchanges.venues import VENUES
from bot.paper.desk import Asked, Desk, Keys, Reply
from bot.paper.engine import Engine
from bot.paper.faults import Fault, Faults, Kind
from bot.paper.fronts import FRONTS, ruled
from bot.paper.mishaps import distorted, instead
from bot.paper.socketless import Carry, SocketlessSession
from bot.paper.values import Holding

SYMBOLS = {"SOL/USDT:USDT": "SOLUSDT", "BTC/USDT:USDT": "BTCUSDT"}
"""Unified, and as the books name it; what a venue says is in its tongue."""
SOL = PositionKey("SOL/USDT:USDT", Side.LONG)
SOL_SHORT = PositionKey("SOL/USDT:USDT", Side.SHORT)
BTC = PositionKey("BTC/USDT:USDT", Side.LONG)
LATENCY_MS = 40
"""Market time that one request takes. [ms]"""
PATIENCE_MS = 3000
"""How long the client waits for an answer that does not come. [ms]"""


class CardTime:
    """Time of the exchange, moved by whoever waits; a `Clock` and a `Pace`."""

    def __init__(self, engine: Engine, *, skew: timedelta) -> None:
        self._engine, self._skew = engine, skew
        self._due: list[tuple[int, Callable[[], object]]] = []

    @property
    def now_ms(self) -> int:
        """Time of the exchange. [ms]."""
        return self._engine.now_ms

    @property
    def speed(self) -> float:
        """As fast as time itself: the window of a request is judged exactly."""
        return 1.0

    def charge(self, milliseconds: int) -> None:
        """Let time pass; what is due meanwhile happens at its own instant. [ms]."""
        until = self.now_ms + milliseconds
        for at, happen in sorted((d for d in self._due if d[0] <= until), key=lambda d: d[0]):
            self._engine.advance(max(at, self.now_ms))
            happen()
        self._due = [due for due in self._due if due[0] > until]
        self._engine.advance(until)

    def at(self, milliseconds: int, happen: Callable[[], object]) -> None:
        """Let something happen later. [ms]."""
        self._due.append((milliseconds, happen))

    def now(self) -> datetime:
        """Return what the machine's clock shows. Aware UTC."""
        return datetime.fromtimestamp(self.now_ms / 1000, UTC) + self._skew

    def monotonic(self) -> float:
        """Return a reading that only grows. [s]."""
        return self.now_ms / 1000

    async def sleep(self, seconds: float) -> None:
        """Let time pass. [s]."""
        self.charge(round(seconds * 1000))
        await asyncio.sleep(0)


class Wire:
    """What stands between adapter and exchange."""

    def __init__(self, desk: Desk, time: CardTime, tongue: Tongue) -> None:
        self._desk, self._time, self._tongue = desk, time, tongue
        self.faults = Faults()
        self.asked: list[Asked] = []
        """Every request whose first byte left."""
        self.late_ms = 0
        """How long after it left the next write arrives, when its client has given up. [ms]"""
        self.copies = 0
        """How often the next write arrives once more."""
        self.is_refusing = False
        """Whether no connection can be made."""

    async def carry(self, asked: Asked) -> Reply:
        """Bring a request to the exchange and its answer back.

        Raises:
            ConnectionRefusedError: No byte left.
            TimeoutError: No answer came in time.
        """
        if self.is_refusing:
            raise ConnectionRefusedError(111, "refused")
        look.get()()
        self.asked.append(asked)
        is_write = self._tongue.is_write(asked)
        if is_write and self.late_ms:
            self._time.at(self._time.now_ms + self.late_ms, lambda: self._desk.answer(asked))
            self.late_ms = 0
            self._time.charge(PATIENCE_MS)
            raise TimeoutError
        self._time.charge(LATENCY_MS)
        fault = self.faults.choose(asked.method, asked.path, self._time.now_ms)
        if fault is not None and fault.kind == "abort":
            self._time.charge(PATIENCE_MS)
            raise TimeoutError
        reply = None if fault is None else instead(fault, self._desk, asked)
        if reply is None:
            reply = self._desk.answer(asked)
            if is_write and self.copies:
                self.copies -= 1
                self._desk.answer(asked)
        if fault is not None and fault.kind == "abort_after":
            self._time.charge(PATIENCE_MS)
            raise TimeoutError
        return reply if fault is None else distorted(fault, self._desk, asked, reply)


@dataclass(slots=True)
class OpenGate:
    """Lets everything pass and keeps what was signed."""

    request: SignedRequest | None = None

    async def sent(self, request: SignedRequest) -> None:
        """Keep it."""
        self.request = request

    def last_look(self) -> None:
        """Let it pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """What a test puts between, to see a card fail; by default nothing.

    Attributes:
        carry: Stands before the wire.
        prepare: Has the exchange before anything is held.
    """

    carry: Callable[[Carry], Carry] = lambda carry: carry
    prepare: Callable[[Engine], None] = lambda _: None


NEUTRAL = Seam()
"""Nothing is between."""


@dataclass(slots=True, kw_only=True)
class Bench:
    """One exchange, the adapter connected to it, and its books.

    Attributes:
        engine: The exchange; what it holds is the truth.
        desk: Its front.
        wire: The way to it.
        time: Its clock.
        venue: The adapter.
        tongue: What its venue says its own way.
        keys: Which it is signed with.
        folder: For files of one card.
    """

    engine: Engine
    desk: Desk
    wire: Wire
    time: CardTime
    venue: Adapter
    tongue: Tongue
    keys: Keys
    folder: Path
    _carry: Carry
    _sent: int = 0
    _opened: list[Adapter] = field(default_factory=list)

    # acting

    def intent(self, action: Action, name: str = "") -> Intent:
        """Return an intent under a new name, or the given one."""
        self._sent += 1
        now = datetime.fromtimestamp(self.time.now_ms / 1000, UTC)
        return Intent(
            id=name or f"plcard0001{self._sent:06d}",
            decision_id="card",
            account="main",
            action=action,
            written_at=now,
            sent_at=now,
        )

    async def send(self, action: Action, name: str = "") -> tuple[Execution, Intent]:
        """Send an action; return what that brought and the intent as it was signed."""
        intent, gate = self.intent(action, name), OpenGate()
        done = await self.venue.execute(intent, gate)
        signed_at = intent.sent_at if gate.request is None else gate.request.signed_at
        return done, replace(intent, sent_at=signed_at)

    async def reduced(self, action: ReducePosition) -> tuple[Decimal | None, Intent]:
        """Send a reduction that the venue takes; return what was filled, and the intent. [base].

        Raises:
            CardError: It did not take it.
        """
        done, intent = await self.send(action)
        ended(done, Outcome.DONE)
        return done.applied, intent

    async def settle(self, intent: Intent) -> Decimal | None:
        """Return what history says of an intent."""
        return (await self.venue.settle(intent)).applied

    async def position(self, key: PositionKey = SOL) -> Position:
        """Return a position as the adapter sees it.

        Raises:
            LookupError: It sees none.
        """
        seen = await self.venue.observe()
        return next(p for p in seen.account.positions if p.key == key)

    async def again(self) -> Adapter:
        """Return a second adapter of the same account, as after a restart."""
        found = await _connected(self._carry, self.time, self.keys, self.tongue)
        self._opened.append(found)
        return found

    async def close(self) -> None:
        """Release what is open."""
        for venue in (self.venue, *self._opened):
            await venue.close()

    def revoke(self) -> None:
        """Let the venue not know the key any more."""
        self.desk.keys = replace(self.keys, is_valid=False)

    def let_withdraw(self) -> None:
        """Give the key the right to withdraw."""
        self.desk.keys = replace(self.keys, may_withdraw=True)

    def named(self, key: PositionKey = SOL) -> Side | None:
        """Return the leg that a move of its margin must name; ``None`` for none."""
        return key.side if self.engine.hedge_mode or self.tongue.names_leg else None

    # the books

    def holding(self, key: PositionKey = SOL) -> Holding | None:
        """Return a position as the exchange has it; ``None`` where there is none."""
        leg = "BOTH"
        if self.engine.hedge_mode:
            leg = "LONG" if key.side is Side.LONG else "SHORT"
        return self.engine.holdings.get((SYMBOLS[key.symbol], leg))

    def held(self, key: PositionKey = SOL) -> Holding:
        """Return a position as the exchange has it.

        Raises:
            LookupError: There is none.
        """
        holding = self.holding(key)
        if holding is None:
            raise LookupError(f"books must have {key}, have not")
        return holding

    def margin(self, key: PositionKey = SOL) -> Decimal:
        """Return the margin of a position in the books; 0 where there is none. [USDT]."""
        holding = self.holding(key)
        return Decimal(0) if holding is None else holding.margin

    def size(self, key: PositionKey = SOL) -> Decimal:
        """Return the signed size of a position in the books. [base]."""
        holding = self.holding(key)
        return Decimal(0) if holding is None else holding.amount

    def money(self) -> Decimal:
        """Return all wallets, margins and what is on its way. [USDT]."""
        engine = self.engine
        return engine.wallet_balance() + engine.spot["USDT"] + engine.in_transit()

    def writes(self) -> list[Said]:
        """Return what each write said that left."""
        return [self.tongue.said(asked) for asked in self.wire.asked if self.tongue.is_write(asked)]

    async def rest(self) -> None:
        """Wait until the venue's smallest budgets are full again."""
        await self.time.sleep(self.tongue.rest)

    # in this venue's words

    def code(self, no: No) -> str:
        """Return the code by which the venue says no."""
        return self.tongue.codes[no]

    @property
    def finest(self) -> Decimal:
        """Return the step of the venue's wallets. [USDT]."""
        return self.tongue.finest

    def fine(self, cents: str, steps: int) -> Decimal:
        """Return an amount with all digits that the bot plans with at this venue. [USDT].

        Args:
            cents: The amount without them.
            steps: How many of the finest steps more.
        """
        return Decimal(cents) + steps * VENUES[self.tongue.venue].collateral_step

    def marked(self, number: int = 0) -> Decimal:
        """Return one of the amounts with digits of their own, as the bot's have. [USDT]."""
        return self.fine("12.34", 567 + 8 * number)

    def mishap(
        self,
        kind: Kind,
        target: Target | None,
        *,
        times: int | None = 1,
        rewrite: Callable[[str], str] = str,
    ) -> Fault:
        """Let requests of a kind go wrong, or with ``None`` all."""
        method, path = ("", "") if target is None else self.tongue.targets[target]
        fault = Fault(kind=kind, method=method, path=path, times=times, rewrite=rewrite)
        return self.wire.faults.add(fault)

    def forge(self, forgery: Forgery) -> Fault:
        """Let answers say something else from now on."""
        fault = Fault(kind="rewrite", path=forgery.path, rewrite=forgery.rewrite)
        return self.wire.faults.add(fault)

    def relist(self, target: Target, change: Callable[[list[Any]], list[Any]]) -> Fault:
        """Let the rows that are listed in answers be others from now on."""

        def rewrite(text: str) -> str:
            body = json.loads(text)
            rows = self.tongue.rows(body)
            rows[:] = change(rows)
            return json.dumps(body)

        return self.mishap("rewrite", target, times=None, rewrite=rewrite)


@contextlib.asynccontextmanager
async def bench_of(scene: Scene, seam: Seam = NEUTRAL, *, venue: str) -> AsyncIterator[Bench]:
    """Connect the adapter of a venue to the exchange of a scene."""

    def prepare(engine: Engine) -> None:
        seam.prepare(ruled(venue, engine))

    tongue, engine = tongue_of(venue), engine_of(scene, prepare)
    time = CardTime(engine, skew=timedelta(seconds=scene.skew_seconds))
    desk = FRONTS[venue].desk(engine, time)
    wire = Wire(desk, time, tongue)
    carry = seam.carry(wire.carry)
    with TemporaryDirectory(prefix="plimsoll-card-") as folder:
        adapter = await _connected(carry, time, desk.keys, tongue)
        bench = Bench(
            engine=engine,
            desk=desk,
            wire=wire,
            time=time,
            venue=adapter,
            tongue=tongue,
            keys=desk.keys,
            folder=Path(folder),
            _carry=carry,
        )
        try:
            yield bench
        finally:
            await bench.close()


async def _connected(carry: Carry, time: CardTime, keys: Keys, tongue: Tongue) -> Adapter:
    settings = ConnectionSettings(
        account="main",
        venue=tongue.venue,
        api_key=keys.key,
        secret=keys.secret,
        password=keys.password,
        symbols=tuple(SYMBOLS),
        wallets=("futures", "spot"),
        margin_release=MarginRelease.UNKNOWN,
        bars=BARS,
    )
    session = SocketlessSession(carry)
    return await connect(settings, VenueClock(time), rng=SeededRng("cards"), session=session)


def add(amount: str | Decimal, key: PositionKey = SOL) -> AddMargin:
    """Return an addition. [USDT]."""
    return AddMargin(key=key, amount=Decimal(amount), currency="USDT")


def remove(amount: str | Decimal, key: PositionKey = SOL) -> RemoveMargin:
    """Return a removal. [USDT]."""
    return RemoveMargin(key=key, amount=Decimal(amount), currency="USDT")


def reduce(size: str, key: PositionKey = SOL, price: str = "") -> ReducePosition:
    """Return a reduction that takes any price near mark, or none beyond the given one. [base]."""
    near = {SOL: "148.50", SOL_SHORT: "151.50", BTC: "59400.00"}[key]
    return ReducePosition(key=key, size=Decimal(size), limit_price=Decimal(price or near))


def transfer(amount: str | Decimal, source: str = "spot", destination: str = "futures") -> Transfer:
    """Return a transfer. [USDT]."""
    return Transfer(source=source, destination=destination, amount=Decimal(amount), currency="USDT")
