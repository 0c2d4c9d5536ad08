import pytest

from bot.domain.intent import STEPS, IntentState, Outcome

WRITTEN, SENT, DONE, REJECTED, UNKNOWN, APPLIED, ABSENT, GAVE_UP, DROPPED = IntentState


def test_journals_keep_these_words() -> None:
    assert [state.value for state in IntentState] == [
        "written", "sent", "done", "rejected", "unknown", "applied", "absent", "gave_up",
        "dropped",
    ]  # fmt: skip
    assert [outcome.value for outcome in Outcome] == ["done", "rejected", "unknown"]
    for outcome in Outcome:
        assert IntentState(outcome.value).name == outcome.name


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (WRITTEN, {SENT, DROPPED}),
        (SENT, {DONE, REJECTED, UNKNOWN, APPLIED, ABSENT, GAVE_UP}),
        (DONE, {APPLIED, UNKNOWN}),
        (UNKNOWN, {APPLIED, ABSENT, GAVE_UP}),
        (GAVE_UP, {APPLIED, ABSENT}),
        (REJECTED, set()),
        (APPLIED, set()),
        (ABSENT, set()),
        (DROPPED, set()),
    ],
)
def test_each_state_is_followed_by_these(before: IntentState, after: set[IntentState]) -> None:
    assert STEPS[before] == after


def test_no_way_leads_from_an_unknown_effect_to_rejected_or_dropped() -> None:
    reached, waiting = set[IntentState](), [UNKNOWN]
    while waiting:
        for state in STEPS[waiting.pop()] - reached:
            reached.add(state)
            waiting.append(state)
    assert reached == {APPLIED, ABSENT, GAVE_UP}


def test_what_is_open_is_not_settled_and_what_is_followed_may_still_change() -> None:
    assert {state for state in IntentState if state.is_open} == {WRITTEN, SENT, UNKNOWN, GAVE_UP}
    followed = {state for state in IntentState if state.is_followed}
    assert followed == {state for state in IntentState if STEPS[state]}
