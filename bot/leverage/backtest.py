"""Do realised hits agree with the promised chance, and could the sample have told?

Hits are booleans, one per non-overlapping window, time ascending. A rejected promise and a promise
that could not have been rejected look alike without the power beside them: print both.
"""

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from bot.leverage.arrays import Booleans, Floats

LEVEL = 0.05
"""Of the tests. [ratio]"""
POWER = 0.8
"""A sample is large enough when it finds a doubled rate with this chance. [ratio]"""
GREEN = 0.95
YELLOW = 0.9999
BETS = (1.0, 5.0, 20.0)
"""Multiples of the promised chance that the monitor bets on."""
ALARM = 20.0
"""Evidence at which the promise is given up; reached with chance 1/20 at most while it holds."""
_KOLMOGOROV_TERMS = 101


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Of a test.

    Attributes:
        statistic: >= 0.
        p_value: Chance of so large a statistic while the promise holds. [ratio]
    """

    statistic: float
    p_value: float


def kupiec(windows: int, hits: int, alpha: float) -> Verdict:
    """Return the likelihood ratio test of the hit rate, chi-squared with one degree.

    Args:
        windows: How many, > 0.
        hits: How many of them were hit.
        alpha: The promised chance, in (0, 1). [ratio]

    Raises:
        ValueError: If hits are not within windows or alpha is outside.

    Source: Kupiec (1995).
    """
    _check(windows, hits, alpha)
    rate = hits / windows
    ratio = _log_likelihood(windows - hits, hits, rate) - _log_likelihood(
        windows - hits, hits, alpha
    )
    statistic = max(0.0, 2.0 * ratio)
    return Verdict(statistic=statistic, p_value=math.erfc(math.sqrt(statistic / 2)))


def christoffersen(hits: Booleans) -> Verdict:
    """Return the likelihood ratio test that hits do not follow hits, chi-squared with one degree.

    Args:
        hits: Shape (n,), n >= 2.

    Raises:
        ValueError: If there are fewer than two windows.

    Source: Christoffersen (1998).
    """
    if hits.size < 2:  # noqa: PLR2004 - a transition needs two
        raise ValueError(f"hits must be at least two, were {hits.size}")
    before, after = hits[:-1], hits[1:]
    n11 = int(np.count_nonzero(before & after))
    n10 = int(np.count_nonzero(before)) - n11
    n01 = int(np.count_nonzero(after)) - n11
    n00 = before.size - n11 - n10 - n01
    rate = (n01 + n11) / before.size
    rate0 = n01 / (n00 + n01) if n00 + n01 else 0.0
    rate1 = n11 / (n10 + n11) if n10 + n11 else 0.0
    chained = _log_likelihood(n00, n01, rate0) + _log_likelihood(n10, n11, rate1)
    statistic = max(0.0, 2.0 * (chained - _log_likelihood(n00 + n10, n01 + n11, rate)))
    return Verdict(statistic=statistic, p_value=math.erfc(math.sqrt(statistic / 2)))


def conditional_coverage(hits: Booleans, alpha: float) -> Verdict:
    """Return the joint test of rate and independence, chi-squared with two degrees.

    Args:
        hits: Shape (n,), n >= 2.
        alpha: The promised chance, in (0, 1). [ratio]

    Raises:
        ValueError: As `kupiec` and `christoffersen`.

    Source: Christoffersen (1998).
    """
    rate = kupiec(hits.size, int(np.count_nonzero(hits)), alpha)
    statistic = rate.statistic + christoffersen(hits).statistic
    return Verdict(statistic=statistic, p_value=math.exp(-statistic / 2))


def _log_likelihood(misses: int, hits: int, rate: float) -> float:
    # 0 ln 0 is 0: what never happened under a rate of 0 speaks neither for nor against.
    value = 0.0
    if misses:
        value += misses * (math.log1p(-rate) if rate < 1 else -math.inf)
    if hits:
        value += hits * (math.log(rate) if rate > 0 else -math.inf)
    return value


def _check(windows: int, hits: int, alpha: float) -> None:
    if not 0 <= hits <= windows or windows < 1:
        raise ValueError(f"hits must be within windows >= 1, were {hits} of {windows}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be in (0, 1), was {alpha}")


def kolmogorov_smirnov(pit: Floats) -> Verdict:
    """Return the test that probability transforms are uniform on [0, 1].

    The p-value is asymptotic with Stephens' correction: within 0.01 from 20 values on.

    Args:
        pit: ``SF(Z)`` of independent windows, shape (n,), n >= 1.

    Raises:
        ValueError: If there is none, or one is outside [0, 1].

    Source: Kolmogorov (1933), Stephens (1970).
    """
    if pit.size == 0 or not ((pit >= 0) & (pit <= 1)).all():
        raise ValueError("transforms must be in [0, 1] and at least one")
    ordered, count = np.sort(pit), pit.size
    steps = np.arange(count + 1) / count
    statistic = float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))
    root = math.sqrt(count)
    return Verdict(
        statistic=statistic,
        p_value=kolmogorov_survival((root + 0.12 + 0.11 / root) * statistic),
    )


def kolmogorov_survival(x: float) -> float:
    """Return the chance that the supremum of a Brownian bridge exceeds ``x``. [ratio].

    Two series, each where it converges within a few terms.

    Args:
        x: >= 0.
    """
    if x <= 0:
        return 1.0
    terms = range(1, _KOLMOGOROV_TERMS)
    if x < 1:
        inner = math.fsum(math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8 * x * x)) for k in terms)
        return min(1.0, max(0.0, 1.0 - math.sqrt(2 * math.pi) / x * inner))
    return max(0.0, 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in terms))


def tail_transforms(pit: Floats, share: float = 0.1) -> Floats:
    """Return the transforms below ``share``, spread to [0, 1]: the tail alone."""
    return pit[pit < share] / share


class Light(StrEnum):
    """Of the traffic light."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


