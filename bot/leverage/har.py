"""How much will a price move over the next hours?

A heterogeneous autoregression (HAR) of the log realised variance of the coming window on
realised variances and ranges of several past windows, the hour of the day and the weekend; one
regression per symbol and horizon, refitted every 720 hours. Arrays are float64 of shape (n,), one
entry per hour, time ascending. Row t uses bars up to t and nothing later.

Source: Corsi (2009) for the regression, Parkinson (1980) for the range, Duan (1983) for the
retransformation, Patton (2011) for QLIKE as its judge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bot.leverage.arrays import Booleans, Floats
from bot.leverage.history import (
    History,
    Variances,
    ahead_sum,
    rolling_mean,
    variances,
)

REALISED = (6, 24, 168, 720)
"""Windows of realised variance. [h]"""
RANGED = (1, 3, 6, 24, 168)
"""Windows of the Parkinson variance. [h]"""
FEATURES = 1 + len(REALISED) + len(RANGED) + 5
LOG_FLOOR = 1e-9
"""No logarithm of a smaller variance is taken. [1/h]"""
RIDGE = 1e-6
BURN_IN = 8760
"""Bars an own regression needs. [h]"""
FIT_HOURS = 17_520
REFIT_HOURS = 720
FLOOR_SHARE = 0.25
FLOOR_HOURS = 8760
FLOOR_LEAST = 2000
"""Forecasts that a floor needs."""
CLIP_SHARES = (0.001, 0.999)
"""Quantiles of its training values that an optional regressor is kept between. [ratio]"""
LEAST_ROWS = 10 * FEATURES
_BLOCK = 120  # divides burn-in, fit and refit: their sums are sums of whole blocks
_WIDEST_LOG = 40.0  # exp stays finite; no variance of a price is beyond it


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """Coefficients of one regression.

    Attributes:
        coefficients: One per column.
        kappa: Retransformation: mean realised over mean fitted variance, > 0. [ratio]
        low: What optional regressors are clipped to; one per optional column.
        high: As ``low``.
    """

    coefficients: tuple[float, ...]
    kappa: float
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HarModel:
    """A fitted forecast of one horizon; goes to a dict and back, so a restart needs no refit.

    Attributes:
        hours: The horizon. [h]
        until: The fit knew the bars before this. [h since 1970-01-01 UTC]
        rows: How many windows were fitted.
        plain: From the price alone.
        extended: With optional regressors beside it, or ``None``.
        floor: Quarter quantile of the forecasts of the last year; 0 where there are too few.
            [log, over the horizon]
        is_pooled: Fitted over all symbols; the floor is then 0.
    """

    hours: int
    until: int
    rows: int
    plain: Regression
    extended: Regression | None
    floor: float
    is_pooled: bool

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "HarModel":
        """Return the model of `as_dict`.

        Raises:
            ValueError: If a number is missing, not finite, or there are too many or too few.
        """
        extended = raw["extended"]
        model = cls(
            hours=int(raw["hours"]),
            until=int(raw["until"]),
            rows=int(raw["rows"]),
            plain=_regression(raw["plain"]),
            extended=None if extended is None else _regression(extended),
            floor=float(raw["floor"]),
            is_pooled=bool(raw["is_pooled"]),
        )
        if model.hours < 1 or not (np.isfinite(model.floor) and model.floor >= 0):
            raise ValueError(f"hours and floor must be >= 1 and >= 0, were {model.hours}, {raw}")
        if len(model.plain.coefficients) != FEATURES or model.plain.low:
            raise ValueError(f"coefficients must be {FEATURES}, were {model.plain}")
        return model


def _regression(raw: Mapping[str, Any]) -> Regression:
    found = Regression(
        coefficients=tuple(map(float, raw["coefficients"])),
        kappa=float(raw["kappa"]),
        low=tuple(map(float, raw["low"])),
        high=tuple(map(float, raw["high"])),
    )
    numbers = (*found.coefficients, found.kappa, *found.low, *found.high)
    if not (np.isfinite(numbers).all() and found.kappa > 0):
        raise ValueError(f"numbers of a regression must be finite and kappa > 0, were {raw}")
    if not len(found.low) == len(found.high) == len(found.coefficients) - FEATURES:
        raise ValueError(f"bounds must be one per optional regressor, were {raw}")
    return found


def features(start: int, parts: Variances) -> Floats:
    """Return what is known when each bar closes, shape (n, 15); NaN where too much is missing.

    Columns: 1; log realised variance over 6, 24, 168, 720 h; log Parkinson variance over 1, 3, 6,
    24, 168 h; cosine and sine of one and two turns a day; whether it is Saturday or Sunday.

    Args:
        start: Opening of the first bar. [h since 1970-01-01 UTC]
        parts: Its variances.
    """
    count = parts.squared.shape[0]
    table = np.empty((count, FEATURES))
    table[:, 0] = 1.0
    column = 1
    for windows, now, past in (
        (REALISED, parts.squared_now, parts.squared_past),
        (RANGED, parts.ranged_now, parts.ranged_past),
    ):
        for hours in windows:
            mean = rolling_mean(past, hours, newest=now)
            table[:, column] = np.log(np.maximum(mean, LOG_FLOOR))
            column += 1
    known = start + 1 + np.arange(count)  # the hour in which the bar has just closed
    clock = np.arange(24) * (2 * np.pi / 24)
    day = np.stack((np.cos(clock), np.sin(clock), np.cos(2 * clock), np.sin(2 * clock)), axis=1)
    table[:, column : column + 4] = day[known % 24]
    table[:, column + 4] = (known // 24 + 3) % 7 >= 5  # noqa: PLR2004 - 1970-01-01 was a Thursday
    return table


def targets(parts: Variances, hours: int) -> Floats:
    """Return the log realised variance of the next ``hours``; NaN where a bar is missing."""
    return np.log(np.maximum(ahead_sum(parts.squared, hours), LOG_FLOOR))


def fit(
    history: History,
    hours: int,
    *,
    index: History | None = None,
    extra: Floats | None = None,
) -> HarModel:
    """Return the regression at the end of a history.

    Args:
        history: At least 8,760 h.
        hours: The horizon, >= 1. [h]
        index: Index bars of the same hours; without them no spike is doubted.
        extra: Optional regressors known when each bar closes, shape (n, m), such as log open
            interest; NaN where unknown.

    Raises:
        ValueError: If the history is too short or has too few whole windows.
    """
    if len(history) < BURN_IN:
        raise ValueError(f"an own regression needs >= {BURN_IN} h, had {len(history)}")
    one = _Rows.of(history, hours, index=index, extra=extra)
    return _fitted([one], hours, until=history.start + len(history), is_pooled=False)


def fit_pooled(histories: Sequence[History], hours: int) -> HarModel:
    """Return one regression over several symbols, each with its own lags.

    Args:
        histories: One per symbol; they need not cover the same hours.
        hours: The horizon, >= 1. [h]

    Raises:
        ValueError: If they have too few whole windows together.
    """
    rows = [_Rows.of(history, hours, index=None, extra=None) for history in histories]
    until = max((h.start + len(h) for h in histories), default=0)
    return _fitted(rows, hours, until=until, is_pooled=True)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Features and targets of one symbol; ``last`` are those a fit at its end may use."""

    table: Floats
    target: Floats
    extra: Floats
    last: slice

    @classmethod
    def of(
        cls, history: History, hours: int, *, index: History | None, extra: Floats | None
    ) -> "_Rows":
        if hours < 1:
            raise ValueError(f"hours must be >= 1, was {hours}")
        count = len(history)
        if extra is None:
            extra = np.empty((count, 0))
        if extra.ndim != 2 or extra.shape[0] != count:  # noqa: PLR2004 - rows and columns
            raise ValueError(f"extra must have shape ({count}, m), was {extra.shape}")
        parts = variances(history, index)
        return cls(
            table=features(history.start, parts),
            target=targets(parts, hours),
            extra=extra,
            last=slice(max(0, count - hours - FIT_HOURS), max(0, count - hours)),
        )


