"""What comes of many worlds, on every core?"""

import gc
import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bot.settings import Loaded, load
from bot.simulate.case import case_of
from bot.simulate.world import Result, run

CHUNK = 50
"""Worlds that one task of a worker makes."""
YEAR = 365.25 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What came of a range of seeds.

    Attributes:
        first: Seed.
        runs: Worlds.
        faults: Highest rate of a fault class. [ratio]
        seconds: It took on this machine. [s]
        years: Of virtual time.
        digest: Over all traces, in the order of the seeds.
        totals: Polls, starts, writes that took effect and faults that hit one, by kind.
        struck: In how many worlds that broke no promise each cell of the fault matrix was hit.
        violations: What must not be: seed and words.
    """

    first: int
    runs: int
    faults: float
    seconds: float
    years: float
    digest: str
    totals: dict[str, int]
    struck: dict[str, int]
    violations: tuple[tuple[int, str], ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "first_seed": self.first,
            "runs": self.runs,
            "faults": self.faults,
            "seconds": round(self.seconds, 1),
            "runs_per_second": round(self.runs / max(self.seconds, 1e-9), 1),
            "virtual_years": round(self.years, 4),
            "trace": self.digest,
            "totals": self.totals,
            "struck": self.struck,
            "violations": [
                {"seed": seed, "text": text, "again": again(seed, self.faults)}
                for seed, text in self.violations
            ],
        }


def again(seed: int, faults: float) -> str:
    """Return the command that runs one seed again and shows everything."""
    return f"plimsoll simulate --seed {seed} --faults {faults:g}"


def configuration(file: Path) -> Loaded:
    """Return the configuration every world starts from."""
    return load([file], environ={})


def results(seeds: Sequence[int], *, faults: float, file: Path, workers: int) -> Iterator[Result]:
    """Yield what comes of each seed, in their order."""
    if workers <= 1:
        seldom()
        loaded = configuration(file)
        for seed in seeds:
            yield run(case_of(seed, faults=faults), loaded)
        return
    chunks = [(tuple(seeds[i : i + CHUNK]), faults, file) for i in range(0, len(seeds), CHUNK)]
    with workshop(workers) as pool:
        for found in pool.map(_chunk, chunks):
            yield from found


def workshop(workers: int) -> ProcessPoolExecutor:
    """Return processes that make worlds."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=seldom)


def seldom() -> None:
    """Look for garbage seldom: a world leaves little, and what was imported never is any."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def many(seeds: Sequence[int], *, faults: float, file: Path, workers: int) -> Summary:
    """Return what comes of a range of seeds.

    Args:
        seeds: In ascending order.
        faults: Highest rate of a fault class. [ratio]
        file: Configuration every world starts from.
        workers: Processes.
    """
    began = time.perf_counter()
    digest = hashlib.sha256()
    totals: Counter[str] = Counter()
    struck: Counter[str] = Counter()
    violations: list[tuple[int, str]] = []
    virtual = 0.0
    for result in results(seeds, faults=faults, file=file, workers=workers):
        digest.update(result.digest.encode())
        virtual += result.seconds
        totals["polls"] += result.polls
        totals["starts"] += result.starts
        totals.update({f"did {kind}": count for kind, count in result.actions.items()})
        totals.update({f"fault {kind}": count for kind, count in result.faults.items()})
        struck.update(() if result.violations else result.struck)
        violations += [(result.seed, text) for text in result.violations]
    return Summary(
        first=seeds[0],
        runs=len(seeds),
        faults=faults,
        seconds=time.perf_counter() - began,
        years=virtual / YEAR,
        digest=digest.hexdigest(),
        totals=dict(sorted(totals.items())),
        struck=dict(sorted(struck.items())),
        violations=tuple(violations),
    )


def _chunk(task: tuple[tuple[int, ...], float, Path]) -> list[Result]:
    seeds, faults, file = task
    loaded = configuration(file)
    return [run(case_of(seed, faults=faults), loaded) for seed in seeds]
