"""What does a whole decision on cross accounts cost beside its simulation? (G7)"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.measure import interleaved
from bench.scenarios import ROWS, SYMBOLS, accounts
from bot.leverage import cross, joint, scenarios, tops
from bot.leverage.dependence import Dependence

HORIZONS = {"24 h in hours": (24, 6), "24 h in minutes": (1_440, 30)}
"""Steps and rows drawn together."""
ROUNDS = 5


def run() -> dict[str, Any]:
    """Return decisions and their kernels alone, interleaved, one thread unless said."""
    draw = np.random.default_rng(1)
    residuals = draw.standard_t(5, (ROWS, SYMBOLS)) * math.sqrt(0.6)
    held = accounts(draw)
    sigma, correlation = np.full(SYMBOLS, 0.05), cross.correlation(residuals)
    books = tops.tops(np.abs(draw.standard_t(4, (2_900, 20))))

    def decide(steps: int, block: int, threads: int) -> Callable[[], object]:
        past = Dependence(
            steps=steps,
            column=np.arange(SYMBOLS),
            residuals=residuals,
            correlation=correlation,
            books=books,
        )
        quantile = np.full(SYMBOLS, 5.0)
        return lambda: joint.lack(
            held, past, sigma, quantile=quantile, tolerance=1e-3, seed=7, block=block,
            threads=threads, backend="numba",
        )  # fmt: skip

    def alone(steps: int, block: int, of: cross.Accounts | None) -> Callable[[], object]:
        return lambda: scenarios.simulate(
            residuals, sigma**2 / steps, of, paths=joint.PATHS, steps=steps, block=block, seed=7,
            backend="numba",
        )  # fmt: skip

    rows = {}
    for name, (steps, block) in HORIZONS.items():
        timings = interleaved(
            {
                "kernel alone": alone(steps, block, held),
                "kernel, no accounts": alone(steps, block, None),
                "decision": decide(steps, block, 1),
                "decision, two threads": decide(steps, block, 2),
            },
            rounds=ROUNDS,
        )
        one = timings["kernel alone"]
        for side, taken in timings.items():
            rows[f"{name}: {side}"] = {
                "minimum": taken.minimum,
                "median": taken.median,
                "minimum over kernel": taken.minimum / one.minimum,
            }
    return {
        "what": f"10 cross accounts x {SYMBOLS} symbols, 3 tiers each, {joint.PATHS} paths [ms]",
        "aim": "<= 3x the simulation kernel alone, and <= 500",
        "rows": rows,
    }
