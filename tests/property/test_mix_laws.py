"""Laws of the cheapest mix: merit order, the programme, and what closing costs."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize

from bot.leverage import impact, mix, programme
from bot.leverage.arrays import Floats
from bot.leverage.impact import Book
from bot.leverage.merit import Mix, merit_order
from bot.leverage.mix import Problem, Proposal
from tests.kit.scripts import printed

seeds = st.integers(0, 2**32 - 1)
PENALTY = 1e4


def one_pool(seed: int) -> Problem:
    """One wallet, one position per unit, one scenario: where merit order is exact."""
    draw = np.random.default_rng(seed)
    n, s = int(draw.integers(1, 9)), int(draw.integers(1, 4))
    notional: Floats = draw.uniform(1, 100, n)
    side: Floats = draw.choice([-1.0, 1.0], n)
    rate: Floats = draw.uniform(0.004, 0.05, n)
    move: Floats = -side * draw.uniform(0.02, 0.4, n)
    need = notional * (-side * move + rate * (1 + move))
    costs = np.sort(draw.uniform(0, 0.3, (n, s)), axis=1)
    return Problem(
        free=np.array([need.sum() * draw.uniform(0, 0.8)]),
        backs=np.array([mix.NOBODY]),
        fee=np.full((1, 1), math.inf),
        equity=need * draw.uniform(0.1, 1.4, n) - notional * 0.02 * draw.random(n),
        wallet=np.zeros(n, np.int64),
        unit=np.arange(n),
        notional=notional,
        side=side,
        rate=rate[:, None],
        amount=np.zeros((n, 1)),
        caps=draw.dirichlet(np.ones(s), n) * notional[:, None],
        costs=costs,
        moves=np.broadcast_to(move, (2, 1, n)),
        omega=float(draw.uniform(0, 0.05)),
        penalty=PENALTY,
    )


def by_merit(problem: Problem) -> Mix:
    move = problem.moves[0, 0]
    return merit_order(
        notional=problem.notional,
        required=-problem.side * move + problem.rate[:, 0] * (1 + move),
        equity=problem.equity,
        caps=problem.caps,
        costs=problem.costs,
        pool=float(problem.free[0]),
        omega=problem.omega,
    )


def many_wallets(seed: int) -> Problem:
    """Several wallets, isolated and cross units, tiers, scenarios, transfers."""
    draw = np.random.default_rng(seed)
    w, u = int(draw.integers(1, 4)), int(draw.integers(1, 5))
    unit = np.sort(np.concatenate((np.arange(u), draw.integers(0, u, 3))))
    p, g, s = unit.shape[0], int(draw.integers(1, 5)), 2
    notional: Floats = draw.uniform(10, 1000, (p,))
    rate = np.sort(draw.uniform(0.004, 0.08, (p, 3)), axis=1)
    floors = np.sort(draw.uniform(0.1, 1.5, (p, 2)), axis=1) * notional[:, None]
    amount = np.zeros((p, 3))
    amount[:, 1:] = np.cumsum(floors * np.diff(rate, axis=1), axis=1)
    wallet = draw.integers(0, w, u)
    backs = np.full(w, mix.NOBODY)
    for v in range(w):
        if draw.random() < 0.5 and (wallet == v).any():
            backs[v] = int(np.flatnonzero(wallet == v)[0])
    fee = np.where(draw.random((w, w)) < 0.7, draw.uniform(0, 0.01, (w, w)), math.inf)
    return Problem(
        free=draw.uniform(0, 100, w),
        backs=backs,
        fee=fee,
        equity=np.bincount(unit, notional) * draw.uniform(0.0, 0.3, u),
        wallet=wallet,
        unit=unit,
        notional=notional,
        side=draw.choice([-1.0, 1.0], p),
        rate=rate,
        amount=amount,
        caps=notional[:, None] * np.array([0.4, 0.6]),
        costs=np.sort(draw.uniform(0.0005, 0.02, (p, s)), axis=1),
        moves=np.clip(
            draw.normal(0, 1, (2, g, p)) * np.array([0.05, 0.12])[:, None, None], -0.6, 2
        ),
        omega=0.001,
        penalty=10.0,
    )


def price(problem: Problem, found: Mix | Proposal) -> float:
    return found.cost + problem.penalty * float(found.short.sum())


def by_oracle(problem: Problem) -> float:  # noqa: C901, PLR0912, PLR0915 - rows in their order
    """The whole programme with every line of every table, written down row by row."""
    w, u, p = problem.free.shape[0], problem.equity.shape[0], problem.notional.shape[0]
    s, g, k = problem.caps.shape[1], problem.moves.shape[1], problem.rate.shape[1]
    names = itertools.count()
    m, n, e = ([next(names) for _ in range(u)] for _ in range(3))
    t = {(v, z): next(names) for v in range(w) for z in range(w) if v != z}
    x = [[next(names) for _ in range(s)] for _ in range(p)]
    y = {c: next(names) for c in itertools.product(range(2), range(g), range(p))}
    size = next(names)
    cost = np.zeros(size)
    bounds: list[tuple[float | None, float | None]] = [(0.0, None)] * size
    rows: list[Floats] = []
    right: list[float] = []

    def row(terms: dict[int, float], limit: float) -> None:
        line = np.zeros(size)
        for column, value in terms.items():
            line[column] += value
        rows.append(line)
        right.append(limit)

    for i in range(u):
        cost[m[i]] = cost[n[i]] = problem.omega
        cost[e[i]] = problem.penalty
        if problem.backs[problem.wallet[i]] == i:
            bounds[m[i]] = bounds[n[i]] = (0.0, 0.0)
    for (v, z), column in t.items():
        cost[column] = problem.fee[v, z] if math.isfinite(problem.fee[v, z]) else 0.0
        if not math.isfinite(problem.fee[v, z]):
            bounds[column] = (0.0, 0.0)
    for j, c in itertools.product(range(p), range(s)):
        cost[x[j][c]], bounds[x[j][c]] = problem.costs[j, c], (0.0, problem.caps[j, c])
    for column in y.values():
        bounds[column] = (None, None)
    for v in range(w):
        drawn = [i for i in range(u) if problem.wallet[i] == v]
        out = {m[i]: 1.0 for i in drawn} | {t[v, z]: 1.0 for z in range(w) if z != v}
        row(out, problem.free[v])
        late = {n[i]: 1.0 for i in drawn}
        for z in range(w):
            if z != v and math.isfinite(problem.fee[z, v]):
                late[t[z, v]] = problem.fee[z, v] - 1.0
        row(late, 0.0)
    for (stage, scenario, j), above in y.items():
        grown = 1.0 + problem.moves[stage, scenario, j]
        for tier in range(k):
            slope = problem.rate[j, tier] * grown
            terms = {above: -1.0} | {x[j][c]: -slope for c in range(s)}
            row(terms, problem.amount[j, tier] - slope * problem.notional[j])
    for i, stage, scenario in itertools.product(range(u), range(2), range(g)):
        terms = {m[i]: -1.0, e[i]: -1.0} | ({n[i]: -1.0} if stage else {})
        total = problem.equity[i]
        for v in range(w):
            if problem.backs[v] != i:
                continue
            for other in range(u):
                if problem.wallet[other] == v and other != i:
                    terms |= {m[other]: 1.0} | ({n[other]: 1.0} if stage else {})
            for z in range(w):
                if z != v:
                    terms[t[v, z]] = terms.get(t[v, z], 0.0) + 1.0
                    if stage and math.isfinite(problem.fee[z, v]):
                        terms[t[z, v]] = terms.get(t[z, v], 0.0) + problem.fee[z, v] - 1.0
        for j in range(p):
            if problem.unit[j] == i:
                gain = problem.side[j] * problem.moves[stage, scenario, j]
                total += problem.notional[j] * gain
                terms[y[stage, scenario, j]] = 1.0
                for c in range(s):
                    terms[x[j][c]] = gain + problem.costs[j, c]
        row(terms, total)
    found = optimize.linprog(cost, np.array(rows), np.array(right), bounds=bounds, method="highs")
    assert found.status == 0
    return float(found.fun)


@settings(max_examples=400)
@given(seeds)
def test_merit_order_costs_what_the_programme_costs_where_it_is_exact(seed: int) -> None:
    problem = one_pool(seed)
    mix = by_merit(problem)
    best = programme.propose(problem, backend="highs")
    scale = 1 + problem.notional.sum()
    assert mix.short.sum() == pytest.approx(best.short.sum(), abs=1e-7 * scale)
    assert mix.cost == pytest.approx(best.cost, rel=1e-6, abs=1e-6 * scale)
    plain = programme.propose(problem, backend="greedy")
    assert price(problem, plain) == pytest.approx(price(problem, mix), rel=1e-7, abs=1e-7 * scale)


@settings(max_examples=60)
@given(seeds)
def test_the_programme_is_as_cheap_as_one_with_every_line_written_down(seed: int) -> None:
    problem = many_wallets(seed)
    best = programme.propose(problem, backend="highs")
    assert price(problem, best) == pytest.approx(by_oracle(problem), rel=1e-6, abs=1e-4)


@given(seeds, st.sampled_from(["highs", "greedy"]))
def test_a_proposal_stays_within_wallets_and_positions(
    seed: int, backend: programme.Backend
) -> None:
    problem = many_wallets(seed)
    found = programme.propose(problem, backend=backend)
    for values in (found.margin, found.late, found.transfer, found.closed, found.short):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    slight = 1e-6
    fee = np.where(np.isfinite(problem.fee), problem.fee, 0.0)
    for v in range(problem.free.shape[0]):
        drawn = problem.wallet == v
        assert found.margin[drawn].sum() + found.transfer[v].sum() <= problem.free[v] + slight
        landed = (found.transfer[:, v] * (1 - fee[:, v])).sum()
        assert found.late[drawn].sum() <= landed + slight
    assert (found.transfer[~np.isfinite(problem.fee)] == 0).all()
    assert (found.closed <= problem.caps.sum(axis=1) + slight).all()


@given(seeds)
def test_without_the_solver_nothing_is_cheaper(seed: int) -> None:
    problem = many_wallets(seed)
    best = programme.propose(problem, backend="highs")
    plain = programme.propose(problem, backend="greedy")
    assert price(problem, plain) >= price(problem, best) - 1e-4
    assert (best.solver, plain.solver) == ("highs", "greedy")


@given(seeds, st.sampled_from(["highs", "greedy"]), st.floats(1, 100))
def test_more_money_in_one_wallet_never_costs_more(
    seed: int, backend: programme.Backend, more: float
) -> None:
    problem = replace(one_pool(seed))
    richer = replace(problem, free=problem.free + more)
    one, two = (price(p, programme.propose(p, backend=backend)) for p in (problem, richer))
    assert two <= one + 1e-5 * (1 + abs(one))


def test_a_solver_that_others_used_with_more_threads_still_answers() -> None:
    script = (
        "import highspy\n"
        "other = highspy._core._Highs()\n"
        "other.setOptionValue('output_flag', False)\n"
        "other.setOptionValue('threads', 2)\n"
        "other.run()\n"
        "from tests.property.test_mix_laws import one_pool\n"
        "from bot.leverage import programme\n"
        "print(programme.propose(one_pool(1), backend='highs').solver)\n"
    )
    assert printed(script) == "highs\n"


def test_money_on_its_way_helps_in_the_second_stage_only() -> None:
    # A long of 1000 with rate 0: stage 1 falls 5 %, stage 2 falls 10 %; equity 40, so 10 are
    # missing now and 50 later. Its wallet has 10, the other one 100 at a fee of 1 %.
    problem = Problem(
        free=np.array([10.0, 100.0]), backs=np.array([-1, -1]),
        fee=np.array([[math.inf, 0.01], [0.01, math.inf]]), equity=np.array([40.0]),
        wallet=np.array([0]), unit=np.array([0]), notional=np.array([1000.0]),
        side=np.array([1.0]), rate=np.zeros((1, 1)), amount=np.zeros((1, 1)),
        caps=np.array([[1000.0]]), costs=np.array([[0.05]]),
        moves=np.array([[[-0.05]], [[-0.10]]]), omega=0.001, penalty=100.0,
    )  # fmt: skip
    for backend in ("highs", "greedy"):
        found = programme.propose(problem, backend=backend)
        assert found.margin == pytest.approx([10])
        assert found.late == pytest.approx([50])
        assert found.transfer[1, 0] == pytest.approx(50 / 0.99)
        assert found.closed == pytest.approx([0], abs=1e-9)
        assert found.short == pytest.approx([0], abs=1e-6)


def test_what_leaves_a_cross_account_is_missed_there() -> None:
    # The wallet is the cross account's own: 60 of its 100 are needed there.
    problem = Problem(
        free=np.array([100.0]), backs=np.array([0]), fee=np.full((1, 1), math.inf),
        equity=np.array([100.0, 0.0]), wallet=np.array([0, 0]), unit=np.array([0, 1]),
        notional=np.array([600.0, 500.0]), side=np.array([1.0, 1.0]), rate=np.zeros((2, 1)),
        amount=np.zeros((2, 1)), caps=np.array([[0.0], [0.0]]), costs=np.zeros((2, 1)),
        moves=np.full((2, 1, 2), -0.1), omega=0.001, penalty=1.0,
    )  # fmt: skip
    for backend in ("highs", "greedy"):
        found = programme.propose(problem, backend=backend)
        assert found.margin == pytest.approx([0, 40])
        assert found.short == pytest.approx([0, 10])


def test_closing_that_costs_more_than_it_relieves_is_never_proposed() -> None:
    mix = merit_order(
        notional=np.array([100.0]), required=np.array([0.1]), equity=np.array([5.0]),
        caps=np.array([[100.0]]), costs=np.array([[0.2]]), pool=3.0, omega=0.01,
    )  # fmt: skip
    assert mix.closed.sum() == 0
    assert mix.margin == pytest.approx([3])
    assert mix.short == pytest.approx([2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pool": -1.0}, "pool"),
        ({"omega": math.nan}, "omega"),
        ({"required": np.array([math.inf])}, "required"),
        ({"costs": np.array([[0.2, 0.1]])}, "costs"),
        ({"caps": np.array([[60.0, 60.0]])}, "caps"),
        ({"equity": np.array([math.nan])}, "equity"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {
        "notional": np.array([100.0]), "required": np.array([0.1]), "equity": np.array([5.0]),
        "caps": np.array([[50.0, 50.0]]), "costs": np.array([[0.1, 0.2]]), "pool": 3.0,
        "omega": 0.01, **change,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        merit_order(**arguments)  # type: ignore[arg-type]  # broken on purpose


def some_book(seed: int) -> Book:
    draw = np.random.default_rng(seed)
    side, levels = int(draw.choice([-1, 1])), int(draw.integers(0, 6))
    away = np.cumsum(draw.uniform(0, 0.002, levels)) - 0.0005
    return Book(
        side=side, mark=100.0, price=100.0 * (1 - side * away), size=draw.uniform(0.1, 5, levels),
        half_spread=float(draw.uniform(0, 0.001)), taker_fee=float(draw.uniform(0, 0.001)),
        sigma_day=float(draw.uniform(0.0, 0.1)), volume_day=float(draw.uniform(1e4, 1e7)),
    )  # fmt: skip


def marginal(book: Book, x: float) -> float:
    """What the next unit costs: the level it meets, beyond them the larger of last and law."""
    left, slips = x, np.maximum(book.side * (1 - book.price / book.mark), 0)
    slip = 0.0
    for slip, size in zip(slips, book.size, strict=True):  # noqa: B007 - the last one counts
        left -= size * book.mark
        if left < 0:
            break
    else:
        last = slips[-1] if slips.size else 0.0
        law = book.half_spread + 1.5 * book.sigma_day * math.sqrt(x / book.volume_day)
        slip = max(last, law)
    return float(slip + book.taker_fee * (1 - book.side * slip))


@settings(max_examples=60)
@given(seeds, st.floats(1, 5000))
def test_the_cost_is_the_integral_of_what_the_next_unit_costs(seed: int, size: float) -> None:
    book = some_book(seed)
    edges = np.cumsum(book.size * book.mark)
    points = sorted({0.0, size, *edges[edges < size]})
    total = sum(
        integrate.quad(lambda x: marginal(book, x), a, b, limit=200, epsabs=1e-10)[0]
        for a, b in itertools.pairwise(points)
    )
    assert float(impact.cost(book, np.array(size))) == pytest.approx(total, rel=1e-6, abs=1e-8)


@given(seeds, st.floats(0.1, 1e6), st.integers(2, 20), st.floats(0, 1))
def test_segments_never_understate_a_cost(seed: int, size: float, count: int, part: float) -> None:
    book = some_book(seed)
    caps, costs = impact.segments(book, size, count=count)
    assert caps.sum() == pytest.approx(size)
    assert (np.diff(costs) >= 0).all()
    used = np.clip(part * size - (np.cumsum(caps) - caps), 0, caps)
    true = float(impact.cost(book, np.array(part * size)))
    assert float((used * costs).sum()) >= true * (1 - 1e-9) - 1e-12


@pytest.mark.parametrize(("count", "error"), [(8, 0.034), (16, 0.008)])
def test_segments_overstate_the_square_root_law_by_little(count: int, error: float) -> None:
    book = Book(
        side=1, mark=100.0, price=np.zeros(0), size=np.zeros(0), half_spread=0.0, taker_fee=0.0,
        sigma_day=0.05, volume_day=1e6,
    )  # fmt: skip
    caps, costs = impact.segments(book, 1000.0, count=count)
    for x in np.geomspace(20, 1000, 500):
        used = np.clip(x - (np.cumsum(caps) - caps), 0, caps)
        assert (used * costs).sum() <= float(impact.cost(book, np.array(x))) * (1 + error)
