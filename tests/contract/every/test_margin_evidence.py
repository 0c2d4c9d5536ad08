"""What proves, at a venue that lists no moves of margin, that one took place?"""

from collections.abc import Mapping
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.intent import Outcome
from bot.exchanges.adapter import Adapter
from bot.paper.faults import Fault
from tests.kit.bybit import BYBIT
from tests.kit.fakes import an_open_gate
from tests.kit.gate import GATE
from tests.kit.hyperliquid import HYPERLIQUID
from tests.kit.kucoin import KUCOIN
from tests.kit.moves import BTC, add, reduce
from tests.kit.rigs import Rig, Stand, an_intent_now, send

AMOUNTS: Mapping[Stand[Any, Any], tuple[str, str]] = {
    BYBIT: ("12.7501", "20.0002"),
    GATE: ("12.7501", "20.0002"),
    KUCOIN: ("12.75001", "20.00002"),
    HYPERLIQUID: ("12.7501", "20.0002"),
}
"""Two of which no sum is another; with the digits that may be moved there."""

pytestmark = pytest.mark.parametrize(
    "stand", [pytest.param(stand, id=stand.venue) for stand in AMOUNTS], indirect=True
)


async def test_two_unknown_moves_of_one_position_are_told_apart(
    stand: Stand[Any, Any], venue: Adapter, rig: Rig[Any]
) -> None:
    one, two = AMOUNTS[stand]
    await venue.observe()
    first = an_intent_now(rig, add(one), "plone")
    second = an_intent_now(rig, add(two), "pltwo")
    rig.faults.add(Fault(kind="abort", method="POST", times=1))
    await venue.execute(first, an_open_gate())
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    await venue.execute(second, an_open_gate())
    assert (await venue.settle(first)).applied == 0
    assert (await venue.settle(second)).applied == D(two)


async def test_what_somebody_else_moved_beside_it_proves_nothing(
    stand: Stand[Any, Any], venue: Adapter, rig: Rig[Any]
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    intent = an_intent_now(rig, add(AMOUNTS[stand][0]))
    await venue.execute(intent, an_open_gate())
    rig.engine.move_margin("SOLUSDT", "BOTH", D(9), add=True)
    assert (await venue.settle(intent)).applied is None


async def test_a_move_after_a_reduction_is_found_all_the_same(
    venue: Adapter, rig: Rig[Any]
) -> None:
    await venue.observe()
    await send(venue, rig, reduce(), "plone")
    intent = an_intent_now(rig, add("105.0003"), "pltwo")
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.DONE
    assert (await venue.settle(intent)).applied == D("105.0003")


async def test_a_run_that_did_not_see_the_position_before_proves_nothing(
    stand: Stand[Any, Any], venue: Adapter, rig: Rig[Any]
) -> None:
    await venue.observe()
    intent = an_intent_now(rig, add(AMOUNTS[stand][0]))
    await venue.execute(intent, an_open_gate())
    async with stand.connected(rig) as later:
        await later.observe()
        assert (await later.settle(intent)).applied is None


@pytest.mark.parametrize("is_seen", [True, False])
async def test_a_position_that_is_gone_or_changed_proves_nothing(
    venue: Adapter, rig: Rig[Any], is_seen: bool
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="abort", method="POST", times=2))
    intents = [an_intent_now(rig, add("12.7501"), "plone"),
               an_intent_now(rig, add("9.0007", BTC), "pltwo")]  # fmt: skip
    for intent in intents:
        await venue.execute(intent, an_open_gate())
    rig.engine.deleverage("BTCUSDT", "BOTH", D("0.1"))
    if is_seen:
        rig.engine.deleverage("SOLUSDT", "BOTH", D(20))
        await venue.observe()
    else:
        rig.engine.holdings["SOLUSDT", "BOTH"].amount = D(30)  # its margin stays
    assert [(await venue.settle(intent)).applied for intent in intents] == [None, None]
