"""Nine writes by 56 faults: every cell is accounted for, on every commit."""

import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.simulate.matrix import Cell, cells, not_applicable
from bot.simulate.report import run_all

ROOT = Path(__file__).parents[2]
REASONS = {"not_on_this_channel", "no_wire", "no_such_reply"}
NOT_APPLICABLE = 216
HITS = int(os.environ.get("PLIMSOLL_CELL_HITS", "3"))
"""Worlds of a cell that its fault must hit; `make faults` takes 30."""


@pytest.fixture(scope="module")
def found() -> list[Cell]:
    return run_all(ROOT / "config" / "paper.toml", workers=os.cpu_count() or 1, enough=HITS)


def test_every_cell_passes_or_says_why_it_cannot_be(
    found: list[Cell], record_testsuite_property: Callable[[str, object], None]
) -> None:
    counts = Counter(item.status for item in found)
    record_testsuite_property("fault matrix", dict(counts))
    failed = [(i.operation, i.fault, i.hits, i.violations[:2]) for i in found if i.status == "fail"]
    assert failed == []
    assert all(i.hits >= HITS for i in found if i.status == "pass")
    assert counts["na"] == NOT_APPLICABLE


def test_there_are_504_cells_and_each_exception_has_a_reason_of_the_list() -> None:
    every = list(cells())
    assert len(every) == len(set(every)) == 504
    assert {not_applicable(*one) for one in every} - {""} == REASONS


def test_the_published_page_tells_the_same(found: list[Cell]) -> None:
    text = (ROOT / "docs" / "faults.md").read_text()
    told = re.findall(r"^\| (\S+) \| (\S+) \| (pass|fail|na) \|", text, re.MULTILINE)
    assert told == [(str(i.operation), str(i.fault), i.status) for i in found], "run: make faults"