def _fitted(rows: Sequence[_Rows], hours: int, *, until: int, is_pooled: bool) -> HarModel:
    table = np.concatenate([one.table[one.last] for one in rows] or [np.empty((0, FEATURES))])
    target = np.concatenate([one.target[one.last] for one in rows] or [np.empty(0)])
    whole = _whole(table, target)
    if np.count_nonzero(whole) < LEAST_ROWS:
        raise ValueError(
            f"a regression needs >= {LEAST_ROWS} whole windows, had {np.count_nonzero(whole)}"
        )
    plain = _regress(table[whole], target[whole])
    extended = None
    if rows[0].extra.shape[1]:
        more = np.concatenate([one.extra[one.last] for one in rows])
        extended = _extended(table, more, target)
    floor = 0.0
    if not is_pooled:
        floor = quiet_floor(_sigmas(rows[0].table[-FLOOR_HOURS:], plain))
    return HarModel(
        hours=hours,
        until=until,
        rows=int(np.count_nonzero(whole)),
        plain=plain,
        extended=extended,
        floor=floor,
        is_pooled=is_pooled,
    )


def _extended(table: Floats, extra: Floats, target: Floats) -> Regression | None:
    whole = _whole(table, target) & np.isfinite(extra).all(axis=1)
    if np.count_nonzero(whole) < LEAST_ROWS:
        return None  # too little of it was recorded: the price alone decides
    low, high = np.quantile(extra[whole], CLIP_SHARES, axis=0)
    kept = np.clip(extra[whole], low, high)
    found = _regress(np.hstack((table[whole], kept)), target[whole])
    return Regression(
        coefficients=found.coefficients,
        kappa=found.kappa,
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
    )


