"""Runs every check and test: what waits, or keeps one core busy, beside all other tests.

``python -m tests.halves`` shows the others as they run, then the days and the container, then what
the checks say, and joins both reports. Arguments are those of pytest, which then runs alone.
"""

import signal
import subprocess
import sys
import threading
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
    beside = _Beside(
        ((*PYTEST, f"--junit-xml={reports[1]}", *LONG), CACHE / "long.txt"),
        (CHECKS, CACHE / "checks.txt"),
    )
    try:
        ignored = [f"--ignore={folder}" for folder in LONG]
        first = subprocess.call([*PYTEST, f"--junit-xml={reports[0]}", *ignored])  # noqa: S603 - ours
        codes = [first, *beside.ended()]
    finally:
        beside.end()
    join(reports)
    return next((code for code in codes if code not in DONE), 0)


class _Beside:
    """Programs that run one after the other; what they say is shown once all have ended."""

    def __init__(self, *programs: tuple[tuple[str, ...], Path]) -> None:
        self._programs, self._codes = programs, list[int]()
        self._is_over = False
        self._now: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def ended(self) -> list[int]:
        """Wait for all; return their exit codes."""
        self._thread.join()
        for _, told in self._programs:
            sys.stdout.write(told.read_text())
        return self._codes

    def end(self) -> None:
        """End what still runs."""
        self._is_over = True
        if self._now is not None:
            self._now.terminate()

    def _run(self) -> None:
        for words, told in self._programs:
            with told.open("w") as file:
                if self._is_over:
                    return
                self._now = subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT)  # noqa: S603 - ours
                self._codes.append(self._now.wait())


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
