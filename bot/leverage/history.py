"""Which recorded bars can be believed, and what did the price do in them?

All arrays are float64 of shape (n,), one entry per hour, time ascending; NaN is a missing hour.
Gaps stay gaps: nothing is interpolated, and a window knows how many of its hours it has.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.domain.market import Bars
from bot.leverage.arrays import Booleans, Floats

HOUR = 3600
PARKINSON = 4.0 * np.log(2.0)
SPIKE = 12.0
"""A move of so many hourly standard deviations that reverts at once is doubted. [sd]"""
REVERTED = 3.0
"""Net move over a spike and its way back, at most. [sd]"""
CONFIRMED = 6.0
"""The index confirms a spike when it moved at least so much. [sd]"""
SPIKE_WINDOW = 168
"""Hours whose squared returns measure that standard deviation. [h]"""
COMPLETE = 0.9
"""Share of its hours that a rolling mean needs. [ratio]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """Completed hourly bars of one price of one contract.

    Attributes:
        start: Opening of the first bar. [h since 1970-01-01 UTC]
        high: NaN where missing. [quote/base]
        low: NaN where missing. [quote/base]
        close: NaN where missing. [quote/base]
        rejected: Where a bar was there and is not believed, shape (n,).
    """

    start: int
    high: Floats
    low: Floats
    close: Floats
    rejected: Booleans

    def __len__(self) -> int:
        return int(self.close.shape[0])

    def last(self, hours: int) -> "History":
        """Return the newest hours of it."""
        begin = max(0, len(self) - hours)
        return History(
            start=self.start + begin,
            high=self.high[begin:],
            low=self.low[begin:],
            close=self.close[begin:],
            rejected=self.rejected[begin:],
        )

    def padded(self, hour: int) -> "History":
        """Return it with every hour up to ``hour`` that it does not have as missing.

        Args:
            hour: The hour that has not closed yet. [h since 1970-01-01 UTC]
        """
        absent = max(0, hour - self.start - len(self))
        if absent == 0:
            return self
        gap = np.full(absent, np.nan)
        return History(
            start=self.start,
            high=np.concatenate((self.high, gap)),
            low=np.concatenate((self.low, gap)),
            close=np.concatenate((self.close, gap)),
            rejected=np.concatenate((self.rejected, np.zeros(absent, dtype=np.bool_))),
        )

    def until(self, count: int) -> "History":
        """Return the oldest ``count`` hours of it."""
        return History(
            start=self.start,
            high=self.high[:count],
            low=self.low[:count],
            close=self.close[:count],
            rejected=self.rejected[:count],
        )


def believed(start: int, high: Floats, low: Floats, close: Floats) -> History:
    """Return a history in which every bar that cannot be is missing.

    A price that is not finite and positive, a high below its low, a close outside of both: the
    whole bar is missing.

    Args:
        start: Opening of the first bar. [h since 1970-01-01 UTC]
        high: Shape (n,); a missing bar is NaN in all three. [quote/base]
        low: Shape (n,). [quote/base]
        close: Shape (n,). [quote/base]

    Raises:
        ValueError: If the three are not of one shape (n,).
    """
    high, low, close = (np.asarray(x, dtype=np.float64) for x in (high, low, close))
    if not (high.ndim == 1 and high.shape == low.shape == close.shape):
        raise ValueError(
            f"high, low, close must have one shape (n,), were {high.shape}, {low.shape}, "
            f"{close.shape}"
        )
    absent = np.isnan(high) & np.isnan(low) & np.isnan(close)
    # Comparisons with NaN are false, so a bar passes only with three numbers in order.
    good = (low > 0) & (low <= close) & (close <= high) & np.isfinite(high)
    return History(
        start=start,
        high=np.where(good, high, np.nan),
        low=np.where(good, low, np.nan),
        close=np.where(good, close, np.nan),
        rejected=~good & ~absent,
    )


