import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.intent import Intent, IntentState, Settlement
from bot.domain.timing import WINDOW, settle_point
from bot.errors import Unavailable
from bot.execute.resolve import (
    ALARM_AFTER,
    BETWEEN_LOOKS,
    FINAL_AFTER,
    GIVE_UP_AFTER,
    Followed,
    Resolver,
)
from tests.kit.builders import NOON, a_position, an_observation
from tests.kit.fakes import FakeClock, FakeJournal, FakeVenue
from tests.kit.records import an_intent

SETTLE_POINT = settle_point(WINDOW)
SECOND = timedelta(seconds=1)


class SlowVenue(FakeVenue):
    """A venue whose answers take a second, or do not come."""

    is_silent = False

    async def settle(self, intent: Intent) -> Settlement:
        self.clock.advance(1)
        if self.is_silent:
            raise Unavailable("no answer")
        return await super().settle(intent)


class Following:
    """One intent that is followed, with everything around it."""

    def __init__(self, state: IntentState = IntentState.UNKNOWN, *, window: float = WINDOW) -> None:
        self.clock, self.journal = FakeClock(), FakeJournal()
        self.venue = SlowVenue(an_observation(a_position()), self.clock)
        self.venue.window = window
        self.resolver = Resolver(venue=self.venue, journal=self.journal, clock=self.clock)
        self.intent = replace(an_intent(), written_at=NOON - SECOND, sent_at=NOON, state=state)
        self.journal.intents[self.intent.id] = self.intent

    def finds(self, applied: str | None) -> None:
        self.venue.evidence[self.intent.id] = None if applied is None else D(applied)

    async def look(self, after: timedelta) -> Followed | None:
        """Look when the intent was sent so long ago; the answer comes a second later."""
        self.clock.advance((NOON + after - self.clock.now()).total_seconds())
        news = await self.resolver.follow((self.intent,))
        return news[0] if news else None

    def state(self) -> IntentState:
        return self.journal.intents[self.intent.id].state


@pytest.mark.parametrize("state", [IntentState.UNKNOWN, IntentState.DONE, IntentState.GAVE_UP])
async def test_an_effect_is_believed_at_once(state: IntentState) -> None:
    it = Following(state)
    it.finds("250.00")
    found = await it.look(timedelta(0))
    assert found is not None
    assert (found.before, found.alarm) == (it.intent, "")
    assert found.after == replace(it.intent, state=IntentState.APPLIED)
    assert found.settlement is not None
    assert found.settlement.applied == D(250)
    assert it.state() is IntentState.APPLIED


async def test_absence_needs_two_looks_after_the_settle_point() -> None:
    it = Following()
    it.finds("0")
    just_before = SETTLE_POINT - timedelta(milliseconds=1)
    assert await it.look(just_before) is None
    assert await it.look(SETTLE_POINT) is None  # the first that counts
    assert await it.look(SETTLE_POINT + 2 * BETWEEN_LOOKS) is not None
    assert it.state() is IntentState.ABSENT


async def test_absence_is_believed_later_where_the_venue_accepts_requests_for_longer() -> None:
    it = Following(window=30.0)
    it.finds("0")
    late = settle_point(30.0)
    assert await it.look(late - timedelta(milliseconds=1)) is None
    assert await it.look(late) is None  # the first that counts
    assert await it.look(late + 2 * BETWEEN_LOOKS) is not None


async def test_a_look_counts_from_when_it_was_asked_not_from_when_it_was_answered() -> None:
    it = Following()
    it.finds("0")
    # The answers come after the settle point, the questions were before it.
    assert await it.look(SETTLE_POINT - SECOND / 2) is None
    assert await it.look(SETTLE_POINT + SECOND) is None
    found = await it.look(SETTLE_POINT + 3 * SECOND)
    assert found is not None
    assert found.after.state is IntentState.ABSENT
    assert found.settlement is not None


async def test_two_looks_exactly_far_enough_apart_prove_absence() -> None:
    it = Following()
    it.finds("0")
    assert await it.look(SETTLE_POINT) is None
    assert await it.look(SETTLE_POINT + BETWEEN_LOOKS) is not None


async def test_a_confirmed_move_that_is_absent_is_unknown_again_and_people_are_told() -> None:
    it = Following(IntentState.DONE)
    it.finds("0")
    assert await it.look(SETTLE_POINT) is None
    found = await it.look(SETTLE_POINT + BETWEEN_LOOKS)
    assert found is not None
    assert found.after == replace(it.intent, state=IntentState.UNKNOWN)
    assert found.settlement is None
    assert found.alarm.startswith(f"{it.intent.id} was confirmed by the venue, not in its history")
    assert it.state() is IntentState.UNKNOWN
    # From here absence is proven anew: two looks more.
    it.intent = found.after
    assert await it.look(SETTLE_POINT + 10 * SECOND) is None
    absent = await it.look(SETTLE_POINT + 12 * SECOND)
    assert absent is not None
    assert absent.after.state is IntentState.ABSENT


async def test_what_the_venue_does_not_know_itself_proves_nothing() -> None:
    it = Following()
    it.finds(None)
    for after in (10, 12, 14):
        assert await it.look(timedelta(seconds=after)) is None
    assert it.state() is IntentState.UNKNOWN


async def test_a_history_that_cannot_be_read_proves_nothing() -> None:
    it = Following()
    it.finds("0")
    assert await it.look(SETTLE_POINT) is None
    it.venue.is_silent = True
    assert await it.look(SETTLE_POINT + 2 * SECOND) is None
    it.venue.is_silent = False
    assert await it.look(SETTLE_POINT + 4 * SECOND) is not None


