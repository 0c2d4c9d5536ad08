"""How far may the buffers of cross accounts fall together?

Filtered historical simulation: whole rows of past standardised returns are drawn in blocks, so
correlation and joint fat tails come with the data, and are scaled by a variance that starts at
today's forecast. The same seed gives the same paths whatever the accounts hold: a plan is judged
before and after on common random numbers, and more cash can never raise a number of hits.
"""

import functools
import importlib
import importlib.util
import itertools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bot.leverage import cross
from bot.leverage.arrays import Floats, Integers
from bot.leverage.kernel import FIRST, FUSED, GAMMA, LANES, SECOND, run_paths

Backend = Literal["auto", "numba", "numpy"]

HALF_LIFE = 72.0
"""Of the variance. [steps]"""
WITHIN_STEP = 0.5826
"""``-zeta(1/2) / sqrt(2 pi)``: how far a continuous path runs beyond a sampled one. [sd of a step]

Source: Broadie, Glasserman and Kou (1997).
"""
COUNTED = 50
"""So many paths beyond it, and a quantile is counted; with fewer a tail is fitted."""
TOP = 0.05
"""Share of the paths that the tail is fitted to. [ratio]"""
FEWEST = 30
"""Exceedances that a tail needs."""
STEEPEST = 0.6
"""Shape that a fitted tail is cut off at."""
_WORDS = 1 << 64
_MASK = _WORDS - 1
_TOGETHER = 512


