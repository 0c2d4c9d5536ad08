"""Fakes of the ports: small, honest, scripted."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.action import PlaceStop, ReducePosition
from bot.domain.alarm import Alarm
from bot.domain.intent import (
    STEPS,
    Execution,
    Intent,
    IntentState,
    Outcome,
    Settlement,
    SignedRequest,
)
from bot.domain.lease import USUAL
from bot.domain.ledger import LedgerRow
from bot.domain.observation import Observation
from bot.domain.switch import Switches
from bot.domain.timing import WINDOW
from bot.domain.venue import Allowance, VenueCondition
from bot.errors import ExchangeError, JournalError
from bot.ports import Gate, StoppedError
from bot.rebalance.memory import amount_of
from bot.rebalance.project import project
from tests.kit.builders import NOON


class FakeClock:
    """Time that moves only when somebody sleeps."""

    def __init__(self, at: datetime = NOON) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return (self._at - NOON).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)


class FakeVenue:
    """A venue whose state is one observation; actions change it exactly as projected."""

    def __init__(self, observation: Observation, clock: FakeClock) -> None:
        self.observation = observation
        self.clock = clock
        self.sent: list[Intent] = []
        self.answers: list[Outcome] = []
        """Outcomes of the next sends; DONE when empty. UNKNOWN has the effect all the same."""
        self.failures: list[ExchangeError] = []
        """Raised by the next looks."""
        self.evidence: dict[str, Decimal | None] = {}
        """What `settle` finds, by intent id; nothing proven where absent."""
        self.window = WINDOW
        self.lines: list[LedgerRow] = []
        """The venue's own ledger."""
        self.lag = timedelta(0)
        """How long after its effect a line is not shown."""
        self.row_failures: list[ExchangeError] = []
        """Raised by the next readings of it."""
        self.way = VenueCondition()
        self.budget = Allowance()
        self.glances: list[dict[str, Decimal] | ExchangeError] = []
        """What the next glances show, or raise; the marks of the last look when empty."""
        self.glanced: list[float] = []
        """When, by the clock. [s]"""
        self.at_once: list[bool] = []
        """Of each look."""
        self.on_send: Callable[[Intent], None] = lambda _: None
        self.on_look: Callable[[], None] = lambda: None

    async def observe(self, *, at_once: bool = False) -> Observation:
        self.at_once.append(at_once)
        await asyncio.sleep(0)  # what runs beside a look gets its turn
        self.on_look()
        if self.failures:
            raise self.failures.pop(0)
        now = self.clock.now()
        return replace(
            self.observation,
            at=now,
            account_at=now,
            account=replace(self.observation.account, stops_at=now),
            markets=tuple(replace(m, mark_at=now) for m in self.observation.markets),
        )

    async def execute(self, intent: Intent, gate: Gate) -> Execution:
        try:
            is_order = isinstance(intent.action, ReducePosition | PlaceStop)
            request = SignedRequest(
                signed_at=self.clock.now(),
                window_ms=5000,
                digest=intent.id,
                is_reduce_only=True if is_order else None,
            )
            await gate.sent(request)
            gate.last_look()
        except StoppedError as stopped:
            return Execution(
                intent_id=intent.id,
                outcome=Outcome.REJECTED,
                code=stopped.code,
                text=str(stopped),
            )
        self.on_send(intent)
        self.sent.append(intent)
        outcome = self.answers.pop(0) if self.answers else Outcome.DONE
        if outcome is not Outcome.REJECTED:
            instruments = {i.symbol: i for i in self.observation.instruments}
            account = project(
                self.observation.account, instruments, intent.action, wallet="futures"
            )
            stops = tuple(
                stop if stop.stop_id else replace(stop, stop_id=intent.id, client_id=intent.id)
                for stop in account.stops
            )
            self.observation = replace(self.observation, account=replace(account, stops=stops))
        applied = None
        if outcome is Outcome.DONE:
            applied = amount_of(intent.action)
        return Execution(
            intent_id=intent.id,
            outcome=outcome,
            applied=applied,
            code="" if outcome is Outcome.DONE else "scripted",
        )

    async def settle(self, intent: Intent) -> Settlement:
        return Settlement(
            intent_id=intent.id, applied=self.evidence.get(intent.id), text="scripted"
        )

    async def rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        if self.row_failures:
            raise self.row_failures.pop(0)
        shown = [r for r in self.lines if since <= r.at <= self.clock.now() - self.lag]
        return tuple(sorted(shown, key=lambda row: (row.at, row.id)))

    async def glance(self, symbols: Collection[str]) -> Mapping[str, Decimal]:
        self.glanced.append(self.clock.monotonic())
        shown = self.glances.pop(0) if self.glances else {}
        if isinstance(shown, ExchangeError):
            raise shown
        marks = {m.symbol: m.mark_price for m in self.observation.markets} | shown
        return {symbol: marks[symbol] for symbol in symbols if symbol in marks}

    def allowance(self) -> Allowance:
        return self.budget

    def condition(self) -> VenueCondition:
        return self.way

    async def close(self) -> None:
        return None


