"""A strategy in a file of one's own: real ccxt, real HTTPS, real journal, another folder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
WITH_IT = """
[bot]
state_dir = "{state}"

[strategy]
path = "{path}"
"""
BROKEN = """
from dataclasses import dataclass
from decimal import Decimal
from bot.domain.band import Levels, LeverageBand

@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    pass

class Broken:
    def __init__(self, settings: Settings) -> None:
        pass

    def choose(self, risk, market):
        {body}
"""
NAN = (
    "nan = Levels(**dict.fromkeys(('emergency', 'trigger', 'target', 'give_back'), Decimal('NaN')))"
    "; return LeverageBand(distance=nan, leverage=nan)"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a configuration; the program is started in another one."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "config").mkdir()
    return tmp_path / "config"


def plimsoll(folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "bot", *words],
        cwd=folder.parent / "elsewhere",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr[-3000:]
    return done.stdout if code == 0 else done.stderr


def configured(folder: Path, path: str) -> tuple[str, ...]:
    """Return the options that name the shipped paper configuration with another strategy."""
    shipped = (ROOT / "config" / "paper.toml").read_text()
    before, _, after = shipped.partition("[strategy]")
    (folder / "paper.toml").write_text(before + "[limits]" + after.partition("[limits]")[2])
    state = folder.parent / "state"
    (folder / "own.toml").write_text(WITH_IT.format(state=state, path=path))
    return ("-c", str(folder / "paper.toml"), "-c", str(folder / "own.toml"))


def played(folder: Path, path: str) -> dict[str, Any]:
    """Return the summary of some polls of a calm market."""
    scenario = str(ROOT / "config" / "scenarios" / "calm.toml")
    printed = plimsoll(
        folder, "paper", *configured(folder, path), "--scenario", scenario,
        "--for", "30s", "--speed", "100000", "--json",
    )  # fmt: skip
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def newest(folder: Path, found: dict[str, Any]) -> dict[str, Any]:
    lines = plimsoll(
        folder, "decisions", "--journal", found["journal"], "--limit", "1", "--json"
    ).splitlines()
    record: dict[str, Any] = json.loads(lines[-1])
    return record


@pytest.mark.parametrize(
    ("example", "name", "is_absolute"),
    [
        ("night_watch.py", "NightWatch", True),
        ("night_watch.py", "NightWatch", False),
        ("after_the_storm.py", "AfterTheStorm", True),
    ],
)
def test_an_example_runs_from_a_file_and_its_decisions_follow_again(
    example: str, name: str, is_absolute: bool, folder: Path
) -> None:
    (folder / "own").mkdir()
    file = folder / "own" / "watch.py"
    file.write_text((EXAMPLES / example).read_text())
    path = f"{file}:{name}" if is_absolute else f"own/watch.py:{name}"
    found = played(folder, path)
    assert found["polls"] >= 5
    assert "refuse" not in found["verdicts"]
    record = newest(folder, found)
    assert record["strategy"] == f"{file}:{name}"
    assert record["positions"][0]["band"]["trigger"]
    # Wherever it is asked: the journal knows the file from the root.
    report = json.loads(plimsoll(folder, "replay", "--journal", found["journal"], "--json"))
    assert (report["differences"], report["reproduced"]) == ([], found["polls"])


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        pytest.param("return None", "bad_band", "must be a LeverageBand, was NoneType", id="none"),
        pytest.param(NAN, "bad_band", "had Decimal('NaN')", id="nan"),
        pytest.param("return risk.no_such", "strategy_failed", "AttributeError", id="raises"),
        pytest.param("raise SystemExit(9)", "strategy_failed", "SystemExit: 9", id="exits"),
        pytest.param("raise ValueError('no')", "no_band", "no", id="refuses"),
    ],
)
def test_whatever_a_file_does_the_bot_goes_on_and_names_it(
    body: str, code: str, text: str, folder: Path
) -> None:
    (folder / "broken.py").write_text(BROKEN.format(body=body))
    found = played(folder, "broken.py:Broken")
    assert found["polls"] >= 5
    assert found["verdicts"] == {"refuse": found["polls"]}
    record = newest(folder, found)
    assert {position["reason"] for position in record["positions"]} == {code}
    refusal = record["refusals"][0]
    assert refusal["code"] == code
    assert text in refusal["text"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "strategy.path: file {folder}/broken.py must exist"),
        ("1 / 0", "strategy.path: {folder}/broken.py failed to load: ZeroDivisionError"),
        ("raise SystemExit(0)", "strategy.path: {folder}/broken.py failed to load: SystemExit(0)"),
        ("", "strategy.path: {folder}/broken.py must define a class Broken"),
    ],
    ids=["missing", "raises", "exits", "empty"],
)
def test_a_file_that_cannot_be_loaded_ends_the_start_with_one_line(
    text: str | None, message: str, folder: Path
) -> None:
    if text is not None:
        (folder / "broken.py").write_text(text)
    told = plimsoll(folder, "check", *configured(folder, "broken.py:Broken"), code=2)
    assert told.startswith("plimsoll: " + message.format(folder=folder))
    assert len(told.splitlines()) == 1
