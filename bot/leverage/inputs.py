"""Are the numbers of an estimate ones that its formulae hold for?"""

import numpy as np
import numpy.typing as npt

from bot.leverage import checks
from bot.leverage.arrays import Floats


def finite(**values: npt.ArrayLike) -> None:
    """Accept only finite numbers.

    Raises:
        ValueError: Naming the argument.
    """
    for name, value in values.items():
        checks.finite(name, value)


def positive(**values: npt.ArrayLike) -> None:
    """Accept only finite numbers above 0.

    Raises:
        ValueError: Naming the argument.
    """
    for name, value in values.items():
        checks.positive(name, value)


def not_negative(**values: npt.ArrayLike) -> None:
    """Accept only finite numbers of 0 or more.

    Raises:
        ValueError: Naming the argument.
    """
    for name, value in values.items():
        checks.not_negative(name, value)


def tables(*, rate: Floats, amount: Floats, rows: int) -> None:
    """Accept only convex maintenance tables, one row each.

    Args:
        rate: Shape (rows, k), in [0, 1), never falling along a row. [ratio]
        amount: As many. [quote]
        rows: How many.

    Raises:
        ValueError: Naming what is wrong.
    """
    if rate.ndim != 2 or rate.shape[0] != rows or rate.shape[1] < 1 or amount.shape != rate.shape:  # noqa: PLR2004 - a table
        raise ValueError(f"rate and amount must have shape ({rows}, tiers)")
    if not ((rate >= 0) & (rate < 1)).all():
        raise ValueError("rate must be in [0, 1)")
    finite(amount=amount)
    if (np.diff(rate, axis=1) < 0).any():
        raise ValueError("rate must not fall along a row: the table must be convex")


def sides(side: Floats) -> None:
    """Accept only 1 for a long and -1 for a short.

    Raises:
        ValueError: If one is something else.
    """
    if not (np.abs(side) == 1).all():
        raise ValueError("side must be 1 or -1")


def segments(*, caps: Floats, costs: Floats, notional: Floats) -> None:
    """Accept only segments of a close that get dearer and are no more than there is.

    Args:
        caps: Shape (n, s), >= 0. [quote]
        costs: Shape (n, s), >= 0. [ratio]
        notional: Shape (n,). [quote]

    Raises:
        ValueError: Naming what is wrong.
    """
    if caps.ndim != 2 or caps.shape[0] != notional.shape[0] or costs.shape != caps.shape:  # noqa: PLR2004 - a table
        raise ValueError(f"caps and costs must have shape ({notional.shape[0]}, segments)")
    not_negative(caps=caps, costs=costs)
    if (np.diff(costs, axis=1) < 0).any():
        raise ValueError("costs must not fall along a row")
    if (caps.sum(axis=1) > notional * (1 + 1e-9)).any():
        raise ValueError("caps of a row must not sum to more than its notional")
