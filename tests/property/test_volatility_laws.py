import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.position import Side
from bot.leverage import forecast as forecasts
from bot.leverage import har, history, model
from bot.leverage.arrays import Floats
from bot.leverage.forecast import Flag, Source, forecast
from bot.leverage.history import History, believed, excursions, variances
from tests.kit.markets import a_record, bars_of, mirrored, plain_features, scaled, without

RECORD = a_record(12_000, seed=3)
FITTED = har.fit(RECORD.until(10_000), 8)
seeds = st.integers(0, 2**32)
BAD = {
    "nan": (math.nan, math.nan, math.nan),
    "a hole": (1.0, math.nan, 1.0),
    "infinite": (math.inf, 1.0, 1.0),
    "zero": (1.0, 0.0, 0.0),
    "negative": (-1.0, -2.0, -1.5),
    "crossed": (1.0, 2.0, 1.5),
    "close outside": (2.0, 1.0, 3.0),
}


def broken(record: History, places: list[int], kind: str) -> History:
    columns = [column.copy() for column in (record.high, record.low, record.close)]
    for column, price in zip(columns, BAD[kind], strict=True):
        column[places] = price
    return believed(record.start, *columns)


def stirred(record: History, count: int, seed: int) -> History:
    """Return a record that is the same up to ``count`` and another market from there on."""
    other = a_record(len(record) - count, seed=seed, noise=0.03)
    pairs = zip(
        (record.high, record.low, record.close), (other.high, other.low, other.close), strict=True
    )
    return believed(record.start, *(np.concatenate((a[:count], b)) for a, b in pairs))


@given(st.integers(800, 2000), seeds)
@settings(max_examples=25)
def test_features_know_nothing_of_what_comes_later(count: int, seed: int) -> None:
    record = RECORD.until(2200)
    other = stirred(record, count, seed)
    one = har.features(record.start, variances(record))[:count]
    two = har.features(other.start, variances(other))[:count]
    assert np.array_equal(one, two, equal_nan=True)


@given(st.integers(9000, 11_900), seeds)
@settings(max_examples=8)
def test_a_walk_knows_nothing_of_what_comes_later(count: int, seed: int) -> None:
    one = har.walk(RECORD, 8)
    two = har.walk(stirred(RECORD, count, seed), 8)
    assert np.isfinite(one.sigma[8760:count]).all()
    assert two.sigma[:count] == pytest.approx(one.sigma[:count], rel=1e-9, nan_ok=True)
    assert two.floor[:count] == pytest.approx(one.floor[:count], rel=1e-9)


@given(st.integers(200, 390), st.floats(0.2, 0.6), st.booleans())
@settings(max_examples=40)
def test_a_doubted_spike_is_counted_in_full_until_it_has_reverted(
    place: int, height: float, is_wick: bool
) -> None:
    index = a_record(400, seed=5)
    moves = np.abs(np.diff(np.log(index.close)))
    if moves[place - 1 : place + 1].max() > np.median(moves):
        return  # the market itself moved there
    columns = [column.copy() for column in (index.high, index.low, index.close)]
    columns[0][place] *= math.exp(height)
    if not is_wick:
        columns[2][place] = columns[0][place]
    record = believed(index.start, *columns)
    whole = har.features(record.start, variances(record, index))
    for count in (place, place + 1, place + 2):
        cut = har.features(record.start, variances(record.until(count), index.until(count)))
        assert cut == pytest.approx(whole[:count], abs=1e-9, nan_ok=True)
    doubted = variances(record, index)
    assert doubted.is_doubted[place]
    assert doubted.ranged_past[place] < variances(record).ranged_past[place]
    assert excursions(record, 8)[1][place - 1] >= height / 2
    assert not variances(record, record).is_doubted.any(), "an index that moved alike confirms it"


@given(st.lists(st.integers(0, 899), max_size=60, unique=True), st.integers(0, 899))
@settings(max_examples=60)
def test_features_agree_with_loops_over_the_bars(places: list[int], row: int) -> None:
    record = without(RECORD.last(900), *places)
    table = har.features(record.start, variances(record))
    assert table[row].tolist() == pytest.approx(plain_features(record, row), rel=1e-9, nan_ok=True)


@given(
    st.lists(st.floats(-9, 9), min_size=1, max_size=80),
    st.lists(st.integers(0, 79), max_size=12),
    st.integers(1, 30),
)
def test_windows_ahead_agree_with_loops(steps: list[float], places: list[int], hours: int) -> None:
    close = np.exp(np.array(steps) / 10)
    close[[p for p in places if p < close.size]] = np.nan
    record = believed(0, close * 1.01, close / 1.02, close)
    long, short = excursions(record, hours)
    total = history.ahead_sum(record.close, hours)
    for t in range(close.size):
        ahead = slice(t + 1, t + 1 + hours)
        if t + hours >= close.size or np.isnan(close[t : t + hours + 1]).any():
            assert math.isnan(long[t])
            assert math.isnan(short[t])
            continue
        assert total[t] == pytest.approx(sum(record.close[ahead]))
        assert long[t] == pytest.approx(
            max(0.0, math.log(close[t] / min(record.low[ahead]))), abs=1e-12
        )
        assert short[t] == pytest.approx(
            max(0.0, math.log(max(record.high[ahead]) / close[t])), abs=1e-12
        )


