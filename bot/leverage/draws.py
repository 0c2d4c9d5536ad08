"""Which past rows does a path draw?

The same seed gives the same draws on any machine and whatever the accounts hold.
"""

import numpy as np

from bot.leverage.arrays import Integers
from bot.leverage.kernel import FIRST, GAMMA, SECOND

WORDS = 1 << 64
"""How many words of 64 bits there are."""


def mix(bits: int) -> int:
    """Return the splitmix64 finaliser of 64 bits.

    Source: Steele, Lea and Flood (2014); the constants are those of Vigna's splitmix64.
    """
    bits = ((bits ^ (bits >> 30)) * FIRST) % WORDS
    bits = ((bits ^ (bits >> 27)) * SECOND) % WORDS
    return bits ^ (bits >> 31)


def seed_of(run: int, bucket: int) -> int:
    """Return the seed of one decision, the same for all accounts and for before and after.

    Args:
        run: Seed of the run; taken modulo 2^64.
        bucket: Number of the decision; taken modulo 2^64.
    """
    return mix((run % WORDS) ^ mix(bucket % WORDS))


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
