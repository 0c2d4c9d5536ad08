"""How far does a Brownian price run when its variance is drawn from what it was?

The chance that a path of variance ``v`` touches a distance is ``2 Phi(-z / sqrt(v))`` (reflection);
``v`` is what past windows realised over what was forecast for them. Smooth and falling in ``z``.
Far out it is heavier than a fitted tail where single windows went wild: a second opinion there.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.leverage.arrays import Floats

EXACT = 200
"""So many of the largest ratios are kept one by one."""
GROWTH = 1.05
"""Ranks below are grouped, each group so much longer than what lies above it. [ratio]"""
_STEPS = 200
_CLOSE = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Variance ratios and how often they occurred.

    A group of ratios stands at its largest, so no chance is ever understated by grouping.

    Attributes:
        ratios: Realised over forecast variance, > 0, descending.
        weights: > 0, sum 1.
    """

    ratios: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what is no distribution.

        Raises:
            ValueError: Naming what is wrong.
        """
        if not self.ratios or len(self.ratios) != len(self.weights):
            raise ValueError("ratios and weights must be as many, and at least one")
        numbers = np.array((self.ratios, self.weights))
        if not (np.isfinite(numbers).all() and (numbers > 0).all()):
            raise ValueError("ratios and weights must be finite and > 0")
        if abs(math.fsum(self.weights) - 1) > 1e-9:  # noqa: PLR2004 - rounding of many weights
            raise ValueError(f"weights must sum to 1, summed to {math.fsum(self.weights)}")

    @classmethod
    def of(cls, ratios: Floats) -> "Mixture":
        """Return the mixture of observed variance ratios.

        Args:
            ratios: Realised over forecast variance, shape (n,); what is not finite and positive
                is left out.

        Raises:
            ValueError: If nothing is left.
        """
        known = -np.sort(-ratios[np.isfinite(ratios) & (ratios > 0)])
        if known.size == 0:
            raise ValueError("a mixture needs at least one ratio > 0")
        edges = [*range(min(EXACT, known.size))]
        while (edge := max(len(edges), math.ceil(edges[-1] * GROWTH))) < known.size:
            edges.append(edge)
        weights = np.diff([*edges, known.size]) / known.size
        return cls(ratios=tuple(known[edges].tolist()), weights=tuple(weights.tolist()))

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {"ratios": list(self.ratios), "weights": list(self.weights)}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "Mixture":
        """Return the mixture of `as_dict`.

        Raises:
            ValueError: If it is no distribution.
        """
        return cls(
            ratios=tuple(map(float, raw["ratios"])), weights=tuple(map(float, raw["weights"]))
        )


def survival(mixture: Mixture, excursion: float) -> float:
    """Return the chance that a window runs at least so far. [ratio].

    Args:
        mixture: The ratios.
        excursion: [standard deviations]
    """
    if excursion <= 0:
        return 1.0
    return math.fsum(
        w * math.erfc(excursion / math.sqrt(2 * v))
        for v, w in zip(mixture.ratios, mixture.weights, strict=True)
    )


def quantile(mixture: Mixture, tolerance: float) -> float:
    """Return the excursion that is reached with a probability. [standard deviations].

    One bracketed root of ``ln P(z) = ln tolerance``: Newton's step where it stays inside the
    bracket, half of the bracket where not.

    Args:
        mixture: The ratios.
        tolerance: In (0, 1). [ratio]

    Raises:
        ValueError: If ``tolerance`` is outside, or so small that no float reaches it.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must be in (0, 1), was {tolerance}")
    near, far = 0.0, math.sqrt(mixture.ratios[0])
    while survival(mixture, far) > tolerance:
        near, far = far, 2 * far
    z = (near + far) / 2
    for _ in range(_STEPS):
        chance = survival(mixture, z)
        near, far = (z, far) if chance > tolerance else (near, z)
        if far - near <= _CLOSE * far:
            break
        step = z
        if chance > 0:
            step = z + chance * math.log(chance / tolerance) / _density(mixture, z)
        inside = near < step < far
        if inside and abs(step - z) <= _CLOSE * z:
            return step
        z = step if inside else (near + far) / 2
    return far


def _density(mixture: Mixture, z: float) -> float:
    scale = math.sqrt(2 / math.pi)
    return max(
        scale
        * math.fsum(
            w * math.exp(-z * z / (2 * v)) / math.sqrt(v)
            for v, w in zip(mixture.ratios, mixture.weights, strict=True)
        ),
        5e-324,
    )
