"""Hourly markets whose volatility clusters, and plain references that are slow and obvious."""

import math
from datetime import UTC, datetime

import numpy as np

from bot.domain.market import Bars
from bot.leverage.arrays import Floats
from bot.leverage.har import FEATURES, RANGED, REALISED
from bot.leverage.history import History, believed

START = 438_288
"""2020-01-01 00:00 UTC, a Wednesday. [h since 1970-01-01 UTC]"""


def a_record(hours: int, *, seed: int = 1, start: int = START, noise: float = 0.006) -> History:
    """Return bars of a price with clustered volatility, fat tails and wicks beyond the close."""
    chance = np.random.Generator(np.random.PCG64(seed))
    shocks = chance.standard_t(4, size=hours) / math.sqrt(2)
    level, steps = 1.0, np.empty(hours)
    for hour in range(hours):
        steps[hour] = noise * math.sqrt(level) * shocks[hour]
        level = 0.05 + 0.80 * level + 0.15 * level * min(shocks[hour] ** 2, 20.0)
    close = 100 * np.exp(np.cumsum(steps))
    opened = np.concatenate(([100.0], close[:-1]))
    wicks = np.exp(np.abs(chance.normal(size=(2, hours))) * noise / 3)
    return believed(
        start, np.maximum(opened, close) * wicks[0], np.minimum(opened, close) / wicks[1], close
    )


def bars_of(record: History) -> Bars:
    return Bars(
        opened_at=datetime.fromtimestamp(record.start * 3600, tz=UTC),
        high=tuple(record.high.tolist()),
        low=tuple(record.low.tolist()),
        close=tuple(record.close.tolist()),
    )


def scaled(record: History, factor: float) -> History:
    return believed(record.start, record.high * factor, record.low * factor, record.close * factor)


def mirrored(record: History) -> History:
    return believed(record.start, 1 / record.low, 1 / record.high, 1 / record.close)


def without(record: History, *places: int) -> History:
    columns = [column.copy() for column in (record.high, record.low, record.close)]
    for column in columns:
        column[list(places)] = np.nan
    return believed(record.start, *columns)


def plain_features(record: History, row: int) -> list[float]:
    """Return the features of one row, by loops over the bars."""
    squares, ranges = [math.nan], []
    for at in range(row + 1):
        if at:
            squares.append(math.log(record.close[at] / record.close[at - 1]) ** 2)
        ranges.append(math.log(record.high[at] / record.low[at]) ** 2 / (4 * math.log(2)))
    out = [1.0]
    for values, windows in ((squares, REALISED), (ranges, RANGED)):
        for window in windows:
            last = [v for v in values[max(0, row + 1 - window) :] if not math.isnan(v)]
            enough = len(last) >= 0.9 * window
            mean = sum(last) / len(last) if enough else math.nan
            out.append(math.nan if math.isnan(mean) else math.log(max(mean, 1e-9)))
    instant = datetime.fromtimestamp((record.start + row + 1) * 3600, tz=UTC)
    for turns in (1, 2):
        angle = 2 * math.pi * turns * instant.hour / 24
        out += [math.cos(angle), math.sin(angle)]
    out.append(float(instant.weekday() >= 5))
    assert len(out) == FEATURES
    return out


def plain_target(record: History, row: int, hours: int) -> float:
    total = 0.0
    for at in range(row + 1, row + 1 + hours):
        if at >= len(record):
            return math.nan
        total += math.log(record.close[at] / record.close[at - 1]) ** 2
    return math.log(max(total, 1e-9)) if not math.isnan(total) else math.nan


def plain_moments(beyond: Floats) -> tuple[float, float]:
    """Return unclipped scale and shape by Hosking and Wallis, term by term."""
    ordered = sorted(beyond.tolist())
    count = len(ordered)
    first = sum(ordered) / count
    second = sum(y * (1 - (j - 0.35) / count) for j, y in enumerate(ordered, start=1)) / count
    return 2 * first * second / (first - 2 * second), 2 - first / (first - 2 * second)
