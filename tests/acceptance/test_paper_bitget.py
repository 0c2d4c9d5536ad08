"""A crash at Bitget: real ccxt, real HTTPS, real journal, the venue's own rule of liquidation."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_paper_days import ROOT, plimsoll, summary

LASTS = "46m"
"""Both positions are liquidated by then where nobody acts."""


def configured(folder: Path) -> Path:
    """Return the paper configuration, of an account at Bitget."""
    text = (ROOT / "config" / "paper.toml").read_text()
    for old, new in (
        ('venue = "binanceusdm"', 'venue = "bitget"'),
        ('secret = "paper-secret"', 'secret = "paper-secret"\npassword = "paper-word"'),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    file = folder / "bitget.toml"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    state = tmp_path_factory.mktemp("bitget")
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


def test_it_adds_margin_draws_on_the_spot_account_and_keeps_stops(
    crash: tuple[Path, dict[str, Any]],
) -> None:
    _, found = crash
    assert {"add_margin", "transfer", "place_stop", "cancel_stop"} <= set(found["actions"])


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
