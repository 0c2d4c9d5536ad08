"""``python -m bot.simulate.report``: run every cell of the fault matrix and write the page."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from enum import StrEnum
from multiprocessing import get_context
from pathlib import Path

from bot.simulate.many import configuration
from bot.simulate.matrix import ENOUGH, Cell, cell, cells
from bot.simulate.operations import Operation

PAGE = Path("docs/faults.md")


def run_all(file: Path, *, workers: int, enough: int = ENOUGH) -> list[Cell]:
    """Return every cell, in order.

    Args:
        file: Configuration that every world starts from.
        workers: Processes.
        enough: Hits that a cell needs.
    """
    tasks = [(operation, fault, file, enough) for operation, fault in cells()]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_one, tasks, chunksize=4))


def page(found: Sequence[Cell], *, enough: int) -> str:
    """Return the page for people."""
    counts = Counter(item.status for item in found)
    rows = [
        f"| {item.operation} | {item.fault} | {item.status} | {item.reason} | {item.worlds} "
        f"| {item.hits} |"
        for item in found
    ]
    told = f"{counts['pass']} passed, {counts['na']} not applicable, {counts['fail']} failed"
    return "\n".join(
        [
            "# Faults",
            "",
            "Every write beside every fault. A cell passes if the fault hit while that write was",
            f"planned, in flight or unsettled in at least {enough} worlds, and no world broke a",
            "promise or failed to settle. Made by `make faults`; tests run fewer worlds.",
            "",
            f"{told}, {len(found)} accounted.",
            "",
            "| write | fault | status | reason | worlds | hits |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _one(task: tuple[Operation, StrEnum, Path, int]) -> Cell:
    operation, fault, file, enough = task
    return cell(operation, fault, configuration(file), enough=enough)


if __name__ == "__main__":
    hits = int(os.environ.get("PLIMSOLL_CELL_HITS", ENOUGH))
    everything = run_all(Path("config/paper.toml"), workers=2, enough=hits)
    PAGE.write_text(page(everything, enough=hits))
    bad = [item for item in everything if item.status == "fail"]
    for item in bad:
        sys.stdout.write(f"{item.operation} {item.fault} {item.hits} hits {item.violations[:3]}\n")
    sys.stdout.write(f"{PAGE}: {len(everything)} cells, {len(bad)} failed\n")
