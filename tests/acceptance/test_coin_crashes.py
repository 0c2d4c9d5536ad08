"""A crash of a position margined in bitcoin, at each venue that one id speaks of both kinds.

Real ccxt, real HTTPS, real journal.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.acceptance.test_paper_days import ROOT, plimsoll

CRASH = """
description = "Bitcoin falls by a ninth within ten minutes."
start = 2026-01-05T12:00:00Z
duration = "12m"
seed = 7
[market.BTCUSDT]
also = ["BTCUSD_PERP"]
price = "60000"
volatility = "0.0035"
path = [["0s", "1"], ["3m", "0.97"], ["5m", "0.945"], ["7m", "0.92"], ["10m", "0.89"]]
[account]
futures = "0"
spot = "0"
[account.coins.BTC]
futures = "0.12"
spot = "0.15"
[[account.positions]]
symbol = "BTCUSD_PERP"
side = "long"
size = "50000"
leverage = 10
"""


class Run(NamedTuple):
    """What a bot went through.

    Attributes:
        state: Its folder.
        found: Its summary.
        step: Finest step of what the venue takes of a coin.
    """

    state: Path
    found: dict[str, Any]
    step: Decimal


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(('venue = "bybit"', "0.0001"), id="bybit"),
        pytest.param(('venue = "okx"\npassword = "paper-word"', "0.00000001"), id="okx"),
    ],
)
def crash(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    venue, step = request.param
    state = tmp_path_factory.mktemp("coin")
    shipped = (ROOT / "config" / "paper-coin.toml").read_text()
    assert shipped.count('venue = "binancecoinm"') == 1
    file, scenario = state / "coin.toml", state / "falls.toml"
    file.write_text(shipped.replace('venue = "binancecoinm"', venue))
    scenario.write_text(CRASH)
    printed = plimsoll(
        state, "paper", "-c", str(file), "--scenario", str(scenario), "--speed", "100000", "--json"
    )
    return Run(state, json.loads(printed.splitlines()[-1]), Decimal(step))


def test_the_bot_survives_the_crash_that_liquidates_who_does_nothing(crash: Run) -> None:
    found = crash.found
    assert found["currency"] == "BTC"
    assert found["liquidations"] == 0
    assert found["without_bot"]["liquidations"] == 1
    assert found["unsuccessful_actions"] == {}
    assert found["alarms"] == {}
    assert {"add_margin", "transfer", "place_stop"} <= set(found["actions"])


def test_all_that_was_done_was_found_again_and_no_amount_was_sent_twice(crash: Run) -> None:
    rows = plimsoll(
        crash.state, "actions", "--journal", crash.found["journal"], "--limit", "500", "--json"
    )
    sent = [json.loads(line) for line in rows.splitlines()]
    assert {row["state"] for row in sent} == {"applied"}
    moves = [(row["kind"], row["amount"]) for row in sent if row.get("amount")]
    assert len(moves) == len(set(moves)) >= 4
    assert all(Decimal(amount) % crash.step == 0 for _, amount in moves)


def test_its_liquidation_prices_are_the_venues_and_a_replay_decides_the_same(crash: Run) -> None:
    journal = ("--journal", crash.found["journal"])
    printed = plimsoll(crash.state, "decisions", *journal, "--limit", "2000", "--json")
    records = [json.loads(row) for row in printed.splitlines()]
    positions = [position for record in records for position in record["positions"]]
    assert len(positions) > 100
    for position in positions:
        ours, theirs = (
            float(position[name]) for name in ("liquidation_price", "venue_liquidation_price")
        )
        assert abs(ours - theirs) < 1e-6 * theirs
    report = json.loads(plimsoll(crash.state, "replay", *journal, "--json"))
    assert (report["differences"], report["reproduced"]) == ([], crash.found["polls"])
