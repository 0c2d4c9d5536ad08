"""May a request leave now, or would the venue be asked too often?

Own counters, since a venue says only afterwards what it has counted, and bans who finds out by
trying. Pure: the time is given, chance is a port.
"""

import math
from collections import deque
from collections.abc import Mapping
from enum import IntEnum

from bot.exchanges.limits import Budgets, Cost, Limit
from bot.ports import BanNote, Rng

SHARE = 0.5
"""Of the venue's limit that the bot uses; the rest is for people and other programs. [ratio]"""
BURST = 4
"""Up to this part of it is spent as fast as it is wanted."""
SOON = 1e-6
"""Rounding may leave nothing of a wait that is not over. [s]"""
LONGEST_GAP = 10.0
"""Nobody waits longer than this for the sake of later requests. [s]"""
JITTER = 5.0
"""Longest wait after that, so that many bots do not come back at once; at most half of it. [s]"""
LONGEST_BAN = 3 * 86_400.0
"""Of the venue; whatever names a longer one is no time. [s]"""

THROTTLED, BANNED, FIREWALL = 429, 418, 403


class Lane(IntEnum):
    """What a request is for; a lower number goes before a higher one."""

    PROTECT = 0
    """Adds margin, shrinks a position, leaves a stop."""
    SETTLE = 1
    """Looks for what became of a write."""
    READ = 2
    """Looks at the account, or moves money without need."""
    TELEMETRY = 3
    """Is shown to people, or may as well be read later."""
    GLANCE = 4
    """Looks at marks alone; a look makes up for one that is left out."""


KEPT: Mapping[Lane, float] = {
    Lane.PROTECT: 0.0,
    Lane.SETTLE: 0.04,
    Lane.READ: 0.08,
    Lane.TELEMETRY: 0.2,
    Lane.GLANCE: 0.35,
}
"""Of the bot's share what a lane leaves to those before it. [ratio]"""


class Meter:
    """Counts the weight of one budget; never lets more than the bot's share leave in its span."""

    def __init__(self, limit: Limit) -> None:
        self._limit, self._own_limit = limit.weight, int(limit.weight * SHARE)
        self._span = limit.span
        self._counted: deque[tuple[float, int, int]] = deque()
        """Time [s], own weight, weight of others."""
        self._own = self._others = 0
        self.spent = 0
        """Own weight since the start; only grows."""

    def left(self, lane: Lane, now: float) -> int:
        """Return what a lane may still spend; 0 or less when it may not.

        Args:
            lane: What it is for.
            now: Monotonic. [s]
        """
        self._forget(now)
        return self._room(lane, self._own, self._others)

    def take(self, lane: Lane, weight: int, now: float) -> bool:
        """Count a request that leaves now; ``False``, and nothing counted, where it may not."""
        if self.left(lane, now) < weight:
            return False
        self._add(now, weight, 0)
        self.spent += weight
        return True

    def owe(self, weight: int, now: float) -> None:
        """Count what a request turned out to weigh more, when its answer was there."""
        self._forget(now)
        self._add(now, weight, 0)
        self.spent += weight

    def correct(self, used: int, now: float) -> None:
        """Take over what the venue has counted, where that is more: somebody else asks as well.

        A run before this one is somebody else. The venue's minute ends earlier than ours, so less
        proves nothing.
        """
        self._forget(now)
        if used > self._own + self._others:
            self._add(now, 0, used - self._own - self._others)

    def wait(self, lane: Lane, weight: int, now: float) -> float:
        """Return how long until a lane may spend so much, infinite where it never may. [s]."""
        if self.left(lane, now) >= weight:
            return 0.0
        own, others = self._own, self._others
        for at, mine, theirs in self._counted:
            own, others = own - mine, others - theirs
            if self._room(lane, own, others) >= weight:
                return min(self._span, at + self._span - now)  # rounding may add a bit
        return math.inf

    def even(self, lane: Lane, weight: int, now: float) -> float:
        """Return the gap between spendings of ``weight`` that can be kept up from now on. [s].

        0 while less than a quarter of the bot's share is spent: until then nobody need wait.
        """
        self._forget(now)
        if BURST * self._own < self._own_limit:
            return 0.0
        own, others, rate = self._own, self._others, self._room(lane, 0, 0) / self._span
        for at, mine, theirs in self._counted:
            # What is left now must last until the next comes free.
            comes_in = max(at + self._span - now, SOON)
            rate = min(rate, self._room(lane, own, others) / comes_in)
            own, others = own - mine, others - theirs
        return weight / rate if rate > 0 else 0.0

    def gap(self, weight: int, share: float) -> float:
        """Return the gap at which spendings of ``weight`` take that share of the budget. [s].

        Args:
            weight: Of one.
            share: Of the bot's own. [ratio]
        """
        return weight * self._span / (self._own_limit * share)

    def _room(self, lane: Lane, own: int, others: int) -> int:
        kept = math.ceil(self._own_limit * KEPT[lane])
        return min(self._own_limit - own, self._limit - own - others) - kept

    def _add(self, now: float, own: int, others: int) -> None:
        self._counted.append((now, own, others))
        self._own += own
        self._others += others

    def _forget(self, now: float) -> None:
        while self._counted and now - self._counted[0][0] >= self._span:
            _, own, others = self._counted.popleft()
            self._own -= own
            self._others -= others


