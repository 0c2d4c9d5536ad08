"""Do the buffers promised to cross accounts keep what they promise, on recorded prices?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bot.calibrate import DRAWS, SEED
from bot.errors import ConfigError
from bot.leverage import backtest, joint_coverage
from bot.leverage.history import History
from bot.leverage.joint_coverage import JointCoverage

ALPHAS = (0.05, 0.01, 0.001)
"""[ratio]"""
HOURS = 24
"""Length of a window. [h]"""
PATHS = 10_000
SYMBOLS = ("ADAUSDT", "BTCUSDT", "ETHUSDT", "LTCUSDT")
"""Of one venue, with the longest common record; all symbols where these are not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one promise.

    Attributes:
        model: Who promised.
        alpha: The promised chance. [ratio]
        promised: Hits that were promised, over all books.
        hits: Hits that came.
        ratio: Came over promised. [ratio]
        low: 2.5 % quantile of it over resampled days. [ratio]
        high: 97.5 % quantile. [ratio]
        buffer: Mean buffer promised, per unit of weight. [ratio]
    """

    model: str
    alpha: float
    promised: float
    hits: int
    ratio: float
    low: float
    high: float
    buffer: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Coverage of every model.

    Attributes:
        symbols: Whose record was used.
        windows: How many were judged, of each book.
        rows: One per promised chance and model.
    """

    symbols: tuple[str, ...]
    windows: int
    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "symbols": list(self.symbols),
            "hours": HOURS,
            "windows": self.windows,
            "rows": [asdict(row) for row in self.rows],
        }


def calibrate(
    histories: Mapping[str, History], *, paths: int = PATHS, last: int | None = None
) -> Report:
    """Return the coverage of every model.

    Args:
        histories: By symbol, of one kind of price.
        paths: Of each simulation, >= 1,000.
        last: Judge the newest so many windows only.

    Raises:
        ConfigError: If the records are too short.
    """
    if set(SYMBOLS) <= set(histories):
        histories = {name: histories[name] for name in SYMBOLS}
    try:
        record = joint_coverage.aligned(histories, HOURS)
        found = joint_coverage.measure(record, HOURS, ALPHAS, paths=paths, last=last)
    except ValueError as error:
        raise ConfigError(f"these records cannot be judged: {error}") from None
    return Report(symbols=tuple(histories), windows=found.day.size, rows=rows_of(found))


def rows_of(found: JointCoverage) -> tuple[Row, ...]:
    """Return what became of each promise, the frequent ones first."""
    rows = []
    for (model, alpha), buffer in found.promised.items():
        hits = found.hits(model, alpha)
        ratio = backtest.bootstrap_ratio(
            found.day,
            hits.sum(axis=1).astype(np.float64),
            np.full(found.day.size, alpha * hits.shape[1]),
            seed=SEED,
            draws=DRAWS,
        )
        rows.append(
            Row(
                model=model.value,
                alpha=alpha,
                promised=alpha * hits.size,
                hits=int(np.count_nonzero(hits)),
                ratio=ratio.value,
                low=ratio.low,
                high=ratio.high,
                buffer=float(buffer.mean()),
            )
        )
    return tuple(sorted(rows, key=lambda row: -row.alpha))


HEAD = (
    f"{'model':<21}{'alpha':>7}{'ratio':>7}  {'95 % by days':<14}{'hits':>6}{'promised':>10}"
    f"{'buffer':>8}"
)


def text(report: Report) -> str:
    """Return the report as a table for people."""
    names = " ".join(report.symbols)
    lines = [f"{names}: {report.windows} windows of {HOURS} h, {joint_coverage.BOOKS} books", HEAD]
    for row in report.rows:
        span = f"{row.low:.2f} - {row.high:.2f}"
        lines.append(
            f"{row.model:<21}{row.alpha * 100:>6.4g}%{row.ratio:>7.2f}  {span:<14}{row.hits:>6}"
            f"{row.promised:>10.1f}{row.buffer:>8.3f}"
        )
    return "\n".join([*lines, ""])
