"""Nine writes by 56 faults: every cell is accounted for, on every commit."""

import re
from collections import Counter
from collections.abc import Callable

import pytest

from bot.simulate.many import configuration
from bot.simulate.matrix import AIMED, ENOUGH, Cell, aimed, cell, not_applicable
from bot.simulate.matrix import cells as all_cells
from bot.simulate.operations import Operation
from bot.simulate.report import SWARM, page
from bot.simulate.weather import Wire
from bot.simulate.world import run
from tests.simulation.conftest import SEEDS
from tests.simulation.early import FILE, ROOT

MADE = ROOT / ".cache" / "faults.md"
"""What this run found, to be compared with the published page."""

REASONS = {"not_on_this_channel", "no_wire", "no_such_reply"}
NOT_APPLICABLE = 216
RUNS = 10_000
"""Worlds of a whole run, of the swarm and about one cell together."""


Property = Callable[[str, object], None]


def test_every_cell_passes_or_says_why_it_cannot_be(
    cells: list[Cell], enough: int, record_testsuite_property: Property
) -> None:
    counts = Counter(item.status for item in cells)
    record_testsuite_property("fault matrix", {**counts, "hits of each": enough})
    record_testsuite_property("aimed runs", sum(item.worlds for item in cells))
    MADE.parent.mkdir(exist_ok=True)
    MADE.write_text(page(cells, enough=enough))
    failed = [(i.operation, i.fault, i.hits, i.violations[:2]) for i in cells if i.status == "fail"]
    assert failed == []
    passed = [item for item in cells if item.status == "pass"]
    assert all(item.hits + item.beside >= enough for item in passed)
    assert all(item.hits >= min(AIMED, enough) for item in passed)
    assert counts["na"] == NOT_APPLICABLE
    if enough == ENOUGH and SEEDS == SWARM:
        assert SEEDS + sum(item.worlds for item in cells) >= RUNS


def test_there_are_504_cells_and_each_exception_has_a_reason_of_the_list() -> None:
    every = list(all_cells())
    assert len(every) == len(set(every)) == 504
    assert {not_applicable(*one) for one in every} - {""} == REASONS


def test_the_published_page_tells_the_same(cells: list[Cell]) -> None:
    text = (ROOT / "docs" / "faults.md").read_text()
    told = re.findall(r"^\| (\S+) \| (\S+) \| (pass|fail|na) \|", text, re.MULTILINE)
    found = [(str(item.operation), str(item.fault), item.status) for item in cells]
    assert told == found, "run: make faults"


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