def _whole(table: Floats, target: Floats) -> Booleans:
    # One sum per row is NaN if any entry is: half the passes of isfinite(...).all().
    whole: Booleans = np.isfinite(table @ np.ones(table.shape[1]) + target)
    return whole


def _regress(table: Floats, target: Floats) -> Regression:
    """Regress by normal equations with a ridge; rows are whole."""
    coefficients = _solve(table.T @ table, table.T @ target)
    return Regression(
        coefficients=tuple(coefficients.tolist()),
        kappa=_kappa(target, table @ coefficients),
    )


def _solve(gram: Floats, moment: Floats) -> Floats:
    ridge = RIDGE * np.eye(gram.shape[0])
    return np.asarray(np.linalg.solve(gram + ridge, moment), dtype=np.float64)


def _kappa(target: Floats, fitted: Floats) -> float:
    return float(np.exp(target).mean() / _exp(fitted).mean())


def _exp(log_variance: Floats) -> Floats:
    return np.exp(np.clip(log_variance, -_WIDEST_LOG, _WIDEST_LOG))


def _sigmas(table: Floats, regression: Regression) -> Floats:
    """Return the forecast of each row, NaN where a feature is. [log, over the horizon]."""
    logs = table @ np.array(regression.coefficients[: table.shape[1]])
    return np.sqrt(_exp(logs) * regression.kappa)


def quiet_floor(sigmas: Floats) -> float:
    """Return the quarter quantile of a year of forecasts, 0 with less than 2,000 of them.

    Args:
        sigmas: Shape (n,); NaN is none. [log, over the horizon]
    """
    known = sigmas[np.isfinite(sigmas)]
    if known.size < FLOOR_LEAST:
        return 0.0
    below, share = divmod(FLOOR_SHARE * (known.size - 1), 1)
    at = int(below)
    known.partition((at, at + 1))  # np.quantile does the same in five times the time
    return float(known[at] + share * (known[at + 1] - known[at]))


def sigmas(model: HarModel, start: int, parts: Variances) -> Floats:
    """Return the raw forecast when each bar closes, shape (n,). [log, over the horizon].

    Neither floor nor limits: what a tail is fitted on. NaN where too much is missing.

    Args:
        model: Fitted on this symbol, or pooled.
        start: Opening of the first bar. [h since 1970-01-01 UTC]
        parts: The variances of the bars.
    """
    return _sigmas(features(start, parts), model.plain)


