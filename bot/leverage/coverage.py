"""Would promised distances have been hit as often as promised?

Walk-forward: at each refit a tail knows the windows that were complete by then, and is judged on
the non-overlapping windows of the next 720 h. Every model is judged on the same windows: those on
which a symbol's own tail existed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from bot.domain.position import Side
from bot.leverage import har, tail
from bot.leverage.arrays import Booleans, Floats
from bot.leverage.history import History, excursions
from bot.leverage.mixture import Mixture
from bot.leverage.tail import Origin, Tail, Windows

Hours = npt.NDArray[np.int64]


class Model(StrEnum):
    """What promises a distance."""

    OWN = "own"
    POOLED = "pooled"
    OWN_MIXTURE = "own + mixture"
    POOLED_MIXTURE = "pooled + mixture"
    GAUSSIAN = "gaussian"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coverage:
    """What became of the promises of one model over one horizon.

    One entry per window and side, the longs and then the shorts of each symbol, time ascending.

    Attributes:
        hours: Length of a window. [h]
        model: Who promised.
        is_floored: Whether the forecast had its floor.
        symbols: Who was judged.
        symbol: Of each window, shape (n,); a place in ``symbols``.
        is_short: Of each window, shape (n,).
        day: Of each window, shape (n,). [days since 1970-01-01 UTC]
        pit: Chance the model gave to what happened, shape (n,); below alpha is a hit. [ratio]
        distance: Mean promised distance, by alpha. [log]
    """

    hours: int
    model: Model
    is_floored: bool
    symbols: tuple[str, ...]
    symbol: Hours
    is_short: Booleans
    day: Hours
    pit: Floats
    distance: Mapping[float, float]

    def hits(self, alpha: float) -> Booleans:
        """Return which windows ran beyond the distance promised for ``alpha``, shape (n,)."""
        return self.pit < alpha


def measure(
    histories: Mapping[str, History], hours: int, alphas: Sequence[float]
) -> tuple[Coverage, ...]:
    """Return the coverage of every model, without the floor and with it.

    Args:
        histories: By symbol, at least two, of one kind of price.
        hours: Length of a window. [h]
        alphas: Promised chances, each in (0, 0.05]. [ratio]

    Raises:
        ValueError: If there are fewer than two symbols, or none has a window to judge.
    """
    if len(histories) < 2:  # noqa: PLR2004 - a symbol and another to pool from
        raise ValueError(f"coverage needs at least two symbols, had {len(histories)}")
    walks = {symbol: har.walk(record, hours) for symbol, record in histories.items()}
    samples = {s: tail.windows(record, walks[s].sigma, hours) for s, record in histories.items()}
    books = {(m, f): _Book() for m in Model for f in (False, True)}
    for place, (symbol, record) in enumerate(histories.items()):
        others = tail.pooled([one for other, one in samples.items() if other != symbol])
        trial = _Trial.of(record, walks[symbol], hours)
        for known, until in trial.steps(walks[symbol].refits):
            own = samples[symbol].until(record.start + known)
            pool = others.until(record.start + known)
            if tail.is_enough(own) and tail.is_enough(pool):
                _judge(books, place, trial.between(known, until), own, pool, alphas)
    symbols = tuple(histories)
    return tuple(
        book.closed(hours, model, symbols, is_floored=floored)
        for (model, floored), book in books.items()
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Trial:
    """Windows of one symbol that promises are judged on; ``row`` is when each was promised."""

    row: Hours
    hour: Hours
    excursion: Mapping[Side, Floats]
    sigma: Floats
    floored: Floats

    @classmethod
    def of(cls, record: History, walk: har.Walk, hours: int) -> "_Trial":
        long, short = excursions(record, hours)
        hour = record.start + 1 + np.arange(len(record))
        row = np.flatnonzero((hour % hours == 0) & np.isfinite(long + short + walk.sigma))
        return cls(
            row=row,
            hour=hour[row],
            excursion={Side.LONG: long[row], Side.SHORT: short[row]},
            sigma=walk.sigma[row],
            floored=walk.floored[row],
        )

    @staticmethod
    def steps(refits: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        for known in refits:
            yield known, known + har.REFIT_HOURS

    def between(self, known: int, until: int) -> "_Trial":
        # After the bar with number known - 1 has closed the tail knows `known` bars.
        first, end = np.searchsorted(self.row, (known - 1, until - 1))
        return replace(
            self,
            row=self.row[first:end],
            hour=self.hour[first:end],
            excursion={side: x[first:end] for side, x in self.excursion.items()},
            sigma=self.sigma[first:end],
            floored=self.floored[first:end],
        )


@dataclass(slots=True, eq=False)
class _Book:
    """Collects what a model promised and what came."""

    symbol: list[Hours] = field(default_factory=list)
    is_short: list[Booleans] = field(default_factory=list)
    day: list[Hours] = field(default_factory=list)
    pit: list[Floats] = field(default_factory=list)
    distance: dict[float, float] = field(default_factory=dict)

    def add(
        self, symbol: int, side: Side, day: Hours, pit: Floats, distance: Mapping[float, float]
    ) -> None:
        self.symbol.append(np.full(day.size, symbol))
        self.is_short.append(np.full(day.size, side is Side.SHORT))
        self.day.append(day)
        self.pit.append(pit)
        for alpha, total in distance.items():
            self.distance[alpha] = self.distance.get(alpha, 0.0) + total

    def closed(
        self, hours: int, model: Model, symbols: tuple[str, ...], *, is_floored: bool
    ) -> Coverage:
        if not self.pit or not (count := sum(one.size for one in self.pit)):
            raise ValueError(f"no window of {hours} h could be judged: records are too short")
        symbol, is_short = np.concatenate(self.symbol), np.concatenate(self.is_short)
        order = np.argsort(2 * symbol + is_short, kind="stable")  # time stays ascending
        return Coverage(
            hours=hours,
            model=model,
            is_floored=is_floored,
            symbols=symbols,
            symbol=symbol[order],
            is_short=is_short[order],
            day=np.concatenate(self.day)[order],
            pit=np.concatenate(self.pit)[order],
            distance={alpha: total / count for alpha, total in self.distance.items()},
        )


def _judge(
    books: Mapping[tuple[Model, bool], _Book],
    symbol: int,
    trial: _Trial,
    own: Windows,
    pool: Windows,
    alphas: Sequence[float],
) -> None:
    mixed = {Origin.OWN: Mixture.of(own.ratio), Origin.POOLED: Mixture.of(pool.ratio)}
    for side in Side:
        bare = {
            Origin.OWN: tail.fit(own, side, origin=Origin.OWN, with_mixture=False),
            Origin.POOLED: tail.fit(pool, side, origin=Origin.POOLED, with_mixture=False),
        }
        tails: dict[Model, Tail | None] = {
            Model.OWN: bare[Origin.OWN],
            Model.POOLED: bare[Origin.POOLED],
            Model.OWN_MIXTURE: replace(bare[Origin.OWN], mixture=mixed[Origin.OWN]),
            Model.POOLED_MIXTURE: replace(bare[Origin.POOLED], mixture=mixed[Origin.POOLED]),
            Model.GAUSSIAN: None,
        }
        for model, shape in tails.items():
            far = {alpha: _required(shape, alpha) for alpha in alphas}
            for floored, sigma in ((False, trial.sigma), (True, trial.floored)):
                books[model, floored].add(
                    symbol,
                    side,
                    trial.hour // 24,
                    _chance(shape, trial.excursion[side] / sigma),
                    {alpha: k * float(sigma.sum()) for alpha, k in far.items()},
                )


def _required(shape: Tail | None, alpha: float) -> float:
    return gaussian_quantile(alpha) if shape is None else tail.required(shape, alpha)


def _chance(shape: Tail | None, excursion: Floats) -> Floats:
    if shape is not None:
        return tail.hits(shape, excursion)
    return np.array([math.erfc(z / math.sqrt(2)) for z in excursion.tolist()])


def gaussian_quantile(alpha: float) -> float:
    """Return the distance a Brownian price touches with a chance, by reflection. [sd].

    Args:
        alpha: In (0, 1). [ratio]
    """
    return -NormalDist().inv_cdf(alpha / 2)