class WildPathsError(ValueError):
    """Paths left what a number can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What p paths did.

    Attributes:
        worst: Shape (p, a), largest fall of each account's buffer below its start, >= 0. [quote]
        lowest: Shape (p, d), lowest log price of each symbol against its start, <= 0. [log]
        highest: Shape (p, d), highest, >= 0. [log]
    """

    worst: Floats
    lowest: Floats
    highest: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Buffer that each account needs for one tolerance.

    Attributes:
        total: Shape (a,), the larger of the next two plus the last. [quote]
        simulated: Shape (a,). [quote]
        book: Shape (a,), by the tail of the book as one symbol. [quote]
        within_step: Shape (a,), what the steps hide. [quote]
        extrapolated: The simulated part is a fitted tail, not a count.
    """

    total: Floats
    simulated: Floats
    book: Floats
    within_step: Floats
    extrapolated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tops:
    """Generalised Pareto tails of the largest twentieth of each of n columns.

    Attributes:
        threshold: Shape (n,), where each begins. [unit of the column]
        scale: Shape (n,), 0 where all beyond is the threshold itself. [unit of the column]
        shape: Shape (n,), in [0, 0.6].
        share: Of the values that lie beyond the threshold. [ratio]
    """

    threshold: Floats
    scale: Floats
    shape: Floats
    share: float

    def quantile(self, tolerance: npt.ArrayLike) -> Floats:
        """Return what is exceeded with a probability, shape (..., n).

        Args:
            tolerance: Scalar or shape (..., 1), in (0, 0.05]. [ratio]

        Raises:
            ValueError: If a tolerance is outside.
        """
        alpha = np.asarray(tolerance, dtype=np.float64)
        if not ((alpha > 0) & (alpha <= TOP)).all():
            raise ValueError(f"tolerance must be in (0, {TOP}] for a tail, was {alpha}")
        ratio = np.log(self.share / alpha)
        is_flat = self.shape == 0
        grown = np.expm1(self.shape * ratio) / np.where(is_flat, 1.0, self.shape)
        found: Floats = self.threshold + self.scale * np.where(is_flat, ratio, grown)
        return found

    def survival(self, level: Floats) -> Floats:
        """Return how likely each column exceeds a level, ``share`` at most. Shape (n,). [ratio].

        Args:
            level: Shape (n,). [unit of the column]
        """
        beyond = np.maximum(level - self.threshold, 0.0)
        has_tail = self.scale > 0
        unit = beyond / np.where(has_tail, self.scale, 1.0)
        is_flat = self.shape == 0
        shape = np.where(is_flat, 1.0, self.shape)
        logs = np.where(is_flat, -unit, -np.log1p(self.shape * unit) / shape)
        found = self.share * np.where(has_tail, np.exp(logs), 0.0)
        return np.where(level < self.threshold, self.share, found)


def mix(bits: int) -> int:
    """Return the splitmix64 finaliser of 64 bits.

    Source: Steele, Lea and Flood (2014); the constants are those of Vigna's splitmix64.
    """
    bits = ((bits ^ (bits >> 30)) * FIRST) & _MASK
    bits = ((bits ^ (bits >> 27)) * SECOND) & _MASK
    return bits ^ (bits >> 31)


def seed_of(run: int, bucket: int) -> int:
    """Return the seed of one decision, the same for all accounts and for before and after.

    Args:
        run: Seed of the run; taken modulo 2^64.
        bucket: Number of the decision; taken modulo 2^64.
    """
    return mix((run & _MASK) ^ mix(bucket & _MASK))


def first_rows(seed: int, *, rows: int, paths: int, steps: int, block: int) -> Integers:
    """Return the first row of each drawn block. Shape (paths, blocks).

    A draw depends on its number alone, so any order of the paths gives the same ones.

    Args:
        seed: 64 bits.
        rows: Of the residuals, >= ``block``.
        paths: How many.
        steps: Of a path.
        block: Rows drawn together.
    """
    blocks = -(-steps // block)
    number = np.arange(1, paths * blocks + 1, dtype=np.uint64).reshape(paths, blocks)
    bits = np.uint64(seed) + np.uint64(GAMMA) * number
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(FIRST)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(SECOND)
    bits = bits ^ (bits >> np.uint64(31))
    found = ((bits >> np.uint64(32)) * np.uint64(rows - block + 1)) >> np.uint64(32)
    return found.astype(np.int64)


def standardised(returns: Floats, *, half_life: float = HALF_LIFE) -> Floats:
    """Return log returns over the volatility known before them. Shape (r - half_life, d).

    Args:
        returns: Shape (r, d), time ascending, all symbols at the same times, no gaps. [log]
        half_life: Of the variance, > 1. [steps]

    Raises:
        ValueError: If a return is not finite, there are too few, or a symbol never moves.
    """
    before = smoothed(returns, half_life=half_life)[:-1]
    found: Floats = returns[-before.shape[0] :] / np.sqrt(before)
    return found


def smoothed(returns: Floats, *, half_life: float = HALF_LIFE) -> Floats:
    """Return the weighted variance of one step. Shape (r - half_life + 1, d). [log^2].

    A row is what was known before the return beside it, and the last one what is known now. The
    variance starts as the mean square of the first ``half_life`` returns, which have none.

    Args:
        returns: Shape (r, d), time ascending, all symbols at the same times, no gaps. [log]
        half_life: > 1. [steps]

    Raises:
        ValueError: If a return is not finite, there are too few, or a symbol never moves.
    """
    burn = math.ceil(half_life)
    if returns.ndim != 2 or returns.shape[0] <= burn:  # noqa: PLR2004 - a table
        raise ValueError(f"returns must be a table of more than {burn} rows")
    if not np.isfinite(returns).all():
        raise ValueError("returns must be finite: rows with a gap are left out")
    decay = 0.5 ** (1.0 / half_life)
    squares = returns * returns
    variance = squares[:burn].mean(axis=0)
    if not (variance > 0).all():
        raise ValueError(f"every symbol must move within the first {burn} rows")
    found = np.empty((returns.shape[0] - burn + 1, returns.shape[1]))
    found[0] = variance
    for row in range(burn, returns.shape[0]):
        variance = decay * variance + (1.0 - decay) * squares[row]
        found[row - burn + 1] = variance
    return found


def has_numba() -> bool:
    """Whether the compiled kernel can be used; numba itself is not imported."""
    return importlib.util.find_spec("numba") is not None


def simulate(
    residuals: Floats,
    variance: Floats,
    accounts: cross.Accounts | None,
    *,
    paths: int,
    steps: int,
    block: int,
    seed: int,
    half_life: float = HALF_LIFE,
    threads: int = 1,
    backend: Backend = "auto",
) -> Simulation:
    """Return what accounts and symbols did at worst on each path.

    The compiled kernel and the numpy one agree to 1e-9 relative; each gives the same bits for any
    number of threads. The first call of a process compiles, which takes seconds.

    Args:
        residuals: Shape (r, d), see `standardised`; r >= ``block``.
        variance: Shape (d,), forecast of the variance of one step, >= 0. [log^2]
        accounts: What is held, or ``None`` for symbols alone.
        paths: >= 1.
        steps: Of the horizon, >= 1.
        block: Rows drawn together, >= 1; 6 for hours, 30 for minutes.
        seed: 64 bits, see `seed_of`.
        half_life: Of the variance along a path, > 0. [steps]
        threads: >= 1; the numpy kernel uses one.
        backend: ``auto`` is numba where it is installed.

    Raises:
        ValueError: If a number or a shape is outside.
        WildPathsError: If a path leaves what a number can hold.
        ImportError: If numba is asked for by name and is not there.

    Source: Barone-Adesi, Giannopoulos and Vosper (1999), filtered historical simulation.
    """
    _check(residuals, variance, accounts, paths, steps, block, seed, half_life, threads)
    residuals = np.ascontiguousarray(residuals)
    shape = 0 if accounts is None else accounts.cash.shape[0]
    symbols = variance.shape[0]
    out = Simulation(
        worst=np.zeros((paths, shape)),
        lowest=np.zeros((paths, symbols)),
        highest=np.zeros((paths, symbols)),
    )
    decay = 0.5 ** (1.0 / half_life)
    if backend == "numba" or (backend == "auto" and has_numba()):
        _compiled(residuals, variance, accounts, steps, block, seed, decay, threads, out)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            _plain(residuals, variance, accounts, steps, block, seed, decay, out)
    if not all(np.isfinite(part).all() for part in (out.worst, out.lowest, out.highest)):
        raise WildPathsError("paths must stay finite: residuals are not standardised")
    return out


def need(
    worst: Floats,
    *,
    tolerance: float,
    sd_book: Floats,
    quantile_book: float,
    sd_step: Floats,
) -> Need:
    """Return the buffer each account needs so that a hit is no likelier than a tolerance.

    A quantile with 50 paths or more beyond it is counted; below that it is the one of a generalised
    Pareto tail of the largest twentieth, and never less than what can be counted. Extra cash that
    is needed is ``max(0, total - buffer)``, exact because cash moves every buffer alike.

    Args:
        worst: Shape (p, a), see `Simulation`. [quote]
        tolerance: Per horizon, in (0, 1). [ratio]
        sd_book: Shape (a,), delta-normal standard deviation over the horizon. [quote]
        quantile_book: Of the book's own tail at the tolerance, see `book_quantile`, >= 0.
            [standard deviations]
        sd_step: Shape (a,), delta-normal standard deviation over one step. [quote]

    Raises:
        ValueError: If a number is outside, or there are too few paths for a tail.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must be between 0 and 1, was {tolerance}")
    if not (math.isfinite(quantile_book) and quantile_book >= 0):
        raise ValueError(f"quantile_book must be finite and >= 0, was {quantile_book}")
    paths = worst.shape[0]
    extrapolated = tolerance * paths < COUNTED
    simulated = _counted(worst, max(tolerance, min(COUNTED / paths, 0.5)))
    if extrapolated:
        simulated = np.maximum(simulated, tops(worst).quantile(tolerance))
    book, within = quantile_book * sd_book, WITHIN_STEP * sd_step
    return Need(
        total=np.maximum(simulated, book) + within,
        simulated=simulated,
        book=book,
        within_step=within,
        extrapolated=extrapolated,
    )


