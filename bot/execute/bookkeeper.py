"""Who compares the books with the venue once a poll, and what follows from it?

The venue's ledger is read beside the look, never before it: nothing that protects waits for it. A
reading that fails says nothing. Books that cannot be kept are opened anew; they end nothing.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.action import Action, AddMargin
from bot.domain.intent import Intent, IntentState, Outcome
from bot.domain.ledger import LedgerRow
from bot.domain.mode import Event
from bot.domain.observation import Observation
from bot.errors import ExchangeError
from bot.execute import books, looking
from bot.execute.books import Books
from bot.execute.foreign import Actor, Finding, Writer
from bot.execute.looking import Report
from bot.execute.perform import Performance
from bot.execute.transit import is_over
from bot.ports import Clock, Venue
from bot.rebalance.memory import Memory
from bot.rebalance.remembering import adopt, repeated

UNREAD_AFTER = timedelta(seconds=300)
"""A ledger that could not be read for so long is told to people."""
WEIGHT_KEPT = 100
"""With less left for looks the ledger waits: a look needs it more."""
FAULTS = (ArithmeticError, ValueError, LookupError)
"""What books raise that do not fit what they are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one comparison brought.

    Attributes:
        findings: Moves and orders of others.
        events: For the mode, in order.
        alarms: Code and text of what people must be told.
        holds: What wallets hold for certain, by wallet and currency, where something is on its
            way; empty while the books do not agree with the venue. [currency]
    """

    findings: tuple[Finding, ...] = ()
    events: tuple[Event, ...] = ()
    alarms: tuple[tuple[str, str], ...] = ()
    holds: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)


class Bookkeeper:
    """Keeps the books of one account from look to look; they are opened with the first one."""

    def __init__(
        self, *, venue: Venue, clock: Clock, writer: Writer, earlier: Iterable[Action] = ()
    ) -> None:
        """Make it.

        Args:
            venue: To read its ledger.
            clock: Venue time.
            writer: This run.
            earlier: What runs before this one sent in the last day.
        """
        self._venue, self._clock, self._writer = venue, clock, writer
        self._earlier = tuple(earlier)
        self._books: Books | None = None
        self._ahead: dict[str, Intent] = {}
        self._found: list[Finding] = []
        self._reading: tuple[datetime, asyncio.Task[tuple[LedgerRow, ...] | None]] | None = None
        self._is_accepted = False
        self._fault: Exception | None = None
        self._said: frozenset[str] = frozenset()

    @property
    def books(self) -> Books | None:
        """The books as they are; ``None`` before the first look."""
        return self._books

    def told(self, intents: Iterable[Intent]) -> None:
        """Follow intents as they are now; what has no effect proven stays on its way."""
        intents = tuple(intents)
        for intent in intents:
            self._ahead[intent.id] = intent
        if self._books is None:
            return  # the opening takes them over, also those that have just ended
        self._ahead = {name: i for name, i in self._ahead.items() if not is_over(i)}
        try:
            self._books, found = books.told(self._books, intents, at=self._clock.now())
        except FAULTS as fault:
            self._throw_away(fault)
        else:
            self._found += found

    def performed(self, intents: Iterable[Intent], done: Performance) -> None:
        """Follow intents after their sends."""
        followed = {intent.id: intent for intent in done.followed}
        self.told(followed.get(i.id) or _without_effect(i, done) for i in intents)

    def accept(self) -> None:
        """Take over what is strange at the next look, once it lasts: a person has looked."""
        self._is_accepted = True

    def begin(self) -> None:
        """Start to read the venue's ledger if that is due, beside what comes next."""
        now, left = self._clock.now(), self._venue.condition().weight_left_optional
        if self._books is None or self._reading is not None or not self._books.wants_rows(now):
            return
        if left is not None and left < WEIGHT_KEPT:
            return
        self._reading = now, asyncio.ensure_future(self._read(self._books.since))

    def compare(self, observation: Observation) -> News:
        """Return what a look says of the books, with the lines that have been read by now."""
        try:
            report = self._look(observation)
        except FAULTS as error:
            self._throw_away(error)
            report = self._opened(observation)
        fault, self._fault = self._fault, None
        return self._news(report, observation, fault)

    async def close(self) -> None:
        """End a reading that is under way."""
        if self._reading is not None:
            _, task = self._reading
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _read(self, since: datetime) -> tuple[LedgerRow, ...] | None:
        try:
            return await self._venue.rows(since)
        except ExchangeError:
            return None

    def _look(self, observation: Observation) -> Report:
        if self._books is None:
            return self._opened(observation)
        if self._is_accepted:
            self._is_accepted = False
            self._books, self._found = books.accepted(self._books, observation.at), []
        kept = self._with_lines(self._books)
        self._books, report = looking.look(kept, observation)
        findings, self._found = (*self._found, *report.findings), []
        return replace(report, findings=findings)

    def _opened(self, observation: Observation) -> Report:
        self._is_accepted = False
        kept = books.open_books(
            observation, self._ahead.values(), writer=self._writer, earlier=self._earlier
        )
        self._books, report = looking.look(kept, observation)
        return report

    def _with_lines(self, kept: Books) -> Books:
        """Return the books with what was read, once all of it is there."""
        if self._reading is None or not self._reading[1].done():
            return kept
        (asked_at, task), self._reading = self._reading, None
        rows = task.result()
        if rows is None:
            return kept
        kept, found = books.read(kept, rows, asked_at=asked_at)
        self._found += found
        return kept

    def _throw_away(self, fault: Exception) -> None:
        self._books, self._found, self._fault = None, [], fault

    def _news(self, report: Report, observation: Observation, fault: Exception | None) -> News:
        kept = self._books
        assert kept is not None  # noqa: S101 - a look has just opened or kept them
        trouble = dict(_trouble(kept, report, observation.at, fault))
        new = {code: text for code, text in trouble.items() if code not in self._said}
        self._said = frozenset(trouble)
        alarms = [(_code(f), f.text) for f in report.findings if f.actor is not Actor.KNOWN]
        return News(
            findings=report.findings,
            events=tuple(_events(report, is_failed=fault is not None)),
            alarms=(*alarms, *new.items()),
            holds=kept.doubtful(observation.account) if report.is_explained else {},
        )


