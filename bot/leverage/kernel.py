"""How do paths run, step by step, in a form that numba can compile?

Plain Python without numba: `bot.leverage.paths_compiled` compiles `run_paths` when it is asked for
and present. Written out in loops and without helpers, because each call would have to be compiled
too.
"""

import math

import numpy as np

from bot.leverage.arrays import Floats, Integers

GAMMA = 0x9E3779B97F4A7C15
FIRST = 0xBF58476D1CE4E5B9
SECOND = 0x94D049BB133111EB
LANES = 32
"""Paths that run side by side, so that the compiler fills its vectors with them."""
FUSED = 3
"""Lines of a position that are valued in one loop; with more there is a loop for each."""
LARGEST = 700.0
PER_LN2 = 1.0 / math.log(2.0)
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14 = (
    1.0 / math.factorial(n) for n in range(3, 15)
)


def run_paths(  # noqa: C901, PLR0912, PLR0915 - one loop nest, see above
    begin: int,
    end: int,
    residuals: Floats,
    variance: Floats,
    decay: float,
    steps: int,
    block: int,
    seed: np.uint64,
    lanes: int,
    first: Integers,
    symbol: Integers,
    rate: Floats,
    amount: Floats,
    maintenance: Floats,
    worst: Floats,
    lowest: Floats,
    highest: Floats,
) -> None:
    """Run the paths from ``begin`` to before ``end`` and write their rows of the last three arrays.

    Args:
        begin: First path.
        end: One after the last.
        residuals: Shape (r, d), standardised log returns.
        variance: Shape (d,), of the first step. [log^2]
        decay: Of the variance per step, in (0, 1]. [ratio]
        steps: Of a path.
        block: Rows that are drawn together.
        seed: Of the draws.
        lanes: `LANES`; a constant here would be unrolled before it is made a vector.
        first: Shape (a + 1,), where the rows of each account begin.
        symbol: Shape (n,), column of each row.
        rate: Shape (n, k), k >= 3: a row takes the largest of ``rate * growth - amount`` from its
            buffer. [quote]
        amount: Shape (n, k). [quote]
        maintenance: Shape (a,), what all rows of an account take at the start. [quote]
        worst: Shape (p, a), written. [quote]
        lowest: Shape (p, d), written. [log]
        highest: Shape (p, d), written. [log]
    """
    symbols = variance.shape[0]
    accounts = maintenance.shape[0]
    tiers = rate.shape[1]
    blocks = (steps + block - 1) // block
    choices = np.uint64(residuals.shape[0] - block + 1)
    gain = 1.0 - decay
    row = np.empty(lanes, np.int64)
    moved, left, drop, needed = np.empty(lanes), np.empty(lanes), np.empty(lanes), np.empty(lanes)
    power = np.empty(lanes, np.int64)
    scale = power.view(np.float64)
    x, h = np.empty((symbols, lanes)), np.empty((symbols, lanes))
    growth, most = np.empty((symbols, lanes)), np.empty((accounts, lanes))
    low, high = np.empty((symbols, lanes)), np.empty((symbols, lanes))
    for group in range(begin, end, lanes):
        x[:] = 0.0
        low[:] = 0.0
        high[:] = 0.0
        most[:] = 0.0
        for d in range(symbols):
            h[d] = variance[d]
        for drawn in range(blocks):
            for lane in range(lanes):
                # splitmix64; numba needs every operand unsigned, or it falls back to floats.
                draw = np.uint64((group + lane) * blocks + drawn + 1)
                bits = seed + np.uint64(GAMMA) * draw
                bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(FIRST)
                bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(SECOND)
                bits = bits ^ (bits >> np.uint64(31))
                row[lane] = np.int64(((bits >> np.uint64(32)) * choices) >> np.uint64(32))
            for i in range(min(block, steps - drawn * block)):
                for d in range(symbols):
                    at, spread, least, largest = x[d], h[d], low[d], high[d]
                    for lane in range(lanes):
                        left[lane] = math.sqrt(spread[lane])
                    for lane in range(lanes):
                        moved[lane] = residuals[np.uint64(row[lane] + i), d] * left[lane]
                    for lane in range(lanes):
                        spread[lane] = decay * spread[lane] + gain * (moved[lane] * moved[lane])
                    for lane in range(lanes):
                        at[lane] += moved[lane]
                    # Adding nothing keeps the compiler from a branch around the store.
                    for lane in range(lanes):
                        least[lane] = min(least[lane], at[lane]) + 0.0
                    for lane in range(lanes):
                        largest[lane] = max(largest[lane], at[lane]) + 0.0
                if accounts == 0:
                    continue
                for d in range(symbols):
                    # exp(x) = 2^n exp(r) with |r| <= ln 2 / 2 and a series for exp(r): the call of
                    # the library would leave the lanes, one after the other.
                    at, grown = x[d], growth[d]
                    for lane in range(lanes):
                        capped = min(max(at[lane], -LARGEST), LARGEST)
                        whole = math.floor(capped * PER_LN2 + 0.5)
                        left[lane] = (capped - whole * LN2_HIGH) - whole * LN2_LOW
                        power[lane] = (np.int64(whole) + 1023) << 52
                    for lane in range(lanes):
                        r = left[lane]
                        series = C11 + r * (C12 + r * (C13 + r * C14))
                        series = C8 + r * (C9 + r * (C10 + r * series))
                        series = C5 + r * (C6 + r * (C7 + r * series))
                        series = 0.5 + r * (C3 + r * (C4 + r * series))
                        grown[lane] = (1.0 + r * (1.0 + r * series)) * scale[lane]
                for a in range(accounts):
                    number = maintenance[a]
                    drop[:] = -number
                    for held in range(first[a], first[a + 1]):
                        grown = growth[symbol[held]]
                        slope, fixed = rate[held, 0], amount[held, 0]
                        slope_2, fixed_2 = rate[held, 1], amount[held, 1]
                        slope_3, fixed_3 = rate[held, 2], amount[held, 2]
                        if tiers == FUSED:
                            for lane in range(lanes):
                                g = grown[lane]
                                line = max(slope * g - fixed, slope_2 * g - fixed_2) + 0.0
                                drop[lane] += max(line, slope_3 * g - fixed_3) + 0.0
                            continue
                        for lane in range(lanes):
                            needed[lane] = slope * grown[lane] - fixed
                        for k in range(1, tiers):
                            slope, fixed = rate[held, k], amount[held, k]
                            for lane in range(lanes):
                                line = slope * grown[lane] - fixed
                                needed[lane] = max(needed[lane], line) + 0.0
                        for lane in range(lanes):
                            drop[lane] += needed[lane]
                    deepest = most[a]
                    for lane in range(lanes):
                        deepest[lane] = max(deepest[lane], drop[lane]) + 0.0
        for lane in range(min(lanes, end - group)):
            for d in range(symbols):
                lowest[group + lane, d] = low[d, lane]
                highest[group + lane, d] = high[d, lane]
            for a in range(accounts):
                worst[group + lane, a] = most[a, lane]
