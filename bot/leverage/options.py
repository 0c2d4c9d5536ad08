"""How far may a price run before a book with options is liquidated?

Delta alone is dangerous here: a short straddle shows no risk at all in its delta. Decide on full
revaluation, `roots`; the quadratic `delta_gamma` is a screen.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.leverage import checks, normal
from bot.leverage.arrays import Floats

Buffer = Callable[[Floats, float, float], Floats]
"""``(prices, volatility_shift, hours_from_now)`` to equity minus maintenance margin of the whole
book under the venue's own rule, same shape as the prices. [quote]"""

A_MAX = 1.5
"""How far is looked. [log]"""
POINTS = 100
"""Steps of the grid on each side."""
SHIFTS = (0.0, 0.25, -0.25)
"""Relative changes of every implied volatility. [ratio]"""
PRECISION = 1e-10
"""Of a root. [log]"""
DAYS_PER_YEAR = 365.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """The nearest prices that liquidate a book.

    Attributes:
        below: Log distance down, >= 0; infinite where none is within reach. [log]
        above: Log distance up, likewise. [log]
    """

    below: float
    above: float


LOST = Roots(below=0.0, above=0.0)
"""The buffer is used up already."""


def roots(
    buffer: Buffer,
    spot: float,
    *,
    hours: Sequence[float],
    shifts: Sequence[float] = SHIFTS,
    kinks: Sequence[float] = (),
    a_max: float = A_MAX,
) -> Roots:
    """Return the nearest sign change of a book's buffer on each side, over all cases. [log].

    A grid of prices, geometric around spot, for each shift of volatility and each time; the nearest
    bracket on each side is bisected. A book that a shift alone uses up is lost. A dip below zero
    between two neighbours of the grid, 1.5 % apart, is not seen unless a kink stands in it.

    Args:
        buffer: Of the book; must answer with finite numbers.
        spot: > 0. [quote/base]
        hours: Times from now, e.g. now and the end of the window. [h]
        shifts: Of volatility. [ratio]
        kinks: Prices where the buffer may bend sharply, such as strikes that expire. [quote/base]
        a_max: Reach, > 0. [log]

    Raises:
        ValueError: If a number is not finite and positive, there is no case, or the buffer answers
            with something that is not finite or of another shape.
    """
    for name, value in (("spot", spot), ("a_max", a_max)):
        checks.positive(name, value)
    cases = list(itertools.product(shifts, hours))
    if not cases:
        raise ValueError("roots must have at least one shift and one time")
    inner = np.log(checks.positive("kinks", kinks) / spot)
    steps = np.arange(1, POINTS + 1) * (a_max / POINTS)
    grid = np.unique(np.concatenate((-steps, [0.0], steps, inner[np.abs(inner) < a_max])))
    found = [_nearest(buffer, spot, grid, shift, time) for shift, time in cases]
    return Roots(below=min(root.below for root in found), above=min(root.above for root in found))


def delta_gamma(buffer: float, *, delta: float, gamma: float, spot: float) -> Roots:
    """Return the roots of ``buffer + delta * x + gamma * x**2 / 2`` in a price change x. [log].

    A screen, never a promise.

    Args:
        buffer: Equity minus maintenance margin now. [quote]
        delta: Of the buffer. [base]
        gamma: Of the buffer. [base**2/quote]
        spot: > 0. [quote/base]

    Raises:
        ValueError: If a number is not finite, or spot not positive.
    """
    for name, value in (("buffer", buffer), ("delta", delta), ("gamma", gamma)):
        checks.finite(name, value)
    checks.positive("spot", spot)
    if buffer <= 0.0:
        return LOST
    down, up = math.inf, math.inf
    for x in _quadratic(0.5 * gamma, delta, buffer):
        if x > 0.0:
            up = min(up, math.log1p(x / spot))
        elif x > -spot:
            down = min(down, -math.log1p(x / spot))
    return Roots(below=down, above=up)


