from itertools import product

import pytest

from bot.domain.mode import POLLS_TO_RECOVER, TRANSITIONS, Event, Mode, next_mode

N, D, O, K = Mode.NORMAL, Mode.DEGRADED, Mode.OBSERVE, Mode.KILLED  # noqa: E741 - the modes' first letters

# Written the other way round than the table: by mode, and only what leaves it.
LEAVES: dict[Mode, dict[Event, Mode]] = {
    N: {
        Event.MISSED: D,
        Event.STALLED: D,
        Event.JOURNAL_LOST: D,
        Event.RESERVE_LOST: O,
        Event.FOREIGN: D,
        Event.UNBALANCED: D,
        Event.UNBALANCED_AGAIN: O,
        Event.SECOND_WRITER: O,
        Event.DENIED: O,
        Event.LEASE_LOST: O,
        Event.KILLED: K,
    },
    D: {
        Event.RECOVERED: N,
        Event.RESERVE_LOST: O,
        Event.UNBALANCED_AGAIN: O,
        Event.SECOND_WRITER: O,
        Event.DENIED: O,
        Event.LEASE_LOST: O,
        Event.KILLED: K,
    },
    O: {Event.RESUMED: D, Event.LEASE_RENEWED: D, Event.KILLED: K},
    K: {Event.REARMED: D},
}


@pytest.mark.parametrize(("mode", "event"), list(product(Mode, Event)))
def test_every_event_in_every_mode_has_one_known_end(mode: Mode, event: Event) -> None:
    assert next_mode(mode, event) is LEAVES[mode].get(event, mode)


def test_no_pair_of_mode_and_event_is_left_out() -> None:
    assert {(mode, event) for event, row in TRANSITIONS.items() for mode in row} == set(
        product(Mode, Event)
    )


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("good_polls", range(5))
def test_enough_complete_polls_in_a_row_bring_back_a_degraded_bot_and_no_other(
    mode: Mode, good_polls: int
) -> None:
    after = next_mode(mode, Event.POLLED, good_polls=good_polls)
    recovers = mode is D and good_polls >= POLLS_TO_RECOVER
    assert after is (N if recovers else mode)


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.POLLED])
def test_only_a_complete_poll_counts_towards_recovery(event: Event) -> None:
    for mode in Mode:
        assert next_mode(mode, event, good_polls=9) is next_mode(mode, event)
