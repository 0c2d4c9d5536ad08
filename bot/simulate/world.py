"""What happens in one world, and does everything hold there that must?"""

import asyncio
import contextvars
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot import bootstrap
from bot.chance import SeededRng
from bot.clock import VenueClock
from bot.domain.lease import Terms
from bot.domain.switch import Switches
from bot.errors import BotError, InUse
from bot.exchanges.connect import GatewaySettings, connect
from bot.execute.transit import imbalance
from bot.journal.authority import LeaseKeeper
from bot.journal.epochs import begin_epoch, next_sequence
from bot.journal.lease import read as read_lease
from bot.journal.queries import JournalReader
from bot.journal.sqlite import SqliteJournal
from bot.judge.writers import Write, overlaps
from bot.loop import Loop
from bot.paper.binance.desk import BinanceDesk
from bot.paper.socketless import SocketlessSession
from bot.paper.values import Refused
from bot.settings import Loaded
from bot.simulate.beliefs import beliefs
from bot.simulate.books import Books, disagreements
from bot.simulate.case import Case
from bot.simulate.disk import NAME, Disk, NoLock, NoNote, Writes
from bot.simulate.events import FROZEN, happen, heal
from bot.simulate.loop import VirtualLoop
from bot.simulate.machine import START, Board, Machine, Pace, Seen
from bot.simulate.network import Network, Sent
from bot.simulate.operations import Operation
from bot.simulate.process import KilledError, Process
from bot.simulate.stage import configured, engine_of, feed_of
from bot.simulate.trace import Trace
from bot.simulate.weather import Read, Weather

ONE_RUN, SOME_RUNS = Decimal("0.5"), Decimal("0.75")
"""Of a venue's limit what one run may use in a minute, and what all may where it was started again:
to a run those before it are somebody else. [ratio]"""
SETTLED_WITHIN = 120.0
"""After the last fault everything must be settled within this. [s]"""
SEEN_WITHIN = 20.0
"""What a person moves in fair weather is told within this. [s]"""
WARY = timedelta(minutes=10)
"""So long after somebody else moved something only protective acts are allowed."""
SLACK = timedelta(seconds=15)
"""The first polls after that."""
EVENT_SHARE = 0.7
"""Of the writes of an aimed case its event is drawn for. [ratio]"""
LOCKED_FOR = 5.0
"""Another program holds the database so long. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one world.

    Attributes:
        seed: It was made from.
        violations: What must not be, in words; empty is good.
        digest: Of everything that happened.
        polls: Decisions recorded.
        seconds: Virtual time. [s]
        starts: Processes that lived.
        actions: Writes that took effect, by kind.
        faults: Faults that hit a write, by kind.
        hits: How often the fault or event of an aimed case hit.
        struck: Which faults of the wire hit which writes: names of cells.
        sent: Writes of the kind an aimed case is about whose first byte left.
        settling: From the end of the storm until everything was settled. [s]
    """

    seed: int
    violations: tuple[str, ...]
    digest: str
    polls: int
    seconds: float
    starts: int
    actions: dict[str, int]
    faults: dict[str, int]
    hits: int = 0
    struck: frozenset[str] = frozenset()
    sent: int = 0
    settling: float = 0.0


