"""How far may the largest twentieth of many samples go?

Arrays of bare tails, for sums over books and positions, fitted as `tail` fits one; what a symbol's
tail was fitted on, its body and its mixture are in `tail.Tail`.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.leverage.arrays import Floats
from bot.leverage.tail import EXCEEDANCE, LEAST_EXCEEDANCES, moments


@dataclass(frozen=True, slots=True, kw_only=True)
class Tops:
    """Generalised Pareto tails of the largest values of each of n columns.

    Attributes:
        threshold: Shape (n,), where each begins. [unit of the column]
        scale: Shape (n,), 0 where all beyond is the threshold itself. [unit of the column]
        shape: Shape (n,), >= 0; a fitted one is 0.6 at most.
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
        if not ((alpha > 0) & (alpha <= EXCEEDANCE)).all():
            raise ValueError(f"tolerance must be in (0, {EXCEEDANCE}] for a tail, was {alpha}")
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


def tops(values: Floats) -> Tops:
    """Return the tail of the largest twentieth of each column.

    Args:
        values: Shape (p, n), finite.

    Raises:
        ValueError: If there are fewer than 30 exceedances.

    Source: Hosking and Wallis (1987), probability-weighted moments.
    """
    count = math.floor(EXCEEDANCE * values.shape[0])
    if count < LEAST_EXCEEDANCES:
        raise ValueError(f"a tail needs {LEAST_EXCEEDANCES} exceedances, had {count}")
    columns = np.ascontiguousarray(values.T)
    largest = np.partition(columns, -count - 1, axis=1)[:, -count - 1 :]
    ordered = np.sort(largest, axis=1)
    threshold = ordered[:, 0].copy()
    fitted = np.array([moments(row)[:2] for row in ordered[:, 1:] - threshold[:, None]])
    scale, shape = fitted.reshape(-1, 2).T  # no column is no tail
    return Tops(threshold=threshold, scale=scale, shape=shape, share=count / values.shape[0])
