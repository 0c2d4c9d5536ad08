"""Would the buffers promised to cross accounts have been used up as often as promised?

Walk-forward: every promise knows only bars that had closed; the tail of the book is refitted every
720 h, on a fixed panel of books. Judged are other books, so that nothing is judged on what it was
fitted to, over non-overlapping windows of hourly closes.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bot.leverage import cross, dependence, draws, har, needs, panels, scaling, scenarios, tops
from bot.leverage.arrays import Booleans, Floats, Integers
from bot.leverage.coverage import gaussian_quantile
from bot.leverage.cross import Accounts
from bot.leverage.history import History
from bot.leverage.joint import BLOCK
from bot.leverage.needs import Need
from bot.leverage.scenarios import Backend
from bot.leverage.tail import EXCEEDANCE, LEAST_EXCEEDANCES
from bot.leverage.tops import Tops

BOOKS = 20
JUDGED = 2
"""Seed of the books that are judged; the tail is fitted to those of seed 1."""
RUN = 20260101
"""Seed of the paths."""


class Model(StrEnum):
    """What promises a buffer."""

    DELTA_NORMAL = "delta-normal"
    FROM_EWMA = "simulation at EWMA"
    SIMULATION = "simulation at sigma"
    BOOK = "book tail"
    LARGER = "larger of both"
    NEED = "larger + within step"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """Common hours of several symbols.

    Attributes:
        start: First hour. [h since 1970-01-01 UTC]
        returns: Shape (r, d), close to close; NaN is missing. [log]
        sigma: Shape (r, d), raw forecast known before each row; NaN is none. [log, over the window]
    """

    start: int
    returns: Floats
    sigma: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointCoverage:
    """What became of promises over n windows and b books.

    Attributes:
        hours: Length of a window. [h]
        day: Shape (n,). [days since 1970-01-01 UTC]
        fall: Shape (n, b), largest loss of each book, per unit of weight, >= 0. [ratio]
        promised: Buffers of each model and chance, shape (n, b). [ratio]
    """

    hours: int
    day: Integers
    fall: Floats
    promised: Mapping[tuple[Model, float], Floats]

    def hits(self, model: Model, alpha: float) -> Booleans:
        """Return which books ran beyond what a model promised, shape (n, b)."""
        return self.fall > self.promised[model, alpha]


def aligned(histories: Mapping[str, History], hours: int) -> Record:
    """Return the hours all symbols have in common, with walk-forward forecasts.

    Args:
        histories: By symbol, at least one, of one kind of price.
        hours: Length of a window. [h]

    Raises:
        ValueError: If they have no hour in common.
    """
    start = max(one.start for one in histories.values())
    end = min(one.start + len(one) for one in histories.values())
    if end <= start:
        raise ValueError("records must have hours in common")
    columns = []
    for one in histories.values():
        cut = slice(start - one.start, end - one.start)
        logs = np.log(one.close[cut])
        moved, known = np.full(logs.shape, np.nan), np.full(logs.shape, np.nan)
        moved[1:] = np.diff(logs)
        known[1:] = har.walk(one, hours).sigma[cut][:-1]
        columns.append((moved, known))
    returns, sigma = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
    return Record(start=start, returns=returns, sigma=sigma)


def measure(
    record: Record,
    hours: int,
    alphas: Sequence[float],
    *,
    paths: int,
    last: int | None = None,
    threads: int = 1,
    backend: Backend = "auto",
) -> JointCoverage:
    """Return the coverage of every model on one and the same windows.

    Args:
        record: From `aligned`, with the same ``hours``.
        hours: Length of a window. [h]
        alphas: Promised chances, each in (0, 0.05]. [ratio]
        paths: Of each simulation, >= 1,000.
        last: Judge the newest so many windows only.
        threads: >= 1.
        backend: See `scenarios.simulate`.

    Raises:
        ValueError: If no window can be judged.
    """
    past = _Past.of(record, hours)
    rows = past.judged()
    rows = rows if last is None else rows[-last:]
    if not rows.size:
        raise ValueError(f"no window of {hours} h could be judged: records are too short")
    weights = panels.panel(record.returns.shape[1], books=BOOKS, seed=JUDGED)
    accounts = _accounts(weights)
    fall = np.empty((rows.size, BOOKS))
    promised = {(m, alpha): np.empty((rows.size, BOOKS)) for m in Model for alpha in alphas}
    for place, (row, tails) in enumerate(past.with_tails(rows)):
        paths_of = np.expm1(np.cumsum(record.returns[row : row + hours], axis=0))
        fall[place] = np.maximum(-(paths_of @ weights.T).min(axis=0), 0.0)
        sigma, residuals = record.sigma[row], past.residuals_before(row)
        sd = cross.deviation(weights, cross.covariance(sigma, past.correlation_before(row)))
        worst = [
            scenarios.simulate(
                residuals,
                variance,
                accounts,
                paths=paths,
                steps=hours,
                block=BLOCK,
                seed=draws.seed_of(RUN, record.start + row),
                threads=threads,
                backend=backend,
            ).worst
            for variance in (np.square(sigma) / hours, past.smoothed_before(row))
        ]
        for alpha in alphas:
            ours, other = (
                needs.need(
                    one,
                    tolerance=alpha,
                    sd_book=sd,
                    quantile_book=float(np.median(tails.quantile(alpha))),
                    sd_step=sd / math.sqrt(hours),
                )
                for one in worst
            )
            for model, buffer in _promises(ours, other, gaussian_quantile(alpha) * sd):
                promised[model, alpha][place] = buffer
    return JointCoverage(hours=hours, day=(record.start + rows) // 24, fall=fall, promised=promised)


def _promises(ours: Need, other: Need, normal: Floats) -> Iterator[tuple[Model, Floats]]:
    yield Model.DELTA_NORMAL, normal
    yield Model.FROM_EWMA, other.simulated
    yield Model.SIMULATION, ours.simulated
    yield Model.BOOK, ours.book
    yield Model.LARGER, np.maximum(ours.simulated, ours.book)
    yield Model.NEED, ours.total


def _accounts(weights: Floats) -> Accounts:
    """Return books as accounts without maintenance margin, at prices of 1."""
    books, symbols = weights.shape
    count = books * symbols
    return Accounts(
        price=np.ones(symbols),
        cash=np.zeros(books),
        coins=np.zeros(weights.shape),
        account=np.repeat(np.arange(books), symbols),
        symbol=np.tile(np.arange(symbols), books),
        size=weights.ravel(),
        entry=np.ones(count),
        rate=np.zeros((count, 1)),
        amount=np.zeros((count, 1)),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Past:
    """What was known before each row; ``moved`` and ``told`` are rows of the record, ascending."""

    record: Record
    hours: int
    moved: Integers
    told: Integers
    smoothed: Floats
    residuals: Floats
    unit: Floats
    excursions: Floats
    known: Integers

    @classmethod
    def of(cls, record: Record, hours: int) -> "_Past":
        whole = np.isfinite(record.returns).all(axis=1)
        moved = np.flatnonzero(whole)
        told = np.flatnonzero(whole & np.isfinite(record.sigma).all(axis=1))
        smoothed = scaling.smoothed(record.returns[moved])
        burn = moved.size + 1 - smoothed.shape[0]
        returns, sigma = record.returns[told], record.sigma[told]
        panel = panels.panel(returns.shape[1], books=BOOKS)
        excursions = panels.book_excursions(returns, sigma, panel, steps=hours)
        windows = np.arange(excursions.shape[0]) * max(1, hours // 4)
        return cls(
            record=record,
            hours=hours,
            moved=moved[burn:],
            told=told,
            smoothed=smoothed,
            residuals=record.returns[moved[burn:]] / np.sqrt(smoothed[:-1]),
            unit=returns / sigma,
            excursions=excursions,
            # A window is known after the last of its rows.
            known=told[math.ceil(cross.HALF_LIFE) + windows + hours - 1] + 1,
        )

    def judged(self) -> Integers:
        """Return the first rows of windows that are whole and had enough before them."""
        rows = np.arange(self.record.returns.shape[0] - self.hours + 1)
        rows = rows[(self.record.start + rows) % self.hours == 0]
        place = np.searchsorted(self.told, rows)
        last = place + self.hours - 1
        inside = last < self.told.size
        rows, place, last = rows[inside], place[inside], last[inside]
        whole = (self.told[place] == rows) & (self.told[last] == rows + self.hours - 1)
        windows = np.searchsorted(self.known, rows, side="right")
        enough = (place >= dependence.FEWEST_ROWS) & (windows * EXCEEDANCE >= LEAST_EXCEEDANCES)
        found: Integers = rows[whole & enough]
        return found

    def with_tails(self, rows: Integers) -> Iterator[tuple[int, Tops]]:
        """Yield each row with the tails of the last refit before it."""
        begun: int | None = None
        for row in rows.tolist():
            refit = row // har.REFIT_HOURS * har.REFIT_HOURS
            if begun is None or refit > begun:
                begun = row if begun is None else refit
                seen = np.searchsorted(self.known, begun, side="right")
                tails = tops.tops(self.excursions[:seen])
            yield row, tails

    def residuals_before(self, row: int) -> Floats:
        return self.residuals[: np.searchsorted(self.moved, row)]

    def smoothed_before(self, row: int) -> Floats:
        found: Floats = self.smoothed[np.searchsorted(self.moved, row)]
        return found

    def correlation_before(self, row: int) -> Floats:
        return cross.correlation(self.unit[: np.searchsorted(self.told, row)])
