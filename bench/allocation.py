"""How fast are pool and plan beside a modelling language with the same or another solver? (G4, G5)

Needs cvxpy: ``make bench`` installs it.
"""

import math
from typing import Any

import cvxpy as cp
import numpy as np
from scipy import special

from bench.measure import interleaved
from bot.leverage import allocation, programme
from bot.leverage.mix import Problem
from bot.leverage.units import FAR, Units, distance_of, equity_at, of_one_tier

COUNT, TANGENTS = 1_000, 40
VENUES, POSITIONS, SCENARIOS = 5, 20, 21
ROUNDS = 5


def run() -> dict[str, Any]:
    """Return the timing of both sides of each goal, and how their values compare."""
    rows: dict[str, dict[str, float]] = {}
    for name, sides in (("min-sum", min_sum()), ("min-max", min_max()), ("plan", plan())):
        (ours, theirs), timings = sides[0], interleaved(sides[1], rounds=ROUNDS)
        mine, rival = timings.values()
        for label, timing in timings.items():
            rows[f"{name}: {label}"] = {"minimum": timing.minimum, "median": timing.median}
        rows[f"{name}: ratio"] = {
            "of minima": rival.minimum / mine.minimum,
            "of medians": rival.median / mine.median,
            "our value over theirs": ours / theirs,
        }
    return {
        "what": f"one pool, {COUNT} positions; plan, {VENUES} accounts x {POSITIONS} positions",
        "aim": ">= 100x both ways of sharing, value <= theirs; plan >= 10x, equal value",
        "rows": rows,
    }


Sides = tuple[tuple[float, float], dict[str, Any]]


def some_units(*, shorts: bool) -> tuple[Units, Any, float]:
    draw = np.random.default_rng(3)
    side = np.full(COUNT, -1.0) if shorts else draw.choice([-1.0, 1.0], COUNT)
    units = of_one_tier(draw.uniform(1e3, 1e5, COUNT), side, draw.uniform(0.004, 0.02, COUNT))
    return units, draw.uniform(0.01, 0.08, COUNT), 0.2 * float(units.notional.sum())


def min_sum() -> Sides:
    """Weighted sum of hit probabilities: ours, and tangents to it as a linear programme."""
    units, sd, pool = some_units(shorts=False)
    low, high = equity_at(units, 1.01 * sd), equity_at(units, 8 * sd)
    weight = units.notional

    def hits(equity: Any) -> Any:
        return special.erfc(distance_of(units, equity) / sd / math.sqrt(2))

    def ours() -> Any:
        return allocation.min_sum(units, sd, pool, weight=weight, low=low, high=high).equity

    points = [low + part * (high - low) for part in np.linspace(0, 1, TANGENTS) ** 2]
    step = 1e-6 * units.notional
    slopes = [(hits(p + step) - hits(p - step)) / (2 * step) for p in points]

    def theirs() -> Any:
        equity, value = cp.Variable(COUNT), cp.Variable(COUNT)
        cuts = [
            value >= hits(p) + cp.multiply(slope, equity - p)
            for p, slope in zip(points, slopes, strict=True)
        ]
        problem = cp.Problem(
            cp.Minimize(weight @ value),
            [*cuts, value >= 0, equity >= low, equity <= high, cp.sum(equity) <= pool],
        )
        problem.solve(solver=cp.HIGHS)
        return equity.value

    values = tuple(float(weight @ hits(np.clip(side(), low, high))) for side in (ours, theirs))
    return (values[0], values[1]), {"ours": ours, "cvxpy tangents, HiGHS": theirs}


