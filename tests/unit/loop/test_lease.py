"""What may a bot do without its lease?"""

from itertools import count, pairwise

import pytest

from bot.domain.intent import IntentState
from bot.domain.mode import Mode
from bot.domain.switch import Switches
from bot.errors import Denied, InUse
from bot.pace import Pace
from tests.kit.builders import a_position, an_observation
from tests.kit.loops import ENDANGERED, Rig, mode_of


async def test_a_bot_without_a_lease_only_reads_and_goes_on_when_it_is_renewed() -> None:
    rig = Rig(ENDANGERED)
    rig.authority.left = 5.5
    await rig.loop.poll()
    await rig.loop.poll()
    assert mode_of(rig) is Mode.OBSERVE
    assert rig.venue.sent == []
    assert [alarm.code for alarm in rig.seen.alarms] == ["lease_lost"]
    rig.authority.left = 15.0
    await rig.loop.poll()
    assert mode_of(rig) is Mode.DEGRADED
    assert len(rig.venue.sent) == 1
    await rig.loop.poll()
    await rig.loop.poll()
    assert mode_of(rig) is Mode.NORMAL


@pytest.mark.parametrize("denied_first", [True, False])
async def test_a_renewed_lease_does_not_bring_back_a_bot_that_waits_for_a_person(
    denied_first: bool,
) -> None:
    rig = Rig(ENDANGERED)
    if denied_first:
        rig.venue.failures = [Denied("key")]
        await rig.loop.poll()
    rig.authority.left = 0.0
    if not denied_first:
        await rig.loop.poll()
        rig.venue.failures = [Denied("key")]
    await rig.loop.poll()
    rig.authority.left = 15.0
    for _ in range(4):
        await rig.loop.poll()
    assert mode_of(rig) is Mode.OBSERVE
    rig.switches.state = Switches(resumed_at=rig.clock.now())
    await rig.loop.poll()
    assert mode_of(rig) is Mode.DEGRADED


async def test_a_person_who_resumes_does_not_replace_the_lease() -> None:
    rig = Rig(ENDANGERED)
    rig.authority.left = 0.0
    await rig.loop.poll()
    rig.switches.state = Switches(resumed_at=rig.clock.now())
    await rig.loop.poll()
    assert mode_of(rig) is Mode.OBSERVE
    assert rig.venue.sent == []


async def test_a_lease_that_runs_out_between_plan_and_send_stops_the_send() -> None:
    rig = Rig(ENDANGERED)
    taken = rig.journal.record

    async def record_slowly(*args: object) -> None:
        await taken(*args)  # type: ignore[arg-type]  # passed through as given
        rig.authority.left = 5.5

    rig.journal.record = record_slowly  # type: ignore[assignment]  # a disk that takes its time
    await rig.loop.poll()
    assert rig.venue.sent == []
    assert [i.state for i in rig.journal.intents.values()] == [IntentState.DROPPED]


async def test_after_a_standstill_the_lease_is_renewed_before_anything_leaves() -> None:
    rig = Rig(ENDANGERED)
    rig.authority.left = -45.0
    rig.switches.stalled_for = 60.0
    sent_at_renewal: list[int] = []

    def renew() -> None:
        sent_at_renewal.append(len(rig.venue.sent))
        rig.authority.left = 15.0

    rig.authority.on_renewal = renew
    await rig.loop.poll()
    assert sent_at_renewal[0] == 0
    assert len(rig.venue.sent) == 1
    assert mode_of(rig) is not Mode.OBSERVE


async def test_a_run_that_was_succeeded_ends() -> None:
    rig = Rig(ENDANGERED)

    def refuse() -> None:
        raise InUse("run 1 was succeeded")

    rig.authority.on_renewal = refuse
    with pytest.raises(InUse):
        await rig.loop.run(Pace(routine=5, urgent=1))
    assert rig.venue.sent == []


async def test_the_lease_is_kept_while_the_loop_rests() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    renewed: list[float] = []
    rig.authority.on_renewal = lambda: renewed.append(rig.clock.monotonic())
    began = rig.clock.monotonic()
    polls = count(1)
    await rig.loop.run(Pace(routine=300, urgent=1), is_over=lambda: next(polls) == 2)
    gaps = [b - a for a, b in pairwise(renewed)]
    assert rig.clock.monotonic() - began == 300
    assert max(gaps) == 5