class World:
    """One exchange, one disk, and the processes that come and go."""

    def __init__(self, case: Case, loaded: Loaded, loop: VirtualLoop) -> None:
        self.case, self.loop = case, loop
        self.trace = Trace()
        self.violations: list[str] = []
        self.feed = feed_of(case)
        self.engine = engine_of(case, self.feed)
        self.seen = Seen(engine=self.engine, check=self._check_books)
        self.pace = Pace(loop=loop)
        self.chance = random.Random(f"world {case.seed}")
        self.weather = Weather(
            random.Random(f"weather {case.seed}"),
            rates=case.rates,
            patience=case.patience,
            target=case.target,
        )
        self.books = Books(self.engine)
        self.network = Network(
            desk=BinanceDesk(self.engine, self.pace),
            weather=self.weather,
            chance=random.Random(f"network {case.seed}"),
            trace=self.trace,
            advance=self.advance,
            around=self.books.around,
            before=self._before_write,
            is_under_way=self._is_under_way,
        )
        self.hits = 0
        self.settling = 0.0
        self.disk = Disk(instance=f"{case.seed % 36**4:04d}"[-4:], at=START)
        self.disk.fails_at = set(case.disk_fails)
        self.loaded = configured(loaded, case)
        self.crash = case.crash
        self.starts = 0
        self.processes: list[Process] = []
        """Those that are alive."""
        self.process: Process | None = None
        """The one whose run began last; before that, the one that started last."""
        self.running: Loop | None = None
        """Of that run; ``None`` once it ended."""
        self.supervisors: list[asyncio.Task[None]] = []
        self.is_second_due = False
        self.is_over = self.is_calm = self.is_locked = False
        self.persons: list[float] = []
        self.switches = Board()
        self.killed_at: float | None = None

    def advance(self) -> None:
        """Move the market to the present."""
        self.engine.advance(self.pace.now_ms)
        self.books.look()

    async def live(self) -> None:
        """Run the storm, then the calm, then judge."""
        self._supervise_on("first")
        for at in self.case.person:
            self.loop.call_later(at, self._person)
        if self.case.killed_at is not None:
            self.loop.call_later(self.case.killed_at, self._kill)
        if self.case.second is not None:
            self.loop.call_later(abs(self.case.second), self._second)
        await asyncio.sleep(self.case.storm)
        # A person looks, takes a kill back and lets a bot go on that had to stop for one.
        self.switches.state = Switches(resumed_at=START + timedelta(seconds=self.loop.time()))
        self.is_calm = True
        heal(self)
        self.weather.calm()
        self.crash, self.disk.fails_at = 0.0, set()
        for process in self.processes:
            process.calm()
        began = self.loop.time()
        while self._unsettled():
            if self.loop.time() >= self._calm_since(began) + SETTLED_WITHIN:
                break
            await asyncio.sleep(1.0)
        self.settling = self.loop.time() - began
        self.violations += [f"liveness: {text}" for text in self._unsettled()]
        self.is_over = True
        if self.running is not None:
            self.running.stop()
        _, going_on = await asyncio.wait(self.supervisors, timeout=60)
        if going_on:
            self.violations.append("liveness: the bot does not stop")
            for process in list(self.processes):
                process.kill("end of the world")
        self.advance()
        self._judge()

    def _calm_since(self, began: float) -> float:
        """Return when nothing went wrong any more. [s].

        A ban is over when the venue said so, not when the weather changes; the answer that says it
        may have been on its way then.
        """
        return max([began, *(self.network.told(process) for process in self.processes)])

    def _supervise_on(self, machine: str) -> None:
        # Whoever calls may be in the middle of a write, which belongs to that process alone.
        nothing = contextvars.Context()
        task = self.loop.create_task(
            self._supervise(machine), name=f"supervisor {machine}", context=nothing
        )
        self.supervisors.append(task)

    async def _supervise(self, machine: str) -> None:
        """Start the bot again whenever it ends, as a container's restart policy does."""
        while not self.is_over:
            self.starts += 1
            process = Process(
                f"bot {self.starts}",
                machine=machine,
                chance=random.Random(f"process {self.case.seed} {self.starts}"),
                crash=self.crash,
            )
            self.processes.append(process)
            if self.running is None:
                self.process = process
            self.trace.add("start", process.name, f"{self.loop.time():.6f}")
            task = process.start(self._bot(process))
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            self.trace.add("end", process.name, f"{self.loop.time():.6f}", repr(outcome)[:200])
            expected = KilledError | asyncio.CancelledError | BotError
            if outcome is not None and not isinstance(outcome, expected):
                self.violations.append(f"a fault of ours: {outcome!r}")
            if process.died_at:
                self.disk.lose_unsynced()
            process.kill("ended")
            self.processes.remove(process)
            if self.process is process:
                self.running = None
            if not self.is_over:
                is_taken = isinstance(outcome, InUse)
                await asyncio.sleep(self.chance.uniform(1.0, 5.0) * (4 if is_taken else 1))

    async def _bot(self, process: Process) -> None:
        """Live one life, from start to end, as `bootstrap.run` does."""
        self.machine = Machine(loop=self.loop, process=process, skew=self.case.skew)
        clock = VenueClock(self.machine)
        settings = bootstrap.connection_of(self.loaded.settings, GATEWAY)
        rng = SeededRng(f"ban {self.case.seed} {process.name}")
        session = SocketlessSession(lambda asked: self.network.carry(asked, process))
        venue = await connect(settings, clock, rng=rng, session=session)
        claim = await bootstrap.claim_to(
            lambda: read_lease(self.disk.connection),
            clock,
            machine=process.machine,
            name=process.name,
            sinks=[self.seen],
            terms=Terms(window=venue.window),
        )
        if self.is_over:
            return
        ids, _ = self.disk.commit(lambda connection: begin_epoch(connection, claim))
        process.epoch = ids.epoch
        journal = SqliteJournal(
            writer=Writes(disk=self.disk, process=process, delay=self._disk_delay),
            lock=NoLock(),
            noted=NoNote(),
            ids=ids,
            next_seq=next_sequence(self.disk.connection),
            held=claim.lease(ids.epoch),
        )
        reader = JournalReader(self.disk.connection, path=NAME)
        memory = bootstrap.memory_left_behind(reader, self.loaded.settings.accounts[0].name)
        loop = bootstrap.assemble(
            self.loaded,
            strategy=bootstrap.strategy_of(self.loaded.settings),
            venue=venue,
            journal=journal,
            ids=ids,
            first_sequence=journal.next_seq,
            clock=clock,
            sinks=[self.seen],
            memory=memory,
            switchboard=self.switches,
            watchdog=process,
            authority=LeaseKeeper(journal, clock, is_shared=True),
        )
        await loop.recover()
        self.process, self.running = process, loop
        await loop.run(bootstrap.pace_of(self.loaded.settings))
        await venue.close()

    def _disk_delay(self) -> float:
        if self.is_locked:
            self.is_locked = False
            return LOCKED_FOR
        return self.chance.uniform(0.0, self.case.disk_delay)

    def _is_under_way(self, operation: Operation) -> bool:
        """Whether an intent of this kind is written and not settled."""
        return any(
            json.loads(action)["kind"] == operation.value
            for (action,) in self.disk.connection.execute(
                "SELECT action FROM intents WHERE state IN ('written', 'sent', 'unknown', 'done')"
            )
        )

    def succeed(self, process: Process) -> None:
        """Let a process stand still, and another machine take over what it has."""
        process.freeze(FROZEN)
        self.trace.add("second", process.name, f"{self.loop.time():.6f}")
        self._supervise_on("second")

    def _second(self) -> None:
        """Begin the takeover of the case: now, or with the next write."""
        self.is_second_due = True
        if self.case.second is not None and self.case.second > 0 and self.process is not None:
            self.is_second_due = False
            self.succeed(self.process)

    async def _before_write(self, operation: Operation, process: Process) -> None:
        """Let the event of the case happen, sometimes, when its operation is about to leave."""
        if self.is_second_due and not self.is_calm:
            self.is_second_due = False
            self.succeed(process)
        event = self.case.event
        if event is None or operation is not self.case.target or self.is_calm or self.hits:
            return
        if self.chance.random() < EVENT_SHARE:
            self.hits += 1
            self.trace.add("event", event.value)
            happen(event, self, process)

    def _kill(self) -> None:
        """A person says kill."""
        if not self.is_calm:
            self.switches.state = Switches(killed=True, why="a person")
            self.killed_at = self.loop.time()

    def _person(self) -> None:
        """A person adds a round amount of margin at the venue."""
        self.advance()
        self.person_moves(Decimal(7))

    def person_moves(self, amount: Decimal) -> None:
        """A person adds margin to one of the positions, if there is enough."""
        held = list(self.engine.holdings.values())
        if held:
            holding = self.chance.choice(held)
            try:
                self.engine.move_margin(holding.symbol, holding.side, amount, add=True)
            except Refused:
                return
            self.books.look(by_bot=False)
            self.persons.append(self.loop.time())

    def _unsettled(self) -> list[str]:
        """Return what is not as it should be when nothing goes wrong any more."""
        found = [
            f"intent {name} is {state}"
            for name, state in self.disk.connection.execute(
                "SELECT id, state FROM intents"
                " WHERE state IN ('written', 'sent', 'unknown', 'done')"
            )
        ]
        found += [f"{process.name} stands still" for process in self.processes if process.is_frozen]
        if not self.seen.records or self.running is None:
            return [*found, "no decision"]
        last = self.seen.records[-1]
        if last["mode"] != "normal" and not (last["mode"] == "degraded" and self._is_wary()):
            found.append(f"mode is {last['mode']}")
        found += disagreements(self.running.books, self.engine)
        if last["verdict"] == "not_ready":
            found.append(f"not ready: {last['reason']}")
        found += [
            f"{p['symbol']} {p['side']} stands at {p['distance']}, trigger {p['band']['trigger']}"
            for p in last["positions"]
            if p["band"] is not None
            and p["distance"] is not None
            and Decimal(p["distance"]) < Decimal(p["band"]["trigger"])
            and not last["refusals"]
        ]
        return found

    def _is_wary(self) -> bool:
        """Whether the bot has seen somebody else move something a short while ago."""
        now = START + timedelta(seconds=self.loop.time())
        seen = [alarm.at for alarm in self.seen.alarms if alarm.code == "foreign_move"]
        return any(now - at <= WARY + SLACK for at in seen)

    def _unseen(self) -> list[str]:
        """Return what a person moved in fair weather and the bot never told anybody."""
        if self.case.rates or self.case.crash or self.case.event or self.starts > 1:
            return []
        told = sum(alarm.code == "foreign_move" for alarm in self.seen.alarms)
        moved = [at for at in self.persons if at < self.case.storm - SEEN_WITHIN]
        missed = len(moved) - told
        return [f"F36: {missed} moves of a person were not seen"] if missed > 0 else []

    def _check_books(self) -> None:
        """Look at the bot's own books: they make nothing and lose nothing."""
        books = None if self.running is None else self.running.books
        if books is not None and (gap := imbalance(books.ledger, "USDT")):
            self.violations.append(f"I4: the bot's books are off by {gap}")

    def _judge(self) -> None:
        self.violations += self._unseen()
        limits = self.loaded.settings.limits
        self.violations += self.books.faults(
            self.network.writes,
            margin_per_hour=limits.max_margin_per_hour,
            margin_per_day=limits.max_margin_per_day,
            floors=dict(self.case.reserves),
        )
        self.violations += beliefs(self.disk.connection, self.network.writes, self.engine)
        self.violations += self.seen.blind[:1]
        self.violations += self.network.disobeyed[:1]
        self.violations += [
            f"P18: {weights.most} of {weights.limit} {name} weight was used in one minute"
            for name, weights in self.network.desk.weights.items()
            if weights.most > weights.limit * (ONE_RUN if self.starts == 1 else SOME_RUNS)
        ]
        self.violations += overlaps([_as_write(sent) for sent in self.network.writes])
        if self.killed_at is not None:
            self.violations += [
                f"I15: {w.method} {w.path} left {w.at - self.killed_at:.3f} s after the kill"
                for w in self.network.writes
                if self.killed_at < w.at < self.case.storm
            ]
        self.trace.add("end", self.books.digest(), _dump(self.disk.connection))


