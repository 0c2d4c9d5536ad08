"""How fast are joint scenarios beside what one would write with numpy? (G3)"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.measure import Timing, interleaved
from bot.leverage import scenarios
from bot.leverage.cross import Accounts

PATHS, STEPS, SYMBOLS, BLOCK, ROWS = 2_000, 1_440, 10, 30, 17_520
ACCOUNTS = 10
MANY = 10_000
"""Paths of a decision; the rivals would not fit into memory."""
ROUNDS = 7


def run() -> dict[str, Any]:
    """Return the timing of the kernels and of two rivals, interleaved."""
    draw = np.random.default_rng(1)
    residuals = draw.standard_t(5, (ROWS, SYMBOLS)) * math.sqrt(0.6)
    variance = np.full(SYMBOLS, 1e-6)

    def simulate(
        accounts: Accounts | None, threads: int, backend: scenarios.Backend, paths: int = PATHS
    ) -> Callable[[], object]:
        return lambda: scenarios.simulate(
            residuals, variance, accounts, paths=paths, steps=STEPS, block=BLOCK, seed=7,
            threads=threads, backend=backend,
        )  # fmt: skip

    def student() -> object:
        shocks = draw.standard_normal((PATHS, STEPS, SYMBOLS)) @ np.linalg.cholesky(
            0.5 * np.eye(SYMBOLS) + 0.5
        )
        shocks *= np.sqrt(5 / draw.chisquare(5, (PATHS, STEPS, 1))) * 1e-3
        x = np.cumsum(shocks, axis=1)
        return x.min(axis=1), x.max(axis=1)

    def gather() -> object:
        first = draw.integers(0, ROWS - BLOCK + 1, (PATHS, STEPS // BLOCK))
        rows = (first[:, :, None] + np.arange(BLOCK)).reshape(PATHS, STEPS)
        x = np.cumsum(residuals[rows] * 1e-3, axis=1)
        return x.min(axis=1), x.max(axis=1)

    held = accounts(draw)
    timings = interleaved(
        {
            "kernel, one thread": simulate(None, 1, "numba"),
            "kernel, two threads": simulate(None, 2, "numba"),
            "kernel, many paths, one thread": simulate(None, 1, "numba", MANY),
            "kernel, many paths, two threads": simulate(None, 2, "numba", MANY),
            "numpy, the same numbers": simulate(None, 1, "numpy"),
            "numpy gather, fixed variance": gather,
            "numpy multivariate t, fixed variance": student,
            "kernel, 10 accounts, one thread": simulate(held, 1, "numba"),
            "kernel, 10 accounts, two threads": simulate(held, 2, "numba"),
            "numpy, 10 accounts, 50 paths": simulate(held, 1, "numpy", 50),
        },
        rounds=ROUNDS,
    )
    one = timings["kernel, one thread"]
    return {
        "what": f"{PATHS} or {MANY} paths of {STEPS} steps, {SYMBOLS} symbols, variance recursion",
        "aim": ">= 25x multivariate t, >= 15x gather, two threads >= 1.7x one",
        "rows": {name: _row(timing, one) for name, timing in timings.items()},
    }


def accounts(draw: np.random.Generator) -> Accounts:
    """Return ten accounts that hold all symbols, with three tiers each."""
    count = ACCOUNTS * SYMBOLS
    return Accounts(
        price=np.full(SYMBOLS, 100.0),
        cash=np.full(ACCOUNTS, 1e4),
        coins=np.zeros((ACCOUNTS, SYMBOLS)),
        account=np.repeat(np.arange(ACCOUNTS), SYMBOLS),
        symbol=np.tile(np.arange(SYMBOLS), ACCOUNTS),
        size=draw.normal(0, 100, count),
        entry=np.full(count, 100.0),
        rate=np.tile([0.005, 0.01, 0.02], (count, 1)),
        amount=np.tile([0.0, 25.0, 150.0], (count, 1)),
    )


def _row(timing: Timing, one: Timing) -> dict[str, float]:
    return {
        "minimum": timing.minimum,
        "median": timing.median,
        "minimum over kernel": timing.minimum / one.minimum,
    }
