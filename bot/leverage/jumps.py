"""How much likelier is a touch when the price jumps? A study of sensitivity, no part of a decision.

Kou's model: a Brownian motion with drift, plus jumps at random times whose sizes are exponential in
either direction. The transform of its first-passage time is known; the probability is had by
inverting it numerically.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Complex = npt.NDArray[np.complex128]

_A = 22.0
"""The aliasing error of the inversion is about exp(-22) = 3e-10."""
_TERMS, _AVERAGED = 40, 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Kou:
    """A log price with double-exponential jumps; time in any one unit.

    Attributes:
        drift: Of the log price between jumps, towards the level. [1/time]
        sigma: Between jumps, > 0. [1/sqrt(time)]
        intensity: Expected jumps, >= 0. [1/time]
        towards: Probability that a jump goes towards the level, in [0, 1]. [ratio]
        rate_towards: One over the mean size of such a jump, > 0. [1/log]
        rate_away: Of the others, > 0. [1/log]

    Raises:
        ValueError: If a number is outside.
    """

    drift: float
    sigma: float
    intensity: float
    towards: float
    rate_towards: float
    rate_away: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.drift):
            raise ValueError(f"drift must be finite, was {self.drift}")
        for name in ("sigma", "rate_towards", "rate_away"):
            value: float = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be finite and > 0, was {value}")
        if not (math.isfinite(self.intensity) and self.intensity >= 0):
            raise ValueError(f"intensity must be finite and >= 0, was {self.intensity}")
        if not 0 <= self.towards <= 1:
            raise ValueError(f"towards must be in [0, 1], was {self.towards}")


def hit(a_log: float, model: Kou, *, time: float) -> float:
    """Return the probability that the price reaches or jumps over a level within a time. [ratio].

    Absolute error about 1e-9. Mirror the model for a level on the other side: the drift changes
    its sign, the two kinds of jumps change places.

    Args:
        a_log: Log distance to the level; 0 or less is touched. [log]
        model: The price.
        time: > 0. [time]

    Raises:
        ValueError: If a number is not finite or ``time`` is not positive.

    Source: Kou and Wang (2003), theorem 3.1, for the transform; Abate and Whitt (1995), the Euler
    algorithm, for its inversion.
    """
    if not (math.isfinite(a_log) and math.isfinite(time) and time > 0):
        raise ValueError(f"distance and time must be finite, time > 0; were {a_log}, {time}")
    if a_log <= 0:
        return 1.0
    k = np.arange(_TERMS + _AVERAGED + 1)
    theta = np.asarray((_A + 2j * math.pi * k) / (2.0 * time), dtype=np.complex128)
    values = (transform(theta, a_log, model) / theta).real
    values[0] *= 0.5
    sums = np.cumsum(np.where(k % 2 == 0, values, -values))
    # Euler's summation: binomial averages of the last partial sums of an alternating series.
    weights = np.array([math.comb(_AVERAGED, j) for j in range(_AVERAGED + 1)]) / 2.0**_AVERAGED
    found = math.exp(0.5 * _A) / time * float(weights @ sums[_TERMS:])
    return min(max(found, 0.0), 1.0)


def transform(theta: Complex, a_log: float, model: Kou) -> Complex:
    """Return ``E exp(-theta * tau)`` of the first-passage time tau. [1].

    Args:
        theta: Shape (n,), real parts > 0. [1/time]
        a_log: > 0. [log]
        model: The price.

    Source: as `hit`.
    """
    near, far = _roots(theta, model)
    eta = model.rate_towards
    first = (eta - near) / eta * far / (far - near) * np.exp(-near * a_log)
    second = (far - eta) / eta * near / (far - near) * np.exp(-far * a_log)
    found: Complex = first + second
    return found


def _roots(theta: Complex, model: Kou) -> tuple[Complex, Complex]:
    # drift x + sigma**2 x**2 / 2 + intensity (p e/(e - x) + q f/(f + x) - 1) = theta, times
    # (e - x)(f + x): a polynomial of degree four with two roots on the right of the origin.
    e, f = model.rate_towards, model.rate_away
    half = 0.5 * model.sigma**2
    p, q = model.towards, 1.0 - model.towards
    level = -(theta + model.intensity)
    one = np.ones_like(theta)
    # (half x**2 + drift x + level) * (-x**2 + (e - f) x + e f) + jumps, highest power first.
    coefficients = np.stack(
        (
            -half * one,
            (half * (e - f) - model.drift) * one,
            half * e * f + model.drift * (e - f) - level,
            model.drift * e * f + level * (e - f) + model.intensity * (p * e - q * f),
            level * e * f + model.intensity * (p * e * f + q * f * e),
        ),
        axis=-1,
    )
    companion = np.zeros((theta.size, 4, 4), dtype=np.complex128)
    companion[:, 0, :] = -coefficients[:, 1:] / coefficients[:, :1]
    companion[:, [1, 2, 3], [0, 1, 2]] = 1.0
    found = np.asarray(np.linalg.eigvals(companion), dtype=np.complex128)
    order = np.argsort(-found.real, axis=-1)
    right: Complex = np.take_along_axis(found, order[:, :2], axis=-1)
    return right[:, 1], right[:, 0]
