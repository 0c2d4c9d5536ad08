"""Both reports of a run are counted, also where one is missing."""

import signal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests import halves


def test_what_both_reports_say_stands_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halves, "REPORT", tmp_path / "junit.xml")
    one, other = tmp_path / "a.xml", tmp_path / "b.xml"
    one.write_text('<testsuites><testsuite tests="3" failures="1" errors="0"/></testsuites>')
    other.write_text('<testsuites><testsuite tests="4" failures="0" errors="2"/></testsuites>')
    halves.join((one, other, tmp_path / "missing.xml"))
    suites = list(ET.parse(tmp_path / "junit.xml").getroot().iter("testsuite"))  # noqa: S314 - ours
    assert [suite.get("tests") for suite in suites] == ["3", "4"]
    assert [suite.get("errors") for suite in suites] == ["0", "2"]


@pytest.mark.parametrize(
    ("checks", "tests", "code"), [("0", "0", 0), ("3", "0", 3), ("0", "5", 0), ("2", "1", 1)]
)
def test_a_run_fails_where_a_check_or_a_test_does(
    checks: str,
    tests: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(halves, "CACHE", tmp_path)
    monkeypatch.setattr(halves, "REPORT", tmp_path / "junit.xml")
    monkeypatch.setattr(halves, "CHECKS", ("sh", "-c", f"echo looked; exit {checks}"))
    monkeypatch.setattr(halves, "PYTEST", ("sh", "-c", f"exit {tests}"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert halves.main([]) == code
    assert "looked" in capfd.readouterr().out
