"""Which mix will do without a solver?"""

import math
from typing import Any

import numpy as np

from bot.leverage.arrays import Floats
from bot.leverage.merit import merit_order
from bot.leverage.mix import NOBODY, Problem, Proposal, judged, own_wallet


def greedy(problem: Problem) -> Proposal:
    """Merit order per wallet for stage 1, transfers to the largest deficit, merit order again.

    Every unit stands for one position at the stress price of its worst scenario that is closed pro
    rata. That asks for no less than its table does, so the answer is safe and may be dear.
    """
    w, own = problem.free.shape[0], own_wallet(problem)
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
    return judged(
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
    own = own_wallet(problem)
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
