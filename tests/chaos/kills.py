"""At which step does the bot die next, and what came of it all?"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.runner import Distortion, Order
from tests.chaos.verdict import Verdict, belief
from tests.chaos.world import Market, Nursery, World

SPENT = 5.0
"""How long a bot may take to reach its step; then it dies where it is. [s]"""
SPENT_ABSENT = 6.0
"""The same where absence has to be proven: from two looks, after the settle point. [s]"""
SOON_ABSENT = 6.5
"""How long after the send a bot that shall prove absence is started. [s]"""
BLOCKED = 2
"""So many positions may wait for a proof of absence at once; the rest must have work."""
MOMENTS = ("before", "inside", "after")
SWINGING = Market()
"""Margin is added and given back."""
FALLING = Market(swing=0.0, drift=0.2, give_back="0.5", futures="9001")
"""Nothing is given back, so that the spot wallet is drawn on again and again."""
POOR = Market(swing=0.0, drift=0.2, give_back="0.5", futures="11251", spot="0", leverage=16)
"""Positions are shrunk, what that releases is added back, and each has its stop placed anew."""
KINDS = {
    SWINGING: ("add_margin", "remove_margin"),
    FALLING: ("transfer",),
    POOR: ("reduce_position", "place_stop", "cancel_stop"),
}
"""Of actions at which a bot dies there."""


def steps_of(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return every step that can be reached with some kinds of action, alone and after a death."""
    found = [f"open.{moment}" for moment in MOMENTS]
    found += ["open_intents.before", "open_intents.after", "note.after"]
    found += [f"record:{what}.{moment}" for what in ("none", "intents") for moment in MOMENTS]
    for kind in kinds:
        found += [f"sent:{kind}.{moment}" for moment in MOMENTS]
        found.append(f"wire:{kind}.sent")
        found += [f"conclude:{kind}.{moment}" for moment in MOMENTS]
    found += [*DROP, *READ_BACK, *APPLIED, *ABSENT]
    return (*found, *RARE) if "add_margin" in kinds else tuple(found)


def _moments(step: str) -> tuple[str, ...]:
    return tuple(f"{step}.{moment}" for moment in MOMENTS)


DROP = _moments("drop")
READ_BACK = _moments("read_back")
APPLIED = _moments("settled:applied")
ABSENT = _moments("settled:absent")
CREATE = ("create.before", "create.after")
DOUBT = _moments("doubt")
GIVE_UP = _moments("give_up")
RESERVE = tuple(
    f"reserve:{call}.{moment}"
    for call in ("write", "sent", "conclude", "settled")
    for moment in ("before", "after")
)
RETURN = (*_moments("adopt"), "reserve:release.before", "reserve:release.after")
RARE = (*CREATE, *DOUBT, *GIVE_UP, *RESERVE, *RETURN)
"""Reached in one world only: they are the same for every kind of action."""
DISTORTED: dict[str, Distortion] = {
    **dict.fromkeys(DOUBT, "hidden"),
    **dict.fromkeys(GIVE_UP, "silent"),
    **dict.fromkeys(RESERVE, "lost"),
}
ALL = steps_of(dict.fromkeys(kind for kinds in KINDS.values() for kind in kinds))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(slots=True, kw_only=True)
class Figures:
    """What a loop of deaths amounts to.

    Attributes:
        deaths: How many, by the step; ``elsewhere`` is wherever the bot was.
        ready: From a start to the first complete poll. [s]
        lost: See `Verdict`.
        doubled: See `Verdict`.
    """

    deaths: Counter[str] = field(default_factory=Counter)
    ready: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def take(self, verdict: Verdict) -> None:
        """Take what an exchange's ledger says at the end."""
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        if verdict.created:
            self.lost.append(f"{verdict.created} in the wallets")

    def named(self) -> dict[str, str]:
        """Return what people and other programs read."""
        hit = [step for step in ALL if self.deaths[step]]
        return {
            "chaos kills": f"{self.deaths.total()}",
            "chaos steps hit": f"{len(hit)} of {len(ALL)}",
            "chaos lost": f"{len(self.lost)}",
            "chaos doubled": f"{len(self.doubled)}",
            "chaos restart to reconciled p50": f"{quantile(self.ready, 0.5):.2f} s",
            "chaos restart to reconciled p99": f"{quantile(self.ready, 0.99):.2f} s",
            "chaos restarts measured": f"{len(self.ready)}",
        }

    def table(self) -> str:
        """Return the deaths by step."""
        return "\n".join(f"{self.deaths[step]:6} {step}" for step in (*ALL, "elsewhere"))


def missing(figures: Figures, market: Market) -> list[str]:
    """Return the steps of a market at which no bot has died yet."""
    return [step for step in steps_of(KINDS[market]) if not figures.deaths[step]]