def black_scholes(
    spot: npt.ArrayLike,
    *,
    strike: npt.ArrayLike,
    volatility: npt.ArrayLike,
    years: npt.ArrayLike,
    call: npt.ArrayLike,
) -> Floats:
    """Return the value of European options without interest. [quote].

    Args:
        spot: > 0. [quote/base]
        strike: > 0. [quote/base]
        volatility: > 0. [1/sqrt(year)]
        years: To expiry, >= 0; 0 gives what exercise pays. [year]
        call: True for calls, False for puts.

    All arguments broadcast against each other.

    Raises:
        ValueError: If an argument is outside.

    Source: Black and Scholes (1973).
    """
    s, k = checks.positive("spot", spot), checks.positive("strike", strike)
    one, two = _d(s, k, volatility, years)
    sign = np.where(np.asarray(call, dtype=bool), 1.0, -1.0)
    found = sign * (s * normal.cdf(sign * one) - k * normal.cdf(sign * two))
    # Far out of the money the difference of two tails may round to less than nothing.
    return np.maximum(found, 0.0)


def greeks(
    spot: npt.ArrayLike,
    *,
    strike: npt.ArrayLike,
    volatility: npt.ArrayLike,
    years: npt.ArrayLike,
    call: npt.ArrayLike,
) -> tuple[Floats, Floats]:
    """Return delta [1] and gamma [base/quote] of `black_scholes`, same arguments.

    Raises:
        ValueError: If an argument is outside, or an option has expired: it has no gamma.
    """
    s, k = checks.positive("spot", spot), checks.positive("strike", strike)
    time = checks.positive("years", years)
    one, _ = _d(s, k, volatility, time)
    spread = s * checks.positive("volatility", volatility) * np.sqrt(time)
    delta = normal.cdf(one) - np.where(np.asarray(call, dtype=bool), 0.0, 1.0)
    return np.asarray(delta), np.asarray(normal.pdf(one) / spread)


def _d(
    spot: Floats, strike: Floats, volatility: npt.ArrayLike, years: npt.ArrayLike
) -> tuple[Floats, Floats]:
    time = checks.not_negative("years", years)
    s = checks.positive("volatility", volatility) * np.sqrt(time)
    moneyness = np.log(spot / strike)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = moneyness / s
    ratio = np.where(
        s > 0.0, ratio, np.where(moneyness == 0.0, 0.0, np.copysign(np.inf, moneyness))
    )
    return np.asarray(ratio + 0.5 * s), np.asarray(ratio - 0.5 * s)


def _nearest(buffer: Buffer, spot: float, grid: Floats, shift: float, hours: float) -> Roots:
    def is_alive(x: Floats) -> npt.NDArray[np.bool_]:
        values = buffer(spot * np.exp(x), shift, hours)
        if values.shape != x.shape or not np.isfinite(values).all():
            raise ValueError(f"buffer must be finite, shape {x.shape}, at shift {shift}")
        return np.asarray(values > 0.0)

    alive = is_alive(grid)
    here = int(np.flatnonzero(grid == 0.0)[0])
    if not alive[here]:
        return LOST
    dead = np.flatnonzero(~alive)
    down, up = dead[dead < here], dead[dead > here]
    # One bracket for each side that has one, from the last price alive to the first dead.
    ends = [(k, k + 1) for k in down[-1:]] + [(k, k - 1) for k in up[:1]]
    if not ends:
        return Roots(below=math.inf, above=math.inf)
    out, inside = grid[[k for k, _ in ends]], grid[[k for _, k in ends]]
    while np.abs(out - inside).max() > PRECISION:
        middle = 0.5 * (out + inside)
        ok = is_alive(middle)
        inside, out = np.where(ok, middle, inside), np.where(ok, out, middle)
    # The end that is alive: a distance that is never too long.
    return Roots(
        below=-float(inside[0]) if down.size else math.inf,
        above=float(inside[-1]) if up.size else math.inf,
    )


def _quadratic(square: float, linear: float, fixed: float) -> list[float]:
    if square == 0.0:
        return [-fixed / linear] if linear != 0.0 else []
    inside = linear * linear - 4.0 * square * fixed
    if inside < 0.0:
        return []
    # The form without cancellation; fixed > 0, so that no root is 0.
    half = -0.5 * (linear + math.copysign(math.sqrt(inside), linear))
    return [half / square, fixed / half] if half != 0.0 else []