class FakeJournal:
    """Keeps everything in memory and in order."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.inputs: list[bytes] = []
        self.intents: dict[str, Intent] = {}
        self.steps: list[tuple[str, str]] = []
        self.is_broken = False
        self.after: Callable[[str], None] = lambda _: None
        """Called with the new state after each step: the instant between two steps."""

    async def record(
        self, record: dict[str, Any], inputs: bytes, intents: Sequence[Intent]
    ) -> None:
        self._check()
        self.records.append(record)
        self.inputs.append(inputs)
        for intent in intents:
            self.intents[intent.id] = intent
            self.steps.append((intent.id, "written"))
            self.after("written")

    async def sent(self, intent_id: str, request: SignedRequest) -> None:
        self._check()
        self._move(intent_id, IntentState.SENT)
        self.intents[intent_id] = replace(self.intents[intent_id], sent_at=request.signed_at)

    async def conclude(self, execution: Execution, at: datetime) -> None:
        del at
        self._move(execution.intent_id, IntentState(execution.outcome.value))

    async def drop(self, intent_id: str, at: datetime, why: str) -> None:
        del at, why
        self._move(intent_id, IntentState.DROPPED)

    async def settled(self, settlement: Settlement, at: datetime) -> None:
        del at
        state = IntentState.APPLIED if settlement.applied else IntentState.ABSENT
        self._move(settlement.intent_id, state)

    async def doubt(self, intent_id: str, at: datetime, why: str) -> None:
        del at, why
        self._move(intent_id, IntentState.UNKNOWN)

    async def give_up(self, intent_id: str, at: datetime, why: str) -> None:
        del at, why
        self._move(intent_id, IntentState.GAVE_UP)

    async def open_intents(self) -> tuple[Intent, ...]:
        return tuple(i for i in self.intents.values() if i.state.is_followed)

    async def last_inputs(self, account: str) -> bytes | None:
        del account
        return self.inputs[-1] if self.inputs else None

    def _move(self, intent_id: str, state: IntentState) -> None:
        assert state in STEPS[self.intents[intent_id].state], (intent_id, state)
        self.intents[intent_id] = replace(self.intents[intent_id], state=state)
        self.steps.append((intent_id, state.value))
        self.after(state.value)

    def _check(self) -> None:
        if self.is_broken:
            raise JournalError("disk is full")


class Collected:
    """A sink that keeps what it is shown."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.alarms: list[Alarm] = []

    def publish(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def alarm(self, alarm: Alarm) -> None:
        self.alarms.append(alarm)


class OpenGate:
    """A gate that lets everything pass and keeps what it was shown."""

    def __init__(self) -> None:
        self.requests: list[SignedRequest] = []
        self.looks = 0

    async def sent(self, request: SignedRequest) -> None:
        self.requests.append(request)

    def last_look(self) -> None:
        self.looks += 1


def an_open_gate() -> OpenGate:
    return OpenGate()


class FakeSwitches:
    """Switches and a watchdog that a test sets; a `Switchboard` and a `Watchdog`."""

    def __init__(self) -> None:
        self.state = Switches()
        self.stalled_for = 0.0

    def acknowledge(self) -> None:
        self.stalled_for = 0.0


class FakeAuthority:
    """A right to write that a test takes away; an `Authority`."""

    def __init__(self) -> None:
        self.left, self.margin = float("inf"), USUAL.margin
        self.is_epoch_current = True
        self.renewals = 0
        self.on_renewal: Callable[[], None] = lambda: None

    async def renew(self) -> None:
        self.renewals += 1
        self.on_renewal()
