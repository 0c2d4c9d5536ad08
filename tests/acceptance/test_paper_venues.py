"""A crash at each venue: real ccxt, real HTTPS, real journal, its own rule of liquidation."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.acceptance.test_paper_days import plimsoll, summary
from tests.kit.houses import BITGET, GATE, HYPERLIQUID, KUCOIN, OKX, House


class Crash(NamedTuple):
    """What was played, and what came of it."""

    house: House
    state: Path
    found: dict[str, Any]


@pytest.fixture(
    scope="module",
    params=[OKX, GATE, KUCOIN, BITGET, HYPERLIQUID],
    ids=lambda house: house.venue,
)
def crash(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Crash:
    house: House = request.param
    state = tmp_path_factory.mktemp(house.venue)
    file = house.configured(state)
    words = ("-c", str(file), "--scenario", "crash", "--for", house.lasts)
    return Crash(house, state, summary(state, *words))


def test_the_bot_survives_the_crash_that_liquidates_who_does_nothing(crash: Crash) -> None:
    assert crash.found["liquidations"] == 0
    assert crash.found["without_bot"]["liquidations"] == 2
    assert crash.found["unsuccessful_actions"] == {}
    assert crash.found["alarms"] == {}


def test_it_adds_margin_keeps_stops_and_draws_on_the_other_wallet_where_it_may(
    crash: Crash,
) -> None:
    done = set(crash.found["actions"])
    assert crash.house.does <= done
    assert not crash.house.never & done


def test_its_liquidation_prices_are_the_venues_in_every_record(crash: Crash) -> None:
    printed = plimsoll(
        crash.state, "decisions", "--journal", crash.found["journal"], "--limit", "2000", "--json"
    )
    records = [json.loads(row) for row in printed.splitlines()]
    positions = [position for record in records for position in record["positions"]]
    assert len(positions) > 500
    for position in positions:
        ours, theirs = (
            float(position[name]) for name in ("liquidation_price", "venue_liquidation_price")
        )
        assert abs(ours - theirs) < crash.house.step / 2 + 1e-9 * theirs


def test_replay_reproduces_every_recorded_decision(crash: Crash) -> None:
    printed = plimsoll(crash.state, "replay", "--journal", crash.found["journal"], "--json")
    report = json.loads(printed)
    assert report["differences"] == []
    assert report["reproduced"] == crash.found["polls"]
