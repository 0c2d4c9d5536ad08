"""What would have been known at each hour of a record, and nothing later?

Walk-forward forecasts and tails for replays: regressions are refitted as `har.walk` does, tails
every 720 h by the calendar on the windows of all coins that were complete by then, as
`library.fit` would have done. Arrays have shape (n,), one entry per bar; NaN is not known.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bot.domain.position import Side
from bot.leverage import har, tail
from bot.leverage.arrays import Floats
from bot.leverage.forecast import DAY, FALL, WEEK
from bot.leverage.history import History
from bot.leverage.tail import Origin, Tail, Windows
from bot.leverage.volatility import HALF_LIFE_HOURS, SEED_HOURS


def held_up(sigmas: Floats) -> Floats:
    """Return `forecast.held_up` at every hour, from the week before it. [log, over the horizon].

    Args:
        sigmas: [log, over the horizon]
    """
    with np.errstate(divide="ignore"):  # what is not known holds nothing up
        logs = np.log(np.where(np.isfinite(sigmas), sigmas, 0.0))
    rise = np.arange(sigmas.size) * (-np.log(FALL) / DAY)
    padded = np.concatenate((np.full(WEEK - 1, -np.inf), logs + rise))
    highest = np.lib.stride_tricks.sliding_window_view(padded, WEEK).max(axis=1)
    return np.where(np.isfinite(sigmas), np.exp(highest - rise), np.nan)


def smoothed(close: Floats) -> Floats:
    """Return the root of `volatility.smoothed_variance` at every hour. [log/sqrt(h)].

    Begun at the mean square of the first 168 returns; a missing hour leaves it as it is.

    Args:
        close: [quote/base]
    """
    squares = np.square(np.diff(np.log(close)))
    decay = 0.5 ** (1 / HALF_LIFE_HOURS)
    found = np.full(close.size, np.nan)
    if squares.size < SEED_HOURS or not np.isfinite(squares[:SEED_HOURS]).any():
        return found
    now = float(np.nanmean(squares[:SEED_HOURS]))
    found[SEED_HOURS] = now
    for at, square in enumerate(squares[SEED_HOURS:].tolist(), SEED_HOURS + 1):
        if square == square:  # noqa: PLR0124 - not NaN
            now = decay * now + (1 - decay) * square
        found[at] = now
    return np.asarray(np.sqrt(found), dtype=np.float64)


def tails(
    samples: Mapping[str, Windows], side: Side, hours: Sequence[int]
) -> Mapping[int, Tail | None]:
    """Return the tail all coins share at each instant; ``None`` where windows are too few.

    Args:
        samples: Of each coin, of one length.
        side: Whose adverse moves.
        hours: Instants; only windows complete by then are known. [h since 1970-01-01 UTC]
    """
    pool = tail.pooled(list(samples.values()))
    found: dict[int, Tail | None] = {}
    for hour in hours:
        known = pool.until(hour)
        is_enough = tail.is_enough(known)
        found[hour] = tail.fit(known, side, origin=Origin.POOLED) if is_enough else None
    return found


def refits(histories: Mapping[str, History]) -> tuple[int, ...]:
    """Return the instants of refits: each 720 h by the calendar. [h since 1970-01-01 UTC].

    Args:
        histories: At least one.
    """
    first = min(one.start for one in histories.values()) // har.REFIT_HOURS
    last = max(one.start + len(one) for one in histories.values()) // har.REFIT_HOURS
    return tuple(at * har.REFIT_HOURS for at in range(first, last + 1))


def spread(values: Mapping[int, float], history: History) -> Floats:
    """Return the value in force when each bar closes: that of the last refit.

    Args:
        values: By the instant of a refit, each 720 h; NaN is not known.
        history: Whose bars.
    """
    known: npt.NDArray[np.int64] = history.start + 1 + np.arange(len(history))
    at = known // har.REFIT_HOURS * har.REFIT_HOURS
    each, back = np.unique(at, return_inverse=True)
    return np.array([values.get(int(one), np.nan) for one in each])[back]
