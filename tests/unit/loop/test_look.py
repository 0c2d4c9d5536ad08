"""What follows a look at the venue that failed, or shows less than the one before?"""

from dataclasses import replace

import pytest

from bot.domain.decision import Verdict
from bot.domain.mode import Mode
from bot.errors import Denied, Incomplete, Unavailable
from tests.kit.builders import a_position, an_observation
from tests.kit.loops import ENDANGERED, Rig


@pytest.mark.parametrize(
    ("error", "reason", "mode"),
    [
        pytest.param(Unavailable("no answer"), "unavailable", Mode.DEGRADED, id="silent"),
        pytest.param(Incomplete("markPrice of X"), "incomplete", Mode.DEGRADED, id="a hole"),
        pytest.param(Denied("key"), "denied", Mode.OBSERVE, id="key refused"),
    ],
)
async def test_a_failed_look_is_recorded_and_changes_the_mode(
    error: Unavailable | Incomplete | Denied, reason: str, mode: Mode
) -> None:
    rig = Rig(ENDANGERED)
    rig.venue.failures = [error]
    decision = await rig.loop.poll()
    assert (decision.verdict, decision.reason) == (Verdict.NOT_READY, reason)
    assert rig.loop.memory.mode is mode
    assert rig.journal.records[0]["refusals"][0]["text"] == str(error)
    assert rig.venue.sent == []


async def test_two_good_looks_bring_a_degraded_bot_back() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    rig.venue.failures = [Unavailable("x")]
    modes = []
    for _ in range(3):
        await rig.loop.poll()
        modes.append(rig.loop.memory.mode)
    assert modes == [Mode.DEGRADED, Mode.DEGRADED, Mode.NORMAL]


async def test_nothing_follows_a_denied_look() -> None:
    rig = Rig(ENDANGERED)
    rig.venue.failures = [Denied("key was revoked")]
    for _ in range(4):
        await rig.loop.poll()
    assert rig.venue.sent == []


async def test_a_failed_look_does_not_forget_what_the_bot_added() -> None:
    rig = Rig(ENDANGERED)
    await rig.loop.poll()
    added = rig.loop.memory.of(a_position().key).added
    assert added > 0
    rig.venue.failures = [Unavailable("x")]
    await rig.loop.poll()
    assert rig.loop.memory.of(a_position().key).added == added


async def test_a_closed_position_is_forgotten() -> None:
    rig = Rig(ENDANGERED)
    await rig.loop.poll()
    empty = replace(rig.venue.observation.account, positions=())
    rig.venue.observation = replace(rig.venue.observation, account=empty)
    await rig.loop.poll()
    assert rig.loop.memory.keys == ()
