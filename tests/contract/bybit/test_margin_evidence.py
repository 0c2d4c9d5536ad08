"""What proves at Bybit, which tells no moves of margin, that one took place?"""

from decimal import Decimal as D

from bot.domain.intent import Outcome
from bot.exchanges.bybit.adapter import BybitVenue
from bot.paper.faults import Fault
from tests.kit.bybit import Rig, connected
from tests.kit.fakes import an_open_gate
from tests.kit.moves import BTC, add, reduce
from tests.kit.rigs import an_intent_now, send


async def test_two_unknown_moves_of_one_position_are_told_apart(
    venue: BybitVenue, rig: Rig
) -> None:
    await venue.observe()
    first = an_intent_now(rig, add("12.7501"), "plone")
    second = an_intent_now(rig, add("20.0002"), "pltwo")
    rig.faults.add(Fault(kind="abort", method="POST", times=1))
    await venue.execute(first, an_open_gate())
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    await venue.execute(second, an_open_gate())
    assert (await venue.settle(first)).applied == 0
    assert (await venue.settle(second)).applied == D("20.0002")


async def test_what_somebody_else_moved_beside_it_proves_nothing(
    venue: BybitVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    intent = an_intent_now(rig, add("12.7501"))
    await venue.execute(intent, an_open_gate())
    rig.engine.move_margin("SOLUSDT", "BOTH", D(9), add=True)
    assert (await venue.settle(intent)).applied is None


async def test_a_move_after_a_reduction_is_found_all_the_same(venue: BybitVenue, rig: Rig) -> None:
    await venue.observe()
    await send(venue, rig, reduce(), "plone")
    intent = an_intent_now(rig, add("105.0003"), "pltwo")
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.DONE
    assert (await venue.settle(intent)).applied == D("105.0003")


async def test_a_run_that_did_not_see_the_position_before_proves_nothing(
    venue: BybitVenue, rig: Rig
) -> None:
    await venue.observe()
    intent = an_intent_now(rig, add("12.7501"))
    await venue.execute(intent, an_open_gate())
    async with connected(rig) as later:
        await later.observe()
        assert (await later.settle(intent)).applied is None


async def test_a_position_that_is_gone_or_changed_proves_nothing(
    venue: BybitVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="abort", method="POST", times=2))
    intents = [an_intent_now(rig, add("12.7501"), "plone"),
               an_intent_now(rig, add("9.0007", BTC), "pltwo")]  # fmt: skip
    for intent in intents:
        await venue.execute(intent, an_open_gate())
    rig.engine.deleverage("SOLUSDT", "BOTH", D(20))
    rig.engine.deleverage("BTCUSDT", "BOTH", D("0.1"))
    await venue.observe()
    assert [(await venue.settle(intent)).applied for intent in intents] == [None, None]
