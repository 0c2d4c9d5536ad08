"""How long is rested, and what ends a rest."""

import asyncio
from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.domain.decision import Decision, Urgency, Verdict
from bot.domain.lease import RENEW_AFTER
from bot.domain.position import MarginMode, Position
from bot.domain.venue import Allowance
from bot.errors import Unavailable
from bot.pace import GLANCE_EVERY, GLANCE_SELDOM, Pace, Rest
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory
from tests.kit.builders import BTC, a_policy, a_position, an_observation, choose
from tests.kit.fakes import FakeAuthority, FakeClock, FakeVenue

PACE = Pace(routine=5.0, urgent=1.0)


class Resting:
    """A rest on fakes, after a decision on one position of 1 BTC at 60,000."""

    def __init__(self, margin: str = "8000") -> None:
        seen = an_observation(a_position(margin=margin), futures="0")
        self.clock = FakeClock()
        self.venue = FakeVenue(seen, self.clock)
        self.venue.budget = Allowance(glance_every=0.0)
        self.authority = FakeAuthority()
        self.rest = Rest(venue=self.venue, clock=self.clock, authority=self.authority)
        self.decision: Decision = decide(seen, Memory(), a_policy(), choose=choose)

    async def pass_by(self, *, misses: int = 0, spent: float = 0.0) -> bool:
        return await self.rest.until_next(PACE, self.decision, misses=misses, spent=spent)


@pytest.mark.parametrize(
    ("margin", "every"),
    [
        pytest.param("6800", GLANCE_EVERY, id="nearer to its trigger than to its target"),
        pytest.param("8000", GLANCE_EVERY, id="near"),
        pytest.param("10000", GLANCE_SELDOM, id="far"),
    ],
)
async def test_while_marks_are_glanced_at_a_calm_account_is_looked_at_routinely(
    margin: str, every: float
) -> None:
    resting = Resting(margin)
    assert await resting.pass_by(spent=1.0) is False
    assert resting.clock.monotonic() == pytest.approx(4.0)
    expected = [every * n for n in range(1, 8) if every * n < 4]
    assert resting.venue.glanced == pytest.approx(expected)


async def test_a_mark_that_crosses_the_trigger_ends_the_rest() -> None:
    resting = Resting()
    (found,) = resting.decision.positions
    liquidation = found.risk.liquidation_price
    assert liquidation is not None
    resting.venue.glances = [
        {BTC: liquidation / D("0.9") + D(1)},
        {BTC: liquidation / D("0.9") - 1},
    ]
    assert await resting.pass_by() is True
    assert resting.clock.monotonic() == pytest.approx(2 * GLANCE_EVERY)


async def test_a_position_below_its_trigger_is_watched_for_the_emergency() -> None:
    resting = Resting("5000")
    (found,) = resting.decision.positions
    assert found.urgency is Urgency.ROUTINE
    liquidation = found.risk.liquidation_price
    assert liquidation is not None
    resting.venue.glances = [{BTC: liquidation / D("0.95") - 1}]
    assert await resting.pass_by() is True


async def test_whoever_is_below_both_is_looked_at_soon_and_not_glanced_at() -> None:
    resting = Resting("2000")
    assert await resting.pass_by() is False
    assert resting.clock.monotonic() == pytest.approx(1.0)
    assert resting.venue.glanced == []


@pytest.mark.parametrize(("margin", "waited"), [("8000", 5.0), ("6800", 1.0)])
async def test_a_glance_that_fails_brings_the_next_look_nearer_where_a_trigger_is_near(
    margin: str, waited: float
) -> None:
    resting = Resting(margin)
    resting.venue.glances = [Unavailable("busy")]
    assert await resting.pass_by() is False
    assert resting.clock.monotonic() == pytest.approx(waited)


async def test_a_venue_without_glances_is_looked_at_soon_where_a_trigger_is_near() -> None:
    resting = Resting("6800")
    resting.venue.budget = Allowance()
    assert await resting.pass_by() is False
    assert resting.clock.monotonic() == pytest.approx(1.0)
    assert resting.venue.glanced == []


async def test_what_the_budget_cannot_pay_yet_is_waited_for_while_marks_are_glanced_at() -> None:
    resting = Resting()
    resting.venue.budget = Allowance(look_in=7.0, glance_every=2.0)
    assert await resting.pass_by() is False
    assert resting.clock.monotonic() == pytest.approx(7.0)
    assert resting.venue.glanced == pytest.approx([2.0, 4.0, 6.0])


