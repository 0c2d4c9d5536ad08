"""What do a kill, a pause and a standstill forbid?"""

import pytest

from bot.domain.decision import Verdict
from bot.domain.intent import IntentState
from bot.domain.mode import Mode
from bot.domain.switch import Pause, Switches
from tests.kit.loops import ENDANGERED, Rig


async def test_after_a_kill_nothing_leaves_and_every_poll_says_so() -> None:
    rig = Rig(ENDANGERED)
    rig.switches.state = Switches(killed=True, why="a person")
    decision = await rig.loop.poll()
    assert (decision.mode, decision.verdict) == (Mode.KILLED, Verdict.REFUSE)
    assert [r.code for r in decision.refusals] == ["killed"]
    assert rig.venue.sent == []
    assert [alarm.code for alarm in rig.seen.alarms] == ["killed"]


async def test_a_kill_during_the_poll_stops_the_request_before_its_first_byte() -> None:
    rig = Rig(ENDANGERED)

    def kill(step: str) -> None:
        if step == "sent":
            rig.switches.state = Switches(killed=True, why="a person")

    rig.journal.after = kill
    await rig.loop.poll()
    assert rig.venue.sent == []
    (intent,) = rig.journal.intents.values()
    assert intent.state is IntentState.REJECTED


async def test_a_rearmed_bot_protects_at_once_and_does_the_rest_after_two_good_looks() -> None:
    rig = Rig(ENDANGERED)
    rig.switches.state = Switches(killed=True)
    await rig.loop.poll()
    rig.switches.state = Switches()
    modes = [(await rig.loop.poll()).mode for _ in range(2)]
    assert modes == [Mode.DEGRADED, Mode.NORMAL]
    assert rig.venue.sent


@pytest.mark.parametrize(
    ("pause", "sends"), [(Pause.OPTIONAL, True), (Pause.ALL, False)], ids=["optional", "all"]
)
async def test_a_paused_bot_still_protects_unless_everything_is_paused(
    pause: Pause, sends: bool
) -> None:
    rig = Rig(ENDANGERED)
    rig.switches.state = Switches(pause=pause)
    await rig.loop.poll()
    assert bool(rig.venue.sent) is sends


async def test_a_standstill_drops_what_was_planned_and_the_bot_looks_again() -> None:
    rig = Rig(ENDANGERED)

    def stand_still(step: str) -> None:
        if step == "written":
            rig.switches.stalled_for = 30.0

    rig.journal.after = stand_still
    await rig.loop.poll()
    assert rig.venue.sent == []
    rig.journal.after = lambda _: None
    decision = await rig.loop.poll()
    assert decision.mode is Mode.DEGRADED
    assert len(rig.venue.sent) == 1