def with_extra(model: HarModel, table: Floats, extra: Floats) -> Floats:
    """Return the forecast of rows with their optional regressors. [log, over the horizon].

    Regressors are clipped to where most of them lay in training, and the answer is kept within a
    half and the double of the forecast without them: one bad record cannot do more.

    Args:
        model: With an extended regression; without one the plain forecast is returned.
        table: From `features`, shape (n, 15).
        extra: Shape (n, m); a row with NaN gets the plain forecast.

    Raises:
        ValueError: If the number of regressors is another one.
    """
    plain = _sigmas(table, model.plain)
    if model.extended is None:
        return plain
    low, high = np.array(model.extended.low), np.array(model.extended.high)
    if extra.shape != (table.shape[0], low.size):
        raise ValueError(f"extra must have shape {(table.shape[0], low.size)}, was {extra.shape}")
    full = _sigmas(np.hstack((table, np.clip(extra, low, high))), model.extended)
    return np.where(np.isfinite(full), np.clip(full, plain / 2, plain * 2), plain)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """Forecasts of a whole history, each from a regression that knew nothing later.

    Attributes:
        hours: The horizon. [h]
        sigma: Raw forecast when each bar closes, shape (n,); NaN in the first year.
        floor: The floor of the regression in force, shape (n,).
        refits: How many bars each regression knew.
    """

    hours: int
    sigma: Floats
    floor: Floats
    refits: tuple[int, ...]

    @property
    def floored(self) -> Floats:
        """The forecast with its floor, shape (n,)."""
        return np.maximum(self.sigma, self.floor)


def walk(history: History, hours: int, *, index: History | None = None) -> Walk:
    """Return walk-forward forecasts, refitted every 720 h from 8,760 h on.

    Normal equations are summed over blocks of 120 h, so that a refit costs no pass over its two
    years of rows but one product for the retransformation and the floor.

    Args:
        history: The bars.
        hours: The horizon, >= 1. [h]
        index: As in `fit`.
    """
    rows = _Rows.of(history, hours, index=index, extra=None)
    table, target, count = rows.table, rows.target, len(history)
    whole = _whole(table, target)
    sums = _block_sums(table, target, whole, hours)
    variance = np.exp(np.where(whole, target, -np.inf))
    sigma, floor = np.full(count, np.nan), np.zeros(count)
    refits = tuple(range(BURN_IN, count + 1, REFIT_HOURS))
    for known in refits:
        total = sums[max(0, known - FIT_HOURS) // _BLOCK : known // _BLOCK].sum(axis=0)
        coefficients = _solve(total[:-1, :-1], total[:-1, -1])
        first, end = max(0, known - FIT_HOURS - hours), min(count, known + REFIT_HOURS - 1)
        fitted = _exp(table[first:end] @ coefficients)
        used = slice(first, known - hours)
        mask = whole[used]
        kappa = variance[used].sum() / fitted[: known - hours - first][mask].sum()
        found = np.sqrt(kappa * fitted)
        sigma[known - 1 : end] = found[known - 1 - first :]
        floor[known - 1 : end] = quiet_floor(
            found[max(0, known - FLOOR_HOURS - first) : known - first]
        )
    return Walk(hours=hours, sigma=sigma, floor=floor, refits=refits)


def _block_sums(table: Floats, target: Floats, whole: Booleans, hours: int) -> Floats:
    """Return the normal equations of each block, shape (blocks, 16, 16).

    Row t lies in block ``(t + hours) // 120``: its window has ended when the block has.
    """
    blocks = -(-(table.shape[0] + hours) // _BLOCK)
    padded = np.zeros((blocks * _BLOCK, FEATURES + 1))
    into = padded[hours : hours + table.shape[0]]
    into[:, :-1], into[:, -1] = table, target
    into[~whole] = 0.0
    cut = padded.reshape(blocks, _BLOCK, FEATURES + 1)
    return cut.transpose(0, 2, 1) @ cut