def hits(worst: Floats, buffer: Floats) -> Integers:
    """Return on how many paths each account's buffer is used up. Shape (a,).

    Args:
        worst: Shape (p, a). [quote]
        buffer: Shape (a,), now. [quote]
    """
    found: Integers = (worst >= buffer).sum(axis=0)
    return found


def chance(worst: Floats, level: Floats) -> Floats:
    """Return how likely each account loses more than a level. Shape (a,). [ratio].

    The inverse of the simulated part of `need`: counted with more than 50 paths beyond it, else
    that of the fitted tail.

    Args:
        worst: Shape (p, a), see `Simulation`; p >= 1,000. [quote]
        level: Shape (a,). [quote]

    Raises:
        ValueError: If there are too few paths for a tail.
    """
    share: Floats = (worst > level).mean(axis=0)
    least = COUNTED / worst.shape[0]
    if (share > least).all():
        return share
    return np.where(share > least, share, np.minimum(tops(worst).survival(level), least))


def tops(values: Floats) -> Tops:
    """Return the tail of the largest twentieth of each column.

    Args:
        values: Shape (p, n), finite.

    Raises:
        ValueError: If there are fewer than 30 exceedances.

    Source: Hosking and Wallis (1987), probability-weighted moments.
    """
    count = math.floor(TOP * values.shape[0])
    if count < FEWEST:
        raise ValueError(f"a tail needs {FEWEST} exceedances, had {count}")
    columns = np.ascontiguousarray(values.T)
    largest = np.partition(columns, -count - 1, axis=1)[:, -count - 1 :]
    ordered = np.sort(largest, axis=1)
    threshold = ordered[:, 0].copy()
    beyond = ordered[:, 1:] - threshold[:, None]
    mean = beyond.mean(axis=1)
    weighted = (beyond * (1.0 - (np.arange(1, count + 1) - 0.35) / count)).mean(axis=1)
    gap = mean - 2.0 * weighted
    shape = np.where(gap > 0, 2.0 - mean / np.where(gap > 0, gap, 1.0), np.inf)
    shape = np.clip(shape, 0.0, STEEPEST)
    return Tops(
        threshold=threshold,
        scale=(1.0 - shape) * mean,
        shape=shape,
        share=count / values.shape[0],
    )


