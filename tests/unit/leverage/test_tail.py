import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from bot.domain.market import Bars
from bot.domain.position import Side
from bot.leverage import forecast as forecasts
from bot.leverage import har, library, model, tail
from bot.leverage.arrays import Floats
from bot.leverage.forecast import Flag
from bot.leverage.tail import Origin, Tail
from tests.kit.markets import a_record, bars_of

MANY = {"A": a_record(14_000, seed=1), "B": a_record(14_000, seed=2), "C": a_record(900, seed=3)}
LIBRARY = library.fit(MANY, source="made up", horizons=(8,))
MODELS = {coin: LIBRARY.of(coin) for coin in MANY}


@pytest.mark.parametrize("shape", [0.0, 0.05, 0.3, 0.55])
def test_quantiles_and_chances_are_those_of_scipy(shape: float) -> None:
    one = Tail(threshold=2.0, scale=0.5, shape=shape)
    law = stats.genpareto(shape, loc=2.0, scale=0.5)
    for alpha in (0.049, 0.01, 1e-3, 1e-4, 1e-8):
        assert tail.quantile(one, alpha) == pytest.approx(law.isf(alpha / 0.05), rel=1e-9)
    for z in (2.1, 3.0, 8.0, 40.0):
        assert tail.survival(one, z) == pytest.approx(0.05 * law.sf(z), rel=1e-9)


@pytest.mark.parametrize("shape", [0.1, 0.25, 0.45])
def test_moments_find_a_pareto_as_well_as_maximum_likelihood_does(shape: float) -> None:
    sample = np.sort(stats.genpareto(shape, scale=0.8).rvs(4000, random_state=17))
    scale, found, at_bound = tail.moments(sample)
    likely, _, likely_scale = stats.genpareto.fit(sample, floc=0)
    assert not at_bound
    assert found == pytest.approx(likely, abs=0.06)
    assert scale == pytest.approx(likely_scale, rel=0.06)
    # What counts is the distance that follows from them.
    far = [stats.genpareto(x, scale=s).isf(0.002) for x, s in ((found, scale), (shape, 0.8))]
    assert far[0] == pytest.approx(far[1], rel=0.15)


def test_a_light_tail_is_clipped_to_an_exponential_and_says_so() -> None:
    beyond = np.sort(np.random.Generator(np.random.PCG64(1)).random(1000))
    for sample in (beyond, np.full(50, 2.0)):
        scale, shape, at_bound = tail.moments(sample)
        assert (shape, at_bound) == (0.0, True)
        assert scale == pytest.approx(sample.mean())
    wild = np.sort(stats.pareto(0.9).rvs(5000, random_state=3))
    scale, shape, at_bound = tail.moments(wild)
    assert (shape, at_bound) == (0.6, True)
    assert scale == pytest.approx(0.4 * wild.mean())


