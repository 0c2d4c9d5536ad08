"""The worlds of a whole run are begun with it and asked for at its end."""

import os

import pytest

from bot.simulate.many import Summary, many
from bot.simulate.matrix import ENOUGH, Cell
from bot.simulate.report import FAULTS, SWARM, run_all
from tests.simulation.early import FILE, Early, Made

SEEDS = int(os.environ.get("PLIMSOLL_SEEDS", SWARM))
"""Worlds with every fault of one run of the tests."""
WHOLE = 1000
"""So many tests are a whole run; who runs a few does not want this."""
FEW = 3
"""Worlds that each cell's fault must hit where it is not one."""

_BEGUN: list[Early] = []


def _wants_worlds(item: pytest.Item) -> bool:
    return not {"swarm", "cells"}.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let nobody wait for them who could do something else."""
    items.sort(key=_wants_worlds)


def pytest_collection_finish(session: pytest.Session) -> None:
    wanted = any(map(_wants_worlds, session.items))
    if wanted and len(session.items) >= WHOLE and not session.config.option.collectonly:
        _BEGUN.append(Early(SEEDS))


def pytest_sessionfinish() -> None:
    for early in _BEGUN:
        early.end()


@pytest.fixture(scope="session")
def early() -> Made | None:
    """The worlds that were begun with the run; ``None`` where it is not a whole one."""
    return _BEGUN[0].wait() if _BEGUN else None


@pytest.fixture(scope="session")
def swarm(early: Made | None) -> Summary:
    """Worlds with every fault."""
    if early is not None:
        return early.swarm
    return many(range(SEEDS), faults=FAULTS, file=FILE, workers=os.cpu_count() or 1)


@pytest.fixture(scope="session")
def enough(early: Made | None) -> int:
    """How many worlds the fault of each cell must hit."""
    return FEW if early is None else ENOUGH


@pytest.fixture(scope="session")
def cells(early: Made | None, enough: int) -> list[Cell]:
    """The fault matrix as `make faults` makes it, a smaller one where this is no whole run."""
    if early is not None:
        return early.cells
    return run_all(FILE, workers=os.cpu_count() or 1, enough=enough)
