"""How does time pass between two polls?

A poll begins as far after the last one as is configured. Meanwhile marks are glanced at, as often
as the venue's request budget allows: one that crosses a line begins the next poll at once.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Decision, Urgency, Verdict
from bot.domain.lease import RENEW_AFTER
from bot.errors import ExchangeError
from bot.ports import Authority, Clock, Venue
from bot.rebalance.lines import Lines, headroom, is_any_crossed, lines

LONGEST_PAUSE = 15.0
"""However long the venue is silent, it is asked again after this. [s]"""
AGAIN_WITHIN = 2.0
"""As above unless every position was seen, all far from their triggers. [s]"""
LEAST_REST = 0.25
"""Of the time between polls that is rested, however long one took. [ratio]"""
GLANCE_EVERY, GLANCE_SELDOM = 0.5, 2.0
"""Marks are not glanced at more often: where a position is near its next level, and else. [s]"""
NEAR = Decimal("0.03")
"""So little above it. [ratio]"""
SOON = 1e-3
"""What is left of a rest when it is over: a clock may know milliseconds only. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How far apart polls begin.

    Attributes:
        routine: While nothing is urgent. [s]
        urgent: While something is, or may soon be and nobody glances at marks; and after a
            failure, then doubling. [s]
    """

    routine: float
    urgent: float

    def pause(
        self, decision: Decision, *, misses: int, spent: float = 0.0, is_watched: bool = False
    ) -> float:
        """Return the wait after a decision. [s].

        Args:
            decision: Of the last poll that saw the account, of a failed one if there was none.
            misses: Failures in a row since; each is waited after in full where every position was
                seen to be safe. Elsewhere an answer that did not come has been waited for enough.
            spent: What the poll took of the time to the next one. [s]
            is_watched: Whether a mark that crosses a line ends the wait.
        """
        if misses:
            is_safe = _is_safe(decision)
            # Who was safe when last seen need not be: never looked for more seldom than else.
            longest = min(LONGEST_PAUSE, self.routine) if is_safe else AGAIN_WITHIN
            longest = max(longest, self.urgent)
            apart = float(min(longest, self.urgent * 2.0 ** min(misses - 1, 10)))
            return apart if is_safe else max(apart * LEAST_REST, apart - spent)
        is_calm = decision.urgency is Urgency.HOLD and (is_watched or not _is_near(decision))
        apart = self.routine if is_calm else self.urgent
        return max(apart * LEAST_REST, apart - spent)


def _is_near(decision: Decision) -> bool:
    """Whether a position stands nearer to its trigger than to its target.

    It may cross the trigger before the next routine poll would see it.
    """
    return any(
        2 * found.risk.distance < found.band.distance.trigger + found.band.distance.target
        for found in decision.positions
        if found.band is not None and found.risk.distance is not None
    )


def _is_safe(decision: Decision) -> bool:
    """Whether every position was seen, and each far from its trigger."""
    is_seen = decision.verdict is not Verdict.NOT_READY
    return is_seen and decision.urgency is Urgency.HOLD and not _is_near(decision)


def _glances(decision: Decision) -> float:
    """Return how far apart marks should be glanced at. [s]."""
    least = headroom(decision)
    return GLANCE_EVERY if least is not None and least < NEAR else GLANCE_SELDOM


class Rest:
    """The time between two polls of one account."""

    def __init__(self, *, venue: Venue, clock: Clock, authority: Authority) -> None:
        self._venue, self._clock, self._authority = venue, clock, authority
        self._sleep: asyncio.Future[None] | None = None
        self._last: Decision | None = None
        self._is_over = False

    def end(self) -> None:
        """End this rest and every later one at once."""
        self._is_over = True
        if self._sleep is not None:
            self._sleep.cancel()

    async def until_next(
        self, pace: Pace, decision: Decision, *, misses: int, spent: float
    ) -> bool:
        """Let time pass until the next poll is due; the lease is kept meanwhile.

        Args:
            pace: How far apart polls begin.
            decision: Of the poll before.
            misses: Failures in a row before now.
            spent: What that poll took. [s]

        Returns:
            Whether the account must be looked at without delay: a mark crossed a line, or a look
            failed while a position was in danger.
        """
        if misses and self._last is not None:
            decision = self._last
        self._last = decision
        is_missed = misses > 0 and not _is_safe(decision)
        allowance = self._venue.allowance()
        watched = {} if misses or allowance.glance_every is None else lines(decision)
        every = max(_glances(decision), allowance.glance_every or 0.0) if watched else RENEW_AFTER
        began = self._clock.monotonic()

        def end(*, is_watched: bool) -> float:
            seconds = pace.pause(decision, misses=misses, spent=spent, is_watched=is_watched)
            return began + (seconds if is_missed else max(seconds, allowance.look_in))

        ends = end(is_watched=bool(watched))
        while not self._is_over and (left := ends - self._clock.monotonic()) > SOON:
            await self._pass(min(left, every))
            if self._is_over or ends - self._clock.monotonic() <= SOON:
                break
            await self._authority.renew()
            if watched:
                marks = await self._marks(watched)
                if marks is None:
                    ends = min(ends, end(is_watched=False))
                elif is_any_crossed(watched, marks):
                    return True
        return is_missed

    async def _pass(self, seconds: float) -> None:
        self._sleep = asyncio.ensure_future(self._clock.sleep(seconds))
        await asyncio.wait({self._sleep})

    async def _marks(self, watched: Mapping[str, Lines]) -> Mapping[str, Decimal] | None:
        """Return the present marks; ``None`` when they were not shown."""
        try:
            return await self._venue.glance(watched)
        except ExchangeError:
            return None
