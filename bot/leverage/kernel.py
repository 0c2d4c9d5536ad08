"""How do paths run, in a form that numba can compile?

Plain Python without numba: `bot.leverage.paths_compiled` compiles these functions when it is asked
for and present. Written out in loops and without helpers, because each call would have to be
compiled too.

Symbols alone need no steps. A residual moves a price by itself times the deviation of its step, and
the next deviation is that one times a number of the same residual: whatever a block of rows does is
in proportion to the deviation that it starts with. So `run_symbols` runs each block that can be
drawn once, from a deviation of one, and paths only string blocks together. Scaling and shifting
keep the order of numbers also where they are rounded, so nothing is lost between steps. Accounts
are not linear in prices: `run_accounts` goes step by step.
"""

import math

import numpy as np

from bot.leverage.arrays import Floats, Integers, Rows

GAMMA = 0x9E3779B97F4A7C15
FIRST = 0xBF58476D1CE4E5B9
SECOND = 0x94D049BB133111EB
LANES = 64
"""Paths that run side by side, so that the compiler fills its vectors with them."""
WINDOW = 256
"""Blocks that run side by side: few enough to stay in the nearest cache."""
LARGEST = 700.0
PER_LN2 = 1.0 / math.log(2.0)
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
SHIFT = 1.5 * 2.0**52
"""Added to a number, it leaves the nearest whole one in the lowest bits."""
C3, C4, C5, C6, C7, C8, C9, C10, C11, C12 = (1.0 / math.factorial(n) for n in range(3, 13))


def draw_rows(begin: int, end: int, choices: np.uint64, seed: np.uint64, rows: Rows) -> None:
    """Write at which rows the blocks of the paths from ``begin`` to before ``end`` begin.

    Args:
        begin: First path.
        end: One after the last.
        choices: Rows at which a block can begin.
        seed: Of the draws, see `draws.first_rows`.
        rows: Shape (p, blocks), written.
    """
    blocks = rows.shape[1]
    for path in range(begin, end):
        for drawn in range(blocks):
            # splitmix64; numba needs every operand unsigned, or it falls back to floats.
            bits = seed + np.uint64(GAMMA) * np.uint64(path * blocks + drawn + 1)
            bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(FIRST)
            bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(SECOND)
            bits = bits ^ (bits >> np.uint64(31))
            rows[path, drawn] = np.uint32(((bits >> np.uint64(32)) * choices) >> np.uint64(32))


def run_symbols(  # noqa: C901 - one loop nest, see above
    begin: int,
    end: int,
    residuals: Floats,
    variance: Floats,
    decay: float,
    steps: int,
    block: int,
    width: int,
    rows: Rows,
    lowest: Floats,
    highest: Floats,
) -> None:
    """Run the symbols from ``begin`` to before ``end`` on all paths and write their rows.

    One after the other, so that what the blocks of a symbol do stays in a cache.

    Args:
        begin: First symbol.
        end: One after the last.
        residuals: Shape (r, d), standardised log returns.
        variance: Shape (d,), of the first step. [log^2]
        decay: Of the variance per step, in [0, 1]. [ratio]
        steps: Of a path.
        block: Rows that are drawn together.
        width: `WINDOW`; a constant here would be unrolled before it is made a vector.
        rows: Shape (p, blocks), at which a block begins.
        lowest: Shape (d, p), written; NaN where a path left what a number can hold. [log]
        highest: Shape (d, p), written, likewise. [log]
    """
    gain = 1.0 - decay
    whole, rest = steps // block, steps % block
    choices = residuals.shape[0] - block + 1
    z, factor = np.empty(residuals.shape[0]), np.empty(residuals.shape[0])
    low, high, at, spread = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    # Lowest, highest and last log price and last deviation, over the deviation at the start: of
    # whole blocks, and of the last one, which runs for what is left of the steps.
    table = np.empty((2, choices, 4))
    for d in range(begin, end):
        for row in range(z.size):
            z[row] = residuals[row, d]
            factor[row] = math.sqrt(decay + gain * (z[row] * z[row]))
        for short in range(0 if whole else 1, 2 if rest else 1):
            for group in range(0, choices, width):
                lanes = min(width, choices - group)
                low[:] = 0.0
                high[:] = 0.0
                at[:] = 0.0
                spread[:] = 1.0
                for i in range(rest if short else block):
                    drawn, wider = z[group + i :], factor[group + i :]
                    for lane in range(lanes):
                        at[lane] += drawn[lane] * spread[lane]
                        spread[lane] *= wider[lane]
                        # Adding nothing keeps the compiler from a branch around the store.
                        low[lane] = min(low[lane], at[lane]) + 0.0
                        high[lane] = max(high[lane], at[lane]) + 0.0
                entry = table[short, group:]
                for lane in range(lanes):
                    entry[lane, 0] = low[lane]
                    entry[lane, 1] = high[lane]
                    entry[lane, 2] = at[lane]
                    entry[lane, 3] = spread[lane]
        for path in range(rows.shape[0]):
            x, scale, least, largest = 0.0, math.sqrt(variance[d]), 0.0, 0.0
            entry = table[0]
            for number in range(rows.shape[1]):
                if number == whole:
                    entry = table[1]
                row = rows[path, number]
                least = min(least, x + scale * entry[row, 0])
                largest = max(largest, x + scale * entry[row, 1])
                x += scale * entry[row, 2]
                scale *= entry[row, 3]
            # A comparison with NaN is false: what is no number any more would go unseen.
            lowest[d, path] = least + 0.0 * x
            highest[d, path] = largest + 0.0 * x


