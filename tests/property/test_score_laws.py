from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.scoring import policies, score, walked
from bench.scoring.policies import Ends, Geometry
from bench.scoring.score import Costs, Ledger, Path, Rule
from bot.domain.position import Side
from bot.leverage import har, tail
from bot.leverage.arrays import Floats
from bot.leverage.flexible import Method, next_leverage
from bot.leverage.history import History
from tests.kit.markets import a_record, scaled

COSTS = Costs(
    rho=0.1, maintenance=0.02, liquidation_fee=0.001, taker_fee=0.0005, slippage=0.0, move=2e-5
)
ENDS = Ends(least=0.03, most=0.69)
sides = st.sampled_from((1, -1))
seeds = st.integers(0, 10_000)
noises = st.sampled_from((0.005, 0.02, 0.05))
leverages = st.floats(1.1, 40)


def record(seed: int, noise: float, hours: int = 120) -> History:
    return a_record(hours, seed=seed, noise=noise)


def path(one: History, side: int) -> Path:
    close = one.close
    rows = np.flatnonzero(np.isfinite(close[:-1]) & np.isfinite(close[1:]))
    return score.path(one, rows, side)


def always(margin: float, steps: int) -> Rule:
    """Return to one margin at each close."""
    held = np.full(steps, margin)
    return Rule(name="always", parameter=margin, low=held, aim=held, high=held)


def simple(leverage: float, steps: int) -> list[Rule]:
    kinds = (policies.static, policies.leverage_band, policies.flexible, policies.top_up)
    return [rule(leverage, steps) for rule in kinds]


def lost(way: Path, rules: Sequence[Rule]) -> Floats:
    return score.replay(way, rules, COSTS).liquidations


@given(seeds, noises, sides, st.floats(0.02, 0.9), st.floats(1, 3))
def test_more_margin_at_every_close_never_means_more_liquidations(
    seed: int, noise: float, side: int, margin: float, factor: float
) -> None:
    way = path(record(seed, noise), side)
    steps = way.final.size
    found = lost(way, [always(margin, steps), always(margin * factor, steps)])
    assert (found[:, 1] <= found[:, 0]).all()


@given(seeds, noises, sides, leverages, st.floats(1, 3))
def test_a_position_that_is_left_alone_lives_no_shorter_with_more_margin(
    seed: int, noise: float, side: int, leverage: float, factor: float
) -> None:
    way = path(record(seed, noise), side)
    steps = way.final.size
    less, more = lost(
        way, [policies.static(leverage, steps), policies.static(leverage / factor, steps)]
    ).T
    first = int(np.argmax(less > 0)) if less.any() else less.size
    assert not more[:first].any()


@given(seeds, noises, sides, leverages, st.sampled_from((2.0**-20, 0.5, 1024.0)))
def test_scaling_the_notional_changes_nothing(
    seed: int, noise: float, side: int, leverage: float, factor: float
) -> None:
    one = record(seed, noise)
    for rule in range(4):
        small, large = (
            score.replay(way, [simple(leverage, way.final.size)[rule]], COSTS)
            for way in (path(one, side), path(scaled(one, factor), side))
        )
        same(small, large)


def same(one: Ledger, other: Ledger, until: int | None = None) -> None:
    for name in ("hours", "margin", "moves", "turnover", "liquidations", "reopened"):
        assert np.array_equal(getattr(one, name)[:until], getattr(other, name)[:until])


@given(seeds, noises, sides, leverages)
def test_a_rule_that_never_moves_pays_for_no_move(
    seed: int, noise: float, side: int, leverage: float
) -> None:
    way = path(record(seed, noise), side)
    found = score.figures(
        score.replay(way, [policies.static(leverage, way.final.size)], COSTS), COSTS
    )
    assert found.transfers[0] == found.moves[0] == found.turnover[0] == 0


@given(seeds, noises, sides, st.lists(st.integers(0, 119), max_size=20))
def test_who_knows_the_next_day_is_never_liquidated(
    seed: int, noise: float, side: int, gone: list[int]
) -> None:
    whole = record(seed, noise)
    high, low, close = whole.high.copy(), whole.low.copy(), whole.close.copy()
    for column in (high, low, close):
        column[gone] = np.nan
    one = replace(whole, high=high, low=low, close=close)
    rows = np.flatnonzero(np.isfinite(close[:-1]) & np.isfinite(close[1:]))
    geometry = Geometry(side=side, maintenance=COSTS.maintenance)
    rule = policies.oracle(policies.next_day(one, side)[rows], geometry=geometry)
    way = score.path(one, rows, side)
    assert not lost(way, [rule]).any()


