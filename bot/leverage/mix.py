"""What is asked of an action mix, and what does an answer leave open?

Stage 1 is what must hold while money travels, stage 2 what must hold when it has arrived.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.leverage import inputs
from bot.leverage.arrays import Booleans, Floats, Integers

NOBODY = -1
SLIGHT = 1e-9
"""What is missing is nothing if it is no more of all there is. [ratio]"""


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


def own_wallet(problem: Problem) -> Booleans:
    """Return which units stand in their own wallet: moving money there changes nothing."""
    found: Booleans = problem.backs[problem.wallet] == np.arange(problem.equity.shape[0])
    return found


def judged(
    problem: Problem,
    *,
    margin: Floats,
    late: Floats,
    transfer: Floats,
    spread: Floats,
    solver: str,
) -> Proposal:
    """Return a proposal with what it costs and what it leaves open.

    Args:
        problem: What holds.
        margin: As in `shortfall`, like the next three.
        late: As above.
        transfer: As above.
        spread: As above.
        solver: Who found it.
    """
    fee = np.where(np.isfinite(problem.fee), problem.fee, 0.0)
    short = shortfall(problem, margin=margin, late=late, transfer=transfer, spread=spread)
    scale = float(problem.notional.sum()) + float(problem.free.sum())
    return Proposal(
        margin=margin,
        late=late,
        transfer=transfer,
        closed=spread.sum(axis=1),
        short=np.where(short <= SLIGHT * scale, 0.0, short),
        cost=float(
            problem.omega * (margin.sum() + late.sum())
            + (fee * transfer).sum()
            + (problem.costs * spread).sum()
        ),
        solver=solver,
    )
