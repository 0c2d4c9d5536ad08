"""By how much may market-wide features move a volatility forecast?"""

from dataclasses import dataclass

import numpy as np

from bot.leverage.arrays import Booleans, Floats

LIMIT = 0.05
"""Features are worth a few percent, so no record of them, however bad, moves more. [log]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """What training made of the features.

    Attributes:
        weight: Shape (f,), log volatility per feature, finite.
        low: Shape (f,), features are cut off here: their training quantile.
        high: Shape (f,), and here, >= ``low``.
    """

    weight: Floats
    low: Floats
    high: Floats

    def __post_init__(self) -> None:
        if not self.weight.shape == self.low.shape == self.high.shape:
            raise ValueError("weight, low and high must have one and the same dimension")
        if not np.isfinite(np.concatenate((self.weight, self.low, self.high))).all():
            raise ValueError("weight, low and high must be finite")
        if not (self.low <= self.high).all():
            raise ValueError("low must not be above high")


def adjusted(
    regime: Regime, sigma: Floats, features: Floats, *, floor: Floats, limit: float = LIMIT
) -> tuple[Floats, Booleans]:
    """Return the forecast with the features, and where they may not be believed. Shape (n,).

    They move it by ``limit`` at most and never below its floor. A feature that is not finite leaves
    a forecast as it was and flags it, so that nothing is given back.

    Args:
        regime: Of the training.
        sigma: Shape (n,), forecast without features, > 0. [log]
        features: Shape (n, f).
        floor: Shape (n,), of the forecast. [log]
        limit: In [0, 1). [log]

    Raises:
        ValueError: If ``limit`` is outside or a forecast is not finite and positive.
    """
    if not 0 <= limit < 1:
        raise ValueError(f"limit must be in [0, 1), was {limit}")
    if not (np.isfinite(sigma) & (sigma > 0)).all():
        raise ValueError("sigma must be finite and > 0")
    known: Booleans = np.asarray(np.isfinite(features).all(axis=1))
    cut = np.clip(np.where(known[:, None], features, 0.0), regime.low, regime.high)
    moved = np.where(known, np.clip(cut @ regime.weight, -limit, limit), 0.0)
    return np.maximum(sigma * np.exp(moved), floor), ~known
