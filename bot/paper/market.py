"""What are the prices in each second of market time?"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from bot.paper.values import Contract, Quote

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
PULL = 1 / 600
"""How fast a path returns to its way points: a tenth of the gap in a minute. [1/s]"""
MARK_SMOOTHING = 1 / 8
"""Share by which mark follows index each second."""
HISTORY_HOURS = 40 * 24
OVERSHOOT = 0.3
"""How far the last trade runs ahead of index in a fast move, of the move of a minute."""


@dataclass(slots=True, kw_only=True)
class Candle:
    """One bar of last prices.

    Attributes:
        at_ms: When it opened. [ms]
        volume: [base]
    """

    at_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Feed(Protocol):
    """Prices of all contracts, second by second."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Ids of the contracts it has prices for."""
        ...

    def step(self, at_ms: int) -> Mapping[str, Quote]:
        """Return the quotes of a second; asked once per second, in order. [ms]."""
        ...

    def history(self, symbol: str) -> Sequence[Candle]:
        """Return hourly bars before the start, time ascending."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """How one coin moves.

    Attributes:
        contract: Its rules.
        also: Further contracts of the coin at the same prices, each rounded to its own tick.
        start: First price. [quote/base]
        volatility: Of the log price per square-root hour.
        points: (second, factor on the start price), ascending, from second 0.
        depth: (second, factor on what rests), ascending; holds until the next.
        funding: Rate of each interval. [ratio]
    """

    contract: Contract
    start: float
    volatility: float
    points: tuple[tuple[int, float], ...]
    depth: tuple[tuple[int, float], ...] = ((0, 1.0),)
    funding: Decimal = Decimal("0.0001")
    also: tuple[Contract, ...] = ()

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """All contracts it has prices for."""
        return (self.contract, *self.also)

    @property
    def stream(self) -> str:
        """The name of its noise, the same for every contract of the coin."""
        return f"{self.contract.base}USDT"


class Scripted:
    """A `Feed` along way points, with noise that depends on the seed only."""

    def __init__(
        self, paths: Sequence[Path], *, start_ms: int, seed: int, hours: int = HISTORY_HOURS
    ) -> None:
        """Walk back ``hours`` of bars before the start, then wait for the first second."""
        self._walks = [
            _Walk(path, start_ms=start_ms, chance=random.Random(f"{seed} {path.stream}"))
            for path in paths
        ]
        self._history = {
            contract.id: _backwards(
                path,
                contract,
                start_ms=start_ms,
                hours=hours,
                chance=random.Random(f"{seed} {path.stream} before"),
            )
            for path in paths
            for contract in path.contracts
        }

    @property
    def symbols(self) -> tuple[str, ...]:
        """Ids of the contracts."""
        return tuple(self._history)

    def step(self, at_ms: int) -> Mapping[str, Quote]:
        """Return the quotes of the next second."""
        found: dict[str, Quote] = {}
        for walk in self._walks:
            found |= walk.step(at_ms)
        return found

    def shock(self, factor: float) -> None:
        """Let every price jump by a factor; the path pulls it back later."""
        for walk in self._walks:
            walk.noise += math.log(factor)

    def halt(self, *, halted: bool) -> None:
        """Stop or resume trading."""
        for walk in self._walks:
            walk.halted = halted

    def history(self, symbol: str) -> Sequence[Candle]:
        """Return hourly bars that end at the start price."""
        return self._history[symbol]


@dataclass(slots=True)
class _Walk:
    path: Path
    start_ms: int
    chance: random.Random
    noise: float = 0.0
    mark: float = 0.0
    slow: float = 0.0
    point: int = 0
    halted: bool = False

    def __post_init__(self) -> None:
        self.mark = self.slow = self.path.start

    def step(self, at_ms: int) -> dict[str, Quote]:
        second = (at_ms - self.start_ms) / SECOND
        path = self.path
        self.noise += self.chance.gauss(0.0, path.volatility / 60) - PULL * self.noise
        index = path.start * self._way(second) * math.exp(self.noise)
        self.mark += MARK_SMOOTHING * (index - self.mark)
        self.slow += (index - self.slow) / 60
        last = index + OVERSHOOT * (index - self.slow)
        depth = path.depth[0][1]
        for since, factor in path.depth:
            if since <= second:
                depth = factor
        return {
            contract.id: Quote(
                mark=_rounded(self.mark, contract.tick),
                index=_rounded(index, contract.tick),
                last=_rounded(last, contract.tick),
                depth=Decimal(f"{depth:.4f}"),
                funding=path.funding,
                halted=self.halted,
            )
            for contract in path.contracts
        }

    def _way(self, second: float) -> float:
        points = self.path.points
        while self.point + 1 < len(points) and points[self.point + 1][0] <= second:
            self.point += 1
        here = points[self.point]
        if self.point + 1 == len(points):
            return here[1]
        there = points[self.point + 1]
        share = (second - here[0]) / (there[0] - here[0])
        return math.exp(math.log(here[1]) * (1 - share) + math.log(there[1]) * share)


def _rounded(price: float, tick: Decimal) -> Decimal:
    # Not divided by the tick: that is another float, and the seeds' markets are pinned.
    return max(1, round(price * (1 / float(tick)))) * tick


def _backwards(
    path: Path, contract: Contract, *, start_ms: int, hours: int, chance: random.Random
) -> list[Candle]:
    """Return hourly bars before the start, walked back from the first price."""
    bars: list[Candle] = []
    close = path.start
    hour = start_ms - start_ms % HOUR
    for _ in range(hours):
        hour -= HOUR
        open_ = close * math.exp(chance.gauss(0.0, path.volatility))
        up, down = (abs(chance.gauss(0.0, path.volatility / 2)) for _ in "ab")
        prices = [
            _rounded(price, contract.tick)
            for price in (
                open_,
                max(open_, close) * math.exp(up),
                min(open_, close) * math.exp(-down),
                close,
            )
        ]
        bars.append(
            Candle(
                at_ms=hour,
                open=prices[0],
                high=prices[1],
                low=prices[2],
                close=prices[3],
                volume=Decimal(1000),
            )
        )
        close = open_
    bars.reverse()
    return bars


class Candles:
    """Minute bars of last prices as they come, over hourly bars from before the start."""

    def __init__(self, history: Sequence[Candle]) -> None:
        self._hours = list(history)
        self._minutes: list[Candle] = []

    def take(self, at_ms: int, price: Decimal) -> None:
        """Take the last price of a second."""
        minute = at_ms - at_ms % MINUTE
        if not self._minutes or self._minutes[-1].at_ms != minute:
            self._minutes.append(
                Candle(
                    at_ms=minute,
                    open=price,
                    high=price,
                    low=price,
                    close=price,
                    volume=Decimal(1),
                )
            )
            return
        bar = self._minutes[-1]
        if price > bar.high:
            bar.high = price
        elif price < bar.low:
            bar.low = price
        bar.close = price

    def bars(
        self, interval_ms: int, *, since_ms: int | None, until_ms: int | None, limit: int
    ) -> list[Candle]:
        """Return the newest ``limit`` bars of an interval, the running one included.

        Args:
            interval_ms: A multiple of a minute. [ms]
            since_ms: First opening. [ms]
            until_ms: Last opening. [ms]
            limit: > 0.
        """
        source = self._minutes if interval_ms < HOUR else [*self._hours, *self._minutes]
        found: dict[int, Candle] = {}
        for bar in source:
            opened = bar.at_ms - bar.at_ms % interval_ms
            into = found.get(opened)
            if into is None:
                found[opened] = Candle(
                    at_ms=opened,
                    open=bar.open,
                    high=bar.high,
                    low=bar.low,
                    close=bar.close,
                    volume=bar.volume,
                )
                continue
            into.high, into.low = max(into.high, bar.high), min(into.low, bar.low)
            into.close = bar.close
            into.volume += bar.volume
        chosen = [
            bar
            for bar in found.values()
            if (since_ms is None or bar.at_ms >= since_ms)
            and (until_ms is None or bar.at_ms <= until_ms)
        ]
        return chosen[:limit] if since_ms is not None else chosen[-limit:]
