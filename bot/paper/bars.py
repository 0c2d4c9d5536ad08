"""How do recorded bars become prices for every second?"""

import bisect
import itertools
import math
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from bot.paper.instruments import LINEAR
from bot.paper.market import HOUR, SECOND, Candle
from bot.paper.scenario import ScenarioError
from bot.paper.values import Contract, Quote

COLUMNS = ("timestamp", "open", "high", "low", "close")
SMOOTHING = 1 / 8
"""Share by which mark follows the bars each second: marks are calmer than trades."""
HISTORY = 48 * HOUR
"""Before the market begins. [ms]"""
Bar = tuple[int, float, float, float, float]
"""(open time [ms], open, high, low, close)."""


class Recorded:
    """A `Feed` from bars of one contract.

    Inside a bar the price goes from open to the extremes to close; which extreme comes first is
    decided by the seed. Missing bars stay missing: nothing trades there and mark stands still.
    Mark and index are modelled from the bars themselves, since marks are not recorded by minute.
    """

    def __init__(
        self,
        contract: Contract,
        bars: Sequence[Bar],
        *,
        seed: int = 0,
        since: datetime | None = None,
    ) -> None:
        """Take the bars.

        Args:
            contract: Whose they are.
            bars: Time ascending.
            seed: Of which extreme of a bar comes first.
            since: Where the market begins, what lies before it is history; ``None`` begins after
                two days, or at once where there are less. Aware UTC.

        Raises:
            ScenarioError: They do not hold two days of history and a bar after ``since``.
        """
        self._contract = contract
        self._bars = bars
        self._since_ms = _start_of(bars, since)
        self._width = min(b[0] - a[0] for a, b in itertools.pairwise(bars))
        self._chance = random.Random(seed)
        self._at = bisect.bisect(bars, self._since_ms, key=lambda bar: bar[0]) - 1
        self._up_first = self._chance.random() < 0.5  # noqa: PLR2004 - a fair coin
        self._mark = self._last = bars[self._at][1]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The one contract."""
        return (self._contract.id,)

    @property
    def start_ms(self) -> int:
        """When the market begins; what lies before it is history. [ms]."""
        return self._since_ms

    @property
    def end_ms(self) -> int:
        """When they end. [ms]."""
        return self._bars[-1][0] + self._width

    def step(self, at_ms: int) -> Mapping[str, Quote]:
        """Return the quote of a second."""
        while self._at + 1 < len(self._bars) and self._bars[self._at + 1][0] <= at_ms:
            self._at += 1
            self._up_first = self._chance.random() < 0.5  # noqa: PLR2004 - a fair coin
        bar = self._bars[self._at]
        share = (at_ms - bar[0]) / self._width
        is_missing = not 0 <= share < 1
        if not is_missing:
            self._last = self._inside(bar, share)
            self._mark += SMOOTHING * (self._last - self._mark)
        return {
            self._contract.id: Quote(
                mark=self._price(self._mark),
                index=self._price(self._last),
                last=self._price(self._last),
                halted=is_missing,
            )
        }

    def history(self, symbol: str) -> Sequence[Candle]:
        """Return the hours before the start."""
        del symbol
        hours: dict[int, Candle] = {}
        for opened, open_, high, low, close in self._bars:
            if opened >= self.start_ms:
                break
            hour = opened - opened % HOUR
            prices = [self._price(p) for p in (open_, high, low, close)]
            into = hours.get(hour)
            if into is None:
                hours[hour] = Candle(
                    at_ms=hour,
                    open=prices[0],
                    high=prices[1],
                    low=prices[2],
                    close=prices[3],
                    volume=Decimal(1),
                )
            else:
                into.high, into.low = max(into.high, prices[1]), min(into.low, prices[2])
                into.close = prices[3]
        return list(hours.values())

    def _inside(self, bar: Bar, share: float) -> float:
        _, open_, high, low, close = bar
        first, second = (high, low) if self._up_first else (low, high)
        points = (open_, first, second, close)
        place = share * 3
        part = min(2, int(place))
        return points[part] + (points[part + 1] - points[part]) * (place - part)

    def _price(self, price: float) -> Decimal:
        tick = self._contract.tick
        return max(1, round(price / float(tick))) * tick


def _start_of(bars: Sequence[Bar], since: datetime | None) -> int:
    first, last = bars[0][0], bars[-1][0]
    if since is None:
        return first + HISTORY if first + HISTORY <= last else first
    asked = int(since.timestamp()) * SECOND
    if not first + HISTORY <= asked <= last:
        begin, end = (datetime.fromtimestamp(at / 1000, UTC) for at in (first + HISTORY, last))
        raise ScenarioError(
            f"--from must lie in {begin:%Y-%m-%dT%H:%MZ} to {end:%Y-%m-%dT%H:%MZ}, two days after "
            f"the first bar, was {since:%Y-%m-%dT%H:%MZ}"
        )
    return asked


def read(file: Path) -> tuple[Contract, list[Bar]]:
    """Return the contract and the bars of a Parquet file named like ``BTCUSDT_….parquet``.

    Raises:
        ScenarioError: It cannot be read, names no listed contract, or has broken rows.
    """
    try:
        import pyarrow.parquet as pq  # noqa: PLC0415 - optional, only this reader needs it
    except ImportError:
        raise ScenarioError("--market needs pyarrow: pip install 'plimsoll[data]'") from None
    symbol = file.name.partition("_")[0]
    if symbol not in LINEAR:
        raise ScenarioError(
            f"--market {file.name} must begin with one of {', '.join(LINEAR)}, began with "
            f"{symbol!r}"
        )
    try:
        table = pq.read_table(file)
    except Exception as error:  # noqa: BLE001 - pyarrow raises many classes for files that are no tables
        raise ScenarioError(f"--market {file} must be a Parquet file: {error}") from None
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise ScenarioError(f"--market {file} must have columns {', '.join(missing)}")
    bars = list(zip(*(table[name].to_pylist() for name in COLUMNS), strict=True))
    _check(file, bars)
    return LINEAR[symbol], bars


def _check(file: Path, bars: Sequence[Bar]) -> None:
    if len(bars) < 2:  # noqa: PLR2004 - a width needs two
        raise ScenarioError(f"--market {file} must have at least two bars, had {len(bars)}")
    last = 0
    for row, bar in enumerate(bars, start=1):
        opened, *prices = bar
        if any(p is None or not math.isfinite(p) or p <= 0 for p in prices):
            raise ScenarioError(f"--market {file} row {row} must have prices > 0, was {prices}")
        if opened is None or opened <= last or opened % SECOND:
            raise ScenarioError(f"--market {file} row {row} must be later than the row before")
        last = opened
