"""Laws of joint scenarios, against a reference that runs path by path in plain Python."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bot.leverage import cross, draws, kernel, needs, panels, paths_compiled, scaling, scenarios
from bot.leverage.arrays import Floats, Integers
from bot.leverage.cross import Accounts
from bot.leverage.kernel import LANES
from tests.kit.scripts import printed

seeds = st.integers(0, 2**64 - 1)
WORDS = 2**64


def some_rows(seed: int, rows: int, symbols: int) -> Floats:
    draw = np.random.default_rng(seed)
    common = draw.standard_t(5, (rows, 1))
    return (0.7 * common + 0.7 * draw.standard_t(5, (rows, symbols))) * math.sqrt(0.6)


def some_accounts(seed: int, accounts: int, symbols: int, *, tiers: int = 2) -> Accounts:
    draw = np.random.default_rng(seed)
    n = int(draw.integers(0, 4 * accounts + 1))
    rate = np.sort(draw.uniform(0.004, 0.05, (n, tiers)), axis=1)
    amount = np.concatenate(
        (
            np.zeros((n, 1)),
            np.cumsum(np.diff(rate, axis=1) * draw.uniform(50, 500, (n, 1)), axis=1),
        ),
        axis=1,
    )
    return Accounts(
        price=draw.uniform(1, 100, symbols),
        cash=draw.uniform(-100, 1000, accounts),
        coins=draw.uniform(0, 2, (accounts, symbols)) * (draw.random((accounts, symbols)) < 0.3),
        account=np.sort(draw.integers(0, accounts, n)),
        symbol=draw.integers(0, symbols, n),
        size=draw.normal(0, 10, n),
        entry=draw.uniform(1, 100, n),
        rate=rate,
        amount=amount,
    )


def plain_mix(bits: int) -> int:
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 % WORDS
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB % WORDS
    return bits ^ bits >> 31


def plain_buffer(accounts: Accounts, a: int, growth: list[float]) -> float:
    total = float(accounts.cash[a])
    for d, price in enumerate(accounts.price):
        total += accounts.coins[a, d] * price * growth[d]
    for n in range(accounts.size.shape[0]):
        if accounts.account[n] == a:
            price = accounts.price[accounts.symbol[n]] * growth[accounts.symbol[n]]
            total += accounts.size[n] * (price - accounts.entry[n])
            notional = abs(accounts.size[n]) * price
            total -= max(
                rate * notional - amount
                for rate, amount in zip(accounts.rate[n], accounts.amount[n], strict=True)
            )
    return total


def plain_paths(
    rows: Floats,
    variance: Floats,
    accounts: Accounts,
    paths: int,
    steps: int,
    block: int,
    seed: int,
) -> tuple[Floats, Floats, Floats]:
    """The specification, line by line."""
    symbols, count = variance.shape[0], accounts.cash.shape[0]
    decay = 0.5 ** (1 / 72)
    worst = np.zeros((paths, count))
    low, high = np.zeros((paths, symbols)), np.zeros((paths, symbols))
    blocks = math.ceil(steps / block)
    start = [plain_buffer(accounts, a, [1.0] * symbols) for a in range(count)]
    for p in range(paths):
        x, h, t = [0.0] * symbols, list(variance), 0
        for b in range(blocks):
            r = plain_mix((seed + 0x9E3779B97F4A7C15 * (p * blocks + b + 1)) % WORDS)
            j = (r >> 32) * (rows.shape[0] - block + 1) >> 32
            for i in range(block):
                if t == steps:
                    break
                t += 1
                for d in range(symbols):
                    e = rows[j + i, d] * math.sqrt(h[d])
                    h[d] = decay * h[d] + (1 - decay) * e * e
                    x[d] += e
                    low[p, d], high[p, d] = min(low[p, d], x[d]), max(high[p, d], x[d])
                for a in range(count):
                    now = plain_buffer(accounts, a, [math.exp(v) for v in x])
                    worst[p, a] = max(worst[p, a], start[a] - now)
    return worst, low, high


@settings(max_examples=40)
@given(
    seeds, st.integers(0, 99), st.integers(1, 3), st.integers(1, 4), st.integers(1, 13),
    st.integers(1, 7), st.integers(1, 2 * LANES + 3), st.integers(1, 3),
)  # fmt: skip
def test_both_kernels_do_what_the_specification_says(
    seed: int, case: int, count: int, symbols: int, steps: int, block: int, paths: int, tiers: int
) -> None:
    rows = some_rows(case, 40, symbols)
    variance = np.random.default_rng(case).uniform(1e-5, 1e-3, symbols)
    accounts = some_accounts(case, count, symbols, tiers=tiers)
    expected = plain_paths(rows, variance, accounts, paths, steps, block, seed)
    for backend in scenarios.Backend.__args__[1:]:  # type: ignore[attr-defined]  # a Literal
        found = scenarios.simulate(
            rows, variance, accounts, paths=paths, steps=steps, block=block, seed=seed,
            backend=backend,
        )  # fmt: skip
        for is_, shall in zip((found.worst, found.lowest, found.highest), expected, strict=True):
            assert is_ == pytest.approx(shall, rel=1e-9, abs=1e-8)


@settings(max_examples=40)
@given(seeds, st.integers(0, 99), st.integers(1, 6), st.integers(1, 12))
def test_positions_of_one_symbol_cross_their_tiers_alike_in_both_kernels(
    seed: int, case: int, tiers: int, count: int
) -> None:
    draw = np.random.default_rng(case)
    rows, variance = some_rows(case, 40, 2), np.array([0.01, 0.04])
    rate = np.sort(draw.uniform(0.004, 0.3, (count, tiers)), axis=1)
    # Joints between half and twice the notional: about a path crosses some and not others.
    joints = np.sort(draw.uniform(500, 2000, (count, tiers)), axis=1)[:, 1:]
    amount = np.concatenate((np.zeros((count, 1)), np.diff(rate, axis=1) * joints), axis=1)
    accounts = Accounts(
        price=np.full(2, 100.0), cash=np.zeros(2), coins=draw.uniform(0, 3, (2, 2)),
        account=np.sort(draw.integers(0, 2, count)), symbol=draw.integers(0, 2, count),
        size=draw.normal(0, 10, count), entry=np.full(count, 100.0), rate=rate,
        amount=np.cumsum(amount, axis=1),
    )  # fmt: skip
    expected = plain_paths(rows, variance, accounts, 5, 8, 3, seed)[0]
    for backend in scenarios.Backend.__args__[1:]:  # type: ignore[attr-defined]  # a Literal
        found = scenarios.simulate(
            rows, variance, accounts, paths=5, steps=8, block=3, seed=seed, backend=backend
        )
        assert found.worst == pytest.approx(expected, rel=1e-9, abs=1e-7)


@settings(max_examples=25)
@given(seeds, st.integers(0, 99), st.integers(1, 3 * LANES), st.integers(2, 9))
def test_threads_never_change_a_bit(seed: int, case: int, paths: int, threads: int) -> None:
    rows, variance = some_rows(case, 60, 3), np.full(3, 1e-4)
    accounts = some_accounts(case, 2, 3)
    one, many = (
        scenarios.simulate(
            rows, variance, accounts, paths=paths, steps=20, block=6, seed=seed, threads=n,
            backend="numba",
        )
        for n in (1, threads)
    )  # fmt: skip
    for name in ("worst", "lowest", "highest"):
        assert np.array_equal(getattr(one, name), getattr(many, name))


def test_kernels_are_compiled_once_whatever_is_held() -> None:
    kernels = kernel.draw_rows, kernel.run_symbols, kernel.run_accounts
    for case in range(8):
        symbols = 1 + case % 3
        accounts = some_accounts(case, 1 + case % 2, symbols, tiers=1 + case % 4)
        for held in (None, accounts):
            scenarios.simulate(
                some_rows(case, 40, symbols), np.full(symbols, 0.01), held, paths=1 + case % 2,
                steps=5, block=1 + case % 3, seed=case, backend="numba",
            )  # fmt: skip
    assert [len(paths_compiled._compiled(loops).signatures) for loops in kernels] == [1, 1, 1]


@settings(max_examples=25)
@given(seeds, st.integers(0, 99), st.integers(1, 50))
def test_the_first_paths_are_the_same_however_many_follow(seed: int, case: int, paths: int) -> None:
    rows, variance = some_rows(case, 60, 2), np.full(2, 1e-4)
    few, more = (
        scenarios.simulate(rows, variance, None, paths=n, steps=12, block=6, seed=seed)
        for n in (paths, paths + 37)
    )
    assert np.array_equal(few.lowest, more.lowest[:paths])


@settings(max_examples=25)
@given(seeds, st.integers(0, 99), st.floats(0, 1e4), st.floats(1e-9, 1e4))
def test_adding_cash_never_raises_a_number_of_hits(
    seed: int, case: int, before: float, more: float
) -> None:
    rows, variance = some_rows(case, 60, 3), np.full(3, 1e-3)
    accounts = some_accounts(case, 3, 3)
    ones = np.ones(3)

    def hits(cash: float) -> Integers:
        richer = cross.Accounts(
            **{f: getattr(accounts, f) for f in accounts.__slots__ if f != "cash"},
            cash=accounts.cash + cash,
        )
        found = scenarios.simulate(rows, variance, richer, paths=64, steps=24, block=6, seed=seed)
        return needs.hits(found.worst, cross.buffer(richer, ones))

    assert (hits(before + more) <= hits(before)).all()


@settings(max_examples=25)
@given(seeds, st.integers(0, 99), st.permutations([0, 1, 2]), st.floats(1e-3, 1e3))
def test_order_of_symbols_and_currency_change_nothing_else(
    seed: int, case: int, order: list[int], k: float
) -> None:
    rows, variance = some_rows(case, 60, 3), np.array([1e-4, 2e-4, 3e-4])
    accounts = some_accounts(case, 2, 3)
    where = np.argsort(order)
    turned = Accounts(
        price=accounts.price[order] * k,
        cash=accounts.cash * k,
        coins=accounts.coins[:, order],
        account=accounts.account,
        symbol=where[accounts.symbol],
        size=accounts.size,
        entry=accounts.entry * k,
        rate=accounts.rate,
        amount=accounts.amount * k,
    )
    one = scenarios.simulate(rows, variance, accounts, paths=40, steps=12, block=6, seed=seed)
    two = scenarios.simulate(
        rows[:, order], variance[order], turned, paths=40, steps=12, block=6, seed=seed
    )
    assert two.worst == pytest.approx(one.worst * k, rel=1e-9, abs=1e-9 * k)
    assert np.array_equal(two.lowest, one.lowest[:, order])
    assert (one.lowest <= 0).all()
    assert (one.highest >= 0).all()


@given(st.integers(0, WORDS - 1), st.integers(0, WORDS - 1))
def test_seeds_are_those_of_splitmix64(run: int, bucket: int) -> None:
    assert draws.seed_of(run, bucket) == plain_mix(run ^ plain_mix(bucket))


def test_splitmix64_gives_its_published_numbers() -> None:
    # First outputs of the generator with seed 0 and with seed 1234567.
    gamma = 0x9E3779B97F4A7C15
    assert draws.mix(gamma) == 0xE220A8397B1DCDAF
    assert draws.mix(2 * gamma % WORDS) == 0x6E789E6AA1B965F4
    assert draws.mix((1234567 + gamma) % WORDS) == 6457827717110365317


def test_blocks_are_drawn_evenly() -> None:
    rows = draws.first_rows(7, rows=25, paths=4000, steps=30, block=6)
    counts = np.bincount(rows.ravel(), minlength=20)
    assert counts.shape == (20,)
    assert stats.chisquare(counts).pvalue > 1e-4


def test_standardised_returns_know_nothing_of_their_own_time() -> None:
    returns = np.random.default_rng(1).normal(0, 0.01, (300, 2))
    one = scaling.standardised(returns)
    changed = returns.copy()
    changed[200:] *= 50
    two = scaling.standardised(changed)
    assert np.array_equal(one[: 200 - 72], two[: 200 - 72])
    assert two[200 - 72] == pytest.approx(one[200 - 72] * 50)
    assert one.std() == pytest.approx(1, abs=0.1)


@settings(max_examples=50)
@given(st.integers(0, 99), st.floats(1e-6, 0.5), st.floats(1e-6, 0.5))
def test_a_smaller_tolerance_never_needs_less(case: int, one: float, two: float) -> None:
    worst = np.abs(np.random.default_rng(case).standard_t(3, (2000, 2)))
    small, large = sorted((one, two))
    flat = np.zeros(2)

    def need(tolerance: float) -> Floats:
        found = needs.need(worst, tolerance=tolerance, sd_book=flat, quantile_book=0, sd_step=flat)
        assert found.extrapolated == (tolerance * 2000 < 50)
        return found.total

    assert (need(small) >= need(large)).all()


@settings(max_examples=50)
@given(st.integers(0, 99), st.floats(0.026, 0.5))
def test_a_counted_need_is_exceeded_no_more_often_than_tolerated(
    case: int, tolerance: float
) -> None:
    worst = np.abs(np.random.default_rng(case).standard_t(3, (2000, 1)))
    found = needs.need(
        worst, tolerance=tolerance, sd_book=np.zeros(1), quantile_book=0, sd_step=np.zeros(1)
    )
    beyond = int((worst > found.simulated).sum())
    assert beyond <= tolerance * 2000 < beyond + 1


def test_a_fitted_need_finds_the_quantile_of_a_heavy_tail() -> None:
    shape, tolerance = 0.25, 1e-3
    truth = stats.genpareto.isf(tolerance, shape)
    found = [
        needs.need(
            stats.genpareto.rvs(shape, size=(10000, 1), random_state=case),
            tolerance=tolerance, sd_book=np.zeros(1), quantile_book=0, sd_step=np.zeros(1),
        ).total[0]
        for case in range(40)
    ]  # fmt: skip
    assert np.median(found) == pytest.approx(truth, rel=0.06)


def test_the_parts_of_a_need_add_up() -> None:
    worst = np.linspace(0, 1, 1000)[:, None] * np.array([[1.0, 100.0]])
    found = needs.need(
        worst, tolerance=0.1, sd_book=np.array([1.0, 2.0]), quantile_book=3.0,
        sd_step=np.array([10.0, 20.0]),
    )  # fmt: skip
    assert found.book == pytest.approx([3, 6])
    assert found.within_step == pytest.approx([5.826, 11.652])
    assert found.total == pytest.approx([3 + 5.826, found.simulated[1] + 11.652])


@settings(max_examples=60)
@given(st.integers(0, 999))
def test_weights_are_the_slope_of_the_buffer(case: int) -> None:
    accounts = some_accounts(case, 2, 3)
    weight = cross.weights(accounts)
    for d in range(3):
        up, down = np.ones(3), np.ones(3)
        up[d], down[d] = math.exp(1e-7), math.exp(-1e-7)
        slope = (cross.buffer(accounts, up) - cross.buffer(accounts, down)) / 2e-7
        # At a joint of tiers left and right slopes differ; none of the cases stands on one.
        assert weight[:, d] == pytest.approx(slope, rel=1e-5, abs=1e-4)
        plain = [plain_buffer(accounts, a, list(up)) for a in range(2)]
        assert cross.buffer(accounts, up) == pytest.approx(plain, rel=1e-12, abs=1e-9)


def test_the_screen_lets_only_quiet_accounts_pass() -> None:
    accounts = Accounts(
        price=np.array([100.0]), cash=np.array([400.0, 400.0, 400.0, 40.0]),
        coins=np.zeros((4, 1)), account=np.arange(4), symbol=np.zeros(4, np.int64),
        size=np.array([10.0, 10.0, 10.0, 10.0]), entry=np.full(4, 100.0),
        rate=np.tile([0.01, 0.02], (4, 1)), amount=np.array([[0, 9.5], [0, 99], [0, 99], [0, 99]]),
    )  # fmt: skip
    covariance = np.array([[0.02**2]])
    # Buffers of 390 and 30 over 10 * 100 * 0.99 * 0.02 = 19.8.
    assert cross.screen(accounts, covariance) == pytest.approx(
        [389.5 / 19.6, *[390 / 19.8] * 2, 30 / 19.8]
    )
    skip = cross.may_skip(
        accounts, covariance, quantile=5.0, reach=np.array([0.3]),
        options=np.array([False, False, True, False]),
    )  # fmt: skip
    assert skip.tolist() == [False, True, False, False]  # a joint within reach, -, options, thin


def test_a_book_of_one_symbol_runs_as_its_symbol() -> None:
    draw = np.random.default_rng(5)
    returns = draw.normal(0, 0.01, (3000, 2))
    sigma = np.full((3000, 2), 0.01 * math.sqrt(8))
    found = panels.book_excursions(returns, sigma, np.array([[1.0, 0.0], [-1.0, 0.0]]), steps=8)
    path = np.cumsum(returns[360:368, 0])
    scale = math.sqrt((returns[:360, 0] ** 2).mean()) / (0.01 * math.sqrt(8))
    assert scale == pytest.approx(1 / math.sqrt(8), rel=0.1)
    assert found[0, 0] == pytest.approx(max(0.0, -np.expm1(path).min()) / sigma[0, 0], rel=1e-9)
    assert found[0, 1] == pytest.approx(max(0.0, np.expm1(path).max()) / sigma[0, 0], rel=1e-9)
    # Excursions of a driftless walk of eight steps: 2 Phi(-z) less what the steps hide.
    assert 1.6 < panels.book_quantile(found, 0.05) < 2.0


def test_the_panel_never_changes() -> None:
    panel = panels.panel(3)
    assert panel.shape == (20, 3)
    assert np.abs(panel).sum(axis=1) == pytest.approx(np.ones(20))
    assert panel[0] == pytest.approx(panels.panel(3, books=1)[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"paths": 0}, "paths"),
        ({"block": 61}, "60|61"),
        ({"seed": -1}, "seed"),
        ({"seed": WORDS}, "seed"),
        ({"variance": np.array([1e-4, math.nan])}, "variance"),
        ({"variance": np.array([1e-4])}, "variance"),
        ({"residuals": np.full((60, 2), math.inf)}, "finite"),
        ({"half_life": 0.0}, "half_life"),
        ({"residuals": np.full((60, 2), 1e200), "variance": np.ones(2)}, "finite"),
        # The third moves by no number at all, of which each comparison is false.
        ({"residuals": np.tile([[0], [1e200], [0]], (20, 2)), "variance": np.ones(2)}, "finite"),
    ],
)
@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_numbers_that_mean_nothing_are_refused(
    change: dict[str, object], message: str, backend: str
) -> None:
    arguments: dict[str, object] = {
        "residuals": some_rows(1, 60, 2), "variance": np.full(2, 1e-4), "accounts": None,
        "paths": 8, "steps": 12, "block": 6, "seed": 1, "backend": backend, **change,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        scenarios.simulate(**arguments)  # type: ignore[arg-type]  # broken on purpose


def test_importing_the_bot_imports_no_compiler_and_no_solver() -> None:
    modules = (
        "allocation band cascade cross draws impact kernel merit needs panels paths_compiled "
        "programme regime scaling scenarios stress tops"
    )
    script = (
        "import sys, importlib\n"
        f"for name in {modules.split()!r}: importlib.import_module('bot.leverage.' + name)\n"
        "import bot.cli\n"
        "from bot.leverage import paths_compiled, programme\n"
        "assert paths_compiled.has_numba() and programme.has_highs()\n"
        "print(sorted({'numba', 'llvmlite', 'highspy', 'scipy'} & set(sys.modules)))\n"
    )
    assert printed(script) == "[]\n"


def test_without_compiler_and_solver_the_bot_still_answers() -> None:
    script = (
        "import importlib.util, sys\n"
        "found = importlib.util.find_spec\n"
        "gone = {'numba', 'highspy'}\n"
        "importlib.util.find_spec = lambda name, *a: None if name in gone else found(name, *a)\n"
        "import numpy as np\n"
        "from bot.leverage import paths_compiled, programme, scenarios\n"
        "rows, variance = np.ones((9, 1)), np.ones(1)\n"
        "run = scenarios.simulate(rows, variance, None, paths=2, steps=3, block=2, seed=1)\n"
        "assert (run.highest == 3).all()\n"
        "assert not (paths_compiled.has_numba() or programme.has_highs())\n"
        "from tests.property.test_mix_laws import one_pool\n"
        "print(programme.propose(one_pool(1)).solver, 'numba' in sys.modules)\n"
    )
    assert printed(script) == "greedy False\n"
