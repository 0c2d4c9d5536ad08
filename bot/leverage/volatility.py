"""How much does a price move per hour?"""

import functools
import math

import numpy as np

from bot.domain.market import Bars
from bot.leverage.arrays import Floats

HALF_LIFE_HOURS = 72.0
RANGE_HOURS = 24.0
MINIMUM_HOURS = 24.0
SEED_HOURS = 168
_HOUR = 3600
_PARKINSON = 4.0 * math.log(2.0)


def hourly_volatility(high: Floats, low: Floats, close: Floats, *, bar_hours: float) -> float:
    """Return the standard deviation of the log price per square-root hour.

    The larger of an exponentially weighted mean of squared close-to-close returns (half-life
    72 h) and the mean squared range of the last 24 h after Parkinson, so that a fresh storm
    counts at once and fades slowly.

    Args:
        high: Shape (n,), time ascending, completed bars. [quote/base]
        low: Shape (n,). [quote/base]
        close: Shape (n,). [quote/base]
        bar_hours: Length of a bar. [h]

    Raises:
        ValueError: If fewer than 24 h are given, or a price is not finite and positive, or a
            high lies below its low.

    Source: Parkinson (1980) for the range estimator.
    """
    logs = _logs(high, low, close, bar_hours=bar_hours)
    returns = np.diff(logs[2])
    weights = _weights(returns.shape[0], bar_hours)
    smoothed = float(weights @ (returns * returns)) / bar_hours
    recent = max(1, round(RANGE_HOURS / bar_hours))
    ranges = logs[0][-recent:] - logs[1][-recent:]
    parkinson = float(ranges @ ranges) / recent / _PARKINSON / bar_hours
    return math.sqrt(max(smoothed, parkinson))


@functools.lru_cache(maxsize=1024)
def of_bars(bars: Bars) -> float:
    """Return `hourly_volatility` of a price history; the same history is measured once.

    Raises:
        ValueError: As `hourly_volatility`.
    """
    return hourly_volatility(
        np.array(bars.high),
        np.array(bars.low),
        np.array(bars.close),
        bar_hours=bars.seconds / _HOUR,
    )


def smoothed_variance(returns: Floats) -> float:
    """Return the mean of squared hourly log returns, older ones weighing less. [1/h].

    ``v <- decay * v + (1 - decay) * r**2`` with a half-life of 72 h, begun at the mean square of
    the first 168 h. A history that would leave less than a half-life after them begins with fewer,
    at least with half of it.

    Args:
        returns: Shape (n,), time ascending, n > 1.
    """
    squares = returns * returns
    count = squares.shape[0]
    seed = min(SEED_HOURS, max(count - round(HALF_LIFE_HOURS), count // 2))
    decay = 0.5 ** (1 / HALF_LIFE_HOURS)
    weights = (1 - decay) * decay ** np.arange(count - seed - 1, -1, -1, dtype=np.float64)
    begun = float(squares[:seed].mean()) * math.pow(decay, count - seed)
    return begun + float(weights @ squares[seed:])


@functools.lru_cache(maxsize=1024)
def smoothed_of_bars(bars: Bars) -> float:
    """Return the root of `smoothed_variance`, per square-root hour, of a price history.

    Shorter bars are read by the hour, back from the newest; the same history is measured once.

    Raises:
        ValueError: If fewer than 24 h are given, bars do not divide an hour, or prices are broken
            as of `hourly_volatility`.
    """
    if bars.seconds <= 0 or _HOUR % bars.seconds:
        raise ValueError(f"bars of the history must divide an hour, had {bars.seconds} s")
    logs = _logs(
        np.array(bars.high),
        np.array(bars.low),
        np.array(bars.close),
        bar_hours=bars.seconds / _HOUR,
    )
    hourly = logs[2][:: -(_HOUR // bars.seconds)][::-1]
    return math.sqrt(smoothed_variance(np.diff(hourly)))


def _logs(high: Floats, low: Floats, close: Floats, *, bar_hours: float) -> Floats:
    """Return the logs of a history, or refuse it."""
    hours = close.shape[0] * bar_hours
    if hours < MINIMUM_HOURS:
        raise ValueError(f"price history must cover >= {MINIMUM_HOURS:g} h, covers {hours:g} h")
    with np.errstate(divide="ignore", invalid="ignore"):  # what that gives is refused below
        logs: Floats = np.log(np.stack((high, low, close)))
    if not np.isfinite(logs).all():
        raise ValueError("prices of the history must be finite and > 0")
    if (logs[0] < logs[1]).any():
        raise ValueError("highs of the history must not lie below lows")
    return logs


@functools.cache
def _weights(count: int, bar_hours: float) -> Floats:
    decay = 0.5 ** (bar_hours / HALF_LIFE_HOURS)
    raw = decay ** np.arange(count - 1, -1, -1, dtype=np.float64)
    weights: Floats = raw / raw.sum()
    weights.setflags(write=False)
    return weights