GATEWAY = GatewaySettings(address="127.0.0.1:1", ca_file=NAME)


def run(case: Case, loaded: Loaded, *, lines: list[str] | None = None) -> Result:
    """Return what comes of one world.

    Args:
        case: The world.
        loaded: Configuration that the case changes.
        lines: Takes the trace itself, for a person.
    """
    world = World(case, loaded, VirtualLoop(f"loop {case.seed}"))
    world.trace.lines = lines
    seconds = live_in(world)
    return Result(
        seed=case.seed,
        violations=tuple(world.violations),
        digest=world.trace.digest,
        polls=len(world.seen.records),
        seconds=seconds,
        starts=world.starts,
        actions=_actions(world),
        hits=_hits(world),
        faults=dict(Counter(str(w.fault) for w in world.network.writes if w.fault is not None)),
        struck=frozenset(f"{write} {fault}" for write, fault in world.network.struck),
        sent=sum(w.operation is case.target for w in world.network.writes),
        settling=world.settling,
    )


def live_in(world: World, *beside: Coroutine[Any, Any, None]) -> float:
    """Let a world live to its end; return how long it did in virtual time. [s].

    Args:
        world: Not begun.
        beside: What goes on beside it.
    """
    loop = world.loop
    asyncio.set_event_loop(loop)
    kept = [loop.create_task(other) for other in beside]
    try:
        loop.run_until_complete(world.live())
    except BaseException as error:  # noqa: BLE001 - whatever it is, the seed must be named
        world.violations.append(f"the world ended: {error!r}")
    finally:
        seconds = loop.time()
        _close(loop)
    for task in kept:
        if not task.cancelled():
            task.result()
    return seconds


