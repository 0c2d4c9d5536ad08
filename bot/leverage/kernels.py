"""How are many first-passage probabilities had faster, where numba is installed?

The same formulas as `bot.leverage.passage` in compiled loops, equal to 1e-12 relative. Compiling
takes seconds, so nothing here happens by itself: a backtest or a large book asks for `compiled`
once, everything else uses numpy.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.leverage import normal, passage
from bot.leverage.arrays import Floats
from bot.leverage.normal import CENTRE, COEFFICIENTS, SLOPE

Loop = Any
"""A function as the compiler returns it: without types."""
Jit = Callable[[Callable[..., Any]], Loop]
"""Turns a loop over numbers into something faster, or leaves it as it is."""

_BLOCK = 128
_DENSITY = 2.0 / math.sqrt(2.0 * math.pi)
_TINY = 5e-324


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels:
    """Loops over units, one thread each.

    Attributes:
        hit_one: ``(a_log, sigma, hours, drift)`` of one unit, as floats, to P. [ratio] NaN where
            an argument is not finite or ``sigma`` or ``hours`` is not positive.
        hit_many: The same of float64 arrays of shape (n,) into a fifth one. [ratio]
        z_many: ``(start, log_tolerance, m)``, arrays of shape (n,), into a fourth: the
            standardised distance. [standard deviations]
    """

    hit_one: Callable[[float, float, float, float], float]
    hit_many: Callable[[Floats, Floats, Floats, Floats, Floats], None]
    z_many: Callable[[Floats, Floats, Floats, Floats], None]

    def hit(
        self,
        a_log: npt.ArrayLike,
        *,
        sigma: npt.ArrayLike,
        hours: npt.ArrayLike,
        drift: npt.ArrayLike = 0.0,
    ) -> Floats:
        """Return `passage.hit`. [ratio].

        Raises:
            ValueError: As `passage.hit`.
        """
        (a, vol, time, nu), shape = _flat(a_log, sigma, hours, drift)
        found = np.empty(a.shape)
        self.hit_many(a, vol, time, nu, found)
        # Every refused argument gives a NaN: numpy's version then says which one it was.
        if np.isnan(found).any():
            return passage.hit(a_log, sigma=sigma, hours=hours, drift=drift)
        return found.reshape(shape)

    def distance(
        self,
        tolerance: npt.ArrayLike,
        *,
        sigma: npt.ArrayLike,
        hours: npt.ArrayLike,
        drift: npt.ArrayLike = 0.0,
    ) -> Floats:
        """Return `passage.distance`. [log].

        Raises:
            ValueError: As `passage.distance`.
        """
        alpha = passage.tolerances(tolerance)
        s, m = passage.standardised_time(sigma, hours, drift)
        (start, log_alpha, m, s), shape = _flat(-normal.quantile(0.5 * alpha), np.log(alpha), m, s)
        found = np.empty(start.shape)
        self.z_many(start, log_alpha, m, found)
        found *= s
        return found.reshape(shape)


@functools.cache
def compiled() -> Kernels | None:
    """Return the kernels, compiled now; ``None`` where numba is not installed."""
    try:
        import numba  # noqa: PLC0415  # importing it costs more than a short run of the bot
    except ImportError:
        return None
    # Without fast-math: the numbers are those of numpy. Without a cache: no file is written.
    kernels = build(numba.njit(error_model="numpy", nogil=True))
    unit = np.ones(1)
    kernels.hit_one(1.0, 1.0, 1.0, 0.0)
    kernels.hit_many(unit, unit, unit, unit, unit.copy())
    kernels.z_many(unit, -unit, unit, unit.copy())
    return kernels


def build(jit: Jit) -> Kernels:
    """Return the kernels made by a compiler; the identity leaves plain loops, slow and readable."""
    ratio, join = _make_ratio(jit), _make_join(jit)
    return Kernels(
        hit_one=_make_hit_one(jit, ratio, join),
        hit_many=_make_hit_many(jit, ratio, join),
        z_many=_make_z_many(jit, ratio, _make_newton(jit)),
    )


def _make_ratio(jit: Jit) -> Loop:
    def ratio(t: float) -> float:
        # Even and odd powers apart: two chains half as long, which the processor runs at once.
        q = 1.0 - 2.0 * CENTRE / (t + CENTRE)
        square = q * q
        even, odd = COEFFICIENTS[0], COEFFICIENTS[1]
        for k in range(2, 25, 2):
            even = even * square + COEFFICIENTS[k]
        for k in range(3, 25, 2):
            odd = odd * square + COEFFICIENTS[k]
        return (even + odd * q) / (1.0 + SLOPE * t)

    return jit(ratio)


def _make_join(jit: Jit) -> Loop:
    def join(z: float, m: float, one: float, two: float) -> float:
        plus = z + m
        found = math.exp(-0.5 * plus * plus) * (one + two)
        if one < 0.0:
            found += 1.0
        if two < 0.0:
            found += math.exp(-2.0 * m * z)
        return 1.0 if z <= 0.0 else min(found, 1.0)

    return jit(join)


def _make_hit_one(jit: Jit, ratio: Loop, join: Loop) -> Loop:
    def hit_one(a_log: float, sigma: float, hours: float, drift: float) -> float:
        if not (0.0 < sigma < math.inf and 0.0 < hours < math.inf):
            return math.nan
        root = math.sqrt(hours)
        z, m = a_log / (sigma * root), drift * root / sigma
        if not (abs(z) < math.inf and abs(m) < math.inf):
            return math.nan
        plus, minus = max(z, 0.0) + m, max(z, 0.0) - m
        one = math.copysign(ratio(abs(plus)), plus)
        two = math.copysign(ratio(abs(minus)), minus)
        return join(z, m, one, two)  # type: ignore[no-any-return]  # compiled, so without types

    return jit(hit_one)


def _make_hit_many(jit: Jit, ratio: Loop, join: Loop) -> Loop:
    def hit_many(a_log: Floats, sigma: Floats, hours: Floats, drift: Floats, out: Floats) -> None:
        # Blocks: the first loop has no branch and no call, so it runs on whole vectors.
        z, m, one, two = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
        for first in range(0, a_log.size, _BLOCK):
            count = min(_BLOCK, a_log.size - first)
            for i in range(count):
                j = first + i
                root = np.sqrt(hours[j])
                z[i], m[i] = a_log[j] / (sigma[j] * root), drift[j] * root / sigma[j]
                plus, minus = max(z[i], 0.0) + m[i], max(z[i], 0.0) - m[i]
                one[i] = math.copysign(ratio(abs(plus)), plus)
                two[i] = math.copysign(ratio(abs(minus)), minus)
            for i in range(count):
                j = first + i
                fits = 0.0 < sigma[j] < math.inf and 0.0 < hours[j] < math.inf
                finite = abs(z[i]) < math.inf and abs(m[i]) < math.inf
                out[j] = join(z[i], m[i], one[i], two[i]) if fits and finite else math.nan

    return jit(hit_many)


def _make_newton(jit: Jit) -> Loop:
    def newton(z: float, m: float, one: float, two: float, log_alpha: float) -> float:
        if one >= 0.0 and two >= 0.0:
            base, scale, slope = -0.5 * (z + m) * (z + m), one + two, _DENSITY + 2.0 * m * two
        elif two < 0.0:
            bell = math.exp(-0.5 * (z - m) * (z - m))
            base, scale = -2.0 * m * z, 1.0 + bell * (one + two)
            slope = bell * _DENSITY + 2.0 * m * (1.0 + bell * two)
        else:
            bell = math.exp(-0.5 * (z + m) * (z + m))
            base, scale = 0.0, 1.0 + bell * (one + two)
            slope = bell * _DENSITY + 2.0 * m * bell * two
        step = (base + math.log(scale) - log_alpha) / max(slope / scale, _TINY)
        return min(max(z + step, 0.0), z)

    return jit(newton)


def _make_z_many(jit: Jit, ratio: Loop, newton: Loop) -> Loop:
    def z_many(start: Floats, log_alpha: Floats, m: Floats, out: Floats) -> None:
        one, two = np.empty(_BLOCK), np.empty(_BLOCK)
        for first in range(0, start.size, _BLOCK):
            last = min(first + _BLOCK, start.size)
            for j in range(first, last):
                out[j] = start[j] + max(-m[j], 0.0)
            for _ in range(passage.STEPS):
                for j in range(first, last):
                    plus, minus = out[j] + m[j], out[j] - m[j]
                    one[j - first] = math.copysign(ratio(abs(plus)), plus)
                    two[j - first] = math.copysign(ratio(abs(minus)), minus)
                for j in range(first, last):
                    out[j] = newton(out[j], m[j], one[j - first], two[j - first], log_alpha[j])

    return jit(z_many)


PLAIN = build(lambda loop: loop)
"""Nothing compiled: its `hit_one` is the fastest way to ask about one unit without numba."""


def _flat(*values: npt.ArrayLike) -> tuple[list[Floats], tuple[int, ...]]:
    arrays = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in values))
    return [np.ascontiguousarray(array).reshape(-1) for array in arrays], arrays[0].shape
