import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.position import Side
from bot.leverage import har, library, mixture, model, tail
from bot.leverage.library import Library
from bot.leverage.mixture import Mixture
from bot.leverage.tail import Origin, Tail
from bot.leverage.tolerance import window_tolerance
from tests.kit.markets import a_record, bars_of, plain_moments

RECORD = a_record(14_000, seed=7)
LIBRARY = library.fit(
    {"A": RECORD, "B": a_record(14_000, seed=8)}, source="made up", horizons=(1, 8)
)
MODELS = LIBRARY.coins
bodies = st.lists(st.floats(0, 3), min_size=1, max_size=30)
mixtures = st.lists(st.floats(0.05, 40), min_size=1, max_size=400).map(
    lambda ratios: Mixture.of(np.array(ratios))
)


@st.composite
def tails(draw: st.DrawFn) -> Tail:
    body = tuple(sorted(draw(bodies)))
    threshold = max(0.5, body[-1] + draw(st.floats(0.01, 1)))
    return Tail(
        threshold=threshold,
        scale=draw(st.floats(0.1, 3)),
        shape=draw(st.one_of(st.just(0.0), st.floats(0.0, 0.6))),
        body=(*body, threshold) if draw(st.booleans()) else (),
        mixture=draw(st.one_of(st.none(), mixtures)),
    )


deep = st.floats(1e-12, 0.05)
tolerances = st.one_of(deep, st.floats(1e-6, 1))


@given(tails(), deep)
def test_the_chance_of_a_required_distance_is_its_tolerance(shape: Tail, alpha: float) -> None:
    k = tail.required(shape, alpha)
    assert math.isfinite(k)
    assert tail.hit(shape, k) == pytest.approx(alpha, rel=1e-9)


@given(tails(), st.floats(0.05, 0.999))
def test_the_body_is_undone_by_its_survival_or_bounded_by_it(shape: Tail, alpha: float) -> None:
    k = tail.quantile(shape, alpha)
    # Equal excursions share a quantile: the chance of at least so much is then larger.
    assert tail.survival(shape, k) >= alpha * (1 - 1e-9)
    beyond = math.nextafter(k, math.inf) * (1 + 1e-9) + 1e-9
    assert tail.survival(shape, beyond) <= alpha * (1 + 1e-6) + 1e-6


@given(tails(), tolerances, tolerances)
def test_a_smaller_tolerance_is_never_nearer(shape: Tail, one: float, two: float) -> None:
    small, large = sorted((one, two))
    assert tail.required(shape, small) >= tail.required(shape, large)


@given(tails(), st.lists(st.floats(-1, 100), min_size=2, max_size=40))
@example(Tail(threshold=1.0, scale=1.0, shape=0.0, body=(0.0, 5e-324, 1.0)), [-1.0])
def test_the_chance_falls_with_distance_and_vectors_agree_with_numbers(
    shape: Tail, excursions: list[float]
) -> None:
    ordered = np.sort(np.array([*excursions, 0.0, shape.threshold]))
    chances = tail.hits(shape, ordered)
    assert ((chances >= 0) & (chances <= 1)).all()
    assert (np.diff(chances) <= 1e-15).all()
    assert chances == pytest.approx([tail.hit(shape, z) for z in ordered.tolist()], rel=1e-12)


@given(tails(), st.floats(0, 1), st.floats(0.01, 100), deep)
def test_a_distance_scales_with_the_forecast(
    shape: Tail, sigma: float, factor: float, alpha: float
) -> None:
    one = tail.distance(shape, sigma, alpha)
    assert tail.distance(shape, sigma * factor, alpha) == pytest.approx(one * factor, rel=1e-12)


@given(st.lists(st.floats(1e-3, 100), min_size=1, max_size=2000), st.floats(0.1, 30))
@settings(max_examples=60)
def test_grouping_ratios_never_understates_a_chance(ratios: list[float], z: float) -> None:
    found = mixture.survival(Mixture.of(np.array(ratios)), z)
    exact = math.fsum(math.erfc(z / math.sqrt(2 * v)) for v in ratios) / len(ratios)
    assert found >= exact * (1 - 1e-12)


