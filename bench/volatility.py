"""How fast is a forecast fitted, made and replayed?

Replay is the whole of it on one symbol: features, a refit every 720 hours, a forecast for each
hour. The plain side fits every regression from its own rows, as a textbook would. Matrix libraries
start threads of their own: OPENBLAS_NUM_THREADS=1 makes the sides comparable.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from bench.measure import interleaved
from bot.domain.position import Side
from bot.leverage import har, tail
from bot.leverage.forecast import AT_HAND, forecast
from bot.leverage.history import History, believed, variances

HOURS = 50_000
"""About as many as the longest recorded marks."""


def record(hours: int, *, seed: int) -> History:
    """Return bars of a random walk: what is measured does not depend on the prices."""
    chance = np.random.Generator(np.random.PCG64(seed))
    close = 100 * np.exp(np.cumsum(chance.normal(scale=0.006, size=hours)))
    wicks = np.exp(np.abs(chance.normal(scale=0.003, size=(2, hours))))
    return believed(438_288, close * wicks[0], close / wicks[1], close)


def plainly(history: History, hours: int) -> float:
    """Return the sum of walk-forward forecasts, each regression fitted from its own rows."""
    table = har.features(history.start, variances(history))
    target = har.targets(variances(history), hours)
    total = 0.0
    for known in range(har.BURN_IN, len(history) + 1, har.REFIT_HOURS):
        rows = slice(max(0, known - har.FIT_HOURS - hours), known - hours)
        whole = np.isfinite(table[rows]).all(axis=1) & np.isfinite(target[rows])
        x, y = table[rows][whole], target[rows][whole]
        b, *_ = np.linalg.lstsq(x, y, rcond=None)
        kappa = np.exp(y).mean() / np.exp(x @ b).mean()
        span = table[known - 1 : known + har.REFIT_HOURS - 1] @ b
        np.quantile(np.exp(table[known - har.FLOOR_HOURS : known] @ b), har.FLOOR_SHARE)
        total += float(np.sqrt(np.exp(span) * kappa).sum())
    return total


def processor_time(call: Callable[[], object]) -> float:
    """Return what a call costs on one core, whoever else wants it. [s]."""
    began = time.process_time()
    call()
    return time.process_time() - began


def run() -> dict[str, Any]:
    """Return timings and bar-steps a second."""
    history = record(HOURS, seed=1)
    recent = history.last(AT_HAND)
    year = history.last(har.FIT_HOURS + har.BURN_IN)
    own = har.fit(history, 8)
    sample = tail.windows(history, har.walk(history, 8).sigma, 8)
    mixed = tail.fit(sample, Side.LONG, origin=tail.Origin.OWN)
    timings = interleaved(
        {
            "replay of 50,000 h": lambda: har.walk(history, 8),
            "the same, plainly": lambda: plainly(history, 8),
            "fit of one regression": lambda: har.fit(year, 8),
            "fit of one tail with mixture": lambda: tail.fit(
                sample, Side.LONG, origin=tail.Origin.OWN
            ),
            "forecast from 889 bars": lambda: forecast(recent, 8, own=own),
            "quantile with mixture at 1e-4": lambda: tail.required(mixed, 1e-4),
        },
        rounds=5,
    )
    rows: dict[str, Any] = {name: asdict(one) for name, one in timings.items()}
    for name in ("replay of 50,000 h", "the same, plainly"):
        rows[name]["bar-steps/s"] = HOURS / timings[name].minimum * 1000
    spent = min(processor_time(lambda: har.walk(history, 8)) for _ in range(10))
    rows["replay, processor time"] = {"minimum": spent * 1000, "bar-steps/s": HOURS / spent}
    return {"what": "forecast of one symbol over 8 h", "aim": ">= 1e6 bar-steps/s", "rows": rows}
