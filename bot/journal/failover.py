"""Where are intents written down once the journal cannot be?"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.domain.alarm import Told
from bot.domain.intent import Execution, Intent, Settlement, SignedRequest
from bot.errors import JournalLost, ReserveLost
from bot.journal.emergency import EmergencyJournal
from bot.journal.reserve import Reserve
from bot.ports import AlarmBook, Journal


class Booked(Journal, AlarmBook, Protocol):
    """A journal that takes alarms as well."""


class FailoverJournal:
    """A `Journal`: the real one while its disk works, then the emergency reserve.

    A journal that failed is not tried again in this run: it is not known what the disk has. The run
    ends, and another begins, once the disk takes writes. What became of its open intents is kept in
    memory only; the next start finds them sent and looks for them at the venue.
    """

    def __init__(self, journal: Booked, reserve: Reserve | None) -> None:
        """Stand before both.

        Args:
            journal: The real one; one that is lost from the start is found out at its first write.
            reserve: ``None`` where it cannot be opened. What it still holds was not imported.
        """
        self._journal, self._reserve = journal, reserve
        self._emergency = None if reserve is None else EmergencyJournal(reserve)
        self._in_reserve = {item.intent.id for item in reserve.kept()} if reserve else set()
        self.lost: str = ""
        """Why the journal cannot be written; empty while it can."""
        self.reserve_lost = "" if reserve else "the emergency reserve cannot be opened"
        """Why the reserve takes nothing; empty while it does."""
        self._told = ""
        self.unrecorded = 0
        """Decisions that nobody could write down."""

    @property
    def is_low(self) -> bool:
        """Whether the reserve has few slots left."""
        return self._reserve is not None and self._reserve.is_low

    def slots_for(self, intent_id: str) -> int:
        """Return how many slots an intent can have, the one it holds included."""
        if self._reserve is None or self.reserve_lost:
            return 0
        return self._reserve.free + (intent_id in self._in_reserve)

    async def record(
        self, record: dict[str, Any], inputs: bytes, intents: Sequence[Intent]
    ) -> None:
        """Write one decision and its intents; once the journal is lost, emergency intents only.

        Raises:
            JournalLost: The journal failed, told once: nothing of this decision may be sent, and
                the next one goes to the reserve.
            ReserveLost: So did the reserve, told once, and whenever there is something to write.
            JournalError: Not durable; nothing of this decision may be sent.
        """
        if not self.lost:
            try:
                return await self._journal.record(record, inputs, intents)
            except JournalLost as lost:
                self.lost = str(lost)
        self._tell()
        if self._emergency is None or self.reserve_lost:
            self.unrecorded += 1
            if intents:
                raise ReserveLost(self.reserve_lost)
            return None
        if not intents:
            self.unrecorded += 1
            return None
        try:
            await self._emergency.record(record, inputs, intents)
        except ReserveLost as lost:
            self._told = self.reserve_lost = str(lost)
            raise
        self._in_reserve |= {intent.id for intent in intents}
        return None

    def _tell(self) -> None:
        """Say once that the journal is lost, and once that the reserve is."""
        state = self.reserve_lost or self.lost
        if self._told != state:
            self._told = state
            kind = ReserveLost if self.reserve_lost else JournalLost
            raise kind(f"{self.lost}; {state}" if self.reserve_lost else state)

    async def sent(self, intent_id: str, request: SignedRequest) -> None:
        """Mark an intent SENT where it was written.

        Raises:
            JournalLost: Where it was written has failed; it may not be sent.
            JournalError: Not durable; it may not be sent.
        """
        reserve = self._reserve_of(intent_id)
        if reserve is None and self.lost:
            raise JournalLost(f"{intent_id} is in a journal that cannot be written: {self.lost}")
        try:
            await (reserve or self._journal).sent(intent_id, request)
        except JournalLost as lost:
            self._lose(lost)
            raise

    async def conclude(self, execution: Execution, at: datetime) -> None:
        """Record what a send brought, where the intent was written and can be."""
        await self._note(execution.intent_id, lambda journal: journal.conclude(execution, at))

    async def drop(self, intent_id: str, at: datetime, why: str) -> None:
        """Record that an intent was never sent, where it can be."""
        await self._note(intent_id, lambda journal: journal.drop(intent_id, at, why))

    async def settled(self, settlement: Settlement, at: datetime) -> None:
        """Record APPLIED or ABSENT, where it can be."""
        await self._note(settlement.intent_id, lambda journal: journal.settled(settlement, at))

    async def doubt(self, intent_id: str, at: datetime, why: str) -> None:
        """Record UNKNOWN, where it can be."""
        await self._note(intent_id, lambda journal: journal.doubt(intent_id, at, why))

    async def give_up(self, intent_id: str, at: datetime, why: str) -> None:
        """Record GAVE_UP, where it can be."""
        await self._note(intent_id, lambda journal: journal.give_up(intent_id, at, why))

    async def open_intents(self) -> tuple[Intent, ...]:
        """Return intents that are not settled or not read back, oldest first."""
        reserved = () if self._emergency is None else await self._emergency.open_intents()
        return (*await self._journal.open_intents(), *reserved)

    async def last_inputs(self, account: str) -> bytes | None:
        """Return the inputs of the newest decision of an account."""
        return await self._journal.last_inputs(account)

    async def alarmed(self, told: Told) -> int:
        """Write one word about an alarm while the journal takes it.

        Raises:
            JournalLost: It does not.
        """
        if self.lost:
            raise JournalLost(self.lost)
        try:
            return await self._journal.alarmed(told)
        except JournalLost as lost:
            self._lose(lost)
            raise

    def _reserve_of(self, intent_id: str) -> EmergencyJournal | None:
        return self._emergency if intent_id in self._in_reserve else None

    async def _note(self, intent_id: str, write: Callable[[Journal], Awaitable[None]]) -> None:
        """Write what only a restart needs, and would find out by looking at the venue."""
        reserve = self._reserve_of(intent_id)
        if reserve is None and self.lost:
            return
        try:
            await write(reserve or self._journal)
        except JournalLost as lost:
            self._lose(lost)

    def _lose(self, lost: JournalLost) -> None:
        if isinstance(lost, ReserveLost):
            self.reserve_lost = self.reserve_lost or str(lost)
        else:
            self.lost = self.lost or str(lost)