def of_bars(bars: Bars) -> History:
    """Return the history of the bars a market carries.

    Raises:
        ValueError: If the bars are not hourly, not dated on a full hour, or their columns differ
            in length.
    """
    if bars.seconds != HOUR:
        raise ValueError(f"bars must be hourly, were of {bars.seconds} s")
    if bars.opened_at is None:
        raise ValueError("bars must be dated, were not")
    start, rest = divmod(int(bars.opened_at.timestamp()), HOUR)
    if rest:
        raise ValueError(f"bars must open on full hours, opened at {bars.opened_at.isoformat()}")
    return believed(start, np.array(bars.high), np.array(bars.low), np.array(bars.close))


def of_rows(timestamp_ms: npt.NDArray[np.int64], *prices: Floats) -> History:
    """Return the history of dated rows, with NaN for the hours between them.

    Args:
        timestamp_ms: Opening of each bar, shape (n,), strictly ascending, full hours. [ms]
        prices: High, low, close, shape (n,) each. [quote/base]

    Raises:
        ValueError: If there is no row, or times are not full hours and ascending.
    """
    hours, rest = np.divmod(timestamp_ms, HOUR * 1000)
    if hours.size == 0 or rest.any() or (np.diff(hours) <= 0).any():
        raise ValueError("rows must open on full hours, ascending, and be at least one")
    start, length = int(hours[0]), int(hours[-1] - hours[0]) + 1
    spread = np.full((3, length), np.nan)
    for row, column in enumerate(prices):
        spread[row, hours - start] = column
    return believed(start, spread[0], spread[1], spread[2])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variances:
    """What each hour adds to realised variance, as the hour itself and as later hours know it.

    That a spike reverts is known one bar later, so its own hour still counts it in full.

    Attributes:
        squared: Squared log return from the close before, in full.
        squared_now: As known when the bar closes.
        squared_past: As known afterwards.
        ranged_now: Parkinson variance of the bar, as known when it closes.
        ranged_past: As known afterwards.
        is_doubted: Where a spike was winsorised, as known afterwards.
    """

    squared: Floats
    squared_now: Floats
    squared_past: Floats
    ranged_now: Floats
    ranged_past: Floats
    is_doubted: Booleans


def variances(history: History, index: History | None = None) -> Variances:
    """Return the hourly contributions to variance.

    A move beyond 12 hourly standard deviations (of the 168 h before it) that reverts within one
    bar and that the index does not share is cut to 12. Without an index nothing is doubted.

    Args:
        history: The bars.
        index: Index bars of the same hours, or ``None``.

    Raises:
        ValueError: If the index does not cover the same hours.
    """
    squared = np.full(len(history), np.nan)
    squared[1:] = np.square(np.diff(np.log(history.close)))
    ranged = np.square(np.log(history.high) - np.log(history.low)) / PARKINSON
    if index is None:
        nothing = np.zeros(len(history), dtype=np.bool_)
        return Variances(
            squared=squared,
            squared_now=squared,
            squared_past=squared,
            ranged_now=ranged,
            ranged_past=ranged,
            is_doubted=nothing,
        )
    if (index.start, len(index)) != (history.start, len(history)):
        raise ValueError("index must cover the same hours as the history")
    return _winsorised(history, index, squared, ranged)