@given(st.floats(1e-3, 1e3))
@settings(max_examples=20)
def test_another_currency_leaves_the_forecast_unchanged(factor: float) -> None:
    one = forecast(RECORD, 8, own=FITTED).sigma_h
    two = forecast(scaled(RECORD, factor), 8, own=FITTED).sigma_h
    assert two == pytest.approx(one, rel=1e-9)


def test_a_mirrored_market_has_the_same_forecast_and_the_other_sides_excursions() -> None:
    other = mirrored(RECORD)
    assert har.walk(other, 8).sigma == pytest.approx(
        har.walk(RECORD, 8).sigma, rel=1e-6, nan_ok=True
    )
    for one, two in zip(excursions(RECORD, 8), reversed(excursions(other, 8)), strict=True):
        assert two == pytest.approx(one, abs=1e-12, nan_ok=True)


def test_twice_the_moves_are_twice_the_forecast() -> None:
    logs = [np.log(c / 100) for c in (RECORD.high, RECORD.low, RECORD.close)]
    twice = believed(RECORD.start, *(100 * np.exp(2 * c) for c in logs))
    one, two = har.walk(RECORD, 24).sigma, har.walk(twice, 24).sigma
    # The intercept takes up the factor; only the tiny ridge and the floor of logarithms see it.
    assert two[8760:-1] == pytest.approx(2 * one[8760:-1], rel=1e-3)


@given(
    st.lists(st.integers(7, 168), min_size=1, max_size=3, unique=True),
    st.sampled_from(sorted(BAD)),
    st.integers(1000, 12_000),
    st.sampled_from((None, FITTED)),
)
@settings(max_examples=150)
def test_bad_bars_never_shorten_a_distance(
    ages: list[int], kind: str, count: int, own: har.HarModel | None
) -> None:
    clean = RECORD.until(count)
    places = [count - age for age in ages]
    # What the wildest hour of a week hid cannot be known, and is not claimed.
    moves = np.fmax(variances(clean).squared, variances(clean).ranged_past)[-168:]
    if any(moves[p - count] >= np.sort(moves)[-5] for p in places):
        return
    one = forecast(clean, 8, own=own)
    two = forecast(broken(clean, places, kind), 8, own=own)
    assert one.sigma_h is not None
    assert two.sigma_h is not None
    assert two.sigma_h >= one.sigma_h * (1 - 1e-12)
    assert Flag.MISSING_BARS in two.flags
    assert (Flag.REJECTED_BARS in two.flags) == (kind != "nan")
    assert not (kind != "nan" and two.may_give_back)


@given(st.integers(1, 6), st.sampled_from(sorted(BAD)), st.integers(1000, 12_000))
@settings(max_examples=60)
def test_a_hole_in_the_last_hours_keeps_the_last_forecast_for_five_hours(
    age: int, kind: str, count: int
) -> None:
    clean = RECORD.until(count)
    found = forecast(broken(clean, [count - age], kind), 8, own=FITTED)
    if age == 6:
        assert found == forecasts.Forecast(
            hours=8, sigma_h=None, source=Source.NONE, flags=found.flags
        )
        assert Flag.NO_FORECAST in found.flags
        return
    before = forecast(clean.until(count - age), 8, own=FITTED).sigma_h
    assert found.sigma_h is not None
    assert before is not None
    assert found.sigma_h >= before
    assert Flag.OLD_FORECAST in found.flags
    assert not found.may_give_back


@given(st.lists(st.integers(1, 168), min_size=4, unique=True))
@settings(max_examples=40)
def test_more_than_a_fiftieth_of_the_week_missing_is_no_forecast(ages: list[int]) -> None:
    holes = without(RECORD, *(len(RECORD) - age for age in ages))
    found = forecast(holes, 8, own=FITTED)
    assert found.sigma_h is None or Flag.OLD_FORECAST in found.flags
    assert not found.may_give_back


@given(st.integers(800, 12_000))
@settings(max_examples=80)
def test_a_forecast_falls_by_no_more_than_a_third_a_day_and_never_below_its_floor(
    count: int,
) -> None:
    now = forecast(RECORD.until(count), 8, own=FITTED).sigma_h
    before = forecast(RECORD.until(count - 24), 8, own=FITTED).sigma_h
    assert now is not None
    assert before is not None
    assert now >= 0.7 * before * (1 - 1e-9)
    assert now >= FITTED.floor > 0


floats = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(
    st.lists(st.tuples(floats, floats, floats), max_size=60),
    st.sampled_from(Side),
    st.floats(0.01, 30),
    st.floats(1e-12, 0.5),
)
def test_whatever_a_market_sends_is_a_distance_or_a_refusal(
    rows: list[tuple[float, float, float]], side: Side, hours: float, alpha: float
) -> None:
    columns: list[Floats] = [np.array([row[i] for row in rows]) for i in range(3)]
    record = History(
        start=0,
        high=columns[0],
        low=columns[1],
        close=columns[2],
        rejected=np.zeros(len(rows), dtype=np.bool_),
    )
    found = model.required_distance(bars_of(record), side, hours, alpha, model.Models())
    assert (found.a_log is None) == bool(found.refusal)
    assert not found.may_give_back
    if found.a_log is not None:
        assert math.isfinite(found.a_log)
        assert found.a_log > 0
