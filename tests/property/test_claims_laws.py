"""Whatever answers are old and whatever travels: money is counted once, and none that is not there.

A small world keeps what two wallets really hold. The bot sees readings that may be ten seconds old
and learns of arrivals late; what it would plan with is compared with what exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.account import Account, Wallet
from bot.domain.action import Action, AddMargin, Transfer
from bot.domain.decision import Decision, Urgency, Verdict
from bot.domain.mode import Mode
from bot.rebalance.claims import surplus
from bot.rebalance.memory import Memory
from bot.rebalance.remembering import correct, land, remember, settle
from tests.kit.builders import NOON, a_position, an_observation

KEY = a_position().key
STALEST = 10
"""An answer is at most so old. [s]"""
ACCOUNT = an_observation(a_position(), futures="1000", spot="500").account


@dataclass(kw_only=True)
class Trip:
    """A transfer that left; how it goes on."""

    action: Transfer
    is_known: bool
    lands_at: datetime
    is_proven: bool = False


@dataclass(kw_only=True)
class World:
    """What is true, what was, and what the bot remembers."""

    now: datetime = NOON
    near: D = D(1000)
    far: D = D(500)
    trips: list[Trip] = field(default_factory=list)
    was: list[tuple[datetime, D, D]] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.was.append((self.now, self.near, self.far))
            before, self.now = self.now, self.now + timedelta(seconds=1)
            for trip in self.trips:
                if before < trip.lands_at <= self.now:
                    self.near += trip.action.amount
        self.was.append((self.now, self.near, self.far))

    def look(self, age: int) -> Account:
        """Return the account as a look shows it that is so old; the past does not change."""
        shown = [w for w in self.was if w[0] <= self.now - timedelta(seconds=age)]
        _, near, far = shown[-1] if shown else (NOON, D(1000), D(500))
        return with_wallets(near, far)

    def prove(self) -> None:
        """Tell the bot of everything that has arrived."""
        for trip in self.trips:
            if trip.is_proven or trip.lands_at > self.now:
                continue
            trip.is_proven = True
            sent, amount = trip.action, trip.action.amount
            if trip.is_known:
                self.memory = correct(self.memory, sent, believed=amount, applied=amount)
            else:
                self.memory = settle(self.memory, sent, applied=amount)
            self.memory = land(self.memory, sent, applied=amount, at=self.now)

    def do(self, account: Account, *actions: tuple[Action, bool]) -> None:
        self.memory = remember(
            self.memory,
            a_decision(self.now),
            account=account,
            effects=[action for action, is_known in actions if is_known],
            unsettled=[action for action, is_known in actions if not is_known],
        )

    def planned(self, account: Account) -> D:
        """Return what the bot would plan with in the wallet that backs positions."""
        return self.spendable(account) + self.memory.coming(account.wallets[0], at=self.now)

    def spendable(self, account: Account) -> D:
        total = account.wallets[0].total
        old = surplus(self.memory.claims, "futures", "USDT", total=total, at=self.now)
        return total - old

    @property
    def exists(self) -> D:
        travelling = (t.action.amount for t in self.trips if t.lands_at > self.now)
        return self.near + sum(travelling, D(0))


def with_wallets(near: D, far: D) -> Account:
    wallets = (
        Wallet(name="futures", currency="USDT", total=near, free=near),
        Wallet(name="spot", currency="USDT", total=far, free=far),
    )
    return replace(ACCOUNT, wallets=wallets)


def a_decision(at: datetime) -> Decision:
    return Decision(
        at=at,
        account="main",
        mode=Mode.NORMAL,
        urgency=Urgency.ROUTINE,
        verdict=Verdict.ACT,
        reason="below_trigger",
    )


Step = tuple[int, int, bool, int, int, bool]
"""Seconds that pass, age of the look, is it proven, margin in percent, transfer, is it known."""

STEPS = st.lists(
    st.tuples(
        st.integers(1, 20),
        st.integers(0, STALEST),
        st.booleans(),
        st.sampled_from((0, 0, 30, 100)),
        st.sampled_from((0, 0, 17, 60)),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


def lived(steps: Sequence[Step], delays: Sequence[int]) -> World:
    world = World()
    for number, (seconds, age, is_proven, margin, sent, is_known) in enumerate(steps):
        world.pass_time(seconds)
        if is_proven:
            world.prove()
        account = world.look(age)
        assert world.planned(account) <= world.exists
        actions: list[tuple[Action, bool]] = []
        amount = max(D(0), world.spendable(account)) * margin / 100
        if amount:
            actions.append((AddMargin(key=KEY, amount=amount, currency="USDT"), True))
            world.near -= amount
        if sent and not world.memory.in_transit and not world.memory.unsettled:
            move = Transfer(
                source="spot", destination="futures", amount=D(sent) + number, currency="USDT"
            )
            world.far -= move.amount
            world.trips.append(
                Trip(
                    action=move,
                    is_known=is_known,
                    lands_at=world.now + timedelta(seconds=delays[number % len(delays)]),
                )
            )
            actions.append((move, is_known))
        world.do(account, *actions)
    return world


DELAYS = st.lists(st.integers(1, 30), min_size=1, max_size=4)


@given(STEPS, DELAYS)
def test_no_more_is_planned_with_than_there_is(steps: Sequence[Step], delays: list[int]) -> None:
    lived(steps, delays)


@given(STEPS, DELAYS)
def test_once_nothing_is_old_or_travels_exactly_what_is_there_is_planned_with(
    steps: Sequence[Step], delays: list[int]
) -> None:
    world = lived(steps, delays)
    world.pass_time(40)
    world.prove()
    world.pass_time(16)
    assert world.planned(world.look(0)) == world.exists == world.near


@given(st.integers(1, 400), st.integers(1, 4), st.integers(1, STALEST), st.booleans())
def test_what_arrived_is_planned_with_whether_a_look_shows_it_or_not(
    amount: int, delay: int, age: int, is_known: bool
) -> None:
    world = World()
    move = Transfer(source="spot", destination="futures", amount=D(amount), currency="USDT")
    world.pass_time(1)
    world.far -= amount
    lands_at = world.now + timedelta(seconds=delay)
    world.trips.append(Trip(action=move, is_known=is_known, lands_at=lands_at))
    world.do(world.look(0), (move, is_known))
    world.pass_time(delay)
    world.prove()
    for seconds in range(14):
        assert world.planned(world.look(min(age + seconds, STALEST))) == 1000 + amount
        world.pass_time(1)
