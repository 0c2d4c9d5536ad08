"""By how much may market-wide features move a volatility forecast?

`adjusted` is for features that were trained. `strain` is for those that a venue shows at each look
and that nobody has trained: a fixed rule that only ever raises, by as little.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

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


class Feature(StrEnum):
    """What was strained, or could not be read."""

    BASIS = "basis_strained"
    FUNDING = "funding_strained"
    UNREAD = "regime_unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """From where on a feature is strain, and from where on it is all of it.

    Attributes:
        calm: Nothing up to here, >= 0. [ratio]
        wild: All from here on, > ``calm``. [ratio]
    """

    calm: float
    wild: float

    def share(self, size: float) -> float:
        """Return how strained a size is, in [0, 1]; never less for more."""
        return min(1.0, max(0.0, (size - self.calm) / (self.wild - self.calm)))


BASIS = Ramp(calm=0.002, wild=0.01)
"""Mark beyond index, either way. Chosen, not fitted."""
FUNDING = Ramp(calm=0.0005, wild=0.003)
"""Of one interval, whoever pays: a crowd on one side. Five to thirty times the usual. Chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strain:
    """What the present look says beside the bars.

    Attributes:
        factor: Of the forecast, in [1, e^`LIMIT`]. [ratio]
        features: That are strained or could not be read, in the order of `Feature`.
        may_give_back: Whether margin may be given back on it.
    """

    factor: float = 1.0
    features: tuple[Feature, ...] = ()
    may_give_back: bool = True


def strain(*, basis: float | None, funding: float | None, limit: float = LIMIT) -> Strain:
    """Return by how much a forecast is raised: by the most strained feature, never lowered.

    A feature that is all strain, or that is no number, forbids giving back. One that is absent
    changes nothing.

    Args:
        basis: Mark over index, less 1; ``None`` where it is not observed. [ratio]
        funding: Of the running interval; ``None`` where it is not observed. [ratio]
        limit: Most that it is raised by, in [0, 1). [log]

    Raises:
        ValueError: If ``limit`` is outside.
    """
    if not 0 <= limit < 1:
        raise ValueError(f"limit must be in [0, 1), was {limit}")
    shares: dict[Feature, float] = {}
    for feature, ramp, value in (
        (Feature.BASIS, BASIS, basis),
        (Feature.FUNDING, FUNDING, funding),
    ):
        if value is not None and not math.isfinite(value):
            shares[Feature.UNREAD] = 0.0
        elif value is not None and (share := ramp.share(abs(value))) > 0:
            shares[feature] = share
    most = max(shares.values(), default=0.0)
    return Strain(
        factor=math.exp(limit * most),
        features=tuple(feature for feature in Feature if feature in shares),
        may_give_back=most < 1.0 and Feature.UNREAD not in shares,
    )
