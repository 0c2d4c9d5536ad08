"""However wrong clocks and dates are: nobody follows too early, nor waits for ever."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.lease import USUAL, Claim, Lease, Terms
from bot.domain.timing import CLOCK_BOUND
from bot.errors import InUse
from bot.journal.lease import await_turn
from bot.judge.writers import Write, overlaps
from tests.kit.records import NOON

TERMS = (USUAL, Terms(window=30.0))
"""Of the venues that there are."""
terms = st.sampled_from(TERMS)
errors = st.floats(-CLOCK_BOUND, CLOCK_BOUND)


class WrongClock:
    """A clock that is off, and says by how much at most it may be."""

    def __init__(self, *, error: float, unsure: float, on_sleep: Callable[[float], None]) -> None:
        self.true, self.error, self.unsure, self.on_sleep = 0.0, error, unsure, on_sleep

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.true + self.error)

    def monotonic(self) -> float:
        return self.true

    def uncertainty(self) -> float:
        return self.unsure

    async def sleep(self, seconds: float) -> None:
        self.true += seconds
        self.on_sleep(self.true)


def a_lease(*, ends: float = 10.0, holder: str = "other", epoch: int = 1) -> Lease:
    expires = NOON + timedelta(seconds=ends)
    return Lease(holder=holder, name=f"{holder}, process 7", epoch=epoch, expires=expires)


def ignore(_: object, __: object) -> None:
    """Tell nobody."""


@given(
    terms=terms,
    ends_at=st.floats(0, 1),
    holder_error=errors,
    signed_at=st.floats(0, 1, exclude_min=True),
    off=st.floats(-1, 1),
    unsure=st.floats(0, 30),
)
def test_what_a_holder_signed_cannot_land_once_the_next_is_through(
    terms: Terms, ends_at: float, holder_error: float, signed_at: float, off: float, unsure: float
) -> None:
    ends = -100 + ends_at * (100 + terms.time_to_live)
    signed_before_end = terms.margin + signed_at * (terms.time_to_live - terms.margin)
    lease = a_lease(ends=ends)
    clock = WrongClock(error=off * unsure, unsure=unsure, on_sleep=lambda _: None)
    asyncio.run(await_turn(lambda: lease, clock, machine="mine", tell=ignore, terms=terms))
    signed = ends - signed_before_end  # as the holder's clock reads, and the request says
    left, landed = signed - holder_error, signed + terms.window
    # Readings are microseconds.
    assert clock.true + 1e-5 >= max(left, landed)
    assert clock.true + 1e-5 >= min(ends + terms.window, terms.time_to_live + terms.margin)


@given(terms=terms, ends=st.floats(-1e6, 1e6), error=st.floats(-1e6, 1e6), unsure=st.floats(0, 1e6))
def test_nobody_waits_longer_than_a_lease_and_its_margin(
    terms: Terms, ends: float, error: float, unsure: float
) -> None:
    clock = WrongClock(error=error, unsure=unsure, on_sleep=lambda _: None)
    lease = a_lease(ends=ends)
    turn = await_turn(lambda: lease, clock, machine="mine", tell=ignore, terms=terms)
    assert asyncio.run(turn) == lease
    assert clock.true <= terms.time_to_live + terms.margin + 0.002


@given(renewed_at=st.floats(0, 14), error=errors)
def test_who_renews_while_another_waits_keeps_the_lease(renewed_at: float, error: float) -> None:
    standing = [a_lease()]

    def renew(now: float) -> None:
        if now >= renewed_at:
            standing[0] = a_lease(ends=now + USUAL.time_to_live)

    clock = WrongClock(error=error, unsure=CLOCK_BOUND, on_sleep=renew)
    with pytest.raises(InUse, match="in use by other, process 7"):
        asyncio.run(await_turn(lambda: standing[0], clock, machine="mine", tell=ignore))


def test_the_own_machine_and_an_empty_journal_are_not_waited_for() -> None:
    clock = WrongClock(error=0, unsure=float("inf"), on_sleep=lambda _: None)
    for found in (None, a_lease(holder="mine")):
        look = iter([found]).__next__
        assert asyncio.run(await_turn(look, clock, machine="mine", tell=ignore)) is None
    assert clock.true == 0


def test_the_wait_is_told_once_with_its_length() -> None:
    told: list[tuple[Lease, float]] = []
    clock = WrongClock(error=0, unsure=0, on_sleep=lambda _: None)
    lease = a_lease(ends=2.0)
    asyncio.run(
        await_turn(lambda: lease, clock, machine="mine", tell=lambda a, b: told.append((a, b)))
    )
    assert told == [(lease, 7.5)]


@pytest.mark.parametrize(
    ("found", "may"),
    [
        (None, True),
        (a_lease(holder="mine"), True),
        (a_lease(), False),
        (a_lease(ends=-1e6), False),
    ],
)
def test_a_claim_may_follow_its_own_machine_or_what_it_waited_for(
    found: Lease | None, may: bool
) -> None:
    claim = Claim(holder="mine", name="me", at=NOON)
    assert claim.may_follow(found) is may
    waited = Claim(holder="mine", name="me", at=NOON, unless_changed=a_lease())
    assert waited.may_follow(a_lease())
    # Who reads it with the terms of another venue has read the same lease.
    assert waited.may_follow(replace(a_lease(), terms=Terms(window=30.0)))
    assert not waited.may_follow(a_lease(ends=10.001))


def a_write(at: float, epoch: int, *, machine: str = "a", landed: float | None = None) -> Write:
    when = at if landed is None else landed
    return Write(at=at, machine=machine, epoch=epoch, landed=(when,), what="POST /x")


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0, 9)), max_size=8))
def test_the_judge_finds_exactly_the_writes_that_an_earlier_run_sent_too_late(
    sent: list[tuple[int, float]],
) -> None:
    writes, now = [], 0.0
    for epoch, wait in sent:
        now += wait + 0.001
        writes.append(a_write(now, epoch))
    late = [w for i, w in enumerate(writes) if any(e.epoch > w.epoch for e in writes[:i])]
    assert bool(overlaps(writes)) == bool(late)


def test_what_another_machine_sent_must_also_have_landed() -> None:
    flying = a_write(1.0, 1, landed=4.0)
    assert overlaps([flying, a_write(3.0, 2)]) == []
    (found,) = overlaps([flying, a_write(3.0, 2, machine="b")])
    assert found.startswith("I5: POST /x of run 1 landed at 4.000, after run 2")
