"""What do past rows say about how symbols move together?

Whatever a market sends is answered: a symbol that the rows cannot speak for is left out by name,
and who asks takes the worst of it (see `bot.leverage.joint`). Nothing is filled in.
"""

import math
from dataclasses import dataclass

import numpy as np

from bot.leverage import cross, panels, scaling, tops
from bot.leverage.arrays import Booleans, Floats, Integers
from bot.leverage.tail import EXCEEDANCE, LEAST_EXCEEDANCES
from bot.leverage.tops import Tops

FEWEST_ROWS = 4380
"""Common rows below which nothing is learned; half a year of hours. [steps]"""
WILDEST = 100.0
"""A residual beyond is no move of a market but the end of a price that stood still. [sd]"""
WIDEST = 20.0
"""A return or a forecast beyond is that of no price. [log]"""
SINGULAR = 1e-6
"""A correlation with a smaller eigenvalue is not believed."""
REPAIR = 0.1
"""Share of the matrices a singular one is mixed with. [ratio]"""
_UNKNOWN = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dependence:
    """How d symbols moved together, m of them known.

    Attributes:
        steps: Of the horizon that ``books`` was measured over.
        column: Shape (d,), the place of each symbol in the next two, -1 where it is not known.
        residuals: Shape (r, m), standardised returns at common times, finite, time ascending.
        correlation: Shape (m, m), of returns over their forecasts, newest weighing most.
        books: Tails of a fixed panel of books; ``None`` where no symbol is known.
            [standard deviations]
    """

    steps: int
    column: Integers
    residuals: Floats
    correlation: Floats
    books: Tops | None

    def __post_init__(self) -> None:
        known = self.column[self.column >= 0]
        count = self.residuals.shape[-1]
        if self.steps < 1:
            raise ValueError(f"steps must be >= 1, were {self.steps}")
        if not np.array_equal(np.sort(known), np.arange(count)):
            raise ValueError(f"column must name each of the {count} columns once")
        if self.correlation.shape != (count, count):
            raise ValueError(f"correlation must have shape ({count}, {count})")
        if not (np.isfinite(self.residuals).all() and np.isfinite(self.correlation).all()):
            raise ValueError("residuals and correlation must be finite")
        if (self.books is None) != (count == 0):
            raise ValueError("books must be there if and only if a symbol is known")

    @property
    def is_known(self) -> Booleans:
        """Which symbols the rows speak for. Shape (d,)."""
        known: Booleans = self.column >= 0
        return known


def nothing(symbols: int, *, steps: int) -> Dependence:
    """Return what is known without a record.

    Args:
        symbols: How many.
        steps: Of the horizon.
    """
    return Dependence(
        steps=steps,
        column=np.full(symbols, _UNKNOWN),
        residuals=np.empty((0, 0)),
        correlation=np.empty((0, 0)),
        books=None,
    )


def learn(returns: Floats, sigma: Floats, *, steps: int) -> Dependence:
    """Return what rows say about the symbols they can speak for.

    Left out is a symbol with fewer than 4,380 whole rows, one that stood still at first or at
    last, and one that moved by more than 100 of its standard deviations. With fewer than 4,380
    rows common to those that are left, or too few for the tail of a book, no symbol is known.

    Args:
        returns: Shape (r, d), time ascending; NaN is missing. [log]
        sigma: Shape (r, d), forecast over ``steps`` known before each row; NaN is none. [log]
        steps: Of the horizon, >= 1.

    Raises:
        ValueError: If shapes differ.
    """
    if returns.ndim != 2 or returns.shape != sigma.shape or steps < 1:  # noqa: PLR2004 - a table
        raise ValueError("returns and sigma must be tables of one shape, and steps >= 1")
    symbols = returns.shape[1]
    is_row = np.abs(returns) <= WIDEST  # false for NaN too
    is_told = is_row & (sigma > 0) & (sigma <= WIDEST)
    known = np.flatnonzero(is_told.sum(axis=0) >= FEWEST_ROWS)
    common, told = (np.flatnonzero(one[:, known].all(axis=1)) for one in (is_row, is_told))
    if not known.size or not _are_enough(told.size, steps):
        return nothing(symbols, steps=steps)
    known = known[_has_moved(returns[np.ix_(common, known)])]
    known = known[_is_tame(returns[:, known], sigma[:, known], common, told)]
    if not known.size:
        return nothing(symbols, steps=steps)
    column = np.full(symbols, _UNKNOWN)
    column[known] = np.arange(known.size)
    moved, forecast = returns[np.ix_(told, known)], sigma[np.ix_(told, known)]
    excursions = panels.book_excursions(moved, forecast, panels.panel(known.size), steps=steps)
    return Dependence(
        steps=steps,
        column=column,
        residuals=scaling.standardised(returns[np.ix_(common, known)]),
        correlation=cross.correlation(moved / forecast),
        books=tops.tops(excursions),
    )


def _are_enough(rows: int, steps: int) -> bool:
    windows = (rows - math.ceil(cross.HALF_LIFE) - steps) // max(1, steps // 4) + 1
    return rows >= FEWEST_ROWS and windows * EXCEEDANCE >= LEAST_EXCEEDANCES


def _has_moved(moved: Floats) -> Booleans:
    burn = math.ceil(scaling.HALF_LIFE)
    return np.asarray((moved[:burn] != 0).any(axis=0) & (moved[-burn:] != 0).any(axis=0))


def _is_tame(returns: Floats, sigma: Floats, common: Integers, told: Integers) -> Booleans:
    # A comparison with NaN is false: a variance that has shrunk to nothing is wild too.
    with np.errstate(divide="ignore", invalid="ignore"):
        residuals = scaling.standardised(returns[common])
    calm = (np.abs(residuals) <= WILDEST).all(axis=0)
    return np.asarray(calm & (np.abs(returns[told]) <= WILDEST * sigma[told]).all(axis=0))


def is_singular(correlation: Floats) -> bool:
    """Whether a correlation says that a book of several symbols cannot lose."""
    return correlation.size > 0 and float(np.linalg.eigvalsh(correlation)[0]) < SINGULAR


def believed(correlation: Floats) -> Floats:
    """Return the correlations of which the one with the largest risk counts. Shape (c, m, m).

    A sound matrix is alone. A singular one is joined by a tenth of independence and by a tenth of
    all moving as one; what it says itself counts too, so a repair never lowers a risk.

    Args:
        correlation: Shape (m, m).
    """
    if not is_singular(correlation):
        return correlation[None]
    kept = (1.0 - REPAIR) * correlation
    apart, together = np.eye(correlation.shape[0]), np.ones_like(correlation)
    return np.stack((correlation, kept + REPAIR * apart, kept + REPAIR * together))
