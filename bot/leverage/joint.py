"""How much cash does each cross account lack for its tolerance?

The screen spares accounts that stand far away. For all others past rows are replayed from today's
forecasts, the tail of a book is asked beside them, and the larger of both counts, with what the
steps hide on top. What cannot be simulated is never left out: a symbol the rows do not speak for
runs its own quantile in the direction that hurts, at the same time as all others, and where not
even a forecast is there no cash is called enough.

Estimates on linear positions; the exact rules of `bot/margin` decide. Nothing here raises for what
a market may send.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from bot.leverage import cross, dependence, needs, scenarios
from bot.leverage.arrays import Booleans, Floats, Integers
from bot.leverage.cross import Accounts
from bot.leverage.dependence import Dependence
from bot.leverage.scenarios import Backend
from bot.leverage.tail import EXCEEDANCE
from bot.leverage.tops import Tops

BLOCK = 6
"""Rows drawn together, where they are hours. [steps]"""
PATHS = 10_000
FEWEST_PATHS = 1_000
"""Below it the tail of the paths would be asked for what it does not hold."""
FARTHEST = 50.0
"""Moves are cut off there: nothing is left of a price, or it is beyond all money. [log]"""
WILDEST = 10.0
"""A larger forecast is none. [log]"""
_RAREST = 1e-12
_HALVINGS = 60


class Part(StrEnum):
    """What decided a need."""

    SCREEN = "screen"
    SIMULATION = "simulation"
    BOOK = "book"
    ALONE = "alone"
    REFUSED = "refused"


class Doubt(StrEnum):
    """What was not as it should be; each makes a need larger, never smaller."""

    NO_FORECAST = "no_forecast"
    OPTIONS = "options"
    FEW_ROWS = "few_rows"
    UNKNOWN_SYMBOL = "unknown_symbol"
    SINGULAR_CORRELATION = "singular_correlation"
    WILD_PATHS = "wild_paths"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lack:
    """What each of a accounts lacks.

    Attributes:
        missing: Shape (a,), cash to add; infinite where refused. [quote]
        total: Shape (a,), buffer it needs; NaN where the screen spared it, infinite where refused.
            [quote]
        buffer: Shape (a,), now. [quote]
        hit: Shape (a,), chance that the buffer is used up within the horizon; NaN where the screen
            spared it, 1 where refused. A chance the book's tail says is above 5 % counts as 5 %
            unless paths say more. [ratio]
        simulated: Shape (a,), part of ``total``; 0 where not asked. [quote]
        book: Shape (a,), part of ``total``; 0 where not asked. [quote]
        alone: Shape (a,), part of ``total``: symbols that no row speaks for. [quote]
        within_step: Shape (a,), part of ``total``: what steps hide. [quote]
        parts: Of each account, what decided.
        doubts: Of each account, in the order of `Doubt`.
        extrapolated: Simulated parts are fitted tails, not counts.
    """

    missing: Floats
    total: Floats
    buffer: Floats
    hit: Floats
    simulated: Floats
    book: Floats
    alone: Floats
    within_step: Floats
    parts: tuple[Part, ...]
    doubts: tuple[tuple[Doubt, ...], ...]
    extrapolated: bool


def lack(
    accounts: Accounts,
    past: Dependence,
    sigma: Floats,
    *,
    quantile: Floats,
    tolerance: float,
    seed: int,
    options: Booleans | None = None,
    paths: int = PATHS,
    block: int = BLOCK,
    threads: int = 1,
    backend: Backend = "auto",
) -> Lack:
    """Return how much cash each account lacks, ``max(0, total - buffer)``.

    ``total = max(simulated, book) + alone + within_step``. Cash moves a buffer alike on every path,
    so the difference is exact for the paths drawn. The same seed gives the same paths whatever is
    held: adding cash never raises what is missing nor the chance of a hit.

    Args:
        accounts: Over d symbols.
        past: Of the same symbols, see `dependence.learn`.
        sigma: Shape (d,), forecast over ``past.steps`` steps; not finite, <= 0 or > 10 is
            none. [log]
        quantile: Shape (d,), of each symbol's own tail at the tolerance, finite, > 0.
            [standard deviations]
        tolerance: Per horizon, in (0, 0.05]. [ratio]
        seed: 64 bits, see `draws.seed_of`; the same for before and after a plan.
        options: Shape (a,): the account holds options, which are not simulated here.
        paths: >= 1,000.
        block: Rows drawn together; 6 for hours, 30 for minutes.
        threads: >= 1.
        backend: See `scenarios.simulate`.

    Raises:
        ValueError: If an argument that no market sends is outside.
        ImportError: If numba is asked for by name and is not there.

    Source: Barone-Adesi, Giannopoulos and Vosper (1999) for the paths; McNeil and Frey (2000) for
    the tail of the book; Broadie, Glasserman and Kou (1997) for what steps hide.
    """
    asked = _Asked.of(accounts, past, sigma, quantile, tolerance, options, paths)
    falls = np.zeros((paths, accounts.cash.shape[0]))
    chosen, known = np.flatnonzero(asked.is_simulated), np.flatnonzero(past.is_known)
    if chosen.size and known.size:
        try:
            falls[:, chosen] = scenarios.simulate(
                _columns(past, known),
                np.square(asked.sigma[known]) / past.steps,
                cross.part(accounts, chosen, known),
                paths=paths,
                steps=past.steps,
                block=block,
                seed=seed,
                threads=threads,
                backend=backend,
            ).worst
        except scenarios.WildPathsError:
            bare = dependence.nothing(sigma.shape[0], steps=past.steps)
            asked = _Asked.of(accounts, bare, sigma, quantile, tolerance, options, paths)
            asked = replace(asked, wild=asked.unknown)
    return _answer(asked, falls, past.books)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Asked:
    """What is known before a path is drawn; arrays of shape (a,) but ``sigma``, shape (d,)."""

    tolerance: float
    sigma: Floats
    buffer: Floats
    sd_book: Floats
    sd_step: Floats
    alone: Floats
    is_simulated: Booleans
    is_known: bool
    no_forecast: Booleans
    options: Booleans
    unknown: Booleans
    singular: Booleans
    wild: Booleans

    @classmethod
    def of(
        cls,
        accounts: Accounts,
        past: Dependence,
        sigma: Floats,
        quantile: Floats,
        tolerance: float,
        options: Booleans | None,
        paths: int,
    ) -> "_Asked":
        count, symbols = accounts.coins.shape
        options = np.zeros(count, dtype=np.bool_) if options is None else options
        _check(past, sigma, quantile, tolerance, options, paths, count, symbols)
        # A comparison with NaN is false.
        has_forecast = (sigma > 0) & (sigma <= WILDEST)
        sigma = np.where(has_forecast, sigma, 0.0)
        known, touched = past.is_known, cross.touched(accounts)
        unknown = _any(touched & ~known)
        no_forecast = _any(touched & ~has_forecast)
        weight = cross.weights(accounts)
        covariances = _covariances(past, sigma)
        joint = np.max([cross.deviation(weight, one) for one in covariances], axis=0)
        fall = cross.adverse(accounts, np.where(known, 0.0, _cut(quantile * sigma)))
        sd_step = (joint + np.abs(weight) @ np.where(known, 0.0, sigma)) / math.sqrt(past.steps)
        largest = float(quantile.max())
        spared = ~(unknown | no_forecast | options)
        for one in covariances:
            spared &= cross.may_skip(
                accounts,
                one,
                quantile=largest,
                reach=_cut(cross.SKIP * largest * sigma),
                options=options,
            )
        return cls(
            tolerance=tolerance,
            sigma=sigma,
            buffer=cross.buffer(accounts, np.ones(symbols)),
            sd_book=joint,
            sd_step=sd_step,
            alone=fall.sum(axis=1),
            is_simulated=~(spared | no_forecast | options),
            is_known=bool(known.any()),
            no_forecast=no_forecast,
            options=options,
            unknown=unknown,
            singular=_any(touched & known) & (len(covariances) > 1),
            wild=np.zeros(count, dtype=np.bool_),
        )

    @property
    def is_refused(self) -> Booleans:
        return self.no_forecast | self.options


def _any(table: Booleans) -> Booleans:
    found: Booleans = np.logical_or.reduce(table, axis=1)
    return found


def _cut(reach: Floats) -> Floats:
    return np.minimum(reach, FARTHEST)


def _check(
    past: Dependence,
    sigma: Floats,
    quantile: Floats,
    tolerance: float,
    options: Booleans,
    paths: int,
    accounts: int,
    symbols: int,
) -> None:
    if not past.column.shape == sigma.shape == quantile.shape == (symbols,):
        raise ValueError(f"past, sigma and quantile must be of {symbols} symbols")
    if options.shape != (accounts,):
        raise ValueError(f"options must be of {accounts} accounts")
    if not (np.isfinite(quantile) & (quantile > 0)).all():
        raise ValueError("quantile must be finite and > 0")
    if not 0 < tolerance <= EXCEEDANCE:
        raise ValueError(f"tolerance must be in (0, {EXCEEDANCE}], was {tolerance}")
    if paths < FEWEST_PATHS:
        raise ValueError(f"paths must be >= {FEWEST_PATHS}, were {paths}")


def _columns(past: Dependence, known: Integers) -> Floats:
    column = past.column[known]
    if np.array_equal(column, np.arange(column.size)):
        return past.residuals
    return past.residuals[:, column]


def _covariances(past: Dependence, sigma: Floats) -> Floats:
    """Return those of which the largest risk counts, 0 where a symbol is not known. (c, d, d)."""
    known = np.flatnonzero(past.is_known)
    column = past.column[known]
    matrices = dependence.believed(past.correlation)
    found = np.zeros((matrices.shape[0], sigma.size, sigma.size))
    found[:, known[:, None], known] = matrices[:, column[:, None], column] * np.outer(
        sigma[known], sigma[known]
    )
    return found


def _answer(asked: _Asked, falls: Floats, books: Tops | None) -> Lack:
    is_known = asked.is_known and books is not None
    quantile = float(np.median(books.quantile(asked.tolerance))) if books and is_known else 0.0
    need = needs.need(
        falls,
        tolerance=asked.tolerance,
        sd_book=asked.sd_book,
        quantile_book=quantile,
        sd_step=asked.sd_step,
    )
    is_refused = asked.is_refused
    is_spared = ~(asked.is_simulated | is_refused)
    total = np.where(is_refused, np.inf, need.total + asked.alone)
    hit = _chance(asked, falls, books if is_known else None, need.within_step)
    return Lack(
        missing=np.where(is_spared, 0.0, np.maximum(0.0, total - asked.buffer)),
        total=np.where(is_spared, np.nan, total),
        buffer=asked.buffer,
        hit=np.where(is_spared, np.nan, np.where(is_refused, 1.0, hit)),
        simulated=need.simulated,
        book=np.where(asked.is_simulated, need.book, 0.0),
        alone=asked.alone,
        within_step=need.within_step,
        parts=tuple(
            _part(*one)
            for one in zip(
                is_refused, is_spared, asked.alone, need.simulated, need.book, strict=True
            )
        ),
        doubts=_doubts(asked),
        extrapolated=need.extrapolated,
    )


def _part(is_refused: bool, is_spared: bool, alone: float, simulated: float, book: float) -> Part:  # noqa: FBT001 - a row of a table
    if is_refused:
        return Part.REFUSED
    if is_spared:
        return Part.SCREEN
    if alone > max(simulated, book):
        return Part.ALONE
    return Part.SIMULATION if simulated >= book else Part.BOOK


def _doubts(asked: _Asked) -> tuple[tuple[Doubt, ...], ...]:
    found = {
        Doubt.NO_FORECAST: asked.no_forecast,
        Doubt.OPTIONS: asked.options,
        Doubt.FEW_ROWS: asked.unknown & (not asked.is_known) & ~asked.wild,
        Doubt.UNKNOWN_SYMBOL: asked.unknown & asked.is_known,
        Doubt.SINGULAR_CORRELATION: asked.singular,
        Doubt.WILD_PATHS: asked.wild,
    }
    return tuple(
        tuple(doubt for doubt, where in found.items() if where[a])
        for a in range(asked.buffer.shape[0])
    )


def _chance(asked: _Asked, falls: Floats, books: Tops | None, within_step: Floats) -> Floats:
    """Return the tolerance at which the need would be what there is. Shape (a,). [ratio]."""
    level = asked.buffer - asked.alone - within_step
    found = needs.chance(falls, level)
    if books is not None:
        found = np.maximum(found, _chance_of_book(books, level, asked.sd_book))
    # Who runs alone is taken to have run its quantile: that this is not all has the tolerance.
    found = np.where(asked.unknown, np.maximum(found, asked.tolerance), found)
    return np.where((asked.buffer <= 0) | (level < 0), 1.0, found)


def _chance_of_book(books: Tops, level: Floats, sd: Floats) -> Floats:
    """Return the chance at which the median over books is the level; 5 % stands for more."""
    moves = sd > 0
    unit = np.where(moves, level / np.where(moves, sd, 1.0), np.inf)
    low, high = np.full(sd.shape, math.log(_RAREST)), np.full(sd.shape, math.log(EXCEEDANCE))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        reached = np.median(books.quantile(np.exp(middle)[:, None]), axis=1) <= unit
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return np.where(moves, np.exp(high), 0.0)
