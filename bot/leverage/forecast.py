"""What is the forecast now, by which history, and how far is it believed?

| history of the symbol | forecast | giving back |
|---|---|---|
| own regression, 720 h of bars at hand | own | allowed |
| pooled regression, 720 h of bars | pooled, own lags | allowed |
| 24 h of bars | 1.5 times the larger of two recent means | forbidden |
| less, or too much is missing | the last one, for 5 h, raised with its age | forbidden |

Too much is one of the last 6 h, or more than 2 % of the last 168 h.

No answer is an explicit value with no number. Nothing here raises for what a market may send.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from bot.leverage import har
from bot.leverage.arrays import Booleans, Floats
from bot.leverage.har import HarModel
from bot.leverage.history import History, Variances, variances

LONGEST = 720
WEEK = 168
DAY = 24
NEWEST = 6
SHORTEST = 24
"""Bars below which nothing is said. [h]"""
AT_HAND = LONGEST + WEEK + 1
"""Bars that a live forecast wants: its longest window at each hour of the last week. [h]"""
MISSING_SHARE = 0.02
"""Of the last week that may be missing. [ratio]"""
OLDEST = 5
"""Age up to which an earlier forecast stands in. [h]"""
AGEING = 0.1
"""An earlier forecast is raised by this share with each hour: what came since is not known."""
CAUTION = 1.5
"""On the forecast from a short history."""
HALF_LIFE = 72.0
FALL = 0.7
"""A forecast falls to no less than this share within a day."""
SANE = 4.0
"""Beyond so many times plain forecast and realised volatility an answer is not believed."""


class Source(StrEnum):
    """What a forecast comes from."""

    OWN = "own"
    POOLED = "pooled"
    SHORT = "short"
    NONE = "none"


class Flag(StrEnum):
    """What was not as it should be, or was limited."""

    REJECTED_BARS = "rejected_bars"
    MISSING_BARS = "missing_bars"
    DOUBTED_SPIKE = "doubted_spike"
    OLD_FORECAST = "old_forecast"
    SHORT_HISTORY = "short_history"
    POOLED_FORECAST = "pooled_forecast"
    NO_FORECAST = "no_forecast"
    FALL_LIMITED = "fall_limited"
    FLOORED = "floored"
    IMPLIED = "implied"
    VOL_CAPPED = "vol_capped"


FORBIDS_GIVE_BACK = frozenset(
    {
        Flag.REJECTED_BARS,
        Flag.DOUBTED_SPIKE,
        Flag.OLD_FORECAST,
        Flag.SHORT_HISTORY,
        Flag.NO_FORECAST,
        Flag.VOL_CAPPED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Standard deviation of the log return over a horizon, and how it came about.

    Attributes:
        hours: The horizon. [h]
        sigma_h: ``None`` without a forecast; never below the floor. [log, over the horizon]
        source: What it comes from.
        flags: In the order of `Flag`.
    """

    hours: int
    sigma_h: float | None
    source: Source
    flags: tuple[Flag, ...]

    @property
    def may_give_back(self) -> bool:
        """Whether margin may be given back on it."""
        return self.sigma_h is not None and not FORBIDS_GIVE_BACK.intersection(self.flags)


def forecast(
    history: History,
    hours: int,
    *,
    own: HarModel | None = None,
    pooled: HarModel | None = None,
    index: History | None = None,
    extra: Floats | None = None,
    implied: float | None = None,
) -> Forecast:
    """Return the forecast when the last bar of a history has closed.

    Args:
        history: Bars, hour by hour; `AT_HAND` of them are enough, later ones are missing by NaN.
        hours: The horizon, >= 1. [h]
        own: Regression of this symbol and horizon.
        pooled: Regression over all symbols for this horizon.
        index: Index bars; used only where they cover the same hours.
        extra: Optional regressors of each bar, shape (n, m); used only by an own regression that
            was fitted with as many.
        implied: Standard deviation an options market implies over the horizon, of a chain that is
            fresh and free of arbitrage. [log, over the horizon]

    Raises:
        ValueError: If a regression is for another horizon.
    """
    for model in (own, pooled):
        if model is not None and model.hours != hours:
            raise ValueError(f"regression must be for {hours} h, was for {model.hours} h")
    if extra is not None and extra.shape[:1] != (len(history),):
        extra = None
    if index is not None and (index.start, len(index)) != (history.start, len(history)):
        index = None
    for age in range(min(OLDEST, len(history)) + 1):
        known = len(history) - age
        cut = None if index is None else index.until(known).last(AT_HAND)
        more = None if extra is None else extra[:known][-AT_HAND:]
        if is_whole(history.until(known)):
            found = _whole(
                history.until(known), hours, own=own, pooled=pooled, index=cut, extra=more
            )
            if np.isfinite(history.close[known:]).any():
                found = _raised(found, history, hours)
            return _finished(found, age=age, implied=implied)
    flags = (Flag.REJECTED_BARS,) if history.rejected[-WEEK:].any() else ()
    return Forecast(hours=hours, sigma_h=None, source=Source.NONE, flags=(*flags, Flag.NO_FORECAST))


