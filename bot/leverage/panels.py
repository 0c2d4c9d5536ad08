"""How far did past windows run against whole books?"""

import math

import numpy as np

from bot.leverage import cross
from bot.leverage.arrays import Floats
from bot.leverage.draws import WORDS, mix
from bot.leverage.kernel import GAMMA
from bot.leverage.tops import tops


def panel(symbols: int, *, books: int = 20, seed: int = 1) -> Floats:
    """Return fixed weights of books, each of absolute sum 1. Shape (books, symbols). [ratio].

    Args:
        symbols: >= 1.
        books: >= 1.
        seed: 64 bits; the same seed gives the same panel on any machine.
    """
    bits = [mix((seed + GAMMA * (n + 1)) % WORDS) for n in range(books * symbols)]
    drawn = np.array(bits, dtype=np.float64).reshape(books, symbols) / WORDS * 2.0 - 1.0
    weights: Floats = drawn / np.abs(drawn).sum(axis=1, keepdims=True)
    return weights


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


def book_quantile(excursions: Floats, tolerance: float) -> float:
    """Return the median over books of the quantile of their standardised falls.

    Args:
        excursions: Shape (windows, books), see `book_excursions`. [standard deviations]
        tolerance: In (0, 0.05]. [ratio]

    Raises:
        ValueError: If there are too few windows for a tail.
    """
    return float(np.median(tops(excursions).quantile(tolerance)))
