"""How does the loop write emergency intents down without the journal?"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.domain.intent import Execution, Intent, IntentState, Settlement, SignedRequest
from bot.errors import JournalError
from bot.journal.reserve import Reserve


class EmergencyJournal:
    """The `Journal` port on the emergency reserve: margin additions and reductions only.

    It keeps what must be known of each intent, not the decision's numbers: those need the disk
    that is full. A disk that hangs holds up the caller, not the event loop.
    """

    def __init__(self, reserve: Reserve) -> None:
        self._reserve = reserve

    async def record(
        self, record: dict[str, Any], inputs: bytes, intents: Sequence[Intent]
    ) -> None:
        """Write the intents of one emergency decision (state WRITTEN).

        Args:
            record: Only its ``seq`` and ``reason`` are kept.
            inputs: Not kept: such a decision cannot be replayed.
            intents: Margin additions and reductions.

        Raises:
            ReserveExhausted: No slot is free.
            JournalError: Not durable; nothing of this decision may be sent.
        """
        del inputs
        try:
            sequence, reason = int(record["seq"]), str(record["reason"])
        except (KeyError, TypeError, ValueError) as error:
            raise JournalError(f"decision record cannot be written: {error!r}") from error
        await asyncio.to_thread(self._reserve.write, intents, sequence=sequence, reason=reason)

    async def sent(self, intent_id: str, request: SignedRequest) -> None:
        """Mark an intent SENT at the instant signed, before its first byte leaves.

        Raises:
            JournalError: Not durable; the intent may not be sent.
        """
        await asyncio.to_thread(self._reserve.sent, intent_id, request)

    async def conclude(self, execution: Execution, at: datetime) -> None:
        """Record what a send brought: DONE, REJECTED or UNKNOWN.

        Raises:
            JournalError: Not durable.
        """
        await asyncio.to_thread(self._reserve.conclude, execution, at)

    async def drop(self, intent_id: str, at: datetime, why: str) -> None:
        """Record that an intent was never sent.

        Raises:
            JournalError: Not durable.
        """
        await asyncio.to_thread(self._reserve.drop, intent_id, at, why)

    async def settled(self, settlement: Settlement, at: datetime) -> None:
        """Record APPLIED or ABSENT for an intent that was unknown or is read back.

        Raises:
            JournalError: Not durable.
        """
        await asyncio.to_thread(self._reserve.settled, settlement, at)

    async def doubt(self, intent_id: str, at: datetime, why: str) -> None:
        """Record UNKNOWN for an intent that was confirmed and cannot be read back.

        Raises:
            JournalError: Not durable.
        """
        await asyncio.to_thread(self._reserve.mark, intent_id, at, IntentState.UNKNOWN, why)

    async def give_up(self, intent_id: str, at: datetime, why: str) -> None:
        """Record that an intent was not settled in time.

        Raises:
            JournalError: Not durable.
        """
        await asyncio.to_thread(self._reserve.mark, intent_id, at, IntentState.GAVE_UP, why)

    async def open_intents(self) -> tuple[Intent, ...]:
        """Return intents whose effect is not settled or not read back, oldest first."""
        return self._reserve.open_intents()

    async def last_inputs(self, account: str) -> bytes | None:
        """Return nothing: the reserve keeps no inputs."""
        del account
        return None