def traffic_light(windows: int, hits: int, alpha: float) -> Light:
    """Return the zone of a number of hits.

    Raises:
        ValueError: As `kupiec`.

    Source: Basel Committee (1996): 95 % and 99.99 % of the binomial distribution.
    """
    cumulated = binomial_cdf(windows, hits, alpha)
    if cumulated < GREEN:
        return Light.GREEN
    return Light.YELLOW if cumulated < YELLOW else Light.RED


def binomial_cdf(windows: int, hits: int, alpha: float) -> float:
    """Return the chance of at most so many hits. [ratio].

    Raises:
        ValueError: As `kupiec`.
    """
    _check(windows, hits, alpha)
    return float(min(1.0, np.exp(_log_mass(windows, hits, alpha)).sum()))


def _log_mass(windows: int, most: int, alpha: float) -> Floats:
    """Return log chances of 0 .. most hits, each from the one before."""
    k = np.arange(1, most + 1)
    steps = np.log((windows - k + 1) / k) + math.log(alpha) - math.log1p(-alpha)
    return windows * math.log1p(-alpha) + np.concatenate(([0.0], np.cumsum(steps)))


def acceptance(windows: int, alpha: float, level: float = LEVEL) -> tuple[int, int]:
    """Return the fewest and the most hits that `kupiec` does not reject.

    Args:
        windows: How many, > 0.
        alpha: The promised chance, in (0, 1). [ratio]
        level: Of the test. [ratio]

    Raises:
        ValueError: As `kupiec`.
    """
    _check(windows, 0, alpha)

    def is_kept(hits: int) -> bool:
        return kupiec(windows, hits, alpha).p_value > level

    middle = min(windows, round(windows * alpha))
    fewest = _edge(is_kept, inside=middle, outside=-1)
    most = _edge(is_kept, inside=middle, outside=windows + 1)
    return fewest, most


def _edge(is_kept: Callable[[int], bool], *, inside: int, outside: int) -> int:
    """Return the last kept number on the way out; the ratio only grows from the middle."""
    while abs(outside - inside) > 1:
        at = (inside + outside) // 2
        inside, outside = (at, outside) if is_kept(at) else (inside, at)
    return inside


def power(windows: int, alpha: float, *, factor: float = 2.0, level: float = LEVEL) -> float:
    """Return the chance that `kupiec` rejects when hits come ``factor`` times as often. [ratio].

    Args:
        windows: How many, > 0.
        alpha: The promised chance, in (0, 1). [ratio]
        factor: True over promised chance; ``factor * alpha`` below 1.
        level: Of the test. [ratio]

    Raises:
        ValueError: As `kupiec`, for the promised and for the true chance.
    """
    fewest, most = acceptance(windows, alpha, level)
    kept = binomial_cdf(windows, most, factor * alpha)
    if fewest:
        kept -= binomial_cdf(windows, fewest - 1, factor * alpha)
    return 1.0 - kept


def enough_windows(alpha: float, *, factor: float = 2.0, wanted: float = POWER) -> int:
    """Return the number from which on every sample has the wanted power.

    Power is a saw over the number of windows; this is past its last dip.

    Args:
        alpha: The promised chance, in (0, 1). [ratio]
        factor: True over promised chance.
        wanted: [ratio]

    Raises:
        ValueError: As `power`.
    """
    # The region's upper edge rises by one at a time: a tooth of the saw. Within a tooth power only
    # grows, so a tooth that begins with enough power has it throughout.
    horizon = math.ceil(64.0 / alpha / (factor - 1.0) ** 2)
    windows, found = 1, 1
    while windows < horizon:
        most = acceptance(windows, alpha)[1]
        following = bisect.bisect_left(
            range(horizon), most + 1, lo=windows, key=lambda n: acceptance(n, alpha)[1]
        )
        if power(windows, alpha, factor=factor) < wanted:
            found = bisect.bisect_left(
                range(following), wanted, lo=windows, key=lambda n: power(n, alpha, factor=factor)
            )
        windows = following
    return found


