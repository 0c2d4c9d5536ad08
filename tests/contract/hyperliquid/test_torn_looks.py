"""When are two answers of Hyperliquid not of one account?"""

import json
from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest

from bot.errors import Incomplete
from bot.exchanges.hyperliquid.adapter import HyperliquidVenue
from bot.paper.faults import Fault
from tests.kit.hyperliquid import Rig

STATE = "info/clearinghouseState"
NOTHING = {"accountValue": "18950.0", "totalNtlPos": "0.0", "totalRawUsd": "0.0",
           "totalMarginUsed": "0.0"}  # fmt: skip


def body(change: Callable[[dict[str, Any]], None]) -> Callable[[str], str]:
    def spoil(text: str) -> str:
        found = json.loads(text)
        change(found)
        return json.dumps(found)

    return spoil


def without_positions(found: dict[str, Any]) -> None:
    found["assetPositions"] = []


def without_one(found: dict[str, Any]) -> None:
    del found["assetPositions"][0]


def flat(found: dict[str, Any]) -> None:
    found |= {"assetPositions": [], "marginSummary": NOTHING, "crossMarginSummary": NOTHING}


@pytest.mark.parametrize("change", [without_positions, without_one])
async def test_a_list_that_the_account_contradicts_is_torn_and_never_flat(
    venue: HyperliquidVenue, rig: Rig, change: Callable[[dict[str, Any]], None]
) -> None:
    fault = rig.faults.add(Fault(kind="rewrite", path=STATE, rewrite=body(change)))
    with pytest.raises(Incomplete, match="must show the same"):
        await venue.observe()
    fault.times = fault.hits + 1  # the next look is torn once, and whole when it is looked again
    assert len((await venue.observe()).account.positions) == 2


async def test_an_account_that_is_empty_at_once_is_asked_again(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="rewrite", path=STATE, rewrite=body(flat), times=1))
    assert len((await venue.observe()).account.positions) == 2


async def test_what_is_gone_in_two_answers_is_gone(venue: HyperliquidVenue, rig: Rig) -> None:
    await venue.observe()
    rig.engine.deleverage("SOLUSDT", "BOTH", D(50))
    before = rig.count(STATE)
    assert len((await venue.observe()).account.positions) == 1
    assert rig.count(STATE) == before + 2
    await venue.observe()
    assert rig.count(STATE) == before + 3