async def test_an_error_that_is_no_answer_of_the_venue_is_not_swallowed() -> None:
    class Broken(FakeVenue):
        async def settle(self, intent: Intent) -> Settlement:
            raise KeyError(intent.id)

    it = Following()
    broken = Broken(an_observation(), it.clock)
    resolver = Resolver(venue=broken, journal=it.journal, clock=it.clock)
    with pytest.raises(KeyError):
        await resolver.follow((it.intent,))


async def test_an_error_of_one_look_leaves_no_other_running_and_none_before_it_untold() -> None:
    ended = list[str]()

    class Broken(FakeVenue):
        async def settle(self, intent: Intent) -> Settlement:
            if intent.id == "plbad":
                raise KeyError(intent.id)
            for _ in range(5):
                await asyncio.sleep(0)
            ended.append(intent.id)
            return await super().settle(intent)

    it = Following()
    broken = Broken(an_observation(), it.clock)
    broken.evidence[it.intent.id] = D(250)
    resolver = Resolver(venue=broken, journal=it.journal, clock=it.clock)
    with pytest.raises(KeyError):
        await resolver.follow((it.intent, replace(it.intent, id="plbad")))
    assert ended == [it.intent.id]
    assert it.state() is IntentState.APPLIED


@pytest.mark.parametrize("silent", [True, False], ids=["no answer", "nothing proven"])
async def test_people_are_told_once_after_a_minute_and_it_is_given_up_after_five(
    silent: bool,
) -> None:
    it = Following()
    it.venue.is_silent = silent
    assert await it.look(ALARM_AFTER - SECOND) is None  # answered at the minute, not after it
    told = await it.look(ALARM_AFTER)
    assert told is not None
    assert (told.before, told.after, told.settlement) == (it.intent, it.intent, None)
    assert "61 s" in told.alarm
    assert await it.look(ALARM_AFTER + 5 * SECOND) is None
    assert await it.look(GIVE_UP_AFTER - SECOND) is None
    assert it.state() is IntentState.UNKNOWN
    last = await it.look(GIVE_UP_AFTER)
    assert last is not None
    assert last.after == replace(it.intent, state=IntentState.GAVE_UP)
    assert last.settlement is None
    assert "300 s" in last.alarm
    assert it.state() is IntentState.GAVE_UP


@pytest.mark.parametrize("state", [IntentState.DONE, IntentState.GAVE_UP])
async def test_only_what_is_unknown_is_told_or_given_up(state: IntentState) -> None:
    it = Following(state)
    for after in (ALARM_AFTER, GIVE_UP_AFTER):
        assert await it.look(2 * after) is None
    assert it.state() is state


async def test_an_intent_whose_send_is_not_dated_counts_from_when_it_was_written() -> None:
    it = Following()
    it.intent = replace(it.intent, sent_at=None)
    it.finds("0")
    assert await it.look(SETTLE_POINT - SECOND) is None
    found = await it.look(SETTLE_POINT)
    assert found is not None
    assert found.after.state is IntentState.ABSENT


async def test_intents_without_news_are_left_out_and_the_others_keep_their_order() -> None:
    it = Following()
    intents = [replace(it.intent, id=f"pl{n}") for n in range(4)]
    for intent in intents:
        it.journal.intents[intent.id] = intent
    it.venue.evidence = {"pl3": D(250), "pl1": D(250)}
    news = await it.resolver.follow(tuple(intents))
    assert [item.before.id for item in news] == ["pl1", "pl3"]


async def test_absence_of_one_intent_says_nothing_about_another() -> None:
    it = Following()
    other = replace(it.intent, id="plother")
    it.journal.intents[other.id] = other
    it.venue.evidence = {it.intent.id: D(0), other.id: D(0)}
    assert await it.look(SETTLE_POINT) is None
    it.clock.advance(2)
    assert await it.resolver.follow((other,)) == ()
    assert await it.look(SETTLE_POINT + 6 * SECOND) is not None


async def test_a_restart_drops_what_was_not_sent_and_follows_the_rest_as_unknown() -> None:
    it = Following()
    ages = {
        "plwritten": (IntentState.WRITTEN, SECOND),
        "plsent": (IntentState.SENT, SECOND),
        "pldone": (IntentState.DONE, FINAL_AFTER),
        "plfinal": (IntentState.DONE, FINAL_AFTER + SECOND),
        "plgone": (IntentState.GAVE_UP, 3 * FINAL_AFTER),
        "plunknown": (IntentState.UNKNOWN, 3 * FINAL_AFTER),
    }
    it.journal.intents = {
        name: replace(it.intent, id=name, state=state, sent_at=NOON - age)
        for name, (state, age) in ages.items()
    }
    found = await it.resolver.recover()
    assert [(i.id, i.state.value) for i in found] == [
        ("plsent", "unknown"),
        ("pldone", "done"),
        ("plgone", "gave_up"),
        ("plunknown", "unknown"),
    ]
    assert it.journal.steps == [("plwritten", "dropped")]


async def test_an_absence_first_seen_after_five_minutes_is_given_up_on() -> None:
    it = Following()
    it.finds("0")
    found = await it.look(GIVE_UP_AFTER)
    assert found is not None
    assert found.after.state is IntentState.GAVE_UP


def test_the_times_are_those_that_people_are_told() -> None:
    # Window 5 s, clock bound 0.5 s and history lag 2 s; 60 s and 300 s stand in the README.
    told = (SETTLE_POINT, BETWEEN_LOOKS, ALARM_AFTER, GIVE_UP_AFTER, FINAL_AFTER)
    assert [time.total_seconds() for time in told] == [7.5, 1, 60, 300, 86_400]
