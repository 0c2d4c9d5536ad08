from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.domain.mode import POLLS_TO_RECOVER, Event, Mode, next_mode
from bot.domain.switch import Pause
from bot.operate.switches import KILL_FILE, KILL_LATCH, FileSwitchboard, seen_in

events = st.lists(st.sampled_from(Event), max_size=30)


def _run(mode: Mode, happened: list[Event]) -> Mode:
    good_polls = 0
    for event in happened:
        good_polls = good_polls + 1 if event is Event.POLLED else 0
        mode = next_mode(mode, event, good_polls=good_polls)
    return mode


@given(st.sampled_from(Mode), events, events)
def test_nothing_but_rearm_leaves_killed(
    start: Mode, before: list[Event], after: list[Event]
) -> None:
    others = [event for event in after if event is not Event.REARMED]
    assert _run(start, [*before, Event.KILLED, *others]) is Mode.KILLED


@given(st.sampled_from(Mode), events)
def test_without_a_person_a_denied_bot_only_reads(start: Mode, after: list[Event]) -> None:
    # The loop never says of a denied bot that its lease was renewed: tests/unit/loop/test_lease.py.
    people = (Event.RESUMED, Event.REARMED, Event.LEASE_RENEWED)
    alone = [event for event in after if event not in people]
    assert _run(start, [Event.DENIED, *alone]) in (Mode.OBSERVE, Mode.KILLED)


@given(st.sampled_from(Mode), events)
def test_a_person_and_two_complete_polls_bring_back_any_bot(
    start: Mode, before: list[Event]
) -> None:
    back = [Event.REARMED, Event.RESUMED, *[Event.POLLED] * POLLS_TO_RECOVER]
    assert _run(start, [*before, *back]) is Mode.NORMAL


@given(st.sampled_from(Mode), events)
def test_nobody_comes_back_from_a_stop_straight_to_normal(start: Mode, before: list[Event]) -> None:
    mode = _run(start, before)
    if mode in (Mode.OBSERVE, Mode.KILLED):
        for event in Event:
            assert next_mode(mode, event, good_polls=9) is not Mode.NORMAL


class TwoProcesses(RuleBasedStateMachine):
    """Two boards on one directory, a shell and a bad disk, against two plain variables."""

    @initialize()
    def start(self) -> None:
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.boards = [FileSwitchboard(self.path), FileSwitchboard(self.path)]
        self.killed, self.pause = False, Pause.NONE

    @rule(which=st.integers(0, 1))
    def kill(self, which: int) -> None:
        self.boards[which].kill()
        assert self.boards[which].state.killed
        self.killed = True

    @rule()
    def touch_kill(self) -> None:
        (self.path / KILL_FILE).touch()
        self.killed = True

    @rule()
    def remove_what_was_touched(self) -> None:
        for board in self.boards:
            board.look()
        (self.path / KILL_FILE).unlink(missing_ok=True)

    @rule(content=st.sampled_from([b"", b"\0", b"k", b"-K", b"-" * 9]))
    def damage(self, content: bytes) -> None:
        (self.path / KILL_LATCH).write_bytes(content)
        self.killed = True

    @rule(which=st.integers(0, 1))
    def rearm(self, which: int) -> None:
        self.boards[which].rearm()
        assert not self.boards[which].state.killed
        self.killed = False

    @rule(which=st.integers(0, 1), level=st.sampled_from([Pause.OPTIONAL, Pause.ALL]))
    def pause_(self, which: int, level: Pause) -> None:
        self.boards[which].pause(level)
        assert self.boards[which].state.pause is level
        self.pause = level

    @rule(which=st.integers(0, 1))
    def resume(self, which: int) -> None:
        self.boards[which].resume()
        assert self.boards[which].state.pause is Pause.NONE
        self.pause = Pause.NONE

    @rule(which=st.integers(0, 1))
    def restart(self, which: int) -> None:
        self.boards[which].close()
        self.boards[which] = FileSwitchboard(self.path)

    @invariant()
    def everyone_who_looks_sees_the_same(self) -> None:
        for board in self.boards:
            board.look()
        for state in (*(board.state for board in self.boards), seen_in(self.path)):
            assert (state.killed, state.pause) == (self.killed, self.pause), state
            assert bool(state.why) is (self.killed or self.pause is not Pause.NONE)
            assert (state.since is not None) is bool(state.why)

    def teardown(self) -> None:
        for board in self.boards:
            board.close()
        self.folder.cleanup()


TestTwoProcesses = TwoProcesses.TestCase
TestTwoProcesses.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
