"""How long does a call take, several sides in turn?"""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Of one side.

    Attributes:
        minimum: [ms]
        median: [ms]
        p99: [ms]
        rounds: How many were counted.
    """

    minimum: float
    median: float
    p99: float
    rounds: int


def interleaved(sides: dict[str, Callable[[], object]], *, rounds: int) -> dict[str, Timing]:
    """Return the timing of each side, called in turn so that a drifting machine hits all alike."""
    for call in sides.values():
        call()
    taken: dict[str, list[float]] = {name: [] for name in sides}
    gc.collect()
    for _ in range(rounds):
        for name, call in sides.items():
            began = time.perf_counter()
            call()
            taken[name].append((time.perf_counter() - began) * 1000)
    return {name: timing(values) for name, values in taken.items()}


def timing(values: list[float]) -> Timing:
    """Return the timing of a list of durations. [ms]."""
    ordered = sorted(values)
    return Timing(
        minimum=ordered[0],
        median=statistics.median(ordered),
        p99=ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
        rounds=len(ordered),
    )