def _winsorised(history: History, index: History, squared: Floats, ranged: Floats) -> Variances:
    before = np.full(len(history), np.nan)
    before[1:] = rolling_mean(squared, SPIKE_WINDOW)[:-1]
    sigma = np.sqrt(before)
    is_calm = _index_move(index) < CONFIRMED * sigma
    # Inside one bar: a far range with a close where it came from. Known when the bar closes.
    is_wick = (
        is_calm
        & (ranged * PARKINSON > np.square(SPIKE * sigma))
        & (squared < np.square(REVERTED * sigma))
    )
    # Over two bars: the close went far and the next one came back. Known when the next closes.
    net = np.full(len(history), np.nan)
    net[1:-1] = np.abs(np.log(history.close[2:]) - np.log(history.close[:-2]))
    is_spike = is_calm & (squared > np.square(SPIKE * sigma)) & (net < REVERTED * sigma)
    is_return, at_return = np.zeros_like(is_spike), np.full(len(history), np.nan)
    is_return[1:], at_return[1:] = is_spike[:-1], sigma[:-1]
    now, past = is_wick | is_return, is_wick | is_return | is_spike
    cut = np.square(SPIKE * np.where(is_return, at_return, sigma))
    return Variances(
        squared=squared,
        squared_now=np.where(now, np.minimum(squared, cut), squared),
        squared_past=np.where(past, np.minimum(squared, cut), squared),
        ranged_now=np.where(now, np.minimum(ranged, cut / PARKINSON), ranged),
        ranged_past=np.where(past, np.minimum(ranged, cut / PARKINSON), ranged),
        is_doubted=past,
    )


def _index_move(index: History) -> Floats:
    """Return how far the index strayed in each bar from the close before. [log]."""
    move = np.full(len(index), np.nan)
    before = np.log(index.close[:-1])
    move[1:] = np.maximum(np.log(index.high[1:]) - before, before - np.log(index.low[1:]))
    return move


def rolling_mean(values: Floats, hours: int, newest: Floats | None = None) -> Floats:
    """Return the mean over the last ``hours`` entries; NaN where more than a tenth is missing.

    By cumulative sums, O(n) for any window. The error is about 1e-16 of the sum of the whole
    series, far below the floor of every logarithm taken of it.

    Args:
        values: Shape (n,); NaN is missing.
        hours: Length of the window, > 0. [h]
        newest: What the last entry of each window counts instead, shape (n,).
    """
    present = np.isfinite(values)
    sums = _windowed(np.cumsum(np.where(present, values, 0.0)), hours)
    if newest is not None and newest is not values:
        sums += np.where(present, newest - values, 0.0)
    counts = _windowed(np.cumsum(present, dtype=np.float64), hours)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(counts >= COMPLETE * hours, np.maximum(sums, 0.0) / counts, np.nan)


def _windowed(cumulative: Floats, hours: int) -> Floats:
    out = cumulative.copy()
    out[hours:] -= cumulative[:-hours]
    return out


def ahead_sum(values: Floats, hours: int) -> Floats:
    """Return the sum over the next ``hours`` entries, NaN where one of them is missing.

    Args:
        values: Shape (n,); NaN is missing.
        hours: Length of the window, > 0. [h]
    """
    out = np.full(values.shape[0], np.nan)
    if values.shape[0] > hours:
        windows = np.lib.stride_tricks.sliding_window_view(values[1:], hours)
        out[: windows.shape[0]] = windows.sum(axis=1)
    return out


def excursions(history: History, hours: int) -> tuple[Floats, Floats]:
    """Return the maximum adverse excursions of the next ``hours`` for a long and for a short.

    ``max(0, ln(close / lowest low))`` and ``max(0, ln(highest high / close))``, shape (n,) each;
    NaN where a bar of the window or the present one is missing. [log]

    Args:
        history: The bars.
        hours: Length of the window, > 0. [h]
    """
    lows = _ahead(history.low, hours, np.minimum)
    highs = _ahead(history.high, hours, np.maximum)
    long = np.maximum(np.log(history.close) - np.log(lows), 0.0)
    short = np.maximum(np.log(highs) - np.log(history.close), 0.0)
    return long, short


def _ahead(values: Floats, hours: int, extreme: Callable[[Floats, Floats], Floats]) -> Floats:
    """Return the extreme of the next hours, by doubling: O(n log hours), and NaN spreads."""
    out = np.full(values.shape[0], np.nan)
    count = values.shape[0] - hours
    if count <= 0:
        return out
    block, width = values[1:], 1
    while width * 2 <= hours:
        block, width = extreme(block[:-width], block[width:]), width * 2
    out[:count] = extreme(block[:count], block[hours - width :][:count])
    return out
