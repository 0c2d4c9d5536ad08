"""How far may the largest twentieth of many samples go?

Arrays of bare tails, for sums over books and positions; what one symbol's tail was fitted on, its
body and its mixture are in `tail.Tail`.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.leverage.arrays import Floats

TOP = 0.05
"""Share of the paths that the tail is fitted to. [ratio]"""
FEWEST = 30
"""Exceedances that a tail needs."""
STEEPEST = 0.6
"""Shape that a fitted tail is cut off at."""


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
        if not ((alpha > 0) & (alpha <= TOP)).all():
            raise ValueError(f"tolerance must be in (0, {TOP}] for a tail, was {alpha}")
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
    count = math.floor(TOP * values.shape[0])
    if count < FEWEST:
        raise ValueError(f"a tail needs {FEWEST} exceedances, had {count}")
    columns = np.ascontiguousarray(values.T)
    largest = np.partition(columns, -count - 1, axis=1)[:, -count - 1 :]
    ordered = np.sort(largest, axis=1)
    threshold = ordered[:, 0].copy()
    beyond = ordered[:, 1:] - threshold[:, None]
    mean = beyond.mean(axis=1)
    weighted = (beyond * (1.0 - (np.arange(1, count + 1) - 0.35) / count)).mean(axis=1)
    gap = mean - 2.0 * weighted
    shape = np.where(gap > 0, 2.0 - mean / np.where(gap > 0, gap, 1.0), np.inf)
    shape = np.clip(shape, 0.0, STEEPEST)
    return Tops(
        threshold=threshold,
        scale=(1.0 - shape) * mean,
        shape=shape,
        share=count / values.shape[0],
    )