class Quota:
    """What may be asked of one venue, and whether it asked to wait."""

    def __init__(self, budgets: Budgets, rng: Rng, *, bans: BanNote | None = None) -> None:
        self._rng = rng
        self._bans = bans
        self._limits = budgets.limits
        self._longest = max(limit.seconds for limit in budgets.limits.values())
        """Wait after a 429 that names none: by then the venue counts anew. [s]"""
        self._meters = {budget: Meter(limit) for budget, limit in budgets.limits.items()}
        self._main = self._meters[budgets.main]
        self._banned_for = budgets.banned_for
        self._until = -math.inf
        self._ban_until = -math.inf
        self._why = ""

    def take(self, cost: Cost, lane: Lane, now: float) -> bool:
        """Count a request that leaves now; ``False``, and nothing counted, where it may not."""
        return self.stopped_for(now) <= 0 and self._meters[cost.budget].take(lane, cost.weight, now)

    def owe(self, cost: Cost, now: float) -> None:
        """Count what an answer weighs besides its request: some venues count its rows."""
        if cost.weight:
            self._meters[cost.budget].owe(cost.weight, now)

    def left(self, lane: Lane, now: float) -> int:
        """Return what a lane may still spend at the hosts of the positions."""
        return self._main.left(lane, now)

    @property
    def spent(self) -> int:
        """Own weight since the start at the hosts of the positions; only grows."""
        return self._main.spent

    def pause(self, weight: int, *, since: float, now: float) -> float:
        """Return how long a look should wait, so that the last of many is not cut off. [s].

        Args:
            weight: Of one look.
            since: When the look before it began. Monotonic. [s]
            now: Monotonic. [s]
        """
        # Looks in a row leave room for what is read between them: the ledger, bars, rules.
        gap = min(self._main.even(Lane.TELEMETRY, weight, now), LONGEST_GAP)
        return max(self.wait(weight, now), since + gap - now)

    def wait(self, weight: int, now: float) -> float:
        """Return how long until a look can be paid for at all; 0 when it can. [s].

        Args:
            weight: Of one look.
            now: Monotonic. [s]
        """
        return self._main.wait(Lane.READ, weight, now)

    def gap(self, weight: int, share: float) -> float:
        """Return the gap at which requests take a share of the bot's budget. [s].

        Args:
            weight: Of one.
            share: Of the bot's own. [ratio]
        """
        return self._main.gap(weight, share)

    def stopped_for(self, now: float) -> float:
        """Return how long nothing may be asked at all; 0 or less when something may. [s]."""
        return self._until - now

    def ban(self, now: float) -> str:
        """Return why the venue shut us out, for people; empty where it did not, or no more."""
        return self._why if now < self._ban_until else ""

    def hear(self, headers: Mapping[str, str], budget: str, now: float) -> None:
        """Take over what an answer says was counted.

        Args:
            headers: Names in lower case.
            budget: That paid for the request.
            now: Monotonic. [s]
        """
        used = headers.get(self._limits[budget].used, "")
        if used.isascii() and used.isdigit():
            self._meters[budget].correct(int(used[:9]), now)

    def note(self, status: int | None, code: int | None, retry_after: str, now: float) -> None:
        """Stop asking if the answer says so.

        Args:
            status: HTTP; ``None`` without an answer.
            code: The venue's code in it; ``None`` without one.
            retry_after: The header's text; empty without one.
            now: Monotonic. [s]
        """
        is_ban = status == BANNED or (status == FIREWALL and code is None)
        if not is_ban and status != THROTTLED:
            return
        wait = _seconds(retry_after, self._banned_for if is_ban else self._longest)
        until = now + wait + self._rng.uniform(0.0, min(JITTER, wait / 2))
        self._until = max(self._until, until)
        if is_ban:
            self.shut_out(
                until - now,
                f"the venue shut us out with HTTP {status}: nothing is asked for {wait:.0f} s",
                now,
            )
            if self._bans is not None:
                self._bans.write(until - now, self._why)

    def shut_out(self, seconds: float, why: str, now: float) -> None:
        """Ask nothing for a while. [s].

        Args:
            seconds: How long.
            why: For people.
            now: Monotonic. [s]
        """
        self._until = max(self._until, now + seconds)
        self._ban_until = max(self._ban_until, now + seconds)
        self._why = why


def _seconds(text: str, default: float) -> float:
    try:
        wait = float(text)
    except ValueError:
        return default
    return wait if 0 <= wait <= LONGEST_BAN else default
