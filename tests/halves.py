"""Runs every test: those that wait for whole market days and for a container beside all others.

``python -m tests.halves`` shows the others as they run, then the days, and joins both reports.
Arguments are those of pytest, which then runs alone.
"""

import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn
from xml.etree import ElementTree as ET

CACHE = Path(".cache")
REPORT = CACHE / "junit.xml"
LONG = ("tests/acceptance", "tests/container")
"""Each of their tests waits for another program, most of the time."""
PYTEST = (sys.executable, "-m", "pytest")
DONE = frozenset({0, 5})
"""How pytest ends when nothing failed, and when there was nothing to run."""


def main(arguments: list[str]) -> int:
    """Run them; return the exit code."""
    CACHE.mkdir(exist_ok=True)
    if arguments:
        return subprocess.call([*PYTEST, f"--junit-xml={REPORT}", *arguments])  # noqa: S603 - ours
    signal.signal(signal.SIGTERM, _ended)
    reports = CACHE / "junit-others.xml", CACHE / "junit-long.xml"
    for report in (REPORT, *reports):
        report.unlink(missing_ok=True)
    told = CACHE / "long.txt"
    with told.open("w") as file:
        long = subprocess.Popen(  # noqa: S603 - ours
            [*PYTEST, f"--junit-xml={reports[1]}", *LONG], stdout=file, stderr=subprocess.STDOUT
        )
    try:
        ignored = [f"--ignore={folder}" for folder in LONG]
        first = subprocess.call([*PYTEST, f"--junit-xml={reports[0]}", *ignored])  # noqa: S603 - ours
        second = long.wait()
    finally:
        long.terminate()
    sys.stdout.write(told.read_text())
    join(reports)
    return next((code for code in (first, second) if code not in DONE), 0)


def join(reports: tuple[Path, ...]) -> None:
    """Write what all reports say into one; one that is missing is left out of it."""
    joined = ET.Element("testsuites")
    for report in reports:
        if report.exists():
            joined.extend(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 - ours
    ET.ElementTree(joined).write(REPORT)


def _ended(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
