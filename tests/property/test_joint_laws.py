"""Laws of what a cross account lacks, against a plain reference."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.leverage import cross, dependence, joint, needs, tops
from bot.leverage.arrays import Floats
from bot.leverage.cross import Accounts
from bot.leverage.dependence import Dependence
from bot.leverage.joint import Doubt, Lack, Part
from tests.property.test_scenario_laws import plain_buffer, plain_paths, some_accounts, some_rows

seeds = st.integers(0, 2**64 - 1)
cases = st.integers(0, 99)
PATHS, STEPS = 1000, 6
NUMBERS = (
    "missing", "total", "buffer", "hit", "simulated", "book", "alone", "within_step",
)  # fmt: skip


def some_past(case: int, *, known: tuple[int, ...] = (0, 1, 2), symbols: int = 3) -> Dependence:
    rows = some_rows(case, 60, len(known))
    column = np.full(symbols, -1)
    column[list(known)] = np.arange(len(known))
    draw = np.random.default_rng(case)
    return Dependence(
        steps=STEPS,
        column=column,
        residuals=rows,
        correlation=cross.correlation(rows),
        books=tops.tops(np.abs(draw.standard_t(4, (700, 20)))) if known else None,
    )


SIGMA, QUANTILE = np.array([0.02, 0.03, 0.05]), np.array([4.0, 5.0, 6.0])


def asked(accounts: Accounts, past: Dependence, **change: object) -> Lack:
    arguments: dict[str, object] = {
        "quantile": QUANTILE, "tolerance": 0.01, "seed": 7, "paths": PATHS, **change,
    }  # fmt: skip
    sigma = arguments.pop("sigma", SIGMA)
    return joint.lack(accounts, past, sigma, **arguments)  # type: ignore[arg-type]  # by name


def alike(one: Floats, two: Floats, *, scale: float = 1.0) -> bool:
    return bool(np.allclose(one, two, rtol=1e-9, atol=1e-7 * scale, equal_nan=True))


@settings(max_examples=25)
@given(seeds, cases, st.floats(0, 1e4), st.floats(1e-6, 1e4), st.sampled_from([(0, 1, 2), (0, 2)]))
def test_adding_cash_never_raises_what_is_missing_nor_the_chance_of_a_hit(
    seed: int, case: int, before: float, more: float, known: tuple[int, ...]
) -> None:
    accounts, past = some_accounts(case, 3, 3), some_past(case, known=known)
    poor = asked(replace(accounts, cash=accounts.cash + before), past, seed=seed)
    rich = asked(replace(accounts, cash=accounts.cash + before + more), past, seed=seed)
    assert (rich.missing <= poor.missing).all()
    # Where there was one chance and is none, the screen spared the account.
    assert (np.isnan(rich.hit) | (rich.hit <= poor.hit)).all()


@settings(max_examples=25)
@given(seeds, cases)
def test_what_is_missing_is_exactly_enough(seed: int, case: int) -> None:
    accounts, past = some_accounts(case, 3, 3), some_past(case, known=(0, 2))
    found = asked(accounts, past, seed=seed)
    after = asked(replace(accounts, cash=accounts.cash + found.missing), past, seed=seed)
    assert after.missing == pytest.approx(0, abs=1e-6)
    less = asked(replace(accounts, cash=accounts.cash + found.missing - 1e-3), past, seed=seed)
    short = found.missing > 1e-3
    assert (less.missing[short] > 0).all()
    assert (less.hit[short] > 0.01).all()
    beyond = asked(replace(accounts, cash=accounts.cash + found.missing + 1e-3), past, seed=seed)
    assert (np.isnan(beyond.hit) | (beyond.hit <= 0.01 * (1 + 1e-6))).all()


@settings(max_examples=25)
@given(cases, st.permutations([0, 1, 2]))
def test_permuting_accounts_permutes_the_answer(case: int, order: list[int]) -> None:
    accounts, past = some_accounts(case, 3, 3), some_past(case)
    positions = np.concatenate([np.flatnonzero(accounts.account == a) for a in order])
    turned = replace(
        accounts,
        cash=accounts.cash[order],
        coins=accounts.coins[order],
        account=np.argsort(order)[accounts.account[positions]],
        **{f: getattr(accounts, f)[positions] for f in ("symbol", "size", "entry", "rate")},
        amount=accounts.amount[positions],
    )
    one, two = asked(accounts, past), asked(turned, past)
    for name in NUMBERS:
        assert alike(getattr(two, name), getattr(one, name)[order]), name
    assert two.parts == tuple(one.parts[a] for a in order)


@settings(max_examples=25)
@given(cases, st.floats(1e-3, 1e3))
def test_another_currency_scales_amounts_and_leaves_chances(case: int, k: float) -> None:
    accounts, past = some_accounts(case, 3, 3), some_past(case, known=(1, 2))
    scaled = replace(
        accounts,
        price=accounts.price * k,
        cash=accounts.cash * k,
        entry=accounts.entry * k,
        amount=accounts.amount * k,
    )
    one, two = asked(accounts, past), asked(scaled, past)
    for name in NUMBERS:
        factor = 1.0 if name == "hit" else k
        assert alike(getattr(two, name), getattr(one, name) * factor, scale=factor), name
    assert (one.parts, one.doubts) == (two.parts, two.doubts)


@settings(max_examples=15)
@given(seeds, cases)
def test_threads_and_kernels_give_one_answer(seed: int, case: int) -> None:
    accounts, past = some_accounts(case, 3, 3), some_past(case)
    one, two, plain = (
        asked(accounts, past, seed=seed, threads=threads, backend=backend)
        for threads, backend in ((1, "numba"), (2, "numba"), (1, "numpy"))
    )
    for name in NUMBERS:
        assert np.array_equal(getattr(one, name), getattr(two, name), equal_nan=True), name
        assert alike(getattr(one, name), getattr(plain, name)), name


def plain_total(
    accounts: Accounts, a: int, past: Dependence, tolerance: float, worst: Floats
) -> float:
    """The specification, line by line: one account, every symbol known, a sound correlation."""
    growth = [1.0] * 3
    weight = []
    for d in range(3):
        up, down = list(growth), list(growth)
        up[d], down[d] = math.exp(1e-6), math.exp(-1e-6)
        weight.append((plain_buffer(accounts, a, up) - plain_buffer(accounts, a, down)) / 2e-6)
    variance = math.fsum(
        weight[i] * weight[j] * SIGMA[i] * SIGMA[j] * past.correlation[i, j]
        for i in range(3)
        for j in range(3)
    )
    sd = math.sqrt(max(variance, 0.0))
    assert past.books is not None
    book = float(np.median(past.books.quantile(tolerance))) * sd
    ordered = sorted(worst[:, a], reverse=True)
    counted = ordered[math.floor(tolerance * len(ordered))]
    larger = max(float(counted), book)
    return larger + 0.5826 * sd / math.sqrt(STEPS)


@settings(max_examples=12)
@given(cases)
def test_the_answer_is_what_the_specification_says(case: int) -> None:
    accounts, past = some_accounts(case, 2, 3), some_past(case)
    variance = SIGMA**2 / STEPS
    worst, _, _ = plain_paths(past.residuals, variance, accounts, PATHS, STEPS, joint.BLOCK, 7)
    found = asked(accounts, past, tolerance=0.05)
    for a in range(2):
        if found.parts[a] is Part.SCREEN:
            assert found.missing[a] == 0
            continue
        total = plain_total(accounts, a, past, 0.05, worst)
        assert found.total[a] == pytest.approx(total, rel=1e-5, abs=1e-3)
        have = plain_buffer(accounts, a, [1.0] * 3)
        assert found.missing[a] == pytest.approx(max(0.0, total - have), rel=1e-5, abs=1e-3)


def one_account(*size: float, cash: float = 100.0) -> Accounts:
    count = len(size)
    return Accounts(
        price=np.full(count, 100.0), cash=np.array([cash]), coins=np.zeros((1, count)),
        account=np.zeros(count, np.int64), symbol=np.arange(count), size=np.array(size),
        entry=np.full(count, 100.0), rate=np.full((count, 1), 0.01), amount=np.zeros((count, 1)),
    )  # fmt: skip


@pytest.mark.parametrize("size", [(10.0, -5.0, 4.0), (10.0, 5.0, 4.0), (-10.0, 0.0, -4.0)])
def test_a_symbol_without_rows_runs_its_own_quantile_against_the_account(
    size: tuple[float, ...],
) -> None:
    accounts = one_account(*size)
    whole, part = asked(accounts, some_past(3)), asked(accounts, some_past(3, known=(0, 1)))
    assert part.doubts == ((Doubt.UNKNOWN_SYMBOL,),)
    reach = math.copysign(6.0 * 0.05, size[2])
    fall = size[2] * 100 * -math.expm1(-reach) - 0.01 * abs(size[2]) * 100 * -math.expm1(-reach)
    assert part.alone == pytest.approx([fall])
    without = asked(one_account(*size[:2], 0.0), some_past(3, known=(0, 1)))
    assert part.total > without.total + part.alone  # its step is on top
    assert part.total > whole.total
    assert part.missing > whole.missing


def test_without_rows_every_symbol_does() -> None:
    accounts = one_account(10.0, -5.0, 4.0)
    bare = asked(accounts, dependence.nothing(3, steps=STEPS))
    assert bare.doubts == ((Doubt.FEW_ROWS,),)
    assert bare.parts == (Part.ALONE,)
    assert bare.hit == 1.0
    assert bare.total > asked(accounts, some_past(3, known=(0, 1))).total
    enough = asked(
        replace(accounts, cash=accounts.cash + bare.missing + 1e-6),
        dependence.nothing(3, steps=STEPS),
    )
    assert (enough.missing[0], enough.hit[0]) == (0.0, 0.01)


@pytest.mark.parametrize("sigma", [math.nan, math.inf, 0.0, -1.0, 1e9])
def test_without_a_forecast_no_cash_is_enough_for_who_holds_it(sigma: float) -> None:
    accounts = Accounts(
        price=np.full(2, 100.0), cash=np.array([1e9, 50.0]), coins=np.zeros((2, 2)),
        account=np.array([0, 1]), symbol=np.array([0, 1]), size=np.array([1.0, 10.0]),
        entry=np.full(2, 100.0), rate=np.full((2, 1), 0.01), amount=np.zeros((2, 1)),
    )  # fmt: skip
    for past in (some_past(3, known=(0, 1), symbols=2), dependence.nothing(2, steps=STEPS)):
        good, bad = (
            asked(accounts, past, sigma=np.array([first, 0.05]), quantile=np.full(2, 5.0))
            for first in (0.02, sigma)
        )
        assert bad.parts[0] is Part.REFUSED
        assert Doubt.NO_FORECAST in bad.doubts[0]
        assert (bad.missing[0], bad.hit[0]) == (math.inf, 1.0)
        assert (good.missing[1], good.hit[1]) == (bad.missing[1], bad.hit[1])


rubbish = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -19.0, 1e-300, 1e300])
spoils = st.tuples(
    st.integers(0, 2), st.integers(0, 4599), st.sampled_from([1, 3, 800, 4600]), rubbish,
    st.booleans(),
)  # fmt: skip


@settings(max_examples=30)
@given(
    cases, st.lists(spoils, max_size=4), st.lists(rubbish | st.just(0.05), min_size=3, max_size=3)
)
def test_whatever_a_market_sends_is_answered(
    case: int, spoiled: list[tuple[int, int, int, float, bool]], now: list[float]
) -> None:
    draw = np.random.default_rng(case)
    returns = draw.standard_t(3, (4600, 3)) * 0.01
    sigma = np.full_like(returns, 0.05)
    for column, begin, length, value, is_forecast in spoiled:
        (sigma if is_forecast else returns)[begin : begin + length, column] = value
    past = dependence.learn(returns, sigma, steps=24)
    accounts = some_accounts(case, 3, 3, tiers=3)
    for backend in ("numba", "numpy"):
        found = asked(accounts, past, sigma=np.array(now), backend=backend)
        assert (found.missing >= 0).all()
        answered = np.array([part is not Part.SCREEN for part in found.parts])
        refused = np.array([part is Part.REFUSED for part in found.parts])
        assert ((found.hit >= 0) & (found.hit <= 1))[answered].all()
        assert np.isfinite(found.missing[~refused]).all()
        assert np.isinf(found.total[refused]).all()
        holds = cross.touched(accounts)
        assert (refused == holds[:, [not 0 < x <= joint.WILDEST for x in now]].any(axis=1)).all()


def test_options_are_refused() -> None:
    found = asked(one_account(1.0, 1.0, 1.0), some_past(3), options=np.array([True]))
    assert (found.parts, found.doubts) == ((Part.REFUSED,), ((Doubt.OPTIONS,),))
    assert found.missing == math.inf


@settings(max_examples=50)
@given(cases, st.integers(0, 2))
def test_a_singular_correlation_never_lowers_a_risk(case: int, copied: int) -> None:
    rows = some_rows(case, 60, 3)
    rows[:, copied] = (-1) ** case * rows[:, (copied + 1) % 3]
    past = replace(some_past(case), residuals=rows, correlation=cross.correlation(rows))
    weight = np.random.default_rng(case).normal(0, 1, (5, 3))
    choices = dependence.believed(past.correlation)
    assert choices.shape == (3, 3, 3)
    plain, apart, together = (
        cross.deviation(weight, cross.covariance(SIGMA, one)) for one in choices
    )
    eye = 0.9 * past.correlation + 0.1 * np.eye(3)
    assert apart == pytest.approx(cross.deviation(weight, cross.covariance(SIGMA, eye)))
    assert np.linalg.eigvalsh(eye)[0] > 0.09
    accounts = some_accounts(case, 3, 3)
    accounts = replace(accounts, cash=accounts.cash - 1e6)  # the screen spares none
    found = asked(accounts, past)
    held = cross.touched(accounts).any(axis=1)
    assert [Doubt.SINGULAR_CORRELATION in one for one in found.doubts] == held.tolist()
    at = cross.weights(accounts)
    largest = np.max([cross.deviation(at, cross.covariance(SIGMA, one)) for one in choices], axis=0)
    assert past.books is not None
    k = float(np.median(past.books.quantile(0.01)))
    assert found.book == pytest.approx(k * largest)
    assert (np.maximum(apart, together) > 0).all()
    assert (plain >= 0).all()


def test_a_hedge_that_the_rows_call_perfect_still_needs_cash() -> None:
    rows = some_rows(1, 60, 2)
    rows[:, 1] = rows[:, 0]
    past = replace(
        some_past(1, known=(0, 1), symbols=2), residuals=rows, correlation=np.ones((2, 2))
    )
    found = asked(
        one_account(10.0, -10.0), past, sigma=np.full(2, 0.05), quantile=np.full(2, 5.0)
    )  # fmt: skip
    # A tenth of independence: sqrt(0.1) of the risk of two legs on their own.
    legs = math.hypot(10 * 100 * 0.99, 10 * 100 * 1.01) * 0.05
    assert past.books is not None
    k = float(np.median(past.books.quantile(0.01)))
    assert found.book == pytest.approx(k * math.sqrt(0.1) * legs, rel=1e-3)


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_paths_beyond_all_numbers_are_answered_by_the_symbols_alone(backend: str) -> None:
    past = replace(some_past(1), residuals=np.full((60, 3), 1e200))
    found = asked(one_account(10.0, -5.0, 4.0), past, backend=backend)
    assert found.doubts == ((Doubt.WILD_PATHS,),)
    bare = asked(one_account(10.0, -5.0, 4.0), dependence.nothing(3, steps=STEPS))
    assert found.total == bare.total
    assert np.isfinite(found.missing).all()


def test_the_screen_spares_only_what_stands_far_away() -> None:
    far = asked(one_account(1.0, 1.0, 1.0, cash=1000.0), some_past(3))
    assert far.parts == (Part.SCREEN,)
    assert far.missing == 0
    assert np.isnan(far.hit)
    near = asked(one_account(1.0, 1.0, 1.0, cash=10.0), some_past(3))
    assert near.parts != (Part.SCREEN,)
    unknown = asked(one_account(1.0, 1.0, 1.0, cash=1000.0), some_past(3, known=(0, 1)))
    assert unknown.parts != (Part.SCREEN,)
    assert unknown.missing == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tolerance": 0.0}, "tolerance"),
        ({"tolerance": 0.06}, "tolerance"),
        ({"paths": 999}, "paths"),
        ({"quantile": np.array([1.0, 2.0, math.nan])}, "quantile"),
        ({"quantile": np.ones(2)}, "symbols"),
        ({"options": np.array([True, False])}, "options"),
    ],
)
def test_what_no_market_sends_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        asked(one_account(1.0, 1.0, 1.0), some_past(3), **change)


@settings(max_examples=40)
@given(cases, st.floats(1e-4, 0.04))
def test_a_chance_is_the_inverse_of_a_need(case: int, tolerance: float) -> None:
    worst = np.abs(np.random.default_rng(case).standard_t(3, (2000, 2)))
    flat = np.zeros(2)
    need = needs.need(worst, tolerance=tolerance, sd_book=flat, quantile_book=0, sd_step=flat)
    assert (needs.chance(worst, need.total * (1 + 1e-9)) <= tolerance * (1 + 1e-6)).all()
    assert (needs.chance(worst, need.total * (1 - 1e-9)) >= tolerance * (1 - 1e-6)).all()