async def test_after_a_failure_nothing_is_glanced_at() -> None:
    resting = Resting()
    assert await resting.pass_by(misses=3) is False
    assert resting.clock.monotonic() == pytest.approx(4.0)
    assert resting.venue.glanced == []


async def test_the_lease_is_kept_through_a_long_rest() -> None:
    resting = Resting()
    resting.venue.budget = Allowance(look_in=4 * RENEW_AFTER)
    await resting.pass_by()
    assert resting.authority.renewals == 3


async def test_a_rest_that_was_ended_is_over_and_so_is_every_later_one() -> None:
    resting = Resting()
    resting.authority.on_renewal = resting.rest.end
    assert await resting.pass_by() is False
    assert resting.clock.monotonic() == pytest.approx(GLANCE_EVERY)
    await resting.pass_by()
    assert resting.clock.monotonic() == pytest.approx(GLANCE_EVERY)


@pytest.mark.parametrize(
    ("margin", "waits"),
    [
        pytest.param("8000", [1, 2, 4, 5, 5, 5], id="far from its trigger"),
        pytest.param("6800", [0.25, 1, 1, 1, 1, 1], id="near its trigger"),
        pytest.param("5000", [0.25, 1, 1, 1, 1, 1], id="below it"),
    ],
)
async def test_an_account_in_danger_is_looked_for_again_soon_however_often_that_failed(
    margin: str, waits: list[float]
) -> None:
    resting = Resting(margin)
    await resting.pass_by()
    missed = replace(
        resting.decision, verdict=Verdict.NOT_READY, urgency=Urgency.HOLD, positions=()
    )
    found = []
    for misses in range(1, 7):
        before = resting.clock.monotonic()
        await resting.rest.until_next(PACE, missed, misses=misses, spent=1.0)
        found.append(resting.clock.monotonic() - before)
    assert found == pytest.approx(waits)


async def test_what_was_never_seen_is_not_taken_for_safe() -> None:
    resting = Resting()
    resting.decision = replace(resting.decision, verdict=Verdict.NOT_READY, positions=())
    assert await resting.pass_by(misses=4) is True
    assert resting.clock.monotonic() == pytest.approx(2.0)


@pytest.mark.parametrize(
    "position",
    [
        pytest.param(a_position(margin_mode=MarginMode.CROSS), id="nothing is planned for it"),
        pytest.param(a_position(margin="70000"), id="no price liquidates it"),
    ],
)
async def test_what_has_no_line_is_not_watched(position: Position) -> None:
    resting = Resting()
    seen = an_observation(position)
    resting.decision = decide(seen, Memory(), a_policy(), choose=choose)
    await resting.pass_by()
    assert resting.venue.glanced == []


class Coarse(FakeClock):
    """A clock that knows milliseconds only."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(round(seconds, 3))


async def test_a_rest_ends_on_a_clock_that_knows_no_part_of_a_millisecond() -> None:
    resting = Resting()
    resting.venue.budget = Allowance(look_in=7.0004)
    clock = Coarse()
    rest = Rest(venue=resting.venue, clock=clock, authority=resting.authority)
    async with asyncio.timeout(5):
        await rest.until_next(PACE, resting.decision, misses=1, spent=0.0)
    assert clock.monotonic() == pytest.approx(7.0)


async def test_who_is_looked_at_seldom_is_looked_for_within_fifteen_seconds() -> None:
    resting = Resting()
    await resting.pass_by()
    before = resting.clock.monotonic()
    seldom = Pace(routine=300.0, urgent=1.0)
    await resting.rest.until_next(seldom, resting.decision, misses=9, spent=0.0)
    assert resting.clock.monotonic() - before == pytest.approx(15.0)


@pytest.mark.parametrize(("margin", "expected"), [("8000", False), ("6800", True), ("5000", True)])
async def test_after_a_failure_in_danger_the_next_look_waits_for_no_later_one(
    margin: str, expected: bool
) -> None:
    resting = Resting(margin)
    await resting.pass_by()
    resting.venue.budget = Allowance(look_in=9.0)
    before = resting.clock.monotonic()
    assert await resting.pass_by(misses=1) is expected
    waited = resting.clock.monotonic() - before
    assert waited == pytest.approx(1.0 if expected else 9.0)
