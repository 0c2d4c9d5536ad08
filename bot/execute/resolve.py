"""What became of what was sent?"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.intent import Intent, IntentState, Settlement
from bot.domain.timing import settle_point
from bot.errors import ExchangeError
from bot.ports import Clock, Journal, Venue

BETWEEN_LOOKS = timedelta(seconds=1)
"""Absence needs two looks at least this far apart."""
ALARM_AFTER = timedelta(seconds=60)
"""Who waits longer to be settled is told to people."""
GIVE_UP_AFTER = timedelta(seconds=300)
FINAL_AFTER = timedelta(days=1)
"""A confirmed move of an earlier run that nobody read back for so long is taken as it was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """One intent after a look at the venue's history.

    Attributes:
        before: As it was.
        after: As it is now.
        settlement: What was found; ``None`` unless it is settled now.
        alarm: What people must be told; empty if nothing.
    """

    before: Intent
    after: Intent
    settlement: Settlement | None = None
    alarm: str = ""

    @property
    def settled(self) -> Intent:
        """The intent as it is now, with what was found to be applied."""
        if self.settlement is None:
            return self.after
        return replace(self.after, applied=self.settlement.applied)


class Resolver:
    """Follows intents by reading, never by sending again."""

    def __init__(self, *, venue: Venue, journal: Journal, clock: Clock) -> None:
        self._venue, self._journal, self._clock = venue, journal, clock
        self._settle_point = settle_point(venue.window)
        self._absent_since: dict[str, datetime] = {}
        self._told: set[str] = set()

    async def recover(self) -> tuple[Intent, ...]:
        """Return intents that an earlier run left open; drop those that were never sent.

        Raises:
            JournalError: The journal cannot be read or written.
        """
        now = self._clock.now()
        open_: list[Intent] = []
        for intent in await self._journal.open_intents():
            match intent.state:
                case IntentState.WRITTEN:
                    await self._journal.drop(intent.id, now, "restart before it was sent")
                case IntentState.SENT:
                    open_.append(replace(intent, state=IntentState.UNKNOWN))
                case IntentState.DONE if now - _sent_at(intent) > FINAL_AFTER:
                    continue
                case _:
                    open_.append(intent)
        return tuple(open_)

    async def follow(self, intents: tuple[Intent, ...]) -> tuple[Followed, ...]:
        """Look for each intent; return those about which there is news, in order.

        Evidence for an effect is accepted at once; absence only from two complete looks after
        the settle point. A read that fails is no evidence.

        Raises:
            JournalError: The journal could not take the result.
        """
        asked_at = self._clock.now()
        # At once: a round trip for each would keep the next look at the positions waiting.
        found = await asyncio.gather(*map(self._look, intents), return_exceptions=True)
        news: list[Followed | None] = []
        for intent, settlement in zip(intents, found, strict=True):
            if isinstance(settlement, BaseException):
                raise settlement
            news.append(await self._follow(intent, settlement, asked_at))
        return tuple(item for item in news if item is not None)

    async def _follow(
        self, intent: Intent, settlement: Settlement | None, asked_at: datetime
    ) -> Followed | None:
        now = self._clock.now()
        if settlement is None or settlement.applied is None:
            return await self._unproven(intent, now)
        if settlement.applied == 0 and not self._is_absence_proven(intent, asked_at):
            return await self._unproven(intent, now)
        if settlement.applied == 0 and intent.state is IntentState.DONE:
            why = "confirmed by the venue, not in its history by the settle point"
            await self._journal.doubt(intent.id, now, why)
            self._absent_since.pop(intent.id)
            after = replace(intent, state=IntentState.UNKNOWN)
            return Followed(before=intent, after=after, alarm=f"{intent.id} was {why}")
        await self._journal.settled(settlement, now)
        self._absent_since.pop(intent.id, None)
        state = IntentState.APPLIED if settlement.applied else IntentState.ABSENT
        return Followed(before=intent, after=replace(intent, state=state), settlement=settlement)

    async def _look(self, intent: Intent) -> Settlement | None:
        try:
            return await self._venue.settle(intent)
        except ExchangeError:
            return None

    async def _unproven(self, intent: Intent, now: datetime) -> Followed | None:
        if intent.state is not IntentState.UNKNOWN:
            return None
        age = now - _sent_at(intent)
        if age > GIVE_UP_AFTER:
            why = f"not settled within {GIVE_UP_AFTER.total_seconds():.0f} s"
            await self._journal.give_up(intent.id, now, why)
            after = replace(intent, state=IntentState.GAVE_UP)
            return Followed(before=intent, after=after, alarm=f"{intent.id} was {why}")
        if age > ALARM_AFTER and intent.id not in self._told:
            self._told.add(intent.id)
            alarm = f"{intent.id} is not settled after {age.total_seconds():.0f} s"
            return Followed(before=intent, after=intent, alarm=alarm)
        return None

    def _is_absence_proven(self, intent: Intent, asked_at: datetime) -> bool:
        if asked_at < _sent_at(intent) + self._settle_point:
            return False
        first = self._absent_since.setdefault(intent.id, asked_at)
        return asked_at - first >= BETWEEN_LOOKS


def _sent_at(intent: Intent) -> datetime:
    return intent.sent_at or intent.written_at