def min_max() -> Sides:
    """Largest hit probability of shorts: ours, and an exponential cone."""
    units, sd, pool = some_units(shorts=True)
    low, high = np.zeros(COUNT), np.full(COUNT, math.inf)
    rate = units.rate[:, 0]

    def ours() -> Any:
        return allocation.min_max(units, sd, pool, low=low, high=high).a_log / sd

    def theirs() -> Any:
        z = cp.Variable()
        needed = cp.multiply(units.notional * (1 + rate), cp.exp(sd * z)) - units.notional
        problem = cp.Problem(cp.Maximize(z), [cp.sum(needed) <= pool, z <= FAR / sd.min()])
        problem.solve(solver=cp.CLARABEL)
        return z.value

    # The farther all stand the better: the value is the inverse of the distance.
    return (1 / float(ours().min()), 1 / float(theirs())), {
        "ours": ours,
        "cvxpy exponential cone, Clarabel": theirs,
    }


def problem() -> Problem:
    """Return five cross accounts of twenty positions each, with three tiers and four segments."""
    draw = np.random.default_rng(3)
    count = VENUES * POSITIONS
    notional = draw.uniform(1e3, 4e5, count)
    unit = np.repeat(np.arange(VENUES), POSITIONS)
    return Problem(
        free=np.full(VENUES, 3e4),
        backs=np.arange(VENUES),
        fee=np.full((VENUES, VENUES), 5e-4),
        equity=np.bincount(unit, notional) * draw.uniform(0.01, 0.06, VENUES),
        wallet=np.arange(VENUES),
        unit=unit,
        notional=notional,
        side=draw.choice([-1.0, 1.0], count),
        rate=np.tile([0.004, 0.01, 0.025], (count, 1)),
        amount=np.tile([0.0, 300.0, 6300.0], (count, 1)),
        caps=notional[:, None] * np.array([0.1, 0.2, 0.3, 0.4]),
        costs=draw.uniform(5e-4, 2e-3, (count, 1)) * np.array([1.0, 1.5, 2.0, 4.0]),
        moves=np.stack([draw.normal(0, sd, (SCENARIOS, count)).clip(-0.9) for sd in (0.03, 0.08)]),
        omega=1e-3,
        penalty=1.0,
    )


def plan() -> Sides:
    """The two-stage programme with transfers: ours, and cvxpy with the same HiGHS."""
    given = problem()

    def ours() -> Any:
        found = programme.propose(given, backend="highs")
        return found.cost + given.penalty * found.short.sum()

    def theirs() -> Any:
        closed = cp.Variable(given.caps.shape, nonneg=True)
        moved = cp.Variable((VENUES, VENUES), nonneg=True)
        short = cp.Variable(VENUES, nonneg=True)
        spent = cp.multiply(given.costs, closed)
        rest = given.notional - cp.sum(closed, axis=1)
        rules = [closed <= given.caps, cp.diag(moved) == 0, cp.sum(moved, axis=1) <= given.free]
        for unit in range(VENUES):
            mine = np.flatnonzero(given.unit == unit)
            for stage in range(2):
                moves = given.moves[stage][:, mine]
                grown = cp.multiply(1 + moves, cp.reshape(rest[mine], (1, POSITIONS), order="C"))
                needed = cp.max(
                    cp.vstack(
                        [
                            cp.vec(
                                cp.multiply(given.rate[mine, k][None, :], grown)
                                - given.amount[mine, k][None, :],
                                order="C",
                            )
                            for k in range(3)
                        ]
                    ),
                    axis=0,
                )
                table = cp.reshape(needed, (SCENARIOS, POSITIONS), order="C")
                there = given.equity[unit] - cp.sum(moved[unit]) + short[unit]
                if stage == 1:
                    there += (1 - given.fee[:, unit]) @ moved[:, unit]
                there -= cp.sum(spent[mine])
                gained = (moves * given.side[mine]) @ rest[mine]
                rules.append(there + gained - cp.sum(table, axis=1) >= 0)
        cost = cp.sum(spent) + cp.sum(cp.multiply(given.fee, moved)) + given.penalty * cp.sum(short)
        found = cp.Problem(cp.Minimize(cost), rules)
        found.solve(solver=cp.HIGHS)
        return found.value

    return (float(ours()), float(theirs())), {"ours": ours, "cvxpy, HiGHS": theirs}
