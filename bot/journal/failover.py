"""Where are intents written down once the journal cannot be?"""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any

from bot.domain.intent import Execution, Intent, IntentState, Settlement, SignedRequest
from bot.errors import JournalLost
from bot.journal.emergency import EmergencyJournal
from bot.journal.reserve import Reserve
from bot.ports import Journal


class FailoverJournal:
    """A `Journal`: the real one while its disk works, then the emergency reserve.

    A journal that failed is not tried again in this process: it is not known what the disk has.
    What became of its open intents is kept in memory only; the next start finds them sent and
    looks for them at the venue.
    """

    def __init__(self, journal: Journal, reserve: Reserve) -> None:
        self._journal, self._reserve = journal, reserve
        self._emergency = EmergencyJournal(reserve)
        self._in_reserve: set[str] = set()
        self.lost = ""
        """Why the journal cannot be written; empty while it can."""
        self._is_told = False
        self.unrecorded = 0
        """Decisions that nobody could write down."""

    @property
    def is_low(self) -> bool:
        """Whether the reserve has few slots left."""
        return self._reserve.is_low

    async def record(
        self, record: dict[str, Any], inputs: bytes, intents: Sequence[Intent]
    ) -> None:
        """Write one decision and its intents; once the journal is lost, emergency intents only.

        Raises:
            JournalLost: The journal failed, told once: nothing of this decision may be sent, and
                the next one goes to the reserve.
            JournalError: Not durable; nothing of this decision may be sent.
        """
        if not self.lost:
            try:
                return await self._journal.record(record, inputs, intents)
            except JournalLost as lost:
                self.lost = str(lost)
        if not self._is_told:
            self._is_told = True
            raise JournalLost(self.lost)
        if not intents:
            self.unrecorded += 1
            return None
        await self._emergency.record(record, inputs, intents)
        self._in_reserve |= {intent.id for intent in intents}
        return None

    async def sent(self, intent_id: str, request: SignedRequest) -> None:
        """Mark an intent SENT where it was written.

        Raises:
            JournalLost: It is in the journal, which failed; it may not be sent.
            JournalError: Not durable; it may not be sent.
        """
        if intent_id in self._in_reserve:
            return await self._emergency.sent(intent_id, request)
        if self.lost:
            raise JournalLost(f"{intent_id} is in a journal that cannot be written: {self.lost}")
        try:
            return await self._journal.sent(intent_id, request)
        except JournalLost as lost:
            self.lost = str(lost)
            raise

    async def conclude(self, execution: Execution, at: datetime) -> None:
        """Record what a send brought, where the intent was written and can be."""
        if execution.intent_id in self._in_reserve:
            await self._emergency.conclude(execution, at)
        elif not self.lost:
            await self._as_far_as_it_can(self._journal.conclude(execution, at))

    async def drop(self, intent_id: str, at: datetime, why: str) -> None:
        """Record that an intent was never sent, where it can be."""
        if intent_id in self._in_reserve:
            await self._emergency.drop(intent_id, at, why)
        elif not self.lost:
            await self._as_far_as_it_can(self._journal.drop(intent_id, at, why))

    async def settled(self, settlement: Settlement, at: datetime) -> None:
        """Record APPLIED or ABSENT, where it can be."""
        if settlement.intent_id in self._in_reserve:
            await self._emergency.settled(settlement, at)
        elif not self.lost:
            await self._as_far_as_it_can(self._journal.settled(settlement, at))

    async def doubt(self, intent_id: str, at: datetime, why: str) -> None:
        """Record UNKNOWN, where it can be."""
        await self._mark(intent_id, at, IntentState.UNKNOWN, why)

    async def give_up(self, intent_id: str, at: datetime, why: str) -> None:
        """Record GAVE_UP, where it can be."""
        await self._mark(intent_id, at, IntentState.GAVE_UP, why)

    async def open_intents(self) -> tuple[Intent, ...]:
        """Return intents that are not settled or not read back, oldest first."""
        return (*await self._journal.open_intents(), *await self._emergency.open_intents())

    async def last_inputs(self, account: str) -> bytes | None:
        """Return the inputs of the newest decision of an account."""
        return await self._journal.last_inputs(account)

    async def _mark(self, intent_id: str, at: datetime, state: IntentState, why: str) -> None:
        is_reserved = intent_id in self._in_reserve
        if self.lost and not is_reserved:
            return
        journal: Journal = self._emergency if is_reserved else self._journal
        mark = journal.doubt if state is IntentState.UNKNOWN else journal.give_up
        if is_reserved:
            await mark(intent_id, at, why)
        else:
            await self._as_far_as_it_can(mark(intent_id, at, why))

    async def _as_far_as_it_can(self, written: Awaitable[None]) -> None:
        """Write what only a restart needs, and would find out by looking at the venue."""
        try:
            await written
        except JournalLost as lost:
            self.lost = str(lost)
