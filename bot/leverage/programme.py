"""What is the cheapest mix of margin, transfers and closing over several wallets and scenarios?

Stage 1 is what must hold while money travels, stage 2 what must hold when it has arrived. Solved
as a linear programme where highspy is installed, else by merit order per wallet and transfers to
the largest deficit; either way `shortfall` judges what came out, and the exact review after it.
"""

import contextlib
import importlib
import importlib.util
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bot.leverage import inputs
from bot.leverage.arrays import Floats
from bot.leverage.merit import merit_order

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Backend = Literal["auto", "highs", "greedy"]

NOBODY = -1
_ROWWISE, _MINIMISE = 2, 1
_SLIGHT = 1e-9
_ROUNDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """w wallets, u margin units, p positions in s book segments, g scenarios per stage.

    Attributes:
        free: Shape (w,), what may leave each wallet, its reserve already taken off, >= 0. [quote]
        backs: Shape (w,), the cross account whose equity the wallet is part of, or -1: what
            leaves such a wallet leaves the account, what arrives helps it.
        fee: Shape (w, w), share of a transfer from row to column that does not arrive, in [0, 1);
            infinite where there is no way. [ratio]
        equity: Shape (u,), now, may be negative. [quote]
        wallet: Shape (u,), where each unit's margin comes from.
        unit: Shape (p,), which unit holds each position; a unit has at least one.
        notional: Shape (p,), > 0, at mark. [quote]
        side: Shape (p,), 1 long, -1 short.
        rate: Shape (p, k), maintenance rates, rising along a row. [ratio]
        amount: Shape (p, k), maintenance amounts. [quote]
        caps: Shape (p, s), >= 0, sums to the notional or less. [quote]
        costs: Shape (p, s), never falling along a row, >= 0. [ratio]
        moves: Shape (2, g, p), price changes of stage 1 and 2, > -1. [ratio]
        omega: Price of margin over the plan, >= 0. [ratio]
        penalty: Price of what is short, at least ten times the dearest cost. [ratio]
    """

    free: Floats
    backs: Integers
    fee: Floats
    equity: Floats
    wallet: Integers
    unit: Integers
    notional: Floats
    side: Floats
    rate: Floats
    amount: Floats
    caps: Floats
    costs: Floats
    moves: Floats
    omega: float
    penalty: float

    def __post_init__(self) -> None:
        w, u, p = self.free.shape[0], self.equity.shape[0], self.notional.shape[0]
        shapes = {
            "backs": (w,), "fee": (w, w), "wallet": (u,), "unit": (p,), "side": (p,),
            "rate": (p, *self.rate.shape[1:]), "amount": self.rate.shape,
            "caps": (p, *self.caps.shape[1:]), "costs": self.caps.shape,
            "moves": (2, *self.moves.shape[1:2], p),
        }  # fmt: skip
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have shape {shape}, had {getattr(self, name).shape}")
        inputs.not_negative(free=self.free, omega=self.omega)
        inputs.finite(equity=self.equity, moves=self.moves)
        inputs.positive(notional=self.notional, penalty=self.penalty, grown=1.0 + self.moves)
        inputs.sides(self.side)
        inputs.tables(rate=self.rate, amount=self.amount, rows=p)
        inputs.segments(caps=self.caps, costs=self.costs, notional=self.notional)
        way = self.fee[~np.isposinf(self.fee)]
        if not ((way >= 0) & (way < 1)).all():
            raise ValueError("fee must be in [0, 1) or infinite")
        if not np.array_equal(np.unique(self.unit), np.arange(u)):
            raise ValueError("unit must name every unit and no other")
        for name, least, count in (("wallet", 0, w), ("backs", NOBODY, u)):
            values = getattr(self, name)
            if ((values < least) | (values >= count)).any():
                raise ValueError(f"{name} must be in [{least}, {count})")
        dearest = max(self.omega, float(self.costs.max(initial=0.0)))
        if self.penalty < 10 * dearest:
            raise ValueError(f"penalty must be >= 10 times the dearest cost {dearest}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What to do; an estimate that exact rounding and review come after.

    Attributes:
        margin: Shape (u,), to add now. [quote]
        late: Shape (u,), to add from transfers when they have arrived. [quote]
        transfer: Shape (w, w), leaves the row's wallet for the column's. [quote]
        closed: Shape (p,), notional to close. [quote]
        short: Shape (u,), what each unit still lacks in its worst scenario. [quote]
        cost: Margin, fees and closing, without a price for what is short. [quote]
        solver: ``highs`` or ``greedy``.
    """

    margin: Floats
    late: Floats
    transfer: Floats
    closed: Floats
    short: Floats
    cost: float
    solver: str


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
    return _greedy(problem)


def depart(free: Any, flight: Any, paid: Any, amount: Any, fee: Any) -> tuple[Any, Any, Any]:
    """Return wallet, money in flight and fees paid after a transfer has left. [quote].

    Args:
        free: In the wallet it leaves. [quote]
        flight: On the way. [quote]
        paid: Fees so far. [quote]
        amount: That leaves. [quote]
        fee: Share that does not arrive. [ratio]
    """
    return free - amount, flight + amount - amount * fee, paid + amount * fee


def arrive(free: Any, flight: Any, amount: Any, fee: Any) -> tuple[Any, Any]:
    """Return wallet and money in flight after a transfer has arrived. [quote].

    Args:
        free: In the wallet it reaches. [quote]
        flight: On the way. [quote]
        amount: That left. [quote]
        fee: Share that does not arrive. [ratio]
    """
    landed = amount - amount * fee
    return free + landed, flight - landed


def shortfall(
    problem: Problem, *, margin: Floats, late: Floats, transfer: Floats, spread: Floats
) -> Floats:
    """Return what each unit lacks in its worst scenario and stage. Shape (u,), >= 0. [quote].

    Args:
        problem: What holds.
        margin: Shape (u,). [quote]
        late: Shape (u,). [quote]
        transfer: Shape (w, w). [quote]
        spread: Shape (p, s), notional closed in each segment. [quote]
    """
    held = problem.notional - spread.sum(axis=1)
    at = held * (1.0 + problem.moves)
    needed = (problem.rate * at[..., None] - problem.amount).max(axis=-1)
    change = held * problem.side * problem.moves - needed
    units = np.arange(problem.equity.shape[0])
    belongs = (problem.unit[:, None] == units).astype(np.float64)
    result = change @ belongs
    result -= belongs.T @ (problem.costs * spread).sum(axis=1)
    stage = np.zeros((2, units.shape[0]))
    stage[:] = problem.equity + margin
    stage[1] += late
    landed = (transfer * (1.0 - np.where(np.isfinite(problem.fee), problem.fee, 0.0))).sum(axis=0)
    for wallet, unit in enumerate(problem.backs):
        if unit != NOBODY:
            drawn = problem.wallet == wallet
            stage[:, unit] -= margin[drawn].sum() + transfer[wallet].sum()
            stage[1, unit] += landed[wallet] - late[drawn].sum()
    found: Floats = np.maximum(-(stage[:, None, :] + result).min(axis=(0, 1)), 0.0)
    return found


def _own(problem: Problem) -> Booleans:
    """Return which units stand in their own wallet: moving money there changes nothing."""
    found: Booleans = problem.backs[problem.wallet] == np.arange(problem.equity.shape[0])
    return found


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
    own = _own(problem)
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
    return _judged(
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
        for other in np.flatnonzero((problem.wallet == wallet) & ~_own(problem)):
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
            wanted = lacking > _SLIGHT * scale
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


def _judged(
    problem: Problem,
    *,
    margin: Floats,
    late: Floats,
    transfer: Floats,
    spread: Floats,
    solver: str,
) -> Proposal:
    fee = np.where(np.isfinite(problem.fee), problem.fee, 0.0)
    short = shortfall(problem, margin=margin, late=late, transfer=transfer, spread=spread)
    scale = float(problem.notional.sum()) + float(problem.free.sum())
    return Proposal(
        margin=margin,
        late=late,
        transfer=transfer,
        closed=spread.sum(axis=1),
        short=np.where(short <= _SLIGHT * scale, 0.0, short),
        cost=float(
            problem.omega * (margin.sum() + late.sum())
            + (fee * transfer).sum()
            + (problem.costs * spread).sum()
        ),
        solver=solver,
    )


def _greedy(problem: Problem) -> Proposal:
    """Merit order per wallet for stage 1, transfers to the largest deficit, merit order again.

    Every unit stands for one position at the stress price of its worst scenario that is closed pro
    rata. That asks for no less than its table does, so the answer is safe and may be dear.
    """
    w, own = problem.free.shape[0], _own(problem)
    free = _giving(problem)
    margin, spread = np.zeros_like(problem.equity), np.zeros_like(problem.caps)
    margin, spread = _by_wallet(problem, 0, margin, spread, free, np.zeros(w))
    free = free - _by_source(problem, margin)
    lacking = _lacking(problem, 1, margin, spread)[0]
    wants = _by_source(problem, np.where(own, 0.0, lacking))
    kept = np.minimum(free, wants)
    transfer = _gathered(problem, free - kept, wants - kept + _by_source(problem, lacking * own))
    fee = np.where(np.isfinite(problem.fee), problem.fee, 0.0)
    landed = (transfer * (1.0 - fee)).sum(axis=0)
    free = free - transfer.sum(axis=1)
    now = margin
    margin, spread = _by_wallet(problem, 1, margin, spread, free, landed)
    # What a wallet holds goes first, the rest waits for what arrives.
    for wallet in range(w):
        drawn = np.flatnonzero(problem.wallet == wallet)
        more = margin[drawn] - now[drawn]
        now[drawn] += np.clip(free[wallet] - (np.cumsum(more) - more), 0.0, more)
    return _judged(
        problem, margin=now, late=margin - now, transfer=transfer, spread=spread, solver="greedy"
    )


def _by_source(problem: Problem, amount: Floats) -> Floats:
    found = np.zeros(problem.free.shape[0])
    np.add.at(found, problem.wallet, amount)
    return found


def _giving(problem: Problem) -> Floats:
    """Return what each wallet may give away without endangering the account it backs."""
    nothing = np.zeros_like(problem.equity)
    closed = np.zeros_like(problem.caps)
    needed = np.maximum(
        _lacking(problem, 0, nothing, closed)[1], _lacking(problem, 1, nothing, closed)[1]
    )
    spare = np.maximum(problem.equity - needed, 0.0)
    backed = problem.backs != NOBODY
    return np.where(backed, np.minimum(problem.free, spare[problem.backs]), problem.free)


def _lacking(problem: Problem, stage: int, margin: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Return what units lack in a stage, and what equity they need there. Shape (u,). [quote]."""
    held = problem.notional - spread.sum(axis=1)
    moves = problem.moves[stage]
    at = held * (1.0 + moves)
    kept = (problem.rate * at[..., None] - problem.amount).max(axis=-1)
    units = np.arange(problem.equity.shape[0])
    belongs = (problem.unit[:, None] == units).astype(np.float64)
    needed = np.maximum(((kept - held * problem.side * moves) @ belongs).max(axis=0), 0.0)
    spent = belongs.T @ (problem.costs * spread).sum(axis=1)
    return np.maximum(needed - problem.equity - margin + spent, 0.0), needed


def _by_wallet(
    problem: Problem, stage: int, margin: Floats, spread: Floats, free: Floats, landed: Floats
) -> tuple[Floats, Floats]:
    """Return margin and closing after merit order in each wallet."""
    margin, spread = margin.copy(), spread.copy()
    own = _own(problem)
    lacking, needed = _lacking(problem, stage, margin, spread)
    for wallet in range(problem.free.shape[0]):
        drawn = problem.wallet == wallet
        helped = min(float(landed[wallet]), float(lacking[drawn & own].sum()))
        for alone, pool in ((True, helped), (False, free[wallet] + landed[wallet] - helped)):
            units = np.flatnonzero(drawn & (own == alone))
            if units.shape[0] == 0:
                continue
            left = np.array([_left(problem, unit, spread) for unit in units])
            rest = np.bincount(problem.unit, problem.notional - spread.sum(axis=1))[units]
            notional = np.maximum(rest, left[:, 0].sum(axis=1))
            required = np.divide(
                needed[units], notional, out=np.zeros_like(notional), where=notional > 0
            )
            mix = merit_order(
                notional=notional,
                required=required,
                equity=needed[units] - lacking[units],
                caps=left[:, 0],
                costs=left[:, 1],
                pool=max(float(pool), 0.0),
                omega=problem.omega,
            )
            if not alone:
                margin[units] += mix.margin
            for unit, closed, caps in zip(units, mix.closed, left[:, 0], strict=True):
                share = np.divide(closed, caps, out=np.zeros_like(closed), where=caps > 0)
                mine = problem.unit == unit
                spread[mine] += share * (problem.caps - spread)[mine]
    return margin, spread


def _left(problem: Problem, unit: Any, spread: Floats) -> Floats:
    """Return capacities and mean costs of the segments that a unit has left. Shape (2, s)."""
    mine = problem.unit == unit
    caps = np.maximum((problem.caps - spread)[mine], 0.0)
    total = caps.sum(axis=0)
    paid = (caps * problem.costs[mine]).sum(axis=0)
    mean = np.divide(paid, total, out=problem.costs[mine].max(axis=0), where=total > 0)
    return np.stack((total, np.maximum.accumulate(mean)))


def _gathered(problem: Problem, left: Floats, wants: Floats) -> Floats:
    """Return transfers, each to the largest want by the cheapest way that is left. [quote]."""
    left, wants = left.copy(), wants.copy()
    transfer = np.zeros_like(problem.fee)
    while wants.max(initial=0.0) > 0:
        to = int(np.argmax(wants))
        fees = np.where(left > 0, problem.fee[:, to], np.inf)
        fees[to] = np.inf
        giver = int(np.argmin(fees))
        if not math.isfinite(fees[giver]):
            wants[to] = 0.0
            continue
        wanted = wants[to] / (1.0 - fees[giver])
        amount = min(left[giver], wanted)
        transfer[giver, to] += amount
        # One of the two is used up exactly, or this would go on with what rounding leaves.
        left[giver] = 0.0 if amount == left[giver] else left[giver] - amount
        wants[to] = 0.0 if amount == wanted else wants[to] - amount * (1.0 - fees[giver])
    return transfer
