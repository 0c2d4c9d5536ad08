"""Most of the worlds of a whole run are made beside the other tests, by what these leave idle."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.simulate.many import many
from bot.simulate.report import FAULTS, SWARM

ROOT = Path(__file__).parents[2]
FILE = ROOT / "config" / "paper.toml"
SEEDS = int(os.environ.get("PLIMSOLL_SEEDS", SWARM))
"""Worlds with every fault of one run of the tests."""
WHOLE = 1000
"""So many tests are a whole run; who runs a few does not want this."""
BROKEN = 5
"""Exit code of the verb where a world broke a promise."""
CHILD = """
import os
os.nice(19)
from bot.cli import main
main()
"""


@dataclass(slots=True, kw_only=True)
class Early:
    """Worlds that were begun with the run.

    Attributes:
        first: Seed.
        process: That makes them.
        said: File with what it prints.
    """

    first: int
    process: subprocess.Popen[bytes]
    said: Path

    @classmethod
    def begin(cls) -> "Early":
        """Begin them with whatever the machine has left."""
        first, (number, said) = SEEDS * 2 // 5, tempfile.mkstemp(prefix="plimsoll-worlds-")
        words = ["--first", str(first), "--seeds", str(SEEDS - first), "--faults", str(FAULTS)]
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", CHILD, "simulate", *words, "--workers", "1", "--json"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            stdout=number,
            stderr=subprocess.STDOUT,
        )
        os.close(number)
        return cls(first=first, process=process, said=Path(said))

    def wait(self) -> dict[str, Any]:
        """Return what came of them."""
        code = self.process.wait()
        text = self.said.read_text(errors="replace")
        assert code in (0, BROKEN), text[-3000:]
        found: dict[str, Any] = json.loads(text)
        return found


_BEGUN: list[Early] = []


def pytest_collection_finish(session: pytest.Session) -> None:
    wanted = any("swarm" in getattr(item, "fixturenames", ()) for item in session.items)
    if wanted and len(session.items) >= WHOLE and not session.config.option.collectonly:
        _BEGUN.append(Early.begin())


def pytest_sessionfinish() -> None:
    for early in _BEGUN:
        early.process.kill()
        early.process.wait()
        early.said.unlink()


@pytest.fixture(scope="session")
def early() -> Early | None:
    """The worlds that were begun with the run; ``None`` where it is not a whole one."""
    return _BEGUN[0] if _BEGUN else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """Worlds with every fault.

    Attributes:
        parts: What came of ranges of seeds.
        struck: In how many worlds each cell of the fault matrix was hit.
    """

    parts: tuple[dict[str, Any], ...]
    struck: dict[str, int]


@pytest.fixture(scope="session")
def swarm(early: Early | None) -> Swarm:
    """All of them: those that were begun with the run, and the others on every core."""
    here = range(SEEDS if early is None else early.first)
    summary = many(here, faults=FAULTS, file=FILE, workers=os.cpu_count() or 1)
    parts = (summary.as_json(), *(() if early is None else (early.wait(),)))
    struck: Counter[str] = Counter()
    for part in parts:
        struck.update(part["struck"])
    return Swarm(parts=parts, struck=dict(struck))
