import itertools
import math

import numpy as np
import pytest
from scipy import stats

from bot.leverage import backtest
from bot.leverage.backtest import Light


@pytest.mark.parametrize(
    ("windows", "alpha", "region"),
    [
        pytest.param(255, 0.01, (1, 6), id="Kupiec 1995, 255 days, 1 %"),
        pytest.param(255, 0.025, (3, 11), id="255 days, 2.5 %"),
        pytest.param(255, 0.05, (7, 20), id="255 days, 5 %"),
        pytest.param(255, 0.075, (12, 27), id="255 days, 7.5 %"),
        pytest.param(255, 0.1, (17, 35), id="255 days, 10 %"),
        pytest.param(510, 0.01, (2, 10), id="510 days, 1 %"),
        pytest.param(1000, 0.01, (5, 16), id="1000 days, 1 %"),
    ],
)
def test_kupiec_keeps_the_published_regions(
    windows: int, alpha: float, region: tuple[int, int]
) -> None:
    assert backtest.acceptance(windows, alpha) == region


def test_no_hit_in_255_days_is_rejected_at_one_percent() -> None:
    # Published as "fewer than 7"; the ratio itself rejects none at all.
    assert backtest.kupiec(255, 0, 0.01).p_value == pytest.approx(0.0236, abs=5e-5)


def test_the_traffic_light_changes_where_basel_says() -> None:
    lights = [backtest.traffic_light(250, hits, 0.01) for hits in range(14)]
    assert lights == [Light.GREEN] * 5 + [Light.YELLOW] * 5 + [Light.RED] * 4


