"""``python -m bench.blackout``: how far did prices move against a position, at worst, in so long?

Reads one-minute bars of BTC and ETH below ``PLIMSOLL_DATA`` and prints the rows that stand in
``bot/margin/blackout.py``. A test runs it where the data is.
"""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bot.margin.blackout import WORST

COINS = ("BTC", "ETH")
"""The first minutes of a new listing tell nothing about any other coin: they are left out."""
MINUTE_MS = 60_000
HORIZONS = tuple(pace.minutes for pace in WORST)
Prices = NDArray[np.float64]


def folder() -> Path:
    return Path(os.environ.get("PLIMSOLL_DATA", "../shared/data")) / "market/spot_1m_windows"


def worst_of(where: Path) -> dict[int, tuple[float, float]]:
    """Return the worst fall and the worst rise over each horizon, of all files. [ratio]

    A move is measured from the start of a minute to the extreme of the minutes that follow, and
    from the extreme of a minute to the extreme of those after it; never over a gap.
    """
    found = dict.fromkeys(HORIZONS, (0.0, 0.0))
    files = [file for coin in COINS for file in sorted(where.glob(f"{coin}USDT_*.parquet"))]
    if not files:
        raise FileNotFoundError(f"{where} must hold one-minute bars: set PLIMSOLL_DATA")
    for file in files:
        table = pq.read_table(file, columns=["timestamp", "open", "high", "low"])
        at, open_, high, low = (column.to_numpy() for column in table.columns)
        cuts = np.flatnonzero(np.diff(at) != MINUTE_MS) + 1
        spans = zip(np.split(open_, cuts), np.split(high, cuts), np.split(low, cuts), strict=True)
        for span in spans:
            for minutes in HORIZONS:
                fall, rise = _worst(*span, minutes=minutes)
                before = found[minutes]
                found[minutes] = (max(before[0], fall), max(before[1], rise))
    return found


def _worst(open_: Prices, high: Prices, low: Prices, *, minutes: int) -> tuple[float, float]:
    lowest, highest = _ahead(low, minutes, np.minimum), _ahead(high, minutes, np.maximum)
    fall = max(
        float(np.max(1 - lowest / open_)), float(np.max(1 - lowest[1:] / high[:-1], initial=0))
    )
    rise = max(
        float(np.max(highest / open_ - 1)), float(np.max(highest[1:] / low[:-1] - 1, initial=0))
    )
    return fall, rise


def _ahead(values: Prices, minutes: int, extreme: Any) -> Prices:
    """Return the extreme of each minute and those after it; windows double until they fit."""
    found, length = values.copy(), 1
    while length < minutes:
        step = min(length, minutes - length)
        found[: len(found) - step] = extreme(found[: len(found) - step], found[step:])
        length += step
    return found


def main() -> None:
    """Print the rows."""
    for minutes, (fall, rise) in worst_of(folder()).items():
        print(f'        ({minutes}, "{upwards(fall)}", "{upwards(rise)}"),')


def upwards(move: float) -> str:
    """Return a move with four digits, never smaller than it was. [ratio]"""
    return f"{math.ceil(move * 10_000) / 10_000:.4f}"


if __name__ == "__main__":
    main()
