"""What became of intents whose effect is unknown?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.intent import Intent, IntentState, Settlement
from bot.errors import ExchangeError
from bot.ports import Clock, Journal, Venue

SETTLE_POINT = timedelta(seconds=7.5)
"""Validity window 5 s + clock bound 0.5 s + history lag 2 s: no absence is believed before it."""
BETWEEN_LOOKS = timedelta(seconds=1)
"""Absence needs two looks at least this far apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An intent and the evidence of what it did."""

    intent: Intent
    settlement: Settlement


class Resolver:
    """Settles open intents by reading, never by sending again."""

    def __init__(self, *, venue: Venue, journal: Journal, clock: Clock) -> None:
        self._venue, self._journal, self._clock = venue, journal, clock
        self._absent_since: dict[str, datetime] = {}

    async def recover(self) -> tuple[Intent, ...]:
        """Return intents that an earlier run left open; drop those that were never sent.

        Raises:
            JournalError: The journal cannot be read or written.
        """
        open_: list[Intent] = []
        for intent in await self._journal.open_intents():
            if intent.state is IntentState.WRITTEN:
                await self._journal.drop(intent.id, self._clock.now(), "restart before it was sent")
            else:
                open_.append(intent)
        return tuple(open_)

    async def settle(self, intents: tuple[Intent, ...]) -> tuple[Settled, ...]:
        """Return those of the open intents that are settled now.

        Evidence for an effect is accepted at once; absence only from two complete looks after
        the settle point. A read that fails is no evidence.

        Raises:
            JournalError: The journal could not take the result.
        """
        found: list[Settled] = []
        for intent in intents:
            try:
                settlement = await self._venue.settle(intent)
            except ExchangeError:
                continue
            if settlement.applied is None:
                continue
            now = self._clock.now()
            if settlement.applied == 0 and not self._is_absence_proven(intent, now):
                continue
            await self._journal.settled(settlement, now)
            self._absent_since.pop(intent.id, None)
            found.append(Settled(intent=intent, settlement=settlement))
        return tuple(found)

    def _is_absence_proven(self, intent: Intent, now: datetime) -> bool:
        sent_at = intent.sent_at or intent.written_at
        if now < sent_at + SETTLE_POINT:
            return False
        first = self._absent_since.setdefault(intent.id, now)
        return now - first >= BETWEEN_LOOKS