class Loop:
    """Deaths in one world, each at the step that was hit least of those that can come next."""

    def __init__(self, world: World, nursery: Nursery, figures: Figures, *, seed: int) -> None:
        self._world, self._nursery, self._figures = world, nursery, figures
        self._steps = steps_of(KINDS[world.market])
        self._chance = random.Random(seed)  # noqa: S311 - an order of deaths is no secret
        self._config = world.config()
        self._tried: Counter[str] = Counter()
        self._absent: list[float] = []
        """When requests were recorded as sent whose first byte then never left. [s]"""
        self._open: tuple[str, ...] = ()
        self._is_in_reserve, self._is_in_market = False, True

    async def run(self, kills: int) -> int:
        """Die so often, and then until every step of this world was hit; return how often.

        It ends earlier once the market has left no position, or when a step does not come: then
        another world is needed.
        """
        died = 0
        while self._is_in_market and died < 2 * kills + len(self._steps):
            left = missing(self._figures, self._world.market)
            if died < kills:
                await self._die(self._least(self._possible()))
            elif not left:
                break
            elif await self._is_waited_for(left):
                continue
            else:
                await self._die(self._least(self._towards(left)))
            died += 1
        return died

    async def _die(self, step: str) -> None:
        """Start the bot and let it end at a step."""
        self._tried[step] += 1
        size = self._size()
        await self._nursery.run(
            Order(
                argv=("run", "-c", str(self._config)),
                output=str(self._world.folder / "out.log"),
                steps=str(self._world.steps),
                at=step,
                distortion=DISTORTED.get(step, ""),
            ),
            limit=SPENT_ABSENT if step in ABSENT else SPENT,
        )
        reached = self._reached(size)
        last = reached[-1] if reached else ""
        self._figures.deaths[step if last == step else "elsewhere"] += 1
        if self._world.journal.exists():
            found = belief(self._world.journal)
            self._open = found.open
            self._is_in_market = not found.reasons["no_positions"]
        for name in reached:
            if name in ("reserve:write.after", "reserve:release.after"):
                self._is_in_reserve = name == "reserve:write.after"
        if _leaves_absence(last):
            self._absent.append(time.monotonic())
        self._absent = self._absent[max(0, len(self._absent) - self._unsettled()) :]

    def _possible(self) -> list[str]:
        """Return the steps that may come in the next life, as far as the journal tells."""
        if not self._world.journal.exists():
            return [step for step in CREATE if self._tried[step] == 0][:1] or ["open.after"]
        bound = (*CREATE, *DROP, *APPLIED, *ABSENT, *GIVE_UP, *RETURN)
        can = [step for step in self._steps if step not in bound]
        if len(self._open) > self._unsettled():
            can = [*can, *DROP]
        if self._unsettled() > len(self._absent):
            can = [*can, *APPLIED, *(step for step in GIVE_UP if step in self._steps)]
        if self._is_in_reserve:
            can = [*can, *RETURN]
        if self._absent and time.monotonic() - self._absent[0] > SOON_ABSENT:
            can = [*can, *ABSENT]
        if len(self._absent) >= BLOCKED:
            can = [step for step in can if not _leaves_absence(step)]
        return can

    def _towards(self, left: Sequence[str]) -> list[str]:
        """Return possible steps that are missing, else those that make one of them possible."""
        can = self._possible()
        if at_once := [step for step in can if step in left]:
            return at_once
        if self._is_blocked(left):
            return [step for step in can if step in ABSENT] or can
        if any(step in left for step in ABSENT):
            return [step for step in can if _leaves_absence(step)] or can
        if any(step in left for step in (*APPLIED, *GIVE_UP)):
            return [step for step in can if step.startswith("wire:")] or can
        if any(step in left for step in RETURN):
            return ["reserve:sent.after"]
        return ["record:intents.after"] if self._world.journal.exists() else can

    async def _is_waited_for(self, left: Sequence[str]) -> bool:
        """Wait for the settle point if nothing is missing but what comes after it."""
        is_last = all(step in ABSENT for step in left) or self._is_blocked(left)
        if not self._absent or not is_last:
            return False
        wait = self._absent[0] + SOON_ABSENT - time.monotonic()
        await asyncio.sleep(max(0.0, wait))
        return wait > 0

    def _is_blocked(self, left: Sequence[str]) -> bool:
        """Whether all that is missing must wait until something is proven to be absent."""
        return len(self._absent) >= BLOCKED and all(map(_leaves_absence, left))

    def _least(self, steps: Sequence[str]) -> str:
        # A miss counts less than a hit: what happens seldom is tried more often.
        worth = {step: 2 * self._figures.deaths[step] + self._tried[step] for step in steps}
        least = min(worth.values())
        return self._chance.choice([step for step in steps if worth[step] == least])

    def _unsettled(self) -> int:
        return sum(not name.startswith("written:") for name in self._open)

    def _size(self) -> int:
        return self._world.steps.stat().st_size if self._world.steps.exists() else 0

    def _reached(self, since: int) -> list[str]:
        lines = self._world.steps.read_bytes()[since:].decode().splitlines()
        return [line.split()[0] for line in lines]


def _leaves_absence(step: str) -> bool:
    """Whether a death there leaves an intent that is recorded as sent and never left."""
    return step.startswith("sent:") and step.endswith(".after")


def acknowledged(steps: Path) -> frozenset[str]:
    """Return the states that bots had seen to be durable, as ``state:id``."""
    found: set[str] = set()
    for line in steps.read_text(encoding="utf-8").splitlines():
        name, _, *facts = line.split()
        if name.endswith(".after"):
            found.update(facts)
    return frozenset(found)
