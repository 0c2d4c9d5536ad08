import json
import os
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.margin.venues import RULES
from tests.kit.recorded import Judged, judge

DATA = Path(os.environ.get("PLIMSOLL_DATA", "../shared/data"))
FILE = DATA / "recorded_positions.json"
ABSENT = pytest.mark.skipif(not FILE.exists(), reason="recorded positions are not at PLIMSOLL_DATA")
KNOWN = {rule.venue for rule in RULES}
NOT_VERIFIABLE = {
    "binance-coinm-1": "wallet balance is missing",
    "binance-coinm-2": "wallet balance is missing",
    "binance-usdm-3": "wallet balance is missing",
    "bybit-linear-1": "account equity is missing",
    "bitget-uta-cross": "account equity is missing",
    "bybit-linear-2": "the venue returned no price",
    "okx-cross-1": "the venue returned no price",
    "krakenfutures-1": "the venue returned no price",
    "kucoin-eg-2": "the page prints 47,956, its own formula with its own numbers gives 48,243.01",
}


def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(FILE.read_text(), parse_float=str)
    return found


def show(one: Judged) -> None:
    head = f"{one.id:<20} {one.venue:<14} {one.rule:<7}"
    if one.error is None:
        print(f"{head} not verifiable: {one.lacking}")
    else:
        error, bound = float(one.error), float(one.bound or 0)
        print(f"{head} {one.ours:>20.10f} {one.theirs:>20.10f} {error:>10.2g} <= {bound:.2g}")


@pytest.mark.data
@ABSENT
def test_every_recorded_position_agrees_with_its_venue_or_lacks_a_named_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    judged = [judge(row) for row in rows()]
    with capsys.disabled():
        print(
            f"\n{'row':<20} {'venue':<14} {'rule':<7} {'ours':>20} {'venue':>20} {'error bp':>10}"
        )
        for one in judged:
            show(one)
    wrong = [one for one in judged if one.error is not None and one.bound is not None]
    assert [one.id for one in wrong if one.error > one.bound] == []  # type: ignore[operator]  # both are there
    unknown = [one for one in judged if not one.rule and one.venue in KNOWN]
    assert unknown == [], "a venue we know must have a rule for its rows"
    assert len(wrong) >= 38


@pytest.mark.data
@ABSENT
def test_the_rows_that_cannot_be_verified_are_known_with_what_they_lack() -> None:
    lacking = {one.id: one.lacking for one in map(judge, rows()) if one.lacking}
    assert {name: lacking.get(name) for name in NOT_VERIFIABLE} == NOT_VERIFIABLE


def a_row(**given: Any) -> dict[str, Any]:
    norm = {"side": 1, "qty": "1", "entry": "100", "margin": "10", "mmr": "0.01", "fee": "0.0006"}
    row = {"id": "x", "venue": "bitget", "kind": "linear isolated", "raw": {}}
    return row | {"norm": norm | {"liq": "90.964220740"} | given.pop("norm", {})} | given


def test_a_row_of_a_known_venue_is_held_to_the_bound_of_its_rule() -> None:
    right = judge(a_row())
    assert (right.rule, right.bound) == ("BG", D("0.01"))
    assert right.error is not None
    assert right.error < D("0.01")
    wrong = judge(a_row(norm={"liq": "91"}))
    assert wrong.error is not None
    assert wrong.error > 3


def test_a_row_of_a_venue_nobody_knows_is_named_and_not_judged() -> None:
    found = judge(a_row(venue="bitmex"))
    assert found.error is None
    assert found.lacking == (
        "no margin rule for isolated linear at bitmex on 2026-11-01; of this venue there are: none"
    )


def test_a_row_without_a_number_the_rule_needs_is_named_with_it() -> None:
    assert judge(a_row(norm={"margin": None})).lacking == "margin is missing"
