"""What a venue's request budget must never see, whatever is asked and however it answers."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from bot.chance import SeededRng
from bot.exchanges.binance.weights import BUDGETS, Budget
from bot.exchanges.limits import Cost, Limit
from bot.exchanges.quota import JITTER, KEPT, LONGEST_BAN, Lane, Meter, Quota

LIMIT = 240
SPAN = Limit(weight=LIMIT).span
SHARE = LIMIT // 2
MINUTE = 60.0
VALID = 5.0
"""A request may be on its way so long. [s]"""

lanes = st.sampled_from(Lane)
weights = st.integers(1, 40)
gaps = st.floats(0, 20, allow_nan=False)
asked = st.lists(st.tuples(gaps, lanes, weights), max_size=80)
news = st.lists(st.tuples(gaps, lanes, weights, st.none() | st.integers(0, 2 * LIMIT)), max_size=80)


@given(news=news, delays=st.lists(st.floats(0, VALID), min_size=80, max_size=80))
def test_no_minute_of_the_venue_sees_more_than_half_of_its_limit(
    news: list[tuple[float, Lane, int, int | None]], delays: list[float]
) -> None:
    meter, now, arrived = Meter(Limit(weight=LIMIT)), 0.0, []
    for (gap, lane, weight, told), delay in zip(news, delays, strict=False):
        now += gap
        if meter.take(lane, weight, now):
            arrived.append((now + delay, weight))
        if told is not None:
            meter.correct(told, now)
    for start, _ in arrived:
        seen = sum(w for at, w in arrived if start <= at < start + MINUTE)
        assert seen <= SHARE


@given(asked=asked, lane=st.sampled_from(tuple(Lane)[:-1]))
def test_a_lane_always_finds_what_is_kept_for_it(
    asked: list[tuple[float, Lane, int]], lane: Lane
) -> None:
    meter, now, after = Meter(Limit(weight=LIMIT)), 0.0, Lane(lane + 1)
    for gap, other, weight in asked:
        now += gap
        meter.take(max(other, after), weight, now)
    kept = math.ceil(SHARE * KEPT[after]) - math.ceil(SHARE * KEPT[lane])
    assert meter.left(lane, now) >= kept > 0
    assert meter.take(lane, kept, now)


@given(news=news)
def test_a_lane_never_has_more_than_one_before_it(
    news: list[tuple[float, Lane, int, int | None]],
) -> None:
    meter, now = Meter(Limit(weight=LIMIT)), 0.0
    for gap, lane, weight, told in news:
        now += gap
        meter.take(lane, weight, now)
        if told is not None:
            meter.correct(told, now)
        left = [meter.left(one, now) for one in Lane]
        assert all(a > b for a, b in itertools.pairwise(left))


@given(news=news)
def test_what_is_spent_only_grows_and_by_what_was_let_pass(
    news: list[tuple[float, Lane, int, int | None]],
) -> None:
    meter, now = Meter(Limit(weight=LIMIT)), 0.0
    for gap, lane, weight, told in news:
        now += gap
        before, left = meter.spent, meter.left(lane, now)
        passed = meter.take(lane, weight, now)
        assert passed is (left >= weight)
        assert meter.spent - before == weight * passed
        assert meter.left(lane, now) <= left
        if told is not None:
            left = meter.left(lane, now)
            meter.correct(told, now)
            assert meter.left(lane, now) <= left


@given(
    asked=st.lists(st.tuples(st.floats(0, VALID / 80), lanes, weights), max_size=79),
    told=st.integers(0, 3 * LIMIT),
    weight=weights,
    lane=lanes,
)
def test_what_the_venue_has_counted_is_never_forgotten_before_its_minute_is_over(
    asked: list[tuple[float, Lane, int]], told: int, weight: int, lane: Lane
) -> None:
    meter, now = Meter(Limit(weight=LIMIT)), 0.0
    for gap, other, heavy in asked:
        now += gap
        meter.take(other, heavy, now)
    meter.correct(told, now)
    # Together with others the venue's limit is never reached: nobody is answered 429.
    for later in (now, now + MINUTE):
        if meter.take(lane, weight, later):
            assert told + weight <= LIMIT
    assert Meter(Limit(weight=LIMIT)).left(lane, 0.0) == meter.left(lane, now + 2 * SPAN)


@given(news=news, lane=lanes, weight=weights)
def test_who_waits_as_long_as_told_may_spend_and_not_sooner(
    news: list[tuple[float, Lane, int, int | None]], lane: Lane, weight: int
) -> None:
    meter, now = Meter(Limit(weight=LIMIT)), 0.0
    for gap, other, heavy, told in news:
        now += gap
        meter.take(other, heavy, now)
        if told is not None:
            meter.correct(told, now)
    wait = meter.wait(lane, weight, now)
    assert 0 <= wait <= SPAN
    if wait > 0:
        assert meter.left(lane, now) < weight
    assert meter.left(lane, now + wait + 1e-6) >= weight


@given(weight=st.integers(1, 30), thinking=st.floats(0, 2), seconds=st.integers(60, 600))
def test_looks_that_pause_as_told_are_never_cut_off(
    weight: int, thinking: float, seconds: int
) -> None:
    quota, now, since = Quota(BUDGETS, SeededRng("law")), 0.0, 0.0
    cost = Cost(Budget.FUTURES, weight)
    while now < seconds:
        now += quota.pause(weight, since=since, now=now) + 1e-6
        since = now
        assert quota.take(cost, Lane.READ, now)
        now += thinking + 0.2


STATUS = st.sampled_from((None, 200, 400, 403, 418, 429, 503))
CODE = st.none() | st.just(-1003)
WAIT = st.sampled_from(("", "0", "1", "30", "nan", "inf", "-5", "1e9", "Wed, 21 Oct", "120"))


@given(
    answers=st.lists(st.tuples(gaps, STATUS, CODE, WAIT), max_size=30),
    lane=lanes,
    ahead=st.floats(0, 200),
)
def test_nothing_may_leave_while_the_venue_asked_to_wait(
    answers: list[tuple[float, int | None, int | None, str]], lane: Lane, ahead: float
) -> None:
    quota, now, until, latest = Quota(BUDGETS, SeededRng("law")), 0.0, -1.0, -1.0
    for gap, status, code, wait in answers:
        now += gap
        quota.note(status, code, wait, now)
        is_ban = status == 418 or (status == 403 and code is None)
        if status == 429 or is_ban:
            usual = 120.0 if is_ban else 60.0
            told = {"0": 0.0, "1": 1.0, "30": 30.0, "120": 120.0}.get(wait, usual)
            until = max(until, now + told)
            latest = max(latest, now + told + min(JITTER, told / 2))
        assert (quota.ban(now) != "") <= (quota.stopped_for(now) > 0)
        assert quota.stopped_for(now) <= LONGEST_BAN + JITTER
    later = now + ahead
    passed = quota.take(Cost(Budget.FUTURES, 1), lane, later)
    assert not (passed and later < until)
    assert passed or later < latest


@given(seed=st.text(max_size=8), low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6))
def test_the_same_seed_draws_the_same_numbers_inside_their_bounds(
    seed: str, low: float, span: float
) -> None:
    one, two, other = SeededRng(seed), SeededRng(seed), SeededRng(seed + "x")
    drawn = [one.uniform(low, low + span) for _ in range(5)]
    assert drawn == [two.uniform(low, low + span) for _ in range(5)]
    assert drawn != [other.uniform(low, low + span) for _ in range(5)]
    assert all(low <= number <= low + span for number in drawn)


def test_a_wait_that_rounding_ends_early_divides_by_nothing() -> None:
    meter = Meter(Limit(weight=LIMIT))
    for number in range(40):
        meter.take(Lane.PROTECT, 25, number * 1.6435 + 0.1)
    for now in (131.60625299999998, 0.1 + SPAN, 0.1 + SPAN - 1e-14):
        assert 0 <= meter.even(Lane.READ, 25, now) < float("inf")
