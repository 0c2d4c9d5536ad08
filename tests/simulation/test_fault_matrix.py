"""Nine writes by 56 faults: every cell is accounted for, on every commit."""

import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bot.simulate.many import configuration
from bot.simulate.matrix import AIMED, ENOUGH, Cell, aimed, cell, cells, not_applicable
from bot.simulate.operations import Operation
from bot.simulate.report import SWARM, page, run_all
from bot.simulate.weather import Wire
from bot.simulate.world import run
from tests.simulation.conftest import FILE, ROOT, SEEDS, Early

MADE = ROOT / ".cache" / "faults.md"
"""What this run found, to be compared with the published page."""

REASONS = {"not_on_this_channel", "no_wire", "no_such_reply"}
NOT_APPLICABLE = 216
RUNS = 10_000
"""Worlds of a whole run, of the swarm and about one cell together."""
FEW = 3
"""Worlds that each cell's fault must hit where only this is run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """What came of every cell.

    Attributes:
        cells: In order.
        enough: Worlds that each fault must hit.
    """

    cells: list[Cell]
    enough: int


@pytest.fixture(scope="module")
def matrix(request: pytest.FixtureRequest, early: Early | None) -> Matrix:
    """As `make faults` makes it in a whole run, else a smaller one."""
    chosen = os.environ.get("PLIMSOLL_CELL_HITS")
    struck: dict[str, int] = {}
    enough = FEW
    if early is not None:
        struck, enough = request.getfixturevalue("swarm").struck, ENOUGH
    enough = enough if chosen is None else int(chosen)
    found = run_all(FILE, workers=os.cpu_count() or 1, enough=enough, struck=struck)
    MADE.parent.mkdir(exist_ok=True)
    MADE.write_text(page(found, enough=enough))
    return Matrix(cells=found, enough=enough)


def test_every_cell_passes_or_says_why_it_cannot_be(
    matrix: Matrix, record_testsuite_property: Callable[[str, object], None]
) -> None:
    found = matrix.cells
    counts = Counter(item.status for item in found)
    record_testsuite_property("fault matrix", {**counts, "hits of each": matrix.enough})
    record_testsuite_property("aimed runs", sum(item.worlds for item in found))
    failed = [(i.operation, i.fault, i.hits, i.violations[:2]) for i in found if i.status == "fail"]
    assert failed == []
    passed = [item for item in found if item.status == "pass"]
    assert all(item.hits + item.beside >= matrix.enough for item in passed)
    assert all(item.hits >= min(AIMED, matrix.enough) for item in passed)
    assert counts["na"] == NOT_APPLICABLE
    if matrix.enough == ENOUGH and SEEDS == SWARM:
        assert SEEDS + sum(item.worlds for item in found) >= RUNS


def test_there_are_504_cells_and_each_exception_has_a_reason_of_the_list() -> None:
    every = list(cells())
    assert len(every) == len(set(every)) == 504
    assert {not_applicable(*one) for one in every} - {""} == REASONS


def test_the_published_page_tells_the_same(matrix: Matrix) -> None:
    text = (ROOT / "docs" / "faults.md").read_text()
    told = re.findall(r"^\| (\S+) \| (\S+) \| (pass|fail|na) \|", text, re.MULTILINE)
    assert told == [(str(i.operation), str(i.fault), i.status) for i in matrix.cells], (
        "run: make faults"
    )


@pytest.mark.parametrize("fault", [Wire.DNS, Wire.LOST_REPLY, Wire.DUPLICATED])
@pytest.mark.parametrize("operation", [Operation.ADD, Operation.TRANSFER])
def test_a_world_names_the_cells_that_it_has_hit_and_no_others(
    operation: Operation, fault: Wire
) -> None:
    loaded = configuration(FILE)
    for seed in range(3):
        result = run(aimed(operation, fault, seed=seed), loaded)
        assert result.violations == ()
        assert set(result.struck) == ({f"{operation} {fault}"} if result.hits else set())


def test_hits_of_the_swarm_count_but_never_alone() -> None:
    loaded = configuration(FILE)
    found = cell(Operation.ADD, Wire.DNS, loaded, enough=30, beside=500)
    assert (found.status, found.hits, found.beside) == ("pass", AIMED, 500)
    assert found.worlds >= found.hits
    assert found.sent >= 1