@given(mixtures, st.floats(1e-12, 0.999))
def test_the_root_of_a_mixture_gives_its_tolerance_back(mixed: Mixture, alpha: float) -> None:
    z = mixture.quantile(mixed, alpha)
    assert math.isfinite(z)
    assert mixture.survival(mixed, z) == pytest.approx(alpha, rel=1e-9)


@given(st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=200))
def test_moments_agree_with_their_sums_term_by_term(values: list[float]) -> None:
    ordered = np.sort(np.array(values))
    scale, shape, at_bound = tail.moments(ordered)
    assert scale > 0
    assert 0 <= shape <= 0.6
    if not at_bound:
        assert (scale, shape) == pytest.approx(plain_moments(ordered), rel=1e-6, abs=1e-9)


@given(st.floats(0.01, 100), st.integers(0, 1000))
@settings(max_examples=30)
def test_a_tail_scales_with_its_excursions(factor: float, seed: int) -> None:
    sample = np.abs(np.random.Generator(np.random.PCG64(seed)).standard_t(4, size=2000))
    one, many = tail.fit_excursions(sample), tail.fit_excursions(sample * factor)
    assert many.shape == pytest.approx(one.shape, rel=1e-6, abs=1e-9)
    assert many.scale == pytest.approx(one.scale * factor, rel=1e-6)
    assert many.body == pytest.approx(tuple(b * factor for b in one.body))


def test_a_tail_knows_no_window_that_was_not_complete() -> None:
    sample = tail.windows(RECORD, har.walk(RECORD, 8).sigma, 8)
    for hour in (RECORD.start + 9000, RECORD.start + 13_000):
        assert sample.until(hour).known.max() <= hour
    cut = RECORD.until(13_000)
    again = tail.windows(cut, har.walk(cut, 8).sigma, 8)
    before = sample.until(cut.start + 13_000)
    assert again.known.tolist() == before.known.tolist()
    assert again.long == pytest.approx(before.long, rel=1e-9)
    assert again.ratio == pytest.approx(before.ratio, rel=1e-9)


@given(st.sampled_from(Side), st.floats(0.1, 8), st.floats(1e-6, 0.04))
@settings(max_examples=50)
def test_models_give_the_same_answer_after_a_restart(
    side: Side, hours: float, alpha: float
) -> None:
    read = Library.from_dict(json.loads(json.dumps(LIBRARY.as_dict())))
    assert read == LIBRARY
    again = read.of("A/USDT:USDT")
    bars = bars_of(RECORD.last(900))
    one = model.required_distance(bars, side, hours, alpha, MODELS["A"])
    assert one.a_log is not None
    assert one == model.required_distance(bars, side, hours, alpha, again)


@given(st.floats(0.05, 20), st.floats(0.05, 20), st.floats(0.02, 8), st.sampled_from(Side))
@settings(max_examples=60)
def test_who_tolerates_more_never_stands_farther(
    one: float, two: float, hours: float, side: Side
) -> None:
    bars = bars_of(RECORD.last(900))
    careful, bold = (
        model.required_distance(
            bars, side, hours, window_tolerance(hazard, hours=hours), MODELS["A"]
        ).a_log
        for hazard in sorted((one, two))
    )
    assert careful is not None
    assert bold is not None
    assert careful >= bold * (1 - 1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": math.nan}, "scale"),
        ({"scale": -1.0}, "scale"),
        ({"shape": 1.5}, "shape"),
        ({"threshold": math.inf}, "threshold"),
        ({"body": (3.0, 1.0)}, "body"),
        ({"origin": "guessed"}, "guessed"),
    ],
)
def test_a_damaged_tail_is_refused(change: dict[str, object], message: str) -> None:
    raw = tail.prior(Side.LONG, hours=1).as_dict() | change
    with pytest.raises(ValueError, match=message):
        Tail.from_dict(raw)


def test_a_mixture_asks_for_more_only_beyond_one_in_a_thousand() -> None:
    wild = Mixture.of(np.array([400.0] + [1.0] * 99))
    bare = replace(tail.prior(Side.LONG, hours=1), origin=Origin.OWN)
    mixed = replace(bare, mixture=wild)
    assert tail.required(mixed, 1e-3) == tail.required(bare, 1e-3)
    assert tail.required(mixed, 0.99e-3) > 2 * tail.required(bare, 0.99e-3)
    between = tail.required(bare, 1e-3) * 1.01
    assert 0.99e-3 < tail.hit(mixed, between) < 1e-3
