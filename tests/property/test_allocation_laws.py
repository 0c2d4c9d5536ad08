"""Laws of one pool over isolated positions."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from bot.leverage import allocation
from bot.leverage.allocation import Allocation
from bot.leverage.arrays import Floats
from bot.leverage.tops import Tops
from bot.leverage.units import FAR, Units, distance_of, equity_at, of_one_tier

seeds = st.integers(0, 2**32 - 1)
counts = st.integers(1, 12)
shares = st.floats(0.01, 1.2)

VECTOR = of_one_tier(
    np.array([10000.0, 20000.0, 15000.0]), np.array([1.0, -1.0, 1.0]), np.array([0.005, 0.01, 0.02])
)
SD = np.array([0.02, 0.04, 0.06])
LOW, HIGH = np.full(3, -1e9), np.full(3, math.inf)


def some_units(seed: int, count: int, *, tiers: int = 1) -> Units:
    draw = np.random.default_rng(seed)
    notional = draw.uniform(1e3, 1e5, count)
    side = draw.choice([-1.0, 1.0], count)
    rate = np.sort(draw.uniform(0.003, 0.08, (count, tiers)), axis=1)
    floors = np.sort(draw.uniform(0.2, 1.5, (count, tiers)), axis=1) * notional[:, None]
    floors[:, 0] = 0.0
    amount = np.zeros((count, tiers))
    for k in range(1, tiers):
        amount[:, k] = amount[:, k - 1] + floors[:, k] * (rate[:, k] - rate[:, k - 1])
    return Units(notional=notional, side=side, rate=rate, amount=amount)


def some_sd(seed: int, count: int) -> Floats:
    return np.random.default_rng(seed + 1).uniform(0.01, 0.1, count)


def some_tails(seed: int, count: int) -> Tops:
    draw = np.random.default_rng(seed + 2)
    return Tops(
        threshold=draw.uniform(1.7, 2.4, count),
        scale=draw.uniform(0.5, 0.9, count),
        shape=np.where(draw.random(count) < 0.2, 0.0, draw.uniform(0.0, 0.5, count)),
        share=0.05,
    )


def hit(units: Units, sd: Floats, equity: Floats) -> Floats:
    found: Floats = np.minimum(1.0, 2.0 * stats.norm.sf(distance_of(units, equity) / sd))
    return found


def hit_in(tails: Tops, z: Floats) -> Floats:
    beyond = stats.genpareto.sf(z - tails.threshold, tails.shape, scale=tails.scale)
    body = 1.0 - 0.95 * np.clip(z, 0.0, None) / tails.threshold
    return np.where(z > tails.threshold, 0.05 * beyond, body)


def uses_up(found: Allocation, pool: float) -> bool:
    total = float(found.equity.sum()) + found.idle - found.deficit
    return found.idle >= 0 and bool(total == pytest.approx(pool, rel=1e-9))


def test_min_max_matches_its_published_vector() -> None:
    found = allocation.min_max(VECTOR, SD, 6000.0, low=LOW, high=HIGH)
    assert found.equity == pytest.approx([616.5276, 2712.7840, 2670.6883], abs=1e-4)
    assert hit(VECTOR, SD, found.equity) == pytest.approx([0.00337728] * 3, abs=1e-8)


def test_min_sum_matches_its_published_vector() -> None:
    found = allocation.min_sum(VECTOR, SD, 6000.0, weight=np.ones(3), low=LOW, high=HIGH)
    assert found.equity == pytest.approx([696.7717, 2640.1152, 2663.1130], abs=1e-4)
    assert hit(VECTOR, SD, found.equity).sum() == pytest.approx(0.00862607, abs=1e-8)
    pro_rata = 6000.0 * VECTOR.notional / VECTOR.notional.sum()
    assert hit(VECTOR, SD, pro_rata).sum() == pytest.approx(0.0445, abs=1e-4)


@given(seeds, counts, shares, st.integers(1, 4), st.booleans())
def test_a_pool_is_used_up_or_its_surplus_lies_idle(
    seed: int, count: int, share: float, tiers: int, heavy: bool
) -> None:
    units, sd = some_units(seed, count, tiers=tiers), some_sd(seed, count)
    tails = some_tails(seed, count) if heavy else None
    low = np.zeros(count)
    high = equity_at(units, 8 * sd)
    pool = share * float(high.sum())
    for found in (
        allocation.min_max(units, sd, pool, low=low, high=high, tails=tails),
        allocation.min_sum(units, sd, pool, weight=units.notional, low=low, high=high, tails=tails),
    ):
        assert np.isfinite(found.equity).all()
        assert uses_up(found, pool)
        assert ((found.equity >= low) & (found.equity <= high)).all()
        if found.idle > 1e-6 * pool:
            assert found.equity == pytest.approx(high, rel=1e-9)


@given(seeds, counts, st.floats(0.05, 0.95), st.integers(1, 4), st.booleans())
@example(12604, 4, 0.5, 1, True)  # a step of Newton to a chance beyond all numbers
def test_probabilities_are_equal_where_no_bound_is_met(
    seed: int, count: int, share: float, tiers: int, heavy: bool
) -> None:
    units, sd = some_units(seed, count, tiers=tiers), some_sd(seed, count)
    tails = some_tails(seed, count) if heavy else None
    low, high = equity_at(units, 0.5 * sd), equity_at(units, 7 * sd)
    pool = float(low.sum() + share * (high.sum() - low.sum()))
    found = allocation.min_max(units, sd, pool, low=low, high=high, tails=tails)
    z = found.a_log / sd
    chance = hit_in(tails, z) if tails else 2 * stats.norm.sf(z)
    free = (found.equity > low * (1 + 1e-9)) & (found.equity < high * (1 - 1e-9))
    if free.any():
        level = chance[free]
        assert level == pytest.approx(level[0], rel=1e-6)
        # Who is held up by a bound is no worse off than the rest may be, and the other way round.
        assert (chance[found.equity <= low * (1 + 1e-9)] <= level.max() * (1 + 1e-6)).all()
        assert (chance[found.equity >= high * (1 - 1e-9)] >= level.min() * (1 - 1e-6)).all()


@given(seeds, counts, shares, shares, st.booleans(), st.booleans())
def test_more_pool_never_raises_a_probability(
    seed: int, count: int, one: float, two: float, summed: bool, heavy: bool
) -> None:
    units, sd = some_units(seed, count, tiers=3), some_sd(seed, count)
    tails = some_tails(seed, count) if heavy else None
    low, high = np.zeros(count), np.full(count, math.inf)
    pools = sorted(float(share * units.notional.sum()) * 0.4 for share in (one, two))
    less, more = (
        allocation.min_sum(units, sd, pool, weight=units.notional, low=low, high=high, tails=tails)
        if summed
        else allocation.min_max(units, sd, pool, low=low, high=high, tails=tails)
        for pool in pools
    )
    assume(less.deficit == 0)
    assert (more.equity >= less.equity - 1e-9 * pools[1]).all()


@settings(max_examples=30)
@given(seeds, st.integers(2, 5), st.floats(0.3, 0.9), st.integers(1, 3))
def test_no_other_split_has_a_smaller_sum(seed: int, count: int, share: float, tiers: int) -> None:
    units, sd = some_units(seed, count, tiers=tiers), some_sd(seed, count)
    weight = units.notional
    low, high = equity_at(units, 1.2 * sd), equity_at(units, 6 * sd)
    pool = float(low.sum() + share * (high.sum() - low.sum()))
    found = allocation.min_sum(units, sd, pool, weight=weight, low=low, high=high)

    def loss(equity: Floats) -> float:
        return float((weight * hit(units, sd, equity)).sum())

    reference = optimize.minimize(
        lambda e: loss(e) / loss(low),
        low + share * (high - low),
        bounds=list(zip(low, high, strict=True)),
        constraints={"type": "eq", "fun": lambda e: (e.sum() - pool) / pool},
        method="SLSQP",
        options={"maxiter": 200, "ftol": 1e-14},
    )
    assert loss(found.equity) <= loss(np.clip(reference.x, low, high)) * (1 + 1e-6) + 1e-12


@settings(max_examples=60)
@given(seeds, st.integers(2, 5), st.floats(0.3, 0.9), st.integers(1, 3))
def test_no_small_shift_lowers_the_sum_with_heavy_tails(
    seed: int, count: int, share: float, tiers: int
) -> None:
    units, sd = some_units(seed, count, tiers=tiers), some_sd(seed, count)
    tails = some_tails(seed, count)
    low, high = equity_at(units, tails.threshold * sd), equity_at(units, 12 * sd)
    pool = float(low.sum() + share * (high.sum() - low.sum()))
    found = allocation.min_sum(
        units, sd, pool, weight=units.notional, low=low, high=high, tails=tails
    )
    assume(found.deficit == 0)

    def loss(equity: Floats) -> float:
        return float((units.notional * hit_in(tails, distance_of(units, equity) / sd)).sum())

    at = loss(found.equity)
    for giver in range(count):
        for taker in range(count):
            shift = np.zeros(count)
            shift[giver], shift[taker] = -1e-3 * pool, 1e-3 * pool
            moved = found.equity + shift
            if giver != taker and (moved >= low).all() and (moved <= high).all():
                assert loss(moved) >= at * (1 - 1e-9)


@given(seeds, counts, st.floats(0.05, 0.6), st.floats(1e-6, 1e6))
def test_another_currency_or_order_changes_nothing_else(
    seed: int, count: int, share: float, k: float
) -> None:
    units, sd = some_units(seed, count, tiers=2), some_sd(seed, count)
    low, high = np.zeros(count), np.full(count, math.inf)
    pool = share * float(units.notional.sum())
    order = np.random.default_rng(seed).permutation(count)
    scaled = Units(
        notional=units.notional[order] * k,
        side=units.side[order],
        rate=units.rate[order],
        amount=units.amount[order] * k,
    )
    for summed in (False, True):
        one, two = (
            allocation.min_sum(u, s, p, weight=u.notional, low=low, high=high)
            if summed
            else allocation.min_max(u, s, p, low=low, high=high)
            for u, s, p in ((units, sd, pool), (scaled, sd[order], pool * k))
        )
        assert two.equity == pytest.approx(one.equity[order] * k, rel=1e-7)


def test_what_the_least_equities_lack_is_the_deficit() -> None:
    low = np.array([1000.0, 2000.0, 3000.0])
    found = allocation.min_max(VECTOR, SD, 5000.0, low=low, high=HIGH)
    assert found.deficit == pytest.approx(
        1000 + (equity_at(VECTOR, np.zeros(3)) - low).clip(0).sum()
    )


def test_longs_that_cannot_be_liquidated_leave_the_rest_idle() -> None:
    longs = of_one_tier(np.array([100.0, 200.0]), np.ones(2), np.array([0.01, 0.02]))
    found = allocation.min_max(
        longs, np.array([0.1, 0.2]), 1000.0, low=np.zeros(2), high=np.full(2, math.inf)
    )
    assert found.idle == pytest.approx(700, rel=1e-6)
    assert (found.a_log >= FAR * (1 - 1e-6)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sd": np.array([0.1, 0.0, 0.1])}, "sd"),
        ({"sd": np.array([0.1, math.nan, 0.1])}, "sd"),
        ({"pool": math.nan}, "pool"),
        ({"pool": -1.0}, "pool"),
        ({"low": np.full(3, math.nan)}, "low"),
        ({"high": np.full(3, -2e9)}, "low"),
        ({"tails": some_tails(1, 2)}, "tails"),
        ({"tails": replace(some_tails(1, 3), threshold=np.zeros(3))}, "threshold"),
        ({"tails": replace(some_tails(1, 3), share=1.0)}, "share"),
        ({"tails": replace(some_tails(1, 3), scale=np.zeros(3))}, "scale"),
        ({"tails": replace(some_tails(1, 3), shape=np.ones(3))}, "shape"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(change: dict[str, Any], message: str) -> None:
    given_: dict[str, Any] = {"sd": SD, "pool": 6000.0, "low": LOW, "high": HIGH, **change}
    with pytest.raises(ValueError, match=message):
        allocation.min_max(VECTOR, **given_)


@given(seeds, counts, st.integers(1, 5), st.floats(0.001, 3))
def test_distance_undoes_equity(seed: int, count: int, tiers: int, a: float) -> None:
    units = some_units(seed, count, tiers=tiers)
    a_log = a * np.random.default_rng(seed).uniform(0.1, 1, count)
    assert distance_of(units, equity_at(units, a_log)) == pytest.approx(a_log, rel=1e-9, abs=1e-12)
