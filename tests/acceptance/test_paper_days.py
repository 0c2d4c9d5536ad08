"""Whole market days: real ccxt, real HTTPS, real journal, the clock of the exchange."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("PLIMSOLL_DATA", "../shared/data"))
FASTEST = "100000"


def plimsoll(state: Path, *words: str, code: int = 0) -> str:
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
    assert done.returncode == code, done.stderr[-3000:]
    return done.stdout


def summary(state: Path, *words: str) -> dict[str, Any]:
    printed = plimsoll(state, "paper", *words, "--speed", FASTEST, "--json")
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    state = tmp_path_factory.mktemp("crash")
    return state, summary(state, "--scenario", "crash", "--for", "2h")


def test_the_bot_survives_the_crash_that_liquidates_who_does_nothing(
    crash: tuple[Path, dict[str, Any]],
) -> None:
    _, found = crash
    assert found["liquidations"] == 0
    assert found["without_bot"]["liquidations"] == 2
    assert found["unsuccessful_actions"] == {}


def test_it_survives_the_same_in_coin_and_watches_contracts_of_its_own_venue_only(
    tmp_path: Path,
) -> None:
    words = ("-c", "config/paper-coin.toml", "--scenario", "coin_crash", "--for", "2h")
    found = summary(tmp_path, *words)
    assert (found["liquidations"], found["without_bot"]["liquidations"]) == (0, 1)
    assert found["unsuccessful_actions"] == {}
    assert set(found["actions"]) >= {"add_margin", "transfer", "place_stop", "remove_margin"}
    assert found["currency"] == "BTC"
    assert Decimal(found["equity"]) > Decimal(found["without_bot"]["equity"])
    assert set(found["smallest_distance"]) == {"BTC/USD:BTC long"}
    told = plimsoll(tmp_path, "alarms", "--journal", found["journal"], "--json")
    assert told.strip() == ""  # the books explain every coin


def test_it_adds_transfers_shrinks_and_gives_back_on_the_way(
    crash: tuple[Path, dict[str, Any]],
) -> None:
    state, found = crash
    assert set(found["actions"]) == {
        "add_margin",
        "transfer",
        "reduce_position",
        "remove_margin",
        "place_stop",
        "cancel_stop",
    }
    rows = plimsoll(state, "actions", "--journal", found["journal"], "--limit", "500", "--json")
    every = [json.loads(line)["kind"] for line in rows.splitlines()]
    assert every[:2] == ["place_stop", "place_stop"]
    kinds = [kind for kind in every if not kind.endswith("_stop")]
    assert kinds[0] == "add_margin"
    assert kinds.index("transfer") < kinds.index("reduce_position")
    assert kinds[-1] == "remove_margin"


def test_replay_reproduces_every_recorded_decision(crash: tuple[Path, dict[str, Any]]) -> None:
    state, found = crash
    report = json.loads(plimsoll(state, "replay", "--journal", found["journal"], "--json"))
    assert report["differences"] == []
    assert report["reproduced"] == found["polls"]
    assert report["thinned"] == 0


def test_status_and_decisions_tell_what_happened(crash: tuple[Path, dict[str, Any]]) -> None:
    state, found = crash
    told = json.loads(plimsoll(state, "status", "--journal", found["journal"], "--json"))
    assert told["counts"] == found["verdicts"]
    assert told["open_intents"] == []
    for position in told["last"]["positions"]:
        ends = Decimal(position["liquidation_price"]), Decimal(position["mark"])
        assert ends[0] < Decimal(position["stop"]) < ends[1]
        assert position["blackout_move"] == position["distance"]
        assert position["blackout_minutes"] >= 1
    assert len(told["last"]["stops"]) == 2
    lines = plimsoll(
        state, "decisions", "--journal", found["journal"], "--verdict", "act", "--json"
    ).splitlines()
    first = json.loads(lines[0])
    assert (
        first["actions"][0]["outcome"] == "applied"
    )  # confirmed by the venue, then found in its history
    whole = plimsoll(state, "decisions", "--journal", found["journal"], "--why", first["id"])
    assert json.loads(whole)["positions"][0]["band"]["trigger"]


def test_the_same_command_gives_the_same_numbers(tmp_path: Path) -> None:
    words = ("--scenario", "crash", "--for", "25m")
    first, second = summary(tmp_path / "first", *words), summary(tmp_path / "second", *words)
    assert first["actions"]["add_margin"] > 1
    unlike = {"seconds", "journal"}
    assert {k: v for k, v in first.items() if k not in unlike} == {
        k: v for k, v in second.items() if k not in unlike
    }


def test_without_the_bot_both_positions_are_liquidated(tmp_path: Path) -> None:
    found = summary(tmp_path, "--scenario", "crash", "--no-bot")
    assert found["liquidations"] == 2
    assert found["journal"] is None


def is_still_held(found: dict[str, Any]) -> bool:
    """Whether something of every position is left, on its side, and no stop closed it."""
    kept = [Decimal(rest) / Decimal(size) for size, rest in found["held"].values()]
    return bool(kept) and all(0 < share <= 1 for share in kept) and found["stops_fired"] == 0


@pytest.mark.parametrize("name", ["flash_crash", "short_squeeze", "venue_outage"])
def test_no_position_is_lost_in_other_storms(name: str, tmp_path: Path) -> None:
    found = summary(tmp_path, "--scenario", name)
    assert found["liquidations"] == 0
    assert is_still_held(found), found["held"]
    assert found["without_bot"]["liquidations"] > 0


def test_an_outage_is_recorded_poll_by_poll_and_survived(tmp_path: Path) -> None:
    found = summary(tmp_path, "--scenario", "venue_outage", "--for", "40m")
    assert found["verdicts"]["not_ready"] >= 30
    report = json.loads(plimsoll(tmp_path, "replay", "--journal", found["journal"], "--json"))
    assert report["without_observation"] == found["verdicts"]["not_ready"]


def test_in_a_calm_market_no_money_is_moved_and_no_stop_after_the_first(tmp_path: Path) -> None:
    found = summary(tmp_path, "--scenario", "calm", "--for", "1h")
    assert found["actions"] == {"place_stop": 2}
    assert found["verdicts"]["act"] == 1
    assert set(found["verdicts"]) == {"act", "hold"}
    assert plimsoll(tmp_path, "alarms", "--journal", found["journal"]) == "none\n"
    assert plimsoll(tmp_path, "alarms", "--journal", found["journal"], "--json") == ""


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="recorded markets are not here (PLIMSOLL_DATA)")
@pytest.mark.parametrize(
    ("window", "since", "span"),
    [
        ("BTCUSDT_binance_spot_1m_D02_2020-03-12_covid", "2020-03-12T10:00Z", "2h"),
        ("ETHUSDT_binance_spot_1m_D08_2021-05-19", "2021-05-19T12:00Z", "2h"),
    ],
)
def test_a_recorded_crash_is_survived(window: str, since: str, span: str, tmp_path: Path) -> None:
    file = (DATA / "market" / "spot_1m_windows" / f"{window}.parquet").resolve()
    found = summary(tmp_path, "--market", str(file), "--from", since, "--for", span)
    assert found["without_bot"]["liquidations"] > 0, "the crash must be in the hours played"
    assert found["liquidations"] == 0
    assert is_still_held(found), found["held"]
