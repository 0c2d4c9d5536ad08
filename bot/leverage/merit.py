"""Which mix of margin and closing lifts positions to their distance most cheaply?"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.leverage import inputs
from bot.leverage.arrays import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What to do with n units in s segments each.

    Attributes:
        margin: Shape (n,), to add. [quote]
        closed: Shape (n, s), notional to close per segment. [quote]
        short: Shape (n,), relief that neither pool nor closing can give. [quote]
        cost: Of margin and closing, without a price for what is short. [quote]
    """

    margin: Floats
    closed: Floats
    short: Floats
    cost: float


def deficit(notional: Any, required: Any, equity: Any) -> Any:
    """Return the relief that is needed, negative where there is too much. [quote].

    Args:
        notional: At mark. [quote]
        required: Equity per notional at the distance to reach. [ratio]
        equity: Now. [quote]
    """
    return notional * required - equity


def relief(margin: Any, closed: Any, required: Any, cost: Any) -> Any:
    """Return what margin and closing relieve. [quote].

    ``E + m - c x >= (V - x) R`` holds exactly when this is at least `deficit`.

    Args:
        margin: Added. [quote]
        closed: Notional. [quote]
        required: As in `deficit`. [ratio]
        cost: Of closing, per notional. [ratio]
    """
    return margin + closed * (required - cost)


def merit_order(
    *,
    notional: Floats,
    required: Floats,
    equity: Floats,
    caps: Floats,
    costs: Floats,
    pool: float,
    omega: float,
) -> Mix:
    """Return the cheapest mix for one pool, one stress price per unit, linear costs per segment.

    First the margin that even a full close cannot replace. What is left is a continuous
    knapsack: a unit of margin gives one relief for ``omega``, a segment gives ``R - c`` for
    ``c``; the pool replaces the dearest relief first. Segments that cost as much as they relieve
    are never closed. Exact under these assumptions; several wallets, several scenarios, fixed
    fees or lots make it an estimate.

    Args:
        notional: Shape (n,), >= 0. [quote]
        required: Shape (n,), equity per notional at the distance to reach, >= 0. [ratio]
        equity: Shape (n,), may be negative. [quote]
        caps: Shape (n, s), >= 0, a row sums to the notional or less. [quote]
        costs: Shape (n, s), >= 0, never falling along a row. [ratio]
        pool: Free money, >= 0. [quote]
        omega: Price of margin over the plan, >= 0. [ratio]

    Raises:
        ValueError: If a number is outside, or costs fall along a row.

    Source: Dantzig (1957) for the continuous knapsack.
    """
    _check(notional, required, equity, caps, costs, pool, omega)
    need = np.maximum(deficit(notional, required, equity), 0.0)
    gain = np.maximum(required[:, None] - costs, 0.0)
    room = caps * gain
    before = np.cumsum(room, axis=1) - room
    used = np.clip(need[:, None] - before, 0.0, room)
    must = np.maximum(need - room.sum(axis=1), 0.0)
    # The pool serves what nothing else can serve in the order of the rows.
    served = np.clip(pool - (np.cumsum(must) - must), 0.0, must)
    left = max(pool - float(served.sum()), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.where(gain > 0, costs / gain, 0.0).ravel()
    order = np.argsort(-price, kind="stable")
    wanted = np.where(price > omega, used.ravel(), 0.0)[order]
    taken = np.clip(left - (np.cumsum(wanted) - wanted), 0.0, wanted)
    replaced = np.empty_like(taken)
    replaced[order] = taken
    replaced = replaced.reshape(used.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        closed = np.where(gain > 0, (used - replaced) / gain, 0.0)
    closed = np.minimum(closed, caps)
    margin = served + replaced.sum(axis=1)
    return Mix(
        margin=margin,
        closed=closed,
        short=must - served,
        cost=float(omega * margin.sum() + (costs * closed).sum()),
    )


def _check(
    notional: Floats,
    required: Floats,
    equity: Floats,
    caps: Floats,
    costs: Floats,
    pool: float,
    omega: float,
) -> None:
    if not notional.shape == required.shape == equity.shape:
        raise ValueError("notional, required and equity must have one and the same dimension")
    inputs.not_negative(notional=notional, required=required, pool=pool, omega=omega)
    inputs.finite(equity=equity)
    inputs.segments(caps=caps, costs=costs, notional=notional)