def is_whole(history: History) -> bool:
    """Whether a forecast may be made at the end of a history.

    24 bars, all of the last 6 h, and at most 2 % of the last 168 h missing.
    """
    present = np.isfinite(history.close[-WEEK:])
    return bool(
        np.count_nonzero(np.isfinite(history.close)) >= SHORTEST
        and present[-NEWEST:].all()
        and np.count_nonzero(~present) <= MISSING_SHARE * present.size
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    """A forecast before its limits; ``floor`` is 0 where there is none."""

    hours: int
    plain: float
    sigma: float
    floor: float
    realised: float
    source: Source
    flags: frozenset[Flag]


def _whole(
    history: History,
    hours: int,
    *,
    own: HarModel | None,
    pooled: HarModel | None,
    index: History | None,
    extra: Floats | None,
) -> _Raw:
    seen = history.last(AT_HAND)
    parts = _known_by_now(variances(seen, index))
    filled = _filled(seen, parts)
    flags = set()
    if seen.rejected[-WEEK:].any():
        flags.add(Flag.REJECTED_BARS)
    if filled:
        flags.add(Flag.MISSING_BARS)
    if parts.is_doubted[-WEEK:].any():
        flags.add(Flag.DOUBTED_SPIKE)
    choices = [parts, *filled]
    realised = math.sqrt(hours * float(np.nanmean(parts.squared[-DAY:])))
    for model, source in ((own, Source.OWN), (pooled, Source.POOLED)):
        # With enough bars at hand only: a short record has no longest window.
        if model is None or len(seen) < LONGEST:
            continue
        rows = np.fmax.reduce([har.sigmas(model, seen.start, one) for one in choices])
        if not math.isfinite(rows[-1]):
            continue
        held = held_up(rows[-WEEK:])
        full = held if extra is None else max(held, _with_extra(model, seen, choices, extra))
        if full == held > rows[-1]:
            flags.add(Flag.FALL_LIMITED)
        if source is Source.POOLED:
            flags.add(Flag.POOLED_FORECAST)
        return _Raw(
            hours=hours,
            plain=held,
            sigma=full,
            floor=_floor(model, history),
            realised=realised,
            source=source,
            flags=frozenset(flags),
        )
    sigma = CAUTION * max(_recent(one, hours) for one in choices)
    return _Raw(
        hours=hours,
        plain=sigma,
        sigma=sigma,
        floor=0.0 if own is None else own.floor,
        realised=realised,
        source=Source.SHORT,
        flags=frozenset(flags | {Flag.SHORT_HISTORY}),
    )


def _raised(raw: _Raw, history: History, hours: int) -> _Raw:
    """Return an earlier forecast, no smaller than what came since shows without it.

    There are bars beyond the hole: a storm in them must not be overlooked.
    """
    seen = history.last(AT_HAND)
    parts = _known_by_now(variances(seen))
    sigma = max(raw.sigma, *(_recent(one, hours) for one in (parts, *_filled(seen, parts))))
    return replace(raw, sigma=sigma, plain=sigma)


def _floor(model: HarModel, history: History) -> float:
    """Return the floor: the regression's own, or that of the record under a pooled one."""
    if not model.is_pooled:
        return model.floor
    year = history.last(har.FLOOR_HOURS + LONGEST)
    return har.quiet_floor(har.sigmas(model, year.start, variances(year))[-har.FLOOR_HOURS :])


def _known_by_now(parts: Variances) -> Variances:
    """Return variances in which every bar but the newest is judged by what came after it."""
    squared, ranged = parts.squared_past.copy(), parts.ranged_past.copy()
    squared[-1], ranged[-1] = parts.squared_now[-1], parts.ranged_now[-1]
    return replace(parts, squared_now=squared, ranged_now=ranged)


def _with_extra(
    model: HarModel, history: History, choices: list[Variances], extra: Floats
) -> float:
    if model.extended is None or extra.shape[1:] != (len(model.extended.low),):
        return 0.0
    return max(
        float(har.with_extra(model, har.features(history.start, one)[-1:], extra[-1:])[0])
        for one in choices
    )


def _filled(history: History, parts: Variances) -> tuple[Variances, ...]:
    """Return variances in which the missing hours of the week moved as its wildest, as its calmest.

    What a missing bar hid is not known. Means that leave it out may be too small, and where a lag
    of the regression weighs negative a calm hour raises a forecast: all are asked and the largest
    counts. The move over the gap is known, and counts where it is larger than anything seen.
    """
    gone = ~np.isfinite(history.close)
    gone[:-WEEK] = False
    # A record begins somewhere: what lies before its first bar is not missing.
    gone[: int(np.argmax(np.isfinite(history.close)))] = False
    if not gone.any():
        return ()
    logs = np.log(history.close[np.isfinite(history.close)])
    over = float(np.square(np.diff(logs[-WEEK:])).max(initial=0.0))
    return (
        _moved(parts, gone, max(over, _wildest(parts.squared)), _wildest(parts.ranged_past)),
        _moved(parts, gone, _calmest(parts.squared), _calmest(parts.ranged_past)),
    )


def _moved(parts: Variances, gone: Booleans, square: float, extent: float) -> Variances:
    squared = np.where(gone | _after(gone), square, np.nan)
    ranged = np.where(gone, extent, np.nan)
    return replace(
        parts,
        squared=np.where(np.isnan(squared), parts.squared, squared),
        squared_now=np.where(np.isnan(squared), parts.squared_now, squared),
        squared_past=np.where(np.isnan(squared), parts.squared_past, squared),
        ranged_now=np.where(np.isnan(ranged), parts.ranged_now, ranged),
        ranged_past=np.where(np.isnan(ranged), parts.ranged_past, ranged),
    )


def _after(gone: Booleans) -> Booleans:
    after = np.zeros_like(gone)
    after[1:] = gone[:-1]
    return after


def _wildest(values: Floats) -> float:
    return float(np.nanmax(values[-WEEK:], initial=0.0))


def _calmest(values: Floats) -> float:
    return float(np.nanmin(values[-WEEK:], initial=_wildest(values)))


def held_up(sigmas: Floats) -> float:
    """Return the last forecast, held up so that none falls by more than 30 % within a day.

    Args:
        sigmas: One per hour, shape (n,), the last finite; NaN is none. [log, over the horizon]
    """
    age = np.arange(sigmas.size - 1, -1, -1)
    return float(np.nanmax(sigmas * FALL ** (age / DAY)))


def _recent(parts: Variances, hours: int) -> float:
    """Return the larger of a weighted mean of squared returns and a mean range of a day."""
    known = np.isfinite(parts.squared_past)
    age = np.arange(known.size - 1, -1, -1)[known]
    weights = 0.5 ** (age / HALF_LIFE)
    smoothed = float(weights @ parts.squared_past[known] / weights.sum())
    return math.sqrt(hours * max(smoothed, float(np.nanmean(parts.ranged_past[-DAY:]))))


def capped(sigma: float, *, plain: float, realised: float) -> float:
    """Return a forecast no larger than four times both the plain one and what was realised.

    Args:
        sigma: With everything that was asked. [log, over the horizon]
        plain: From prices alone. [log, over the horizon]
        realised: Of the last day. [log, over the horizon]
    """
    return min(sigma, SANE * max(plain, realised))


def _finished(raw: _Raw, *, age: int, implied: float | None) -> Forecast:
    flags = set(raw.flags)
    sigma = raw.sigma
    if implied is not None and math.isfinite(implied) and implied > sigma:
        sigma = implied
        flags.add(Flag.IMPLIED)
    sane = capped(sigma, plain=raw.plain, realised=raw.realised)
    if sane < sigma:
        flags.add(Flag.VOL_CAPPED)
    if sane < raw.floor:
        flags.add(Flag.FLOORED)
    if age:
        flags.add(Flag.OLD_FORECAST)
    sigma = max(sane, raw.floor) * (1.0 + AGEING * age)
    if not sigma > 0:  # a price that never moved is no reason to believe it never will
        return Forecast(
            hours=raw.hours,
            sigma_h=None,
            source=Source.NONE,
            flags=_ordered(flags | {Flag.NO_FORECAST}),
        )
    return Forecast(hours=raw.hours, sigma_h=sigma, source=raw.source, flags=_ordered(flags))


def _ordered(flags: set[Flag]) -> tuple[Flag, ...]:
    return tuple(flag for flag in Flag if flag in flags)
