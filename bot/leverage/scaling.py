"""How far did past returns go, over the volatility known before each?"""

import math

import numpy as np

from bot.leverage.arrays import Floats

HALF_LIFE = 72.0
"""Of the variance. [steps]"""


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