def test_five_percent_lie_beyond_the_threshold_and_the_body_is_empirical() -> None:
    sample = np.abs(np.random.Generator(np.random.PCG64(8)).standard_t(3, size=20_000))
    one = tail.fit_excursions(sample)
    assert (one.windows, one.exceedances) == (20_000, 1000)
    assert one.threshold == np.quantile(sample, 0.95)
    for alpha in (0.5, 0.2, 0.05, 0.01):
        assert np.mean(sample > tail.quantile(one, alpha)) == pytest.approx(alpha, rel=0.08)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (np.array([]), "at least one"),
        (np.array([1.0, math.nan]), "finite"),
        (np.linspace(0, 1, 500), "30 excursions"),
        (np.zeros(5000), "30 excursions"),
    ],
)
def test_what_has_no_tail_is_refused(sample: Floats, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tail.fit_excursions(sample)


def test_windows_are_taken_every_quarter_and_need_whole_bars() -> None:
    record = MANY["A"]
    sample = tail.windows(record, har.walk(record, 8).sigma, 8)
    assert set((np.diff(sample.known)).tolist()) == {2}
    assert sample.known[0] >= record.start + har.BURN_IN + 8
    assert sample.known[-1] <= record.start + len(record)
    at = int(sample.known[100]) - 8 - record.start  # bars known when it was forecast
    sigma = har.walk(record, 8).sigma[at - 1]
    move = math.log(record.close[at - 1] / min(record.low[at : at + 8]))
    assert sample.long[100] == pytest.approx(max(0.0, move) / sigma)
    squares = np.square(np.diff(np.log(record.close[at - 1 : at + 8]))).sum()
    ranges = np.square(np.log(record.high / record.low))[at : at + 8].sum() / (4 * math.log(2))
    assert sample.ratio[100] == pytest.approx(max(squares, ranges) / sigma**2)


def test_tails_are_those_of_all_coins_and_only_long_records_have_a_regression() -> None:
    shared = LIBRARY.others.tails[Side.LONG, 8]
    assert shared.origin is Origin.POOLED
    counts = [
        tail.windows(record, har.walk(record, 8).sigma, 8).known.size for record in MANY.values()
    ]
    assert counts[2] == 0
    assert shared.windows == sum(counts)
    assert all(MODELS[coin].tails == LIBRARY.others.tails for coin in "ABC")
    assert (set(LIBRARY.coins), LIBRARY.of("Z/USDT:USDT")) == ({"A", "B"}, LIBRARY.others)
    assert 8 not in MODELS["C"].own
    with pytest.raises(ValueError, match="too few for the tail of 8 h"):
        library.fit({"C": MANY["C"]}, source="made up", horizons=(8,))


def test_a_distance_is_the_quantile_times_the_forecast() -> None:
    record = MANY["A"]
    found = model.required_distance(bars_of(record.last(900)), Side.LONG, 8, 1e-3, MODELS["A"])
    sigma = forecasts.forecast(record, 8, own=MODELS["A"].own[8]).sigma_h
    shape = MODELS["A"].tails[Side.LONG, 8]
    assert sigma is not None
    assert found.a_log == pytest.approx(tail.quantile(shape, 1e-3) * sigma)
    assert found.hours == 8
    assert found.alpha == pytest.approx(1e-3)
    assert found.extrapolated == (shape.windows < 3000)
    assert not shape.is_extrapolated(3.001 / shape.windows)
    assert (found.may_give_back, found.leverage_cap, found.tail) == (True, None, shape)


def test_an_unknown_symbol_stands_on_the_prior_with_a_cap_and_gives_nothing_back() -> None:
    bars = bars_of(MANY["A"].last(200))
    found = model.required_distance(bars, Side.SHORT, 0.5, 1e-4, model.Models())
    assert found.a_log is not None
    assert (found.origin, found.leverage_cap) == (Origin.PRIOR, 3.0)
    assert found.extrapolated
    assert not found.may_give_back
    # Half an hour at 1e-4 is an hour at twice as much.
    assert found.alpha == pytest.approx(2e-4, rel=1e-3)


def test_silence_ages_a_forecast_and_then_ends_it() -> None:
    record = MANY["A"].last(900)
    bars = bars_of(record)
    end = datetime.fromtimestamp((record.start + len(record)) * 3600, tz=UTC)

    def after(hours: float) -> model.Required:
        return model.required_distance(
            bars, Side.LONG, 8, 1e-3, MODELS["A"], now=end + timedelta(hours=hours)
        )

    assert Flag.OLD_FORECAST not in after(0.9).flags
    for hours in (1.1, 5.5):
        assert Flag.OLD_FORECAST in after(hours).flags
        assert not after(hours).may_give_back
    for hours in (6.1, 100, 1e5):
        assert after(hours).a_log is None
        assert after(hours).refusal


@pytest.mark.parametrize(
    ("bars", "why"),
    [
        pytest.param(Bars(), "dated", id="none"),
        pytest.param(Bars(seconds=60), "hourly", id="minutes"),
        pytest.param(
            Bars(opened_at=datetime(2026, 1, 1, 0, 30, tzinfo=UTC), close=(1.0,)),
            "full hours",
            id="half past",
        ),
        pytest.param(
            Bars(opened_at=datetime(2026, 1, 1, tzinfo=UTC), close=(1.0,)), "shape", id="torn"
        ),
    ],
)
def test_bars_that_cannot_be_read_are_refused_by_name(bars: Bars, why: str) -> None:
    found = model.required_distance(bars, Side.LONG, 1, 1e-3, MODELS["A"])
    assert found.a_log is None
    assert why in found.refusal


def test_no_model_reaches_beyond_a_day_and_a_careless_question_raises() -> None:
    bars = bars_of(MANY["A"].last(900))
    found = model.required_distance(bars, Side.LONG, 25, 1e-3, MODELS["A"])
    assert "25 h" in found.refusal
    for hours, alpha in ((0.0, 0.1), (math.nan, 0.1), (1.0, 0.0), (1.0, 1.0)):
        with pytest.raises(ValueError, match="must be"):
            model.required_distance(bars, Side.LONG, hours, alpha, MODELS["A"])


def test_who_tolerates_almost_anything_still_stands_at_the_threshold() -> None:
    record = bars_of(MANY["A"].last(900))
    for models in (MODELS["A"], model.Models()):
        careless = model.required_distance(record, Side.LONG, 0.01, 0.5, models)
        assert careless.quantile is not None
        assert careless.quantile >= 1
        assert careless.alpha == 0.05


def test_an_index_that_cannot_be_read_changes_nothing() -> None:
    record = bars_of(MANY["A"].last(900))
    alone = model.required_distance(record, Side.LONG, 8, 1e-3, MODELS["A"])
    for index in (Bars(), Bars(seconds=60), bars_of(MANY["A"].last(800)), record):
        beside = model.required_distance(record, Side.LONG, 8, 1e-3, MODELS["A"], index=index)
        assert beside.a_log == pytest.approx(alone.a_log, rel=1e-9)
