"""How much does a price move per hour?"""

import functools
import math

import numpy as np

from bot.domain.market import Bars
from bot.leverage.arrays import Floats

HALF_LIFE_HOURS = 72.0
RANGE_HOURS = 24.0
MINIMUM_HOURS = 24.0
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
    count = close.shape[0]
    if count * bar_hours < MINIMUM_HOURS:
        raise ValueError(
            f"price history must cover >= {MINIMUM_HOURS:g} h, covers {count * bar_hours:g} h"
        )
    logs = np.log(np.stack((high, low, close)))
    if not np.isfinite(logs).all():
        raise ValueError("prices of the history must be finite and > 0")
    if (logs[0] < logs[1]).any():
        raise ValueError("highs of the history must not lie below lows")
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
        bar_hours=bars.seconds / 3600,
    )


@functools.cache
def _weights(count: int, bar_hours: float) -> Floats:
    decay = 0.5 ** (bar_hours / HALF_LIFE_HOURS)
    raw = decay ** np.arange(count - 1, -1, -1, dtype=np.float64)
    weights: Floats = raw / raw.sum()
    weights.setflags(write=False)
    return weights