def adopted(memory: Memory, findings: Iterable[Finding], observation: Observation) -> Memory:
    """Return the memory after what others did to positions that are held."""
    for finding in findings:
        keys = [
            position.key
            for position in observation.account.positions
            if position.symbol == finding.symbol and finding.side in (None, position.side)
        ]
        if finding.actor is Actor.KNOWN or not keys:
            continue
        memory = adopt(memory, keys, amount=finding.amount, at=observation.at)
        if finding.is_repeat and finding.amount > 0:
            currency = finding.symbol.rpartition(":")[2]
            action = AddMargin(key=keys[0], amount=finding.amount, currency=currency)
            memory = repeated(memory, action, at=observation.at)
    return memory


def _trouble(
    kept: Books, report: Report, now: datetime, fault: Exception | None
) -> Iterator[tuple[str, str]]:
    """Yield what people must be told once while it lasts."""
    if fault is not None:
        yield "books_failed", f"opened anew, they did not fit: {type(fault).__name__}: {fault}"
    if report.is_broken:
        yield "unbalanced", f"nothing explains {report.picture}"
    if report.is_repeated:
        yield "unbalanced_again", f"the second time within the hour: {report.picture}"
    since = kept.read_at or kept.opened_from
    if now - since > UNREAD_AFTER:
        yield "ledger_unread", f"the venue's ledger could not be read since {since:%H:%M:%S}"


def _events(report: Report, *, is_failed: bool) -> Iterator[Event]:
    if report.is_suspicious:
        yield Event.FOREIGN
    if report.is_broken or is_failed:
        yield Event.UNBALANCED
    if report.is_repeated:
        yield Event.UNBALANCED_AGAIN
    if report.is_second_writer:
        yield Event.SECOND_WRITER


def _code(finding: Finding) -> str:
    return "second_writer" if finding.actor is Actor.SECOND_WRITER else "foreign_move"


def _without_effect(intent: Intent, done: Performance) -> Intent:
    """Return an intent that did not take effect, as it is now."""
    outcome = done.outcomes[intent.id]
    if isinstance(outcome, str):
        return replace(intent, state=IntentState.DROPPED)
    assert outcome.outcome is Outcome.REJECTED  # noqa: S101 - all others are followed
    return replace(intent, state=IntentState.REJECTED)
