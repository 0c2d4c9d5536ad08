"""Both reports of a run are counted, also where one is missing."""

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
