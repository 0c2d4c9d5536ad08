"""What is the cheapest mix of margin, transfers and closing over several wallets and scenarios?

Solved as a linear programme where highspy is installed, else by merit order per wallet and
transfers to the largest deficit; either way `mix.shortfall` judges what came out, and the exact
review after it.
"""

import contextlib
import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bot.leverage.arrays import Booleans, Floats, Integers
from bot.leverage.greedy import greedy
from bot.leverage.mix import SLIGHT, Problem, Proposal, judged, own_wallet

Backend = Literal["auto", "highs", "greedy"]

_ROWWISE, _MINIMISE = 2, 1
_ROUNDS = 100


def has_highs() -> bool:
    """Whether the solver can be used; it is not imported."""
    return importlib.util.find_spec("highspy") is not None


def propose(problem: Problem, *, backend: Backend = "auto") -> Proposal:
    """Return the cheapest proposal, or a feasible one where no solver is installed.

    There is always an answer: what cannot be reached is ``short``, and that is the verdict.

    Args:
        problem: What may be done.
        backend: ``auto`` is highspy where it is installed and reaches an optimum; `Proposal.solver`
            says what it was.

    Raises:
        ImportError: If highspy is asked for by name and is not there.
        ArithmeticError: If highspy is asked for by name and does not reach an optimum.
    """
    if backend == "highs":
        return _solved(problem)
    if backend == "auto" and has_highs():
        # A rescue must not end because a solver did.
        with contextlib.suppress(ArithmeticError):
            return _solved(problem)
    return greedy(problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Where each kind of variable begins.

    Attributes:
        margin: One per unit, as the next three.
        late: From transfers.
        short: What is lacking.
        spent: On closing.
        closed: One per position.
        segment: One per position and segment.
        route: One per way between wallets.
        count: Of all.
    """

    margin: int
    late: int
    short: int
    spent: int
    closed: int
    segment: int
    route: int
    count: int


class _Rows:
    """Rows of a matrix, in blocks whose rows have one length."""

    def __init__(self) -> None:
        self.length: list[Integers] = []
        self.column: list[Integers] = []
        self.value: list[Floats] = []
        self.lower: list[Floats] = []
        self.upper: list[Floats] = []

    def add(self, column: Any, value: Any, lower: float, upper: float) -> None:
        """Add one row."""
        values = np.broadcast_to(value, np.shape(column))
        self.block(
            np.asarray(column)[None, :], values[None, :], np.array([lower]), np.array([upper])
        )

    def block(self, column: Any, value: Any, lower: Floats, upper: Floats) -> None:
        """Add rows of one length; ``column`` and ``value`` have shape (rows, length)."""
        self.length.append(np.full(column.shape[0], column.shape[1], dtype=np.int64))
        self.column.append(np.ravel(column))
        self.value.append(np.ravel(value))
        self.lower.append(lower)
        self.upper.append(upper)

    def arrays(self) -> tuple[Floats, Floats, Integers, Integers, Floats]:
        """Return bounds, starts, columns and values as the solver takes them."""
        ends = np.concatenate(([0], np.cumsum(np.concatenate(self.length))))
        return (
            np.concatenate(self.lower),
            np.concatenate(self.upper),
            ends.astype(np.int32),
            np.concatenate(self.column).astype(np.int32),
            np.concatenate(self.value),
        )


def _solved(problem: Problem) -> Proposal:
    """Solve by cutting planes: the tables are convex, so each line of one is a valid cut.

    The programme begins with the lines that hold where nothing is closed. Where a solution meets
    a higher line of a table, that line is added and the solver goes on from where it stands; with
    finitely many lines it ends at the optimum of the whole programme.
    """
    w, u = problem.free.shape[0], problem.equity.shape[0]
    p, s = problem.caps.shape
    source, sink = np.nonzero(np.isfinite(problem.fee) & ~np.eye(w, dtype=np.bool_))
    at = _Columns(
        margin=0, late=u, short=2 * u, spent=3 * u, closed=4 * u, segment=4 * u + p,
        route=4 * u + p + p * s, count=4 * u + p + p * s + source.shape[0],
    )  # fmt: skip
    cost, upper = np.zeros(at.count), np.full(at.count, np.inf)
    cost[at.margin : at.short] = problem.omega
    cost[at.short : at.spent] = problem.penalty
    cost[at.spent : at.closed] = 1.0
    cost[at.route :] = problem.fee[source, sink]
    own = own_wallet(problem)
    upper[at.margin : at.late][own] = 0.0
    upper[at.late : at.short][own] = 0.0
    upper[at.closed : at.segment] = problem.caps.sum(axis=1)
    upper[at.segment : at.route] = problem.caps.ravel()
    heads = [_head(problem, unit, at, source, sink) for unit in range(u)]
    rows = _Rows()
    _wallet_rows(problem, at, rows, source, sink)
    _closing_rows(problem, at, rows)
    every = np.ones((2, problem.moves.shape[1]), dtype=np.bool_)
    closed = np.zeros(p)
    for unit in range(u):
        _cut(problem, unit, at, rows, heads[unit], closed, every)
    found = _optimum(problem, at, cost, upper, rows, heads)
    transfer = np.zeros((w, w))
    transfer[source, sink] = found[at.route :]
    return judged(
        problem,
        margin=found[at.margin : at.late],
        late=found[at.late : at.short],
        transfer=transfer,
        spread=found[at.segment : at.route].reshape(p, s),
        solver="highs",
    )


def _wallet_rows(
    problem: Problem, at: _Columns, rows: _Rows, source: Integers, sink: Integers
) -> None:
    """Add that no wallet gives more than it has, now and when transfers have arrived."""
    routes = at.route + np.arange(source.shape[0])
    for wallet in range(problem.free.shape[0]):
        drawn = np.flatnonzero(problem.wallet == wallet)
        landing = sink == wallet
        leaving = np.concatenate((at.margin + drawn, routes[source == wallet]))
        rows.add(leaving, 1.0, -np.inf, problem.free[wallet])
        kept = problem.fee[source[landing], wallet] - 1.0
        rows.add(
            np.concatenate((at.late + drawn, routes[landing])),
            np.concatenate((np.ones(drawn.shape[0]), kept)),
            -np.inf,
            0.0,
        )


def _closing_rows(problem: Problem, at: _Columns, rows: _Rows) -> None:
    """Add that what is closed, and what that costs, is the sum of its segments."""
    p, s = problem.caps.shape
    segment = at.segment + np.arange(p * s).reshape(p, s)
    closed = at.closed + np.arange(p)[:, None]
    nothing = np.zeros(p)
    signs = np.broadcast_to([1.0, *[-1.0] * s], (p, s + 1))
    rows.block(np.concatenate((closed, segment), axis=1), signs, nothing, nothing)
    for unit in range(problem.equity.shape[0]):
        mine = problem.unit == unit
        column = np.concatenate(([at.spent + unit], segment[mine].ravel()))
        rows.add(column, np.concatenate(([1.0], -problem.costs[mine].ravel())), 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What the rows of one unit have in common.

    Attributes:
        column: Shape (c,), of margin, transfers and spending.
        value: Shape (2, c), per stage.
        held: Its positions.
    """

    column: Integers
    value: Floats
    held: Integers


def _head(problem: Problem, unit: int, at: _Columns, source: Integers, sink: Integers) -> _Head:
    terms: list[tuple[Any, float, float]] = [
        (at.margin + unit, 1.0, 1.0),
        (at.late + unit, 0.0, 1.0),
        (at.short + unit, 1.0, 1.0),
        (at.spent + unit, -1.0, -1.0),
    ]
    for wallet in np.flatnonzero(problem.backs == unit):
        for other in np.flatnonzero((problem.wallet == wallet) & ~own_wallet(problem)):
            terms += [(at.margin + other, -1.0, -1.0), (at.late + other, 0.0, -1.0)]
        for route in np.flatnonzero(source == wallet):
            terms.append((at.route + route, -1.0, -1.0))
        for route in np.flatnonzero(sink == wallet):
            terms.append((at.route + route, 0.0, 1.0 - problem.fee[source[route], wallet]))
    table = np.array(terms)
    return _Head(
        column=table[:, 0].astype(np.int64),
        value=table[:, 1:].T,
        held=np.flatnonzero(problem.unit == unit),
    )


def _cut(
    problem: Problem,
    unit: int,
    at: _Columns,
    rows: _Rows,
    head: _Head,
    closed: Floats,
    wanted: Booleans,
) -> None:
    """Add what must hold of a unit, with the tiers that hold where so much is closed.

    Args:
        problem: What holds.
        unit: Which.
        at: Where variables stand.
        rows: Added to.
        head: Of the unit.
        closed: Shape (p,). [quote]
        wanted: Shape (2, g), the scenarios to add.
    """
    held = head.held
    stage, scenario = np.nonzero(wanted)
    moves = problem.moves[stage, scenario][:, held]
    there = (problem.notional - closed)[held] * (1.0 + moves)
    tier = (problem.rate[held] * there[..., None] - problem.amount[held]).argmax(axis=-1)
    rate, amount = problem.rate[held, tier], problem.amount[held, tier]
    per_unit = problem.side[held] * moves - rate * (1.0 + moves)
    fixed = per_unit @ problem.notional[held] + amount.sum(axis=-1)
    count = stage.shape[0]
    rows.block(
        np.concatenate(
            (
                np.broadcast_to(head.column, (count, head.column.shape[0])),
                np.broadcast_to(at.closed + held, (count, held.shape[0])),
            ),
            axis=1,
        ),
        np.concatenate((head.value[stage], -per_unit), axis=1),
        -problem.equity[unit] - fixed,
        np.full(count, np.inf),
    )


def _optimum(
    problem: Problem,
    at: _Columns,
    cost: Floats,
    upper: Floats,
    rows: _Rows,
    heads: list[_Head],
) -> Floats:
    highspy = importlib.import_module("highspy")
    # The class above this one prints a banner when it is made.
    solver = highspy._core._Highs()  # noqa: SLF001 - the public class prints a banner
    # Its `threads` must stay unset: where somebody else in the process has set another number, the
    # solver refuses to run.
    for option, value in (("output_flag", False), ("parallel", "off"), ("presolve", "off")):
        solver.setOptionValue(option, value)
    below, above, start, column, values = rows.arrays()
    nothing = np.zeros(cost.shape[0])
    solver.passModel(
        cost.shape[0], below.shape[0], values.shape[0], _ROWWISE, _MINIMISE, 0.0,
        cost, nothing, upper, below, above, start, column, values, nothing.astype(np.int32),
    )  # fmt: skip
    scale = float(problem.notional.sum()) + float(problem.free.sum())
    for _ in range(_ROUNDS):
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise ArithmeticError(f"programme must have an optimum, was {solver.getModelStatus()}")
        found: Floats = np.clip(np.array(solver.getSolution().col_value), 0.0, upper)
        cuts = _Rows()
        closed = found[at.closed : at.segment]
        for unit, head in enumerate(heads):
            lacking = _lack(problem, unit, head, found, closed)
            wanted = lacking > SLIGHT * scale
            if wanted.any():
                _cut(problem, unit, at, cuts, head, closed, wanted)
        if not cuts.length:
            return found
        below, above, start, column, values = cuts.arrays()
        solver.addRows(below.shape[0], below, above, values.shape[0], start[:-1], column, values)
    raise ArithmeticError(f"programme must end within {_ROUNDS} rounds")


def _lack(problem: Problem, unit: int, head: _Head, found: Floats, closed: Floats) -> Floats:
    """Return by how much a unit misses each scenario with its true tables. Shape (2, g)."""
    held = head.held
    rest = (problem.notional - closed)[held]
    moves = problem.moves[:, :, held]
    there = rest * (1.0 + moves)
    needed = (problem.rate[held] * there[..., None] - problem.amount[held]).max(axis=-1)
    result = (rest * problem.side[held] * moves - needed).sum(axis=-1)
    given = head.value @ found[head.column]
    lack: Floats = -(problem.equity[unit] + given[:, None] + result)
    return lack