def _hits(world: World) -> int:
    if Read.HISTORY_LAG in world.case.rates:
        # It is not drawn: it hides every effect for a while.
        return sum(w.effects > 0 for w in world.network.writes if w.operation is world.case.target)
    reads = any(isinstance(fault, Read) for fault in world.case.rates)
    aimed = (
        0
        if reads
        else sum(
            w.fault is not None and w.operation is world.case.target for w in world.network.writes
        )
    )
    # What never left is not among the writes.
    return aimed + world.network.refused + world.network.shown + world.hits


def _close(loop: VirtualLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
    try:
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _actions(world: World) -> dict[str, int]:
    done = Counter(f"{w.method} {w.path}" for w in world.network.writes if w.effects)
    return dict(done)


def _dump(connection: sqlite3.Connection) -> str:
    rows = connection.execute("SELECT id, state, action FROM intents ORDER BY row").fetchall()
    events = connection.execute(
        "SELECT intent_id, at, state, applied, code FROM intent_events ORDER BY row"
    ).fetchall()
    return repr((rows, events))


def _as_write(sent: Sent) -> Write:
    return Write(
        at=sent.at,
        machine=sent.machine,
        epoch=sent.epoch,
        landed=tuple(sent.landed),
        what=f"{sent.method} {sent.path} of {sent.process}",
    )