def evidence(hits: Booleans, alpha: float) -> Floats:
    """Return the running evidence against a promise, shape (n,).

    The mean over three bets of the capital of who bets at fair odds that hits come more often. Its
    expectation is at most 1 while the true chance is at most ``alpha``, whatever the dependence in
    time, so it may be looked at after every window. `ALARM` is the mark to act on.

    Args:
        hits: Shape (n,).
        alpha: The promised chance, in (0, 1). [ratio]

    Raises:
        ValueError: If alpha is outside.

    Source: Ville (1939); Waudby-Smith and Ramdas (2024) for betting on means.
    """
    _check(1, 0, alpha)
    bets = [share for b in BETS if (share := b * alpha) < 1]
    won = np.array([math.log1p(b * (1 / alpha - 1)) for b in bets])
    lost = np.array([math.log1p(-b) for b in bets])
    capital = np.cumsum(np.where(hits[:, None], won, lost), axis=0)
    found: Floats = np.exp(np.minimum(capital, 700.0)).mean(axis=1)
    return found


def qlike(realised: Floats, forecast: Floats) -> Floats:
    """Return the loss of each variance forecast, shape (n,), >= 0: ``x - ln x - 1``, x = RV / f.

    Args:
        realised: Realised variance, > 0, shape (n,).
        forecast: Forecast variance, > 0, shape (n,).

    Raises:
        ValueError: If a value is not positive and finite, or shapes differ.

    Source: Patton (2011).
    """
    if realised.shape != forecast.shape:
        raise ValueError(f"shapes must agree, were {realised.shape} and {forecast.shape}")
    ratio = realised / forecast
    if not (np.isfinite(ratio).all() and (ratio > 0).all()):
        raise ValueError("variances must be > 0 and finite")
    return ratio - np.log(ratio) - 1.0


def diebold_mariano(first: Floats, second: Floats, *, hours: int) -> Verdict:
    """Return the test that two forecasts lose alike; the statistic has the sign of first - second.

    Args:
        first: Losses, shape (n,), one per hour.
        second: Losses of the other, shape (n,).
        hours: Horizon of the forecasts; the lag of Newey and West is twice as long. [h]

    Raises:
        ValueError: If shapes differ or there are not more values than lags.

    Source: Diebold and Mariano (1995); Newey and West (1987).
    """
    if first.shape != second.shape:
        raise ValueError(f"shapes must agree, were {first.shape} and {second.shape}")
    lags, count = 2 * hours, first.size
    if count <= lags + 1:
        raise ValueError(f"losses must be more than {lags + 1}, were {count}")
    gap = first - second
    mean = float(gap.mean())
    variance = newey_west(gap - mean, lags)
    if variance <= 0:
        return (
            Verdict(statistic=0.0, p_value=1.0)
            if mean == 0
            else Verdict(statistic=math.copysign(math.inf, mean), p_value=0.0)
        )
    statistic = mean / math.sqrt(variance / count)
    return Verdict(statistic=statistic, p_value=math.erfc(abs(statistic) / math.sqrt(2)))


def newey_west(centred: Floats, lags: int) -> float:
    """Return the long-run variance with Bartlett weights. [square of the unit].

    Args:
        centred: Mean 0, shape (n,), n > lags.
        lags: >= 0.

    Source: Newey and West (1987).
    """
    count = centred.size
    total = float(centred @ centred)
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag])
    return total / count


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Realised over promised hits.

    Attributes:
        value: [ratio]
        low: 2.5 % quantile over resampled days. [ratio]
        high: 97.5 % quantile. [ratio]
    """

    value: float
    low: float
    high: float


def bootstrap_ratio(
    day: npt.NDArray[np.int64], realised: Floats, promised: Floats, *, seed: int, draws: int = 2000
) -> Ratio:
    """Return a ratio of sums with an interval from resampled days.

    All windows of a day, of every symbol and side, are drawn together: they share their storms.

    Args:
        day: Of each window, shape (n,), n >= 1.
        realised: Its hits, shape (n,).
        promised: Its promised hits, > 0, shape (n,).
        seed: The same seed gives the same interval.
        draws: How many samples.

    Raises:
        ValueError: If there is no window or nothing was promised.

    Source: Efron and Tibshirani (1993), chapter 8.
    """
    if day.size == 0 or not promised.sum() > 0:
        raise ValueError("a ratio needs at least one window and a promise > 0")
    _, place = np.unique(day, return_inverse=True)
    hit, due = np.bincount(place, realised), np.bincount(place, promised)
    chance = np.random.Generator(np.random.PCG64(seed))
    found = np.empty(draws)
    for draw in range(draws):
        times = np.bincount(chance.integers(hit.size, size=hit.size), minlength=hit.size)
        found[draw] = (times @ hit) / (times @ due)
    low, high = np.quantile(found, (0.025, 0.975))
    return Ratio(value=float(hit.sum() / due.sum()), low=float(low), high=float(high))
