"""A crash at Hyperliquid: real ccxt, signatures and HTTPS, a real journal, its own liquidations."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_paper_days import ROOT, plimsoll, summary
from tests.kit.hyperliquid import PRIVATE, WALLET

LASTS = "43m"
"""Both positions are liquidated by then where nobody acts."""


def configured(folder: Path) -> Path:
    """Return the paper configuration, of an account at Hyperliquid."""
    text = (ROOT / "config" / "paper.toml").read_text()
    for old, new in (
        ('venue = "binanceusdm"', 'venue = "hyperliquid"'),
        ('"BTC/USDT:USDT", "ETH/USDT:USDT"', '"BTC/USDC:USDC", "ETH/USDC:USDC"'),
        ('transfer_from = ["spot"]', "transfer_from = []"),
        ('"paper-key"', f'"{WALLET}"'),
        ('"paper-secret"', f'"{PRIVATE}"'),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    file = folder / "hyperliquid.toml"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    state = tmp_path_factory.mktemp("hyperliquid")
    file = configured(state)
    return state, summary(state, "-c", str(file), "--scenario", "crash", "--for", LASTS)


def test_the_bot_survives_the_crash_that_liquidates_who_does_nothing(
    crash: tuple[Path, dict[str, Any]],
) -> None:
    _, found = crash
    assert found["liquidations"] == 0
    assert found["without_bot"]["liquidations"] == 2
    assert found["unsuccessful_actions"] == {}
    assert found["alarms"] == {}


def test_it_adds_margin_shrinks_and_keeps_stops_but_moves_no_money(
    crash: tuple[Path, dict[str, Any]],
) -> None:
    _, found = crash
    done = set(found["actions"])
    assert {"add_margin", "reduce_position", "place_stop", "cancel_stop"} <= done
    assert "transfer" not in done


def test_its_liquidation_prices_are_the_venues_in_every_record(
    crash: tuple[Path, dict[str, Any]],
) -> None:
    state, found = crash
    printed = plimsoll(
        state, "decisions", "--journal", found["journal"], "--limit", "2000", "--json"
    )
    records = [json.loads(row) for row in printed.splitlines()]
    positions = [position for record in records for position in record["positions"]]
    assert len(positions) > 500
    for position in positions:
        ours, theirs = (
            float(position[name]) for name in ("liquidation_price", "venue_liquidation_price")
        )
        assert abs(ours - theirs) < 1e-9 * theirs


def test_replay_reproduces_every_recorded_decision(crash: tuple[Path, dict[str, Any]]) -> None:
    state, found = crash
    report = json.loads(plimsoll(state, "replay", "--journal", found["journal"], "--json"))
    assert report["differences"] == []
    assert report["reproduced"] == found["polls"]
