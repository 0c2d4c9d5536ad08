"""Which leg do writes name at Gate in hedge mode?"""

from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.domain.intent import Outcome
from bot.domain.position import PositionMode
from bot.paper.faults import Fault
from tests.kit.fakes import an_open_gate
from tests.kit.gate import connected, serving
from tests.kit.moves import SOL, SOL_SHORT, add, reduce, remove, stop
from tests.kit.paper import a_hedged_engine, an_engine
from tests.kit.rigs import an_intent_now, send

MARGIN = "futures/usdt/dual_comp/positions/SOL_USDT/margin"


async def test_with_legs_margin_orders_and_stops_name_their_leg(authority: Path) -> None:
    async with serving(a_hedged_engine(), authority) as rig, connected(rig) as venue:
        seen = await venue.observe()
        assert seen.account.position_mode is PositionMode.HEDGE
        assert [(p.key, p.size) for p in seen.account.positions] == [
            (SOL, D(50)), (SOL_SHORT, D(-20)),
        ]  # fmt: skip
        done = await send(venue, rig, add("12.75", SOL_SHORT), "plone")
        assert (done.outcome, done.applied) == (Outcome.DONE, D("12.75"))
        assert rig.said(MARGIN) == {
            "settle": "usdt", "contract": "SOL_USDT", "change": "12.75", "dual_side": "dual_short",
        }  # fmt: skip
        assert rig.engine.margin_moves[-1].side == "SHORT"
        done = await send(venue, rig, reduce("5", "151.00", SOL_SHORT), "pltwo")
        assert (done.outcome, done.applied) == (Outcome.DONE, D(5))
        sent = rig.said("futures/usdt/orders", "POST")
        assert (sent["size"], sent["reduce_only"]) == ("5", True)
        await send(venue, rig, stop("160.00", size="15", key=SOL_SHORT), "pltest0001000003")
        await send(venue, rig, stop(size=None), "pltest0001000004")
        said = rig.said("futures/usdt/price_orders", "POST")["initial"]
        assert (said["auto_size"], "close" in said) == ("close_long", False)
        assert [s.key for s in (await venue.observe()).account.stops] == [SOL, SOL_SHORT]


async def test_an_unknown_move_of_one_leg_is_settled_by_that_leg(authority: Path) -> None:
    async with serving(a_hedged_engine(), authority) as rig, connected(rig) as venue:
        await venue.observe()
        rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
        intent = an_intent_now(rig, add("12.7501", SOL_SHORT))
        assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
        other = an_intent_now(rig, remove("1.0001", SOL), "plother")
        rig.faults.add(Fault(kind="abort", method="POST", times=1))
        assert (await venue.execute(other, an_open_gate())).outcome is Outcome.UNKNOWN
        assert (await venue.settle(intent)).applied == D("12.7501")
        assert (await venue.settle(other)).applied == 0


@pytest.mark.parametrize("is_refused", [True, False])
async def test_a_mode_that_a_person_changed_is_seen_at_the_next_look(
    authority: Path, is_refused: bool
) -> None:
    engine = an_engine()
    async with serving(engine, authority) as rig, connected(rig) as venue:
        await rig.pace.sleep(5)
        engine.set_hedge_mode(hedge=True)
        engine.hold("SOLUSDT", D(50), leverage=10)
        if is_refused:
            done = await send(venue, rig, add("1"))
            assert (done.outcome, done.code) == (Outcome.REJECTED, "POSITION_DUAL_MODE")
        assert (await venue.observe()).account.position_mode is PositionMode.HEDGE
        assert (await send(venue, rig, add("1"))).outcome is Outcome.DONE
