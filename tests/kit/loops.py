"""A loop on fakes, and what it looks at."""

from decimal import Decimal as D
from itertools import count

from bot.domain.mode import Mode
from bot.domain.observation import Observation
from bot.execute.bookkeeper import Bookkeeper
from bot.execute.facts import KINDS
from bot.execute.fingerprint import Fingerprints
from bot.loop import Identity, Ids, Loop
from bot.rebalance.memory import Memory
from bot.rebalance.policy import Policy
from tests.kit.builders import a_policy, a_position, an_observation, choose
from tests.kit.fakes import (
    Collected,
    FakeAuthority,
    FakeClock,
    FakeJournal,
    FakeSwitches,
    FakeVenue,
)
from tests.kit.ledger_world import WRITER

ENDANGERED = an_observation(a_position(margin="5000"), futures="9000")
BROKE = an_observation(a_position(margin="4000"), futures="0")
SHORT_OF_CASH = an_observation(a_position(margin="5000"), futures="1000", spot="9000")


class Rig:
    """A loop on fakes."""

    def __init__(
        self,
        observation: Observation,
        memory: Memory | None = None,
        *,
        policy: Policy | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.venue = FakeVenue(observation, self.clock)
        self.journal = FakeJournal()
        self.seen = Collected()
        self.switches = FakeSwitches()
        self.authority = FakeAuthority()
        names = count(1)
        self.loop = Loop(
            venue=self.venue,
            journal=self.journal,
            clock=self.clock,
            sinks=[self.seen],
            choose=choose,
            policy=policy or a_policy(),
            identity=Identity(account="main", config_hash="abc", strategy="x:Y"),
            ids=Ids(decision=lambda: f"d{next(names)}", intent=lambda: f"pl{next(names)}"),
            fingerprints=Fingerprints(step=D("0.00001"), epoch=1),
            switchboard=self.switches,
            watchdog=self.switches,
            supported=KINDS,
            authority=self.authority,
            bookkeeper=Bookkeeper(venue=self.venue, clock=self.clock, writer=WRITER),
            encode=lambda observation, memory: repr((observation, memory)).encode(),
            clean=lambda record: record,
            memory=memory or Memory(),
        )


async def polls(rig: Rig, times: int) -> None:
    """Poll so many times, six seconds apart."""
    for _ in range(times):
        rig.clock.advance(6)
        await rig.loop.poll()


def mode_of(rig: Rig) -> Mode:
    """Return the mode the loop remembers."""
    return rig.loop.memory.mode
