"""When does the loop look again?"""

from itertools import count, pairwise

import pytest

from bot.domain.decision import Urgency
from bot.pace import Pace
from tests.kit.builders import LEVELS, a_position, an_observation
from tests.kit.loops import ENDANGERED, Rig


async def test_a_stop_ends_the_wait_but_not_the_poll() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    rig.loop.stop()
    await rig.loop.run(Pace(routine=5, urgent=1))
    assert rig.journal.records == []


async def test_the_loop_waits_less_while_something_is_urgent_and_longer_while_nobody_answers() -> (
    None
):
    pace = Pace(routine=5, urgent=1)
    rig = Rig(ENDANGERED)
    urgent = await rig.loop.poll()
    assert pace.pause(urgent, misses=0) == 1
    assert [pace.pause(urgent, misses=n) for n in (1, 2, 3, 9)] == [1, 2, 2, 2]
    assert [pace.pause(urgent, misses=0, spent=s) for s in (0.4, 0.9, 30)] == [0.6, 0.25, 0.25]
    assert [pace.pause(urgent, misses=2, spent=s) for s in (0.4, 1.9, 30)] == [1.6, 0.5, 0.5]


async def test_polls_begin_as_far_apart_as_they_are_meant_to() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    began: list[float] = []

    def look_slowly() -> None:
        began.append(rig.clock.monotonic())
        rig.clock.advance(1.5)

    rig.venue.on_look = look_slowly
    polls = count(1)
    await rig.loop.run(Pace(routine=5.0, urgent=1.0), is_over=lambda: next(polls) == 4)
    assert [b - a for a, b in pairwise(began)] == [5.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("margin", "expected"),
    [
        pytest.param("8000", 5.0, id="nearer to the target"),
        pytest.param("6800", 1.0, id="nearer to the trigger"),
    ],
)
async def test_the_loop_waits_less_while_a_position_may_soon_cross_its_trigger(
    margin: str, expected: float
) -> None:
    rig = Rig(an_observation(a_position(margin=margin), futures="0"))
    decision = await rig.loop.poll()
    (found,) = decision.positions
    assert found.urgency is Urgency.HOLD
    assert found.risk.distance is not None
    assert LEVELS.trigger < found.risk.distance < LEVELS.target
    assert Pace(routine=5.0, urgent=1.0).pause(decision, misses=0) == expected


async def test_the_last_poll_is_not_followed_by_a_wait() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    before = rig.clock.monotonic()
    await rig.loop.run(Pace(routine=5.0, urgent=1.0), is_over=lambda: True)
    assert len(rig.journal.records) == 1
    assert rig.clock.monotonic() == before
