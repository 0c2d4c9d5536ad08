"""Runs every check and test: what waits, or keeps one core busy, beside all other tests.

``python -m tests.halves`` shows the others as they run, then the days and the container, then what
the checks say, and joins both reports. Arguments are those of pytest, which then runs alone.
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
CHECKS = ("make", "check")
PYTEST = (sys.executable, "-m", "pytest")
DONE = frozenset({0, 5})
"""How pytest ends when nothing failed, and when there was nothing to run."""


def main(arguments: list[str]) -> int:
    """Run them; return the exit code."""
    CACHE.mkdir(exist_ok=True)
    if arguments:
        checked = subprocess.call(CHECKS)  # noqa: S603 - ours
        return checked or subprocess.call([*PYTEST, f"--junit-xml={REPORT}", *arguments])  # noqa: S603 - ours
    signal.signal(signal.SIGTERM, _ended)
    reports = CACHE / "junit-others.xml", CACHE / "junit-long.xml"
    for report in (REPORT, *reports):
        report.unlink(missing_ok=True)
    beside = [
        _Beside((*PYTEST, f"--junit-xml={reports[1]}", *LONG), CACHE / "long.txt"),
        _Beside(CHECKS, CACHE / "checks.txt"),
    ]
    try:
        ignored = [f"--ignore={folder}" for folder in LONG]
        codes = [subprocess.call([*PYTEST, f"--junit-xml={reports[0]}", *ignored])]  # noqa: S603 - ours
        codes += [one.ended() for one in beside]
    finally:
        for one in beside:
            one.process.terminate()
    join(reports)
    return next((code for code in codes if code not in DONE), 0)


class _Beside:
    """A program whose words are shown when it has ended."""

    def __init__(self, words: tuple[str, ...], told: Path) -> None:
        self._told = told
        with told.open("w") as file:
            self.process = subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT)  # noqa: S603 - ours

    def ended(self) -> int:
        """Wait for it; return its exit code."""
        code = self.process.wait()
        sys.stdout.write(self._told.read_text())
        return code


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
