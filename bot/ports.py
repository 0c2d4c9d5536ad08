"""What does the loop need from the outside world?"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from bot.domain.alarm import Alarm, Delivery, Told
from bot.domain.band import LeverageBand
from bot.domain.intent import Execution, Intent, Settlement, SignedRequest
from bot.domain.ledger import LedgerRow
from bot.domain.market import Market
from bot.domain.observation import Observation
from bot.domain.risk import PositionRisk
from bot.domain.switch import Switches
from bot.domain.venue import Allowance, VenueCondition


class Clock(Protocol):
    """Venue time and durations."""

    def now(self) -> datetime:
        """Return the present instant in venue time. Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Return a reading that only grows. [s]"""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let ``seconds`` of this clock pass. [s]"""
        ...


class Rng(Protocol):
    """Chance that is the same again for the same seed."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number from ``low`` to below ``high``."""
        ...


class StoppedError(Exception):
    """A write was stopped before its first byte left; the text says why.

    Attributes:
        code: Stable, as in the decision record.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = str(code)  # of an enumeration its value, as records and journal keep it


class Gate(Protocol):
    """What a signed request must pass before its first byte leaves."""

    async def sent(self, request: SignedRequest) -> None:
        """Make the request durable as sent; called once, after signing.

        Raises:
            StoppedError: It may not be sent.
            JournalError: It is not durable; it may not be sent.
        """
        ...

    def last_look(self) -> None:
        """Look once more, with the connection in hand and nothing written to it.

        Raises:
            StoppedError: It may not be sent any more.
        """
        ...


class Venue(Protocol):
    """One account at one venue."""

    @property
    def window(self) -> float:
        """How long it accepts a request after the time signed in it. [s]"""
        ...

    async def observe(self, *, at_once: bool = False) -> Observation:
        """Return one complete look.

        Args:
            at_once: Something may have happened: do not spread the request budget now.

        Raises:
            Unavailable: No answer or too busy; the loop skips the poll and backs off.
            Incomplete: A needed number is missing or absurd; the loop records ``not_ready``.
            Denied: Keys or permissions; the loop stops acting and says so.
        """
        ...

    async def execute(self, intent: Intent, gate: Gate) -> Execution:
        """Send one action once and return what that proved; raises nothing of its own.

        What ``gate`` raises besides `StoppedError` passes through.
        """
        ...

    async def settle(self, intent: Intent) -> Settlement:
        """Look for the effect of an intent whose outcome is unknown.

        Raises:
            ExchangeError: The history could not be read completely: no evidence.
        """
        ...

    async def rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        """Return every line of the venue's own ledger since an instant, by time.

        Lines from before it may be among them; the same line has the same id in every answer.
        Dear: at most once a minute while balances explain themselves.

        Raises:
            ExchangeError: They could not be read to the end: no evidence.
        """
        ...

    async def glance(self, symbols: Collection[str]) -> Mapping[str, Decimal]:
        """Return present marks and nothing else: a reason to look, never to act. [quote/base].

        Args:
            symbols: Unified, of the last look.

        Raises:
            ExchangeError: No answer, not enough of it, or the budget has no room for it.
        """
        ...

    def allowance(self) -> Allowance:
        """Return what the request budget allows next; no request."""
        ...

    def condition(self) -> VenueCondition:
        """Return how the way to the venue is now; no request."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class Journal(Protocol):
    """Durable memory of decisions and intents; each call returns when the disk has it."""

    async def record(
        self, record: dict[str, Any], inputs: bytes, intents: Sequence[Intent]
    ) -> None:
        """Write one decision, the inputs that reproduce it, and its intents (state WRITTEN).

        Raises:
            JournalError: Not durable; nothing of this decision may be sent.
        """
        ...

    async def sent(self, intent_id: str, request: SignedRequest) -> None:
        """Mark an intent SENT at the instant signed, before its first byte leaves.

        Raises:
            JournalError: Not durable; the intent may not be sent.
        """
        ...

    async def conclude(self, execution: Execution, at: datetime) -> None:
        """Record what a send brought: DONE, REJECTED or UNKNOWN."""
        ...

    async def drop(self, intent_id: str, at: datetime, why: str) -> None:
        """Record that an intent was never sent."""
        ...

    async def settled(self, settlement: Settlement, at: datetime) -> None:
        """Record APPLIED or ABSENT for an intent that was unknown or is read back."""
        ...

    async def doubt(self, intent_id: str, at: datetime, why: str) -> None:
        """Record UNKNOWN for an intent that was confirmed and cannot be read back."""
        ...

    async def give_up(self, intent_id: str, at: datetime, why: str) -> None:
        """Record that an intent was not settled in time."""
        ...

    async def open_intents(self) -> tuple[Intent, ...]:
        """Return intents that are not settled or not read back, oldest first."""
        ...

    async def last_inputs(self, account: str) -> bytes | None:
        """Return the inputs of the newest decision of an account."""
        ...


