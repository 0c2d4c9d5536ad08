"""A market day at Bybit: real ccxt, real HTTPS, real journal, the clock of the exchange."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_paper_days import plimsoll, summary
from tests.kit.houses import BYBIT


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    state = tmp_path_factory.mktemp("bybit")
    file = BYBIT.configured(state)
    return state, summary(state, "-c", str(file), "--scenario", "crash", "--for", "90m")


def test_the_bot_survives_the_crash_that_liquidates_who_does_nothing(
    crash: tuple[Path, dict[str, Any]],
) -> None:
    _, found = crash
    assert found["liquidations"] == 0
    assert found["without_bot"]["liquidations"] == 2
    assert found["unsuccessful_actions"] == {}
    assert found["alarms"] == {}
    assert {"add_margin", "transfer", "reduce_position", "remove_margin"} < set(found["actions"])


def test_all_that_was_done_was_found_again_at_the_venue(
    crash: tuple[Path, dict[str, Any]],
) -> None:
    state, found = crash
    rows = plimsoll(state, "actions", "--journal", found["journal"], "--limit", "500", "--json")
    states = {json.loads(line)["state"] for line in rows.splitlines()}
    assert states == {"applied"}


def test_replay_reproduces_every_recorded_decision(crash: tuple[Path, dict[str, Any]]) -> None:
    state, found = crash
    report = json.loads(plimsoll(state, "replay", "--journal", found["journal"], "--json"))
    assert (report["differences"], report["reproduced"]) == ([], found["polls"])
