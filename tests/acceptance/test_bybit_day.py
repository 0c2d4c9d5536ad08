"""A market day at Bybit: real ccxt, real HTTPS, real journal, the clock of the exchange."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def plimsoll(state: Path, *words: str) -> str:
    """Run the program as a person would and return what it prints."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "bot", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PLIMSOLL_BOT__STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def configuration(folder: Path) -> Path:
    """Return the shipped paper configuration, of another venue."""
    file = folder / "bybit.toml"
    shipped = (ROOT / "config" / "paper.toml").read_text()
    file.write_text(shipped.replace('venue = "binanceusdm"', 'venue = "bybit"'))
    return file


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    state = tmp_path_factory.mktemp("bybit")
    file = configuration(state)
    printed = plimsoll(
        state, "paper", "-c", str(file), "--scenario", "crash", "--for", "90m",
        "--speed", "100000", "--json",
    )  # fmt: skip
    return state, json.loads(printed.splitlines()[-1])


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