def run_accounts(  # noqa: C901, PLR0912 - one loop nest, see above
    begin: int,
    end: int,
    residuals: Floats,
    variance: Floats,
    decay: float,
    steps: int,
    block: int,
    lanes: int,
    rows: Rows,
    first: Integers,
    symbol: Integers,
    slope: Floats,
    bent_first: Integers,
    bent_symbol: Integers,
    lines: Integers,
    rate: Floats,
    amount: Floats,
    base: Floats,
    worst: Floats,
) -> None:
    """Run accounts on the paths from ``begin`` to before ``end`` and write their rows of ``worst``.

    A rise is the growth of a price less one. What is linear in it takes ``slope * rise`` from a
    buffer, what is bent the largest of ``rate * rise - amount``. [quote]

    Args:
        begin: First path.
        end: One after the last.
        residuals: Shape (r, d), standardised log returns.
        variance: Shape (d,), of the first step. [log^2]
        decay: Of the variance per step, in [0, 1]. [ratio]
        steps: Of a path.
        block: Rows that are drawn together.
        lanes: `LANES`; a constant here would be unrolled before it is made a vector.
        rows: Shape (p, blocks), at which a block begins.
        first: Shape (a + 1,), where what is linear begins for each account.
        symbol: Shape (n,), column of its price.
        slope: Shape (n,). [quote]
        bent_first: Shape (a + 1,), where what is bent begins.
        bent_symbol: Shape (m,).
        lines: Shape (m,), how many each has, >= 2.
        rate: Shape (m, k). [quote]
        amount: Shape (m, k). [quote]
        base: Shape (a,), what is taken at any price. [quote]
        worst: Shape (p, a), written. [quote]
    """
    symbols, accounts, blocks = variance.shape[0], base.shape[0], rows.shape[1]
    gain = 1.0 - decay
    row = np.empty(lanes, np.uint64)
    moved, left, drop, needed = np.empty(lanes), np.empty(lanes), np.empty(lanes), np.empty(lanes)
    power = np.empty(lanes, np.int64)
    scale = power.view(np.float64)
    x, h, rise = np.empty((symbols, lanes)), np.empty((symbols, lanes)), np.empty((symbols, lanes))
    most = np.empty((accounts, lanes))
    for group in range(begin, end, lanes):
        x[:] = 0.0
        most[:] = 0.0
        for d in range(symbols):
            h[d] = variance[d]
        for drawn in range(blocks):
            for lane in range(lanes):
                row[lane] = rows[min(group + lane, end - 1), drawn]
            for i in range(min(block, steps - drawn * block)):
                for d in range(symbols):
                    at, spread, rose = x[d], h[d], rise[d]
                    for lane in range(lanes):
                        left[lane] = math.sqrt(spread[lane])
                    for lane in range(lanes):
                        moved[lane] = residuals[row[lane] + np.uint64(i), d] * left[lane]
                    for lane in range(lanes):
                        spread[lane] = decay * spread[lane] + gain * (moved[lane] * moved[lane])
                    for lane in range(lanes):
                        at[lane] += moved[lane]
                    # exp(x) = 2^n exp(r) with |r| <= ln 2 / 2 and a series for exp(r): the call of
                    # the library would leave the lanes, one after the other.
                    for lane in range(lanes):
                        capped = min(max(at[lane], -LARGEST), LARGEST)
                        shifted = capped * PER_LN2 + SHIFT
                        number = shifted - SHIFT
                        left[lane] = (capped - number * LN2_HIGH) - number * LN2_LOW
                        scale[lane] = shifted
                    for lane in range(lanes):
                        power[lane] = (power[lane] + 1023) << 52
                    for lane in range(lanes):
                        r = left[lane]
                        r2 = r * r
                        r4 = r2 * r2
                        series = (C6 + r * C7) + r2 * (C8 + r * C9)
                        series += r4 * ((C10 + r * C11) + r2 * C12)
                        series = (0.5 + r * C3) + r2 * (C4 + r * C5) + r4 * series
                        rose[lane] = (1.0 + (r + r2 * series)) * scale[lane] - 1.0
                for a in range(accounts):
                    drop[:] = base[a]
                    for held in range(first[a], first[a + 1]):
                        rose, steep = rise[symbol[held]], slope[held]
                        for lane in range(lanes):
                            drop[lane] += steep * rose[lane]
                    for held in range(bent_first[a], bent_first[a + 1]):
                        rose = rise[bent_symbol[held]]
                        steep, fixed = rate[held, 0], amount[held, 0]
                        steep_2, fixed_2 = rate[held, 1], amount[held, 1]
                        if lines[held] == 2:  # noqa: PLR2004 - the two above
                            for lane in range(lanes):
                                g = rose[lane]
                                drop[lane] += max(steep * g - fixed, steep_2 * g - fixed_2) + 0.0
                            continue
                        for lane in range(lanes):
                            g = rose[lane]
                            needed[lane] = max(steep * g - fixed, steep_2 * g - fixed_2) + 0.0
                        for k in range(2, lines[held]):
                            steep, fixed = rate[held, k], amount[held, k]
                            for lane in range(lanes):
                                line = steep * rose[lane] - fixed
                                needed[lane] = max(needed[lane], line) + 0.0
                        for lane in range(lanes):
                            drop[lane] += needed[lane]
                    deepest = most[a]
                    for lane in range(lanes):
                        deepest[lane] = max(deepest[lane], drop[lane]) + 0.0
        for lane in range(min(lanes, end - group)):
            for a in range(accounts):
                worst[group + lane, a] = most[a, lane]