class Fallback(Protocol):
    """What takes emergencies once the journal cannot be written."""

    @property
    def is_low(self) -> bool:
        """Whether a person should be told that it fills up."""
        ...

    def slots_for(self, intent_id: str) -> int:
        """Return how many slots an intent can have, the one it holds included."""
        ...


class Switchboard(Protocol):
    """What a person switched off."""

    @property
    def state(self) -> Switches:
        """How the switches stand now.

        No lock and no I/O, so it can be asked before planning, before each intent is marked SENT,
        and again with the connection in hand, before the first byte leaves.
        """
        ...


class Authority(Protocol):
    """Whether this run alone may write to the account."""

    @property
    def left(self) -> float:
        """What is left of its lease; infinite where nobody else can take it. No I/O. [s]"""
        ...

    @property
    def margin(self) -> float:
        """More than this must be left of it when a request is signed and when it leaves. [s]"""
        ...

    @property
    def is_epoch_current(self) -> bool:
        """Whether no later run is known to have begun; no I/O."""
        ...

    async def renew(self) -> None:
        """Renew the lease if that is due; one that cannot be renewed goes on as it is.

        Raises:
            InUse: A later run has begun: the caller must stop.
        """
        ...


class Watchdog(Protocol):
    """Whether the program stood still."""

    @property
    def stalled_for(self) -> float:
        """Longest standstill nobody acknowledged, 0 for none; plans made before it are old. [s]"""
        ...

    def acknowledge(self) -> None:
        """Forget it: plans were dropped, and the venue is looked at anew before anything leaves."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a sink says of one alarm, as soon as it knows.

    Attributes:
        sink: Name of the way.
        delivery: DELIVERED, FAILED or DROPPED, from whichever thread.
    """

    sink: str
    delivery: Future[Delivery]


def answer(delivery: Future[Delivery], what: Delivery) -> None:
    """Say what became of an alarm, unless that was said or nobody waits any more."""
    with suppress(InvalidStateError):
        delivery.set_result(what)


class AlarmBook(Protocol):
    """Where alarms are written down."""

    async def alarmed(self, told: Told) -> int:
        """Write one word about an alarm; return the number of its first word.

        Raises:
            JournalError: Not durable; the alarm leaves all the same.
        """
        ...


class Sink(Protocol):
    """Something that shows decision records to people."""

    def publish(self, record: dict[str, Any]) -> None:
        """Take one record without waiting and without raising; drop and count when full."""
        ...

    def alarm(self, alarm: Alarm) -> Receipt | None:
        """Take one alarm without waiting and without raising; return what will be known of it.

        A sink that is no way to people returns ``None``.
        """
        ...


class BanNote(Protocol):
    """What is remembered of a ban beyond the run that was told of it."""

    def left(self) -> tuple[float, str]:
        """Return how long the venue still shuts us out and why; 0 where it does not. [s]"""
        ...

    def write(self, seconds: float, why: str) -> None:
        """Remember a ban from now on; a note that cannot be written is no fault of the poll. [s]"""
        ...


class Strategy(Protocol):
    """Chooses where a position shall stand.

    One that looks back declares ``choose(self, risk, market, past: Past | None = None)``. What its
    band carries it finds there at the next decision, also after a restart and in a replay; nothing
    else may be remembered, and what is carried may be missing at any time.
    """

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:
        """Return the band for one position; pure.

        Raises:
            ValueError: The inputs do not allow a band; the text says which and why.
        """
        ...
