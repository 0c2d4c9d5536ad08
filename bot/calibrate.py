"""Do the fitted tails keep what they promise, on recorded prices?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bot.errors import ConfigError
from bot.leverage import backtest, coverage, history
from bot.leverage.coverage import Coverage
from bot.leverage.history import History
from bot.plot import Axes, Panel, svg

ALPHAS = (0.01, 0.001, 0.000114)
"""The last is one liquidation a year, judged over an hour. [ratio]"""
HORIZONS = (1, 8, 24)
MARKS = Path("market") / "mark_1h_long"
"""Where the recorded hourly marks lie below the data folder."""
COLUMNS = ("timestamp", "high", "low", "close")
SEED = 20260101
DRAWS = 1000
FEW = 10.0
"""Promised hits below which a ratio proves little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one promise.

    Attributes:
        hours: Length of a window. [h]
        model: Who promised.
        floor: Whether the forecast had its floor.
        alpha: The promised chance. [ratio]
        windows: How many were judged, both sides of all symbols.
        promised: Hits that were promised.
        hits: Hits that came.
        ratio: Came over promised. [ratio]
        low: 2.5 % quantile of it over resampled days. [ratio]
        high: 97.5 % quantile. [ratio]
        p_rate: Kupiec; too small where symbols share their storms. [ratio]
        p_independence: Christoffersen; as above. [ratio]
        p_uniform: Kolmogorov-Smirnov of the tenth of windows that ran farthest. [ratio]
        power: Chance to find a doubled rate. [ratio]
        light: Traffic light.
        distance: Mean distance promised. [log]
        worst: Largest ratio among the symbols. [ratio]
        evidence: Largest running evidence against the promise.
    """

    hours: int
    model: str
    floor: bool
    alpha: float
    windows: int
    promised: float
    hits: int
    ratio: float
    low: float
    high: float
    p_rate: float
    p_independence: float
    p_uniform: float
    power: float
    light: str
    distance: float
    worst: float
    evidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Coverage of every model over every horizon.

    Attributes:
        symbols: Whose record was used, with its first and last hour.
        rows: One per horizon, promised chance, model and floor.
        coverages: What the rows were counted from.
    """

    symbols: Mapping[str, tuple[str, str]]
    rows: tuple[Row, ...]
    coverages: tuple[Coverage, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it without the single windows."""
        return {
            "symbols": {name: list(span) for name, span in self.symbols.items()},
            "rows": [asdict(row) for row in self.rows],
        }


def folder_of(data: Path | None) -> Path:
    """Return the folder of hourly marks: the named one, or that below it.

    Raises:
        ConfigError: If there is none.
    """
    if data is None:
        raise ConfigError("name recorded hourly marks with --data DIR or PLIMSOLL_DATA")
    for folder in (data / MARKS, data):
        if folder.is_dir() and any(folder.glob("*.parquet")):
            return folder
    raise ConfigError(f"--data {data} must hold Parquet files, or {MARKS} with some")


def read(folder: Path) -> dict[str, History]:
    """Return the histories of Parquet files named like ``BTCUSDT_….parquet``, by symbol.

    Raises:
        ConfigError: If one cannot be read, two are of one symbol, or rows are out of order.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional, only this reader needs it
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above
    except ImportError:
        raise ConfigError("calibrate needs pyarrow: pip install 'plimsoll[data]'") from None
    found: dict[str, History] = {}
    for file in sorted(folder.glob("*.parquet")):
        symbol = file.name.partition("_")[0]
        if symbol in found:
            raise ConfigError(f"{folder} must hold one file of {symbol}, had another: {file.name}")
        try:
            table = pq.read_table(file, columns=list(COLUMNS))
            times, *prices = (table[name].to_numpy() for name in COLUMNS)
            found[symbol] = history.of_rows(times.astype(np.int64), *prices)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise ConfigError(f"{file} must be hourly bars: {error}") from None
    return found


def calibrate(histories: Mapping[str, History], *, horizons: Sequence[int] = HORIZONS) -> Report:
    """Return the coverage of every model over every horizon.

    Args:
        histories: By symbol, of one kind of price.
        horizons: [h]

    Raises:
        ConfigError: If there are too few symbols or their records are too short.
    """
    try:
        coverages = [
            one for hours in horizons for one in coverage.measure(histories, hours, ALPHAS)
        ]
    except ValueError as error:
        raise ConfigError(f"these records cannot be judged: {error}") from None
    return Report(
        symbols={
            name: (_day(one.start), _day(one.start + len(one) - 1))
            for name, one in histories.items()
        },
        rows=tuple(row for one in coverages for row in rows_of(one)),
        coverages=tuple(coverages),
    )


def _day(hour: int) -> str:
    return datetime.fromtimestamp(hour * history.HOUR, tz=UTC).strftime("%Y-%m-%d")


def rows_of(one: Coverage) -> Iterator[Row]:
    """Yield what became of each promise of a model."""
    deepest = backtest.tail_transforms(one.pit)
    p_uniform = backtest.kolmogorov_smirnov(deepest).p_value if deepest.size else 1.0
    for alpha, distance in one.distance.items():
        hits = one.hits(alpha)
        count, windows = int(np.count_nonzero(hits)), hits.size
        promised = np.full(windows, alpha)
        ratio = backtest.bootstrap_ratio(
            one.day, hits.astype(np.float64), promised, seed=SEED, draws=DRAWS
        )
        own = np.bincount(one.symbol, hits) / np.maximum(np.bincount(one.symbol, promised), 1e-300)
        in_time = hits[np.argsort(one.day, kind="stable")]
        yield Row(
            hours=one.hours,
            model=one.model.value,
            floor=one.is_floored,
            alpha=alpha,
            windows=windows,
            promised=windows * alpha,
            hits=count,
            ratio=ratio.value,
            low=ratio.low,
            high=ratio.high,
            p_rate=backtest.kupiec(windows, count, alpha).p_value,
            p_independence=backtest.christoffersen(hits).p_value,
            p_uniform=p_uniform,
            power=backtest.power(windows, alpha),
            light=backtest.traffic_light(windows, count, alpha).value,
            distance=distance,
            worst=float(own.max()),
            evidence=float(backtest.evidence(in_time, alpha).max()),
        )


HEAD = (
    f"{'model':<17}{'floor':<6}{'alpha':>9}{'ratio':>7}  {'95 % by days':<14}{'hits':>6}"
    f"{'promised':>10}{'p rate':>9}{'p indep':>9}{'p tail':>9}{'power':>7}  {'light':<7}"
    f"{'distance':>9}{'worst':>7}"
)


def text(report: Report) -> str:
    """Return the report as a table for people."""
    lines = [f"{name:<10} {a} to {b}" for name, (a, b) in report.symbols.items()]
    for hours in dict.fromkeys(row.hours for row in report.rows):
        mine = [row for row in report.rows if row.hours == hours]
        lines += ["", f"within {hours} h: {mine[0].windows} windows, both sides pooled", HEAD]
        for row in sorted(mine, key=lambda r: (-r.alpha, r.floor)):
            span = f"{row.low:.2f} - {row.high:.2f}"
            lines.append(
                f"{row.model:<17}{'yes' if row.floor else 'no':<6}{row.alpha * 100:>8.4g}%"
                f"{row.ratio:>7.2f}  {span:<14}{row.hits:>6}{row.promised:>10.1f}"
                f"{row.p_rate:>9.2g}{row.p_independence:>9.2g}{row.p_uniform:>9.2g}"
                f"{row.power:>7.2f}  {row.light:<7}{row.distance:>9.3f}{row.worst:>7.2f}"
            )
    return "\n".join([*lines, ""])


GRID = tuple(float(x) for x in np.geomspace(1e-4, 0.05, 60))
AXES = Axes(
    x=(1e-4, 0.05),
    y=(0.25, 64.0),
    x_ticks={1e-4: "0.01 %", 1e-3: "0.1 %", 1e-2: "1 %", 5e-2: "5 %"},
    y_ticks={0.25: "1/4", 0.5: "1/2", 1.0: "1", 2.0: "2", 4.0: "4", 16.0: "16", 64.0: "64"},
    x_label="promised chance",
    y_label="realised / promised",
)


def plot(report: Report) -> str:
    """Return a drawing of realised over promised hits, without the floor, as SVG.

    Grey is where fewer than ten hits were promised: there a ratio proves little.
    """
    panels = []
    for hours in dict.fromkeys(one.hours for one in report.coverages):
        mine = [c for c in report.coverages if c.hours == hours and not c.is_floored]
        panels.append(
            Panel(
                title=f"within {hours} h",
                curves={one.model.value: _curve(one) for one in mine},
                thin_below=max(GRID[0], FEW / mine[0].pit.size),
            )
        )
    return svg(panels, AXES)


def _curve(one: Coverage) -> list[tuple[float, float]]:
    ordered = np.sort(one.pit)
    hits = np.searchsorted(ordered, GRID, side="left")
    # No hit at all has no logarithm: it is drawn at the lower edge.
    return [
        (alpha, max(count / (alpha * ordered.size), 1e-9))
        for alpha, count in zip(GRID, hits.tolist(), strict=True)
    ]


def write(file: Path, content: str) -> None:
    """Write a text file.

    Raises:
        ConfigError: If it cannot be written.
    """
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None
