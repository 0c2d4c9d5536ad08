"""How do paths run on threads, where numba compiles the kernel?

Numba's own threads are not used: its default layer ends the process when two threads of ours are
inside at the same time.
"""

import functools
import importlib
import importlib.util
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from bot.leverage import cross, kernel
from bot.leverage.arrays import Floats, Integers, Rows
from bot.leverage.paths import Asked, Simulation

Part = Callable[[int, int], None]
"""Does what is to be done from a number to before another; each writes its own rows only."""
Each = Callable[[int, Part], None]
"""Has a part done for all numbers below a count, and waits."""
Held = tuple[Integers, Integers, Floats, Integers, Integers, Integers, Floats, Floats, Floats]
"""What `kernel.run_accounts` takes of accounts: from first to base."""


def has_numba() -> bool:
    """Whether the compiled kernel can be used; numba itself is not imported."""
    return importlib.util.find_spec("numba") is not None


def run(asked: Asked, out: Simulation, *, threads: int) -> None:
    """Run the paths.

    Args:
        asked: What is drawn and held.
        out: As begun; written.
        threads: >= 1; any number of them gives the same bits.

    Raises:
        ImportError: If numba is not there.
    """
    with _hands(threads) as each:
        rows = _draw(asked, out.lowest.shape[0], each)
        _run_symbols(asked, rows, out, each)
        if asked.accounts is not None:
            _run_accounts(asked, asked.accounts, rows, out, each)


@contextmanager
def _hands(threads: int) -> Iterator[Each]:
    if threads == 1:
        yield lambda count, part: part(0, count)
        return
    with ThreadPoolExecutor(threads - 1) as pool:

        def each(count: int, part: Part) -> None:
            cuts = [count * n // threads for n in range(threads + 1)]
            others = [pool.submit(part, *one) for one in itertools.pairwise(cuts[1:])]
            part(0, cuts[1])
            for other in others:
                other.result()

        yield each


def _draw(asked: Asked, paths: int, each: Each) -> Rows:
    draw, seed = _compiled(kernel.draw_rows), np.uint64(asked.seed)
    rows = np.empty((paths, -(-asked.steps // asked.block)), np.uint32)
    choices = np.uint64(asked.residuals.shape[0] - asked.block + 1)
    each(paths, lambda begin, end: draw(begin, end, choices, seed, rows))
    return rows


def _run_symbols(asked: Asked, rows: Rows, out: Simulation, each: Each) -> None:
    run = _compiled(kernel.run_symbols)

    def part(begin: int, end: int) -> None:
        run(
            begin,
            end,
            asked.residuals,
            asked.variance,
            asked.decay,
            asked.steps,
            asked.block,
            kernel.WINDOW,
            rows,
            out.lowest.T,
            out.highest.T,
        )

    each(asked.variance.shape[0], part)


def _run_accounts(
    asked: Asked, accounts: cross.Accounts, rows: Rows, out: Simulation, each: Each
) -> None:
    run = _compiled(kernel.run_accounts)
    held = _held(accounts, out.lowest.min(axis=0), out.highest.max(axis=0))

    def part(begin: int, end: int) -> None:
        run(
            begin,
            end,
            asked.residuals,
            asked.variance,
            asked.decay,
            asked.steps,
            asked.block,
            kernel.LANES,
            rows,
            *held,
            out.worst,
        )

    each(out.worst.shape[0], part)


@functools.cache
def _compiled(loops: Callable[..., None]) -> Any:  # numba ships no types
    return importlib.import_module("numba").njit(nogil=True, cache=False)(loops)


def _held(accounts: cross.Accounts, low: Floats, high: Floats) -> Held:
    """Return what the kernel values: slopes, and lines of which the highest counts.

    Only tiers that some path reaches are kept: running the symbols alone first, to know the range,
    costs a fraction of what it spares. A position in one tier is linear, and so are coins: what is
    linear in one symbol of an account is one slope, or joins the lines of a position there.
    """
    notional = np.abs(accounts.size) * accounts.price[accounts.symbol]
    slope, fixed = accounts.rate * notional[:, None], accounts.amount
    with np.errstate(over="ignore", invalid="ignore"):  # the caller refuses paths beyond numbers
        ends = np.exp(np.stack((low, high)))[:, accounts.symbol, None]
        first, last = (slope * ends - fixed).argmax(axis=2)
    last = np.maximum(first, last)
    linear, base = -cross.exposure(accounts), -cross.maintenance(accounts, np.ones_like(low))
    flat = np.flatnonzero(first == last)
    one, amount = slope[flat, first[flat]], fixed[flat, first[flat]]
    np.add.at(linear, (accounts.account[flat], accounts.symbol[flat]), one)
    np.add.at(base, accounts.account[flat], one - amount)
    bent = np.flatnonzero(first < last)
    lines = last[bent] - first[bent] + 1
    columns = np.minimum(first[bent, None] + np.arange(lines.max(initial=2)), last[bent, None])
    slope, fixed = (np.take_along_axis(x[bent], columns, axis=1) for x in (slope, fixed))
    account, symbol = accounts.account[bent], accounts.symbol[bent]
    _, begins = np.unique(account * linear.shape[1] + symbol, return_index=True)
    fixed -= slope
    slope[begins] += linear[account[begins], symbol[begins]][:, None]
    linear[account[begins], symbol[begins]] = 0.0
    # Views would be compiled for once more, and so would an order of their own.
    holder, of = map(np.ascontiguousarray, np.nonzero(linear))
    every = np.arange(base.size + 1)
    return (
        np.searchsorted(holder, every),
        of,
        linear[holder, of],
        np.searchsorted(account, every),
        symbol,
        lines,
        np.ascontiguousarray(slope),
        np.ascontiguousarray(fixed),
        base,
    )
