"""``python -m bot.simulate.report``: run every cell of the fault matrix and write the page."""

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from bot.simulate.many import configuration, many, workshop
from bot.simulate.matrix import AIMED, ENOUGH, Cell, cell, cells
from bot.simulate.operations import Operation

PAGE = Path("docs/faults.md")
SWARM = 2800
"""Worlds with every fault, before those that are about one cell."""
FAULTS = 0.3
"""Highest rate of a fault class in them. [ratio]"""


def run_all(
    file: Path, *, workers: int, enough: int = ENOUGH, struck: Mapping[str, int] | None = None
) -> list[Cell]:
    """Return every cell, in order.

    Args:
        file: Configuration that every world starts from.
        workers: Processes.
        enough: Worlds that a cell's fault must hit.
        struck: How many worlds of the swarm hit each cell.
    """
    known = struck or {}
    tasks = [
        (operation, fault, file, enough, known.get(f"{operation} {fault}", 0))
        for operation, fault in cells()
    ]
    with workshop(workers) as pool:
        return list(pool.map(_one, tasks))


def page(found: Sequence[Cell], *, enough: int) -> str:
    """Return the page for people."""
    counts = Counter(item.status for item in found)
    rows = [
        f"| {item.operation} | {item.fault} | {item.status} | {item.reason} | {item.worlds} "
        f"| {item.hits} | {item.beside} | {item.sent} | {item.settling:.0f} |"
        for item in found
    ]
    least = min(AIMED, enough)
    told = f"{counts['pass']} passed, {counts['na']} not applicable, {counts['fail']} failed"
    return "\n".join(
        [
            "# Faults",
            "",
            "Every write beside every fault. A cell passes if the fault hit while that write was",
            f"planned, in flight or unsettled in at least {enough} worlds, and no world broke a",
            f"promise or failed to settle. At least {least} of these are about the cell alone;",
            "the others may be of the swarm, where other faults happen beside it. Made by",
            "`make faults`, the same way as in `make test`.",
            "",
            f"{told}, {len(found)} accounted.",
            "",
            "Sent: writes of that kind that left in the worlds of the cell, tried again ones too.",
            "Settled: the longest time after the storm until nothing was open. [s]",
            "",
            "| write | fault | status | reason | worlds | hit | in the swarm | sent | settled |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _one(task: tuple[Operation, StrEnum, Path, int, int]) -> Cell:
    operation, fault, file, enough, beside = task
    return cell(operation, fault, configuration(file), enough=enough, beside=beside)


if __name__ == "__main__":
    hits = int(os.environ.get("PLIMSOLL_CELL_HITS", ENOUGH))
    start = Path("config/paper.toml")
    swarm = many(range(SWARM), faults=FAULTS, file=start, workers=os.cpu_count() or 1)
    everything = run_all(start, workers=os.cpu_count() or 1, enough=hits, struck=swarm.struck)
    PAGE.write_text(page(everything, enough=hits))
    bad = [item for item in everything if item.status == "fail"]
    for item in bad:
        sys.stdout.write(f"{item.operation} {item.fault} {item.hits} hits {item.violations[:3]}\n")
    sys.stdout.write(f"{PAGE}: {len(everything)} cells, {len(bad)} failed\n")
