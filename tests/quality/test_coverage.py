import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMPLETE = ("bot/execute", "bot/rebalance", "bot/margin")
"""Code of which every branch is taken both ways by the tests below."""
TESTS = (
    "tests/unit/books",
    "tests/unit/guard",
    "tests/unit/rebalance",
    "tests/unit/margin",
    "tests/unit/execute",
    "tests/unit/loop",
    "tests/unit/test_bookkeeper.py",
    "tests/unit/test_execute.py",
    "tests/unit/test_foreign.py",
    "tests/unit/test_judge.py",
    "tests/unit/test_news.py",
    "tests/unit/test_replay.py",
    "tests/unit/test_steps.py",
    "tests/property/test_arithmetic_laws.py",
    "tests/property/test_backstop_laws.py",
    "tests/property/test_books_laws.py",
    "tests/property/test_guard_laws.py",
    "tests/property/test_line_laws.py",
    "tests/property/test_planning_laws.py",
)
"""Fast, and the same examples each time: what they cover is no matter of luck."""


def test_every_branch_of_what_decides_and_sends_is_taken(tmp_path: Path) -> None:
    found = covered(tmp_path)
    missing = {
        name: {"lines": file["missing_lines"], "branches": file["missing_branches"]}
        for name, file in found["files"].items()
        if file["missing_lines"] or file["missing_branches"]
    }
    assert missing == {}
    # Nothing was left out: neither a module nor a line that says so.
    paths = [path for part in COMPLETE for path in ROOT.glob(f"{part}/*.py")]
    assert set(found["files"]) == {str(path.relative_to(ROOT)) for path in paths}
    assert found["totals"]["excluded_lines"] == 0
    assert found["totals"]["num_branches"] > 600


def covered(place: Path) -> dict[str, Any]:
    """Return what coverage says of the code after a run of its own tests."""
    data, report = place / "data", place / "report.json"
    environment = os.environ | {"COVERAGE_FILE": str(data), "HYPOTHESIS_PROFILE": "brief"}
    measure = [sys.executable, "-m", "coverage"]
    sources = ",".join(str(ROOT / part) for part in COMPLETE)
    for command in (
        ["run", "--branch", f"--source={sources}", "-m", "pytest", "-q", "-x",
         "-p", "no:cacheprovider", *TESTS],
        ["json", "-q", "-o", str(report)],
    ):  # fmt: skip
        done = subprocess.run(  # noqa: S603 - our own tests
            [*measure, *command], cwd=ROOT, env=environment, capture_output=True, text=True,
            timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, Any] = json.loads(report.read_text())
    return found
