"""How do paths run on threads, where numba compiles the kernel?

Numba's own threads are not used: its default layer ends the process when two threads of ours are
inside at the same time.
"""

import functools
import importlib
import importlib.util
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bot.leverage import cross
from bot.leverage.arrays import Floats, Integers
from bot.leverage.kernel import FUSED, LANES, run_paths
from bot.leverage.paths import Asked, Simulation

Held = tuple[Integers, Integers, Floats, Floats, Floats]
"""What the kernel takes of accounts: first, symbol, rate, amount, maintenance."""


def has_numba() -> bool:
    """Whether the compiled kernel can be used; numba itself is not imported."""
    return importlib.util.find_spec("numba") is not None


def run(asked: Asked, out: Simulation, *, threads: int) -> None:
    """Run the paths; each writes its own rows and nothing else.

    Args:
        asked: What is drawn and held.
        out: As begun; written.
        threads: >= 1; any number of them gives the same bits.

    Raises:
        ImportError: If numba is not there.
    """
    accounts = asked.accounts
    if accounts is None or accounts.rate.shape[1] > 1:
        none, nobody = np.zeros((0, FUSED)), np.zeros(0, np.int64)
        nothing = (np.zeros(1, np.int64), nobody, none, none, np.zeros(0))
        _run(asked, out, nothing, out.worst[:, :0], threads)
    if accounts is not None:
        held = _held(accounts, out.lowest.min(axis=0), out.highest.max(axis=0))
        _run(asked, out, held, out.worst, threads)


def _run(asked: Asked, out: Simulation, held: Held, worst: Floats, threads: int) -> None:
    kernel = _kernel()
    residuals, variance = map(np.ascontiguousarray, (asked.residuals, asked.variance))

    def part(bounds: tuple[int, int]) -> None:
        kernel(
            *bounds,
            residuals,
            variance,
            asked.decay,
            asked.steps,
            asked.block,
            np.uint64(asked.seed),
            LANES,
            *held,
            worst,
            out.lowest,
            out.highest,
        )

    paths = out.lowest.shape[0]
    if threads == 1:
        part((0, paths))
        return
    cuts = [paths * n // threads for n in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, itertools.pairwise(cuts)))


@functools.cache
def _kernel() -> Callable[..., None]:
    numba = importlib.import_module("numba")
    compiled: Callable[..., None] = numba.njit(nogil=True, cache=False)(run_paths)
    return compiled


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