@pytest.mark.parametrize(("windows", "alpha"), [(1, 0.3), (250, 0.01), (40_000, 1e-4)])
def test_the_binomial_agrees_with_scipy(windows: int, alpha: float) -> None:
    for hits in {0, 1, windows // 100, windows // 10, windows}:
        assert backtest.binomial_cdf(windows, hits, alpha) == pytest.approx(
            stats.binom.cdf(hits, windows, alpha), rel=1e-9
        )


@pytest.mark.parametrize(("windows", "hits"), [(100, 0), (100, 7), (5000, 60), (10, 10)])
def test_p_values_are_those_of_chi_squared(windows: int, hits: int) -> None:
    found = backtest.kupiec(windows, hits, 0.02)
    rate = hits / windows
    expected = 2 * (
        stats.binom.logpmf(hits, windows, rate) - stats.binom.logpmf(hits, windows, 0.02)
    )
    assert found.statistic == pytest.approx(expected, rel=1e-6)
    assert found.p_value == pytest.approx(stats.chi2.sf(expected, 1), rel=1e-6)


def test_hits_in_a_row_are_told_from_hits_alone() -> None:
    scattered, clustered = np.zeros(2000, dtype=np.bool_), np.zeros(2000, dtype=np.bool_)
    scattered[::100] = True
    clustered[500:520] = True
    assert backtest.christoffersen(scattered).p_value > 0.2
    assert backtest.christoffersen(clustered).p_value < 1e-9
    both = backtest.conditional_coverage(clustered, 0.01)
    assert both.p_value == pytest.approx(stats.chi2.sf(both.statistic, 2), rel=1e-9)
    assert backtest.kupiec(2000, 20, 0.01).p_value == pytest.approx(1.0)


def test_the_likelihoods_of_a_chain_are_counted_by_hand() -> None:
    hits = np.array([0, 0, 1, 1, 0, 0, 0, 1, 0, 0], dtype=np.bool_)
    # From 0: 6 times, 2 to 1. From 1: 3 times, 1 to 1. Together 9, 3 to 1.
    chained = 4 * math.log(4 / 6) + 2 * math.log(2 / 6) + 2 * math.log(2 / 3) + math.log(1 / 3)
    alone = 6 * math.log(6 / 9) + 3 * math.log(3 / 9)
    assert backtest.christoffersen(hits).statistic == pytest.approx(
        max(0.0, 2 * (chained - alone)), abs=1e-12
    )


def test_uniform_transforms_pass_and_others_do_not() -> None:
    chance = np.random.Generator(np.random.PCG64(5))
    uniform = chance.random(3000)
    found = backtest.kolmogorov_smirnov(uniform)
    exact = stats.kstest(uniform, "uniform")
    assert found.statistic == pytest.approx(exact.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(exact.pvalue, abs=0.01)
    assert backtest.kolmogorov_smirnov(uniform**1.2).p_value < 1e-6
    assert backtest.kolmogorov_smirnov(backtest.tail_transforms(uniform)).p_value > 0.01


@pytest.mark.parametrize("x", [0.05, 0.3, 0.9, 0.999, 1.001, 1.6, 3.0])
def test_the_kolmogorov_series_agrees_with_scipy(x: float) -> None:
    assert backtest.kolmogorov_survival(x) == pytest.approx(stats.kstwobign.sf(x), abs=1e-13)


@pytest.mark.parametrize(
    ("alpha", "windows"), [(0.05, 224), (0.01, 1180), (0.005, 2362), (0.001, 11_815)]
)
def test_a_doubled_rate_needs_so_many_windows(alpha: float, windows: int) -> None:
    assert backtest.enough_windows(alpha) == windows
    assert backtest.power(windows, alpha) >= 0.8
    assert backtest.power(windows - 1, alpha) < 0.8
    later = [windows + step * windows // 40 for step in range(120)]
    assert min(backtest.power(n, alpha) for n in later) >= 0.8


def test_power_is_the_share_of_rejections() -> None:
    chance = np.random.Generator(np.random.PCG64(11))
    counts = chance.binomial(500, 0.04, size=4000)
    rejected = np.mean([backtest.kupiec(500, int(x), 0.02).p_value <= 0.05 for x in counts])
    assert backtest.power(500, 0.02) == pytest.approx(rejected, abs=0.02)


def test_evidence_stays_low_while_a_promise_holds_and_grows_where_it_does_not() -> None:
    chance = np.random.Generator(np.random.PCG64(3))
    kept = [backtest.evidence(chance.random(2000) < 0.01, 0.01).max() for _ in range(400)]
    assert np.mean([one >= backtest.ALARM for one in kept]) <= 0.05
    broken = [backtest.evidence(chance.random(3000) < 0.05, 0.01)[-1] for _ in range(50)]
    assert min(broken) > backtest.ALARM


def test_evidence_is_expected_to_stay_at_one_while_a_promise_holds() -> None:
    expected = 0.0
    for hits in itertools.product((False, True), repeat=8):
        chance = 0.04 ** sum(hits) * 0.96 ** (8 - sum(hits))
        expected += chance * backtest.evidence(np.array(hits), 0.04)[-1]
    assert expected == pytest.approx(1.0, rel=1e-12)


def test_evidence_is_the_mean_of_products() -> None:
    hits = np.array([0, 1, 0, 0, 1], dtype=np.bool_)
    bets = [0.02, 0.1, 0.4]
    expected = np.mean([np.prod([1 + b * (h / 0.02 - 1) for h in hits]) for b in bets])
    assert backtest.evidence(hits, 0.02)[-1] == pytest.approx(expected, rel=1e-12)
    # At 20 % a bet of 20 times the chance could lose more than everything: it is not made.
    assert np.isfinite(backtest.evidence(hits, 0.2)).all()


def test_the_better_forecast_is_told_by_its_sign() -> None:
    chance = np.random.Generator(np.random.PCG64(4))
    truth = np.exp(chance.normal(size=4000))
    realised = truth * chance.chisquare(5, size=4000) / 5
    good, bad = backtest.qlike(realised, truth), backtest.qlike(realised, np.full(4000, 1.65))
    found = backtest.diebold_mariano(good, bad, hours=8)
    assert found.statistic < -5
    assert found.p_value == pytest.approx(2 * stats.norm.sf(-found.statistic), rel=1e-9)
    assert backtest.diebold_mariano(good, good, hours=8).p_value == 1.0
    assert backtest.qlike(np.array([2.0]), np.array([2.0]))[0] == 0.0


def test_the_long_run_variance_counts_neighbours() -> None:
    chance = np.random.Generator(np.random.PCG64(9))
    moved = np.convolve(chance.normal(size=200_000), np.ones(4))[: 200_000 - 4]
    # Four equal weights: the long-run variance is 4 squared, the plain one 4.
    centred = moved - moved.mean()
    assert backtest.newey_west(centred, 0) == pytest.approx(4, rel=0.03)
    assert backtest.newey_west(centred, 200) == pytest.approx(16, rel=0.1)


def test_days_that_share_a_storm_widen_the_interval_and_a_seed_fixes_it() -> None:
    days = np.repeat(np.arange(200), 50)
    chance = np.random.Generator(np.random.PCG64(2))
    alone = (chance.random(10_000) < 0.02).astype(np.float64)
    storms = np.repeat(chance.random(200) < 0.02, 50).astype(np.float64)
    promised = np.full(10_000, 0.02)
    one = backtest.bootstrap_ratio(days, alone, promised, seed=1)
    two = backtest.bootstrap_ratio(days, storms, promised, seed=1)
    assert one.value == pytest.approx(alone.mean() / 0.02)
    assert one.low < one.value < one.high
    assert two.high - two.low > 3 * (one.high - one.low)
    assert backtest.bootstrap_ratio(days, alone, promised, seed=1) == one
    assert backtest.bootstrap_ratio(days, alone, promised, seed=2) != one


@pytest.mark.parametrize(
    ("windows", "hits", "alpha"),
    [(0, 0, 0.1), (5, 6, 0.1), (5, -1, 0.1), (5, 1, 0.0), (5, 1, 1.0), (5, 1, math.nan)],
)
def test_what_is_no_count_and_no_chance_is_refused(windows: int, hits: int, alpha: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        backtest.kupiec(windows, hits, alpha)
