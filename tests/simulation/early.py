"""Every world of a whole run, made beside its other tests by what these leave idle.

``python -m tests.simulation.early SEEDS FILE`` writes what came of them to a file.
"""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.simulate.many import Summary, many
from bot.simulate.matrix import ENOUGH, Cell
from bot.simulate.report import FAULTS, run_all

ROOT = Path(__file__).parents[2]
FILE = ROOT / "config" / "paper.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of them.

    Attributes:
        swarm: Worlds with every fault.
        cells: The fault matrix, filled up with worlds about one cell each.
    """

    swarm: Summary
    cells: list[Cell]


def make(seeds: int, *, enough: int = ENOUGH) -> Made:
    """Make all of them, on every core.

    Args:
        seeds: Of the swarm.
        enough: Worlds that the fault of each cell must hit.
    """
    cores = os.cpu_count() or 1
    swarm = many(range(seeds), faults=FAULTS, file=FILE, workers=cores)
    cells = run_all(FILE, workers=cores, enough=enough, struck=swarm.struck)
    return Made(swarm=swarm, cells=cells)


class Early:
    """Worlds that were begun with the run."""

    def __init__(self, seeds: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="plimsoll-worlds-")
        self._made = Path(self._folder.name) / "made"
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "tests.simulation.early", str(seeds), str(self._made)],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            stdin=subprocess.PIPE,  # closed when this run ends, however it does
            process_group=0,  # its workers end with it; a session would get an equal share
        )

    def wait(self) -> Made:
        """Return what came of them."""
        assert self._process.wait() == 0, "the worlds ended early: see what they wrote"
        swarm, cells = pickle.loads(self._made.read_bytes())  # noqa: S301 - our own child wrote it
        return Made(swarm=swarm, cells=cells)

    def end(self) -> None:
        """End them, wherever they are."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()
        self._folder.cleanup()


def _end_with_parent() -> None:
    """End this process and its workers when whoever began it is gone: it cannot say so itself."""
    os.read(0, 1)  # a buffer of Python's would be locked when this process ends by itself
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # By priority alone they would keep the other tests waiting at each wake-up.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    made = make(int(sys.argv[1]))
    Path(sys.argv[2]).write_bytes(pickle.dumps((made.swarm, made.cells)))