@given(seeds, noises, sides, st.lists(leverages, min_size=1, max_size=2))
def test_rules_beside_each_other_do_not_know_of_each_other(
    seed: int, noise: float, side: int, many: list[float]
) -> None:
    way = path(record(seed, noise), side)
    rules = [rule for leverage in many for rule in simple(leverage, way.final.size)]
    beside = score.replay(way, rules, COSTS)
    for at, rule in enumerate(rules):
        alone = score.replay(way, [rule], COSTS)
        assert np.array_equal(alone.margin[:, 0], beside.margin[:, at])
        assert np.array_equal(alone.liquidations[:, 0], beside.liquidations[:, at])


@given(seeds, noises, sides, leverages)
def test_the_score_is_the_sum_of_its_parts_and_two_positions_are_their_mean(
    seed: int, noise: float, side: int, leverage: float
) -> None:
    way = path(record(seed, noise), side)
    ledger = score.replay(way, simple(leverage, way.final.size), COSTS)
    found = score.figures(ledger, COSTS)
    parts = found.idle + found.fees + found.slippage + found.transfers + found.lost
    assert found.total == pytest.approx(parts)
    twice = score.figures(score.together([ledger, ledger]), COSTS)
    for name in ("total", "rate", "margin", "worst", "moves", "turnover", "swing"):
        assert getattr(twice, name) == pytest.approx(getattr(found, name))
    assert twice.count == pytest.approx(2 * found.count)


@given(st.floats(1.1, 20), st.floats(0.2, 3))
def test_a_flexible_move_ends_where_the_token_goes_next(target: float, ratio: float) -> None:
    rule = policies.flexible(target, 2)
    least, most, speed, _ = policies.FLEXIBLE
    day = timedelta(days=1)
    method = Method(
        target=Decimal(target),
        minimum=Decimal(target * least),
        maximum=Decimal(target * most),
        ripcord=Decimal(target * 2),
        recentering_speed=Decimal(speed),
        interval=day,
        cooldown=day,
        ripcord_cooldown=day,
        slippage=Decimal(0),
        ripcord_slippage=Decimal(0),
    )
    now = target * ratio
    still = np.zeros(2)
    # The first step ends with the margin whose leverage is `now`, the second one must move.
    way = Path(
        day=np.array([0, 1]),
        adverse=still,
        extreme=still,
        final=np.array([1 / now - rule.aim[0], 0.0]),
    )
    found = score.replay(way, [replace(rule, every=1)], COSTS)
    assert 1 / found.margin[1, 0] == pytest.approx(float(next_leverage(method, Decimal(now))))


def wanted(one: History, side: Side) -> list[Rule]:
    """Every rule that must not know the future, over the whole record."""
    geometry = Geometry(side=side.sign, maintenance=COSTS.maintenance)
    walk = har.walk(one, 1)
    shapes = walked.tails({"A": tail.windows(one, walk.sigma, 1)}, side, walked.refits({"A": one}))
    known = {hour: tail.required(shape, 1e-4) for hour, shape in shapes.items() if shape}
    sigma = np.maximum(walked.held_up(walk.sigma), walk.floor)
    required = np.nan_to_num(walked.spread(known, one) * sigma)
    per_hour = np.nan_to_num(walked.smoothed(one.close), nan=0.01)
    steps = len(one) - 1
    return [
        policies.core(
            "core",
            1.0,
            required[:steps],
            np.full(steps, 1e-3),
            geometry=geometry,
            ends=ENDS,
            target=1.25,
            give_back=1.8,
        ),
        policies.volatility_target(
            8,
            per_hour[:steps],
            hours=8,
            geometry=geometry,
            ends=ENDS,
            trigger=0.8,
            give_back=1.4,
        ),
        *simple(5, steps),
    ]


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 50), st.integers(13_600, 14_900), st.sampled_from(Side))
def test_what_comes_later_changes_no_decision_and_no_result_before(
    seed: int, until: int, side: Side
) -> None:
    one = a_record(15_000, seed=seed)
    later = np.where(np.arange(len(one)) >= until, 1.7, 1.0)
    other = replace(one, high=one.high * later * 1.1, low=one.low * later, close=one.close * later)
    other = replace(other, high=np.where(later > 1, other.high, one.high))
    here, there = wanted(one, side), wanted(other, side)
    for own, changed in zip(here, there, strict=True):
        for name in ("low", "aim", "high"):
            before = getattr(own, name)[:until], getattr(changed, name)[:until]
            assert np.array_equal(*before)
    rows = np.arange(len(one) - 1)
    mine, theirs = (
        score.replay(score.path(bars, rows, side.sign), rules, COSTS)
        for bars, rules in ((one, here), (other, there))
    )
    day = (one.start + until) // 24  # the bar of this day that differs
    same(mine, theirs, until=int(np.searchsorted(mine.day, day)))
    assert not np.array_equal(here[0].aim, there[0].aim)