def book_quantile(excursions: Floats, tolerance: float) -> float:
    """Return the median over books of the quantile of their standardised falls.

    Args:
        excursions: Shape (windows, books), see `book_excursions`. [standard deviations]
        tolerance: In (0, 0.05]. [ratio]

    Raises:
        ValueError: If there are too few windows for a tail.
    """
    return float(np.median(tops(excursions).quantile(tolerance)))


def book_excursions(
    returns: Floats, sigma: Floats, books: Floats, *, steps: int, half_life: float = cross.HALF_LIFE
) -> Floats:
    """Return how far past windows ran against books, over their delta-normal deviation.

    Each book is treated as one synthetic symbol: its largest loss within a window that starts
    every ``max(1, steps // 4)`` rows, over ``sqrt(w S w)`` with what was known at the start: the
    forecast of the time and the correlation of the standardised rows before it.

    Args:
        returns: Shape (r, d), time ascending, finite. [log]
        sigma: Shape (r, d), forecast over ``steps`` known before each row, > 0. [log]
        books: Shape (b, d), weights per unit, signed. [ratio]
        steps: Of the horizon, >= 1.
        half_life: Of the correlation, > 0. [steps]

    Returns:
        Shape (windows, b), finite, >= 0.

    Raises:
        ValueError: If shapes differ or no window is complete.
    """
    if returns.shape != sigma.shape or books.shape[1:] != returns.shape[1:]:
        raise ValueError("returns and sigma must have one shape, books as many columns")
    burn = math.ceil(half_life)
    if returns.shape[0] < burn + steps:
        raise ValueError(f"returns must have {burn + steps} rows or more")
    unit = returns / sigma
    decay = 0.5 ** (1.0 / half_life)
    second = unit[:burn].T @ unit[:burn] / burn
    found = []
    for row in range(burn, returns.shape[0] - steps + 1):
        if (row - burn) % max(1, steps // 4) == 0:
            scale = np.sqrt(np.diag(second))
            matrix = cross.covariance(sigma[row] / np.where(scale > 0, scale, 1.0), second)
            sd = cross.deviation(books, matrix)
            paths = np.expm1(np.cumsum(returns[row : row + steps], axis=0)) @ books.T
            fall = np.maximum(-paths.min(axis=0), 0.0)
            found.append(np.where(sd > 0, fall / np.where(sd > 0, sd, 1.0), 0.0))
        second = decay * second + (1.0 - decay) * np.outer(unit[row], unit[row])
    return np.array(found)


def panel(symbols: int, *, books: int = 20, seed: int = 1) -> Floats:
    """Return fixed weights of books, each of absolute sum 1. Shape (books, symbols). [ratio].

    Args:
        symbols: >= 1.
        books: >= 1.
        seed: 64 bits; the same seed gives the same panel on any machine.
    """
    bits = [mix((seed + GAMMA * (n + 1)) & _MASK) for n in range(books * symbols)]
    drawn = np.array(bits, dtype=np.float64).reshape(books, symbols) / _WORDS * 2.0 - 1.0
    weights: Floats = drawn / np.abs(drawn).sum(axis=1, keepdims=True)
    return weights


def _check(
    residuals: Floats,
    variance: Floats,
    accounts: cross.Accounts | None,
    paths: int,
    steps: int,
    block: int,
    seed: int,
    half_life: float,
    threads: int,
) -> None:
    for name, count in (("paths", paths), ("steps", steps), ("block", block), ("threads", threads)):
        if count < 1:
            raise ValueError(f"{name} must be >= 1, was {count}")
    if not 0 <= seed < _WORDS:
        raise ValueError(f"seed must have 64 bits, was {seed}")
    if not (math.isfinite(half_life) and half_life > 0):
        raise ValueError(f"half_life must be > 0, was {half_life}")
    if residuals.ndim != 2 or variance.shape != residuals.shape[1:]:  # noqa: PLR2004 - a table
        raise ValueError("variance must have a number for each column of the residuals")
    if residuals.shape[0] < block:
        raise ValueError(f"residuals must have {block} rows or more, had {residuals.shape[0]}")
    if not np.isfinite(residuals).all():
        raise ValueError("residuals must be finite")
    if not (np.isfinite(variance) & (variance >= 0)).all():
        raise ValueError("variance must be finite and >= 0")
    if accounts is not None and accounts.price.shape != variance.shape:
        raise ValueError("accounts and residuals must have the same symbols")


def _plain(
    residuals: Floats,
    variance: Floats,
    accounts: cross.Accounts | None,
    steps: int,
    block: int,
    seed: int,
    decay: float,
    out: Simulation,
) -> None:
    """The kernel in numpy: all paths of a group at once, one step after the other."""
    paths, symbols = out.lowest.shape
    rows = first_rows(seed, rows=residuals.shape[0], paths=paths, steps=steps, block=block)
    if accounts is not None:
        exposure = cross.exposure(accounts).T
        start = cross.maintenance(accounts, np.ones(symbols))
    for begin in range(0, paths, _TOGETHER):
        group = slice(begin, min(begin + _TOGETHER, paths))
        low, high, worst = out.lowest[group], out.highest[group], out.worst[group]
        x = np.zeros_like(low)
        h = np.broadcast_to(variance, x.shape).copy()
        for step in range(steps):
            moved = residuals[rows[group, step // block] + step % block] * np.sqrt(h)
            h = decay * h + (1.0 - decay) * (moved * moved)
            x += moved
            np.minimum(low, x, out=low)
            np.maximum(high, x, out=high)
            if accounts is not None:
                growth = np.exp(x)
                fall = (1.0 - growth) @ exposure + cross.maintenance(accounts, growth) - start
                np.maximum(worst, fall, out=worst)


def _compiled(
    residuals: Floats,
    variance: Floats,
    accounts: cross.Accounts | None,
    steps: int,
    block: int,
    seed: int,
    decay: float,
    threads: int,
    out: Simulation,
) -> None:
    """The compiled kernel, on threads of our own: each path writes its own rows and nothing else.

    Numba's own threads are not used: its default layer ends the process when two threads of ours
    are inside at the same time.
    """
    run = _kernel()

    def all_paths(held: Held, worst: Floats) -> None:
        def part(bounds: tuple[int, int]) -> None:
            run(
                *bounds,
                residuals,
                np.ascontiguousarray(variance),
                decay,
                steps,
                block,
                np.uint64(seed),
                LANES,
                *held,
                worst,
                out.lowest,
                out.highest,
            )

        paths = out.lowest.shape[0]
        cuts = [paths * n // threads for n in range(threads + 1)]
        if threads == 1:
            part((0, paths))
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, itertools.pairwise(cuts)))

    if accounts is None or accounts.rate.shape[1] > 1:
        none, nobody = np.zeros((0, FUSED)), np.zeros(0, np.int64)
        all_paths((np.zeros(1, np.int64), nobody, none, none, np.zeros(0)), out.worst[:, :0])
    if accounts is not None:
        all_paths(_held(accounts, out.lowest.min(axis=0), out.highest.max(axis=0)), out.worst)


Held = tuple[Integers, Integers, Floats, Floats, Floats]


def _held(accounts: cross.Accounts, low: Floats, high: Floats) -> Held:
    """Return what the kernel values: lines of a growth, of which the highest counts.

    Only tiers that some path reaches are kept: running the symbols alone first, to know the range,
    costs a fraction of what it spares. A position in one tier is linear, and so are coins: what is
    linear in one symbol of an account is one line, or joins the lines of a position there.
    """
    notional = np.abs(accounts.size) * accounts.price[accounts.symbol]
    slope, fixed = accounts.rate * notional[:, None], accounts.amount
    with np.errstate(over="ignore"):  # paths that leave all numbers are refused by the caller
        ends = np.exp(np.stack((low, high)))[:, accounts.symbol, None]
        first, last = (slope * ends - fixed).argmax(axis=2)
    last = np.maximum(first, last)
    linear, start = cross.exposure(accounts), np.zeros(accounts.cash.shape[0])
    flat = np.flatnonzero(first == last)
    one, base = slope[flat, first[flat]], fixed[flat, first[flat]]
    np.add.at(linear, (accounts.account[flat], accounts.symbol[flat]), -one)
    np.add.at(start, accounts.account[flat], base - one)
    bent = np.flatnonzero(first < last)
    width = max(FUSED, int((last - first).max(initial=0)) + 1)
    columns = np.minimum(first[bent, None] + np.arange(width), last[bent, None])
    slope, fixed = (np.take_along_axis(x[bent], columns, axis=1) for x in (slope, fixed))
    account, symbol = accounts.account[bent], accounts.symbol[bent]
    _, begins = np.unique(account * linear.shape[1] + symbol, return_index=True)
    joined = linear[account[begins], symbol[begins]][:, None]
    slope[begins] -= joined
    fixed[begins] -= joined
    linear[account[begins], symbol[begins]] = 0.0
    others = np.nonzero(linear)
    lines = np.repeat(-linear[others][:, None], width, axis=1)
    account = np.concatenate((account, others[0]))
    order = np.argsort(account, kind="stable")
    return (
        np.searchsorted(account[order], np.arange(start.size + 1)).astype(np.int64),
        np.concatenate((symbol, others[1]))[order].astype(np.int64),
        np.ascontiguousarray(np.concatenate((slope, lines))[order]),
        np.ascontiguousarray(np.concatenate((fixed, lines))[order]),
        cross.maintenance(accounts, np.ones_like(accounts.price)) + start,
    )


@functools.cache
def _kernel() -> Callable[..., None]:
    numba = importlib.import_module("numba")
    compiled: Callable[..., None] = numba.njit(nogil=True, cache=False)(run_paths)
    return compiled


def _counted(worst: Floats, tolerance: float) -> Floats:
    """Return the smallest values that no more than a share of the paths exceed. Shape (a,)."""
    paths = worst.shape[0]
    place = paths - 1 - math.floor(tolerance * paths)
    found: Floats = np.partition(worst, place, axis=0)[place]
    return found
