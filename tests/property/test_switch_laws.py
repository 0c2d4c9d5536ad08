from hypothesis import given
from hypothesis import strategies as st

from bot.domain.mode import POLLS_TO_RECOVER, Event, Mode, next_mode

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
    alone = [event for event in after if event not in (Event.RESUMED, Event.REARMED)]
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
