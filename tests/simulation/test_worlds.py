"""The whole bot in seeded worlds: what must hold, holds; and what protects it is needed."""

import contextlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bot.settings import Loaded
from bot.simulate.case import THEME, Case, case_of
from bot.simulate.many import Summary, configuration
from bot.simulate.report import FAULTS
from bot.simulate.world import Result, run
from tests.simulation.ablations import (
    ABLATIONS,
    ABOUT,
    ABOUT_SUCCESSION,
    OFTEN,
    UNSEEN,
    old_requests_leave,
    without,
)
from tests.simulation.conftest import SEEDS
from tests.simulation.early import FILE, ROOT

TWICE = max(1, SEEDS // 100)
"""Of them so many are made a second time, elsewhere."""
SUCCEEDED = 20
"""Worlds in which another machine takes over."""
ENOUGH = 1500
"""A protection that nothing notices in so many worlds is not tested."""

Property = Callable[[str, object], None]


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return configuration(FILE)


def test_no_world_breaks_a_promise(record_testsuite_property: Property, swarm: Summary) -> None:
    found = swarm.as_json()
    record_testsuite_property("simulated runs", swarm.runs)
    for name in ("runs_per_second", "virtual_years", "trace"):
        record_testsuite_property(f"simulated {name}", found[name])
    record_testsuite_property("simulated violations", len(swarm.violations))
    print(json.dumps(found, indent=1))
    assert found["violations"] == []
    assert swarm.runs == SEEDS
    # It must have been worth something: every kind of write happened, and most faults hit one.
    did = [name for name in swarm.totals if name.startswith("did ")]
    assert {name.split()[-1].rpartition("/")[2] for name in did} >= {
        "order",
        "positionMargin",
        "transfer",
    }


def test_in_fair_weather_every_world_ends_well(loaded: Loaded) -> None:
    for seed in range(60):
        result = run(case_of(seed, faults=0), loaded)
        assert result.violations == (), seed
        assert result.starts == 1


def test_a_person_whom_the_bot_overlooks_is_missed_in_fair_weather(loaded: Loaded) -> None:
    found: list[str] = []
    for seed in range(60):
        with without(UNSEEN):
            found += run(case_of(seed, faults=0), loaded).violations
    assert any(text.startswith("F36") for text in found)


CHILD = """
import sys
from pathlib import Path
from bot.simulate.case import case_of
from bot.simulate.many import Summary, configuration
from bot.simulate.world import run
loaded = configuration(Path(sys.argv[1]))
for seed in range(0, int(sys.argv[2]) * 100, 100):
    print(run(case_of(seed, faults=float(sys.argv[3])), loaded).digest)
"""


def test_the_same_seed_leaves_the_same_trace_in_another_process(loaded: Loaded) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", CHILD, str(FILE), str(TWICE), str(FAULTS)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    here = [run(case_of(seed, faults=FAULTS), loaded).digest for seed in range(0, TWICE * 100, 100)]
    assert done.stdout.split() == here


def test_different_seeds_leave_different_traces(loaded: Loaded) -> None:
    assert len({run(case_of(seed, faults=FAULTS), loaded).digest for seed in range(20)}) == 20


def worlds_about(name: str) -> Iterator[Case]:
    """Yield worlds of the swarm, where a protection is against one fault those about that fault."""
    faults = ABOUT.get(name)
    for seed in itertools.count():
        case = case_of(seed, faults=FAULTS)
        if name in ABOUT_SUCCESSION and case.second is None:
            continue
        if faults is None or any(case.rates.get(fault, 0.0) >= THEME for fault in faults):
            yield replace(case, interval=OFTEN.get(name, case.interval))


@pytest.mark.parametrize("name", ABLATIONS)
def test_a_protection_that_is_switched_off_is_missed(name: str, loaded: Loaded) -> None:
    caught: Result | None = None
    for case in itertools.islice(worlds_about(name), ENOUGH):
        with without(name):
            result = run(case, loaded)
        if result.violations:
            caught = result
            break
    assert caught is not None, f"{ENOUGH} worlds do not notice {name}"
    print(f"{name}: seed {caught.seed}, {caught.violations[0]}")


def test_the_lease_alone_stops_a_bot_that_was_succeeded(loaded: Loaded) -> None:
    """Its age stops a request too; nobody asks for that here, and in A11 not for the lease."""
    cases = (case_of(seed, faults=FAULTS) for seed in itertools.count())
    for case in itertools.islice((c for c in cases if c.second is not None), SUCCEEDED):
        with contextlib.ExitStack() as stack:
            old_requests_leave(stack)
            result = run(case, loaded)
        assert [text for text in result.violations if text.startswith("I5")] == [], case.seed
