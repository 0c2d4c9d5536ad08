"""Which leg do writes name at OKX in hedge mode?"""

from decimal import Decimal as D
from pathlib import Path

from bot.domain.intent import Outcome
from bot.domain.position import PositionMode
from tests.kit.moves import SOL, SOL_SHORT, add, reduce, stop
from tests.kit.okx import connected, serving
from tests.kit.paper import a_hedged_engine
from tests.kit.rigs import send


async def test_with_legs_margin_orders_and_stops_name_their_leg(authority: Path) -> None:
    async with serving(a_hedged_engine(), authority) as rig, connected(rig) as venue:
        seen = await venue.observe()
        assert seen.account.position_mode is PositionMode.HEDGE
        assert [(p.key, p.size) for p in seen.account.positions] == [
            (SOL, D(50)), (SOL_SHORT, D(-20)),
        ]  # fmt: skip
        await send(venue, rig, add("12.75", SOL_SHORT), "plone")
        assert rig.said("account/position/margin-balance")["posSide"] == "short"
        assert rig.engine.margin_moves[-1].side == "SHORT"
        done = await send(venue, rig, reduce("5", "151.00", SOL_SHORT), "pltwo")
        assert (done.outcome, done.applied) == (Outcome.DONE, D(5))
        sent = rig.said("trade/order", "POST")
        assert (sent["side"], sent["posSide"], "reduceOnly" in sent) == ("buy", "short", False)
        await send(venue, rig, stop("160.00", size="15", key=SOL_SHORT), "pltest0001000003")
        await send(venue, rig, stop(), "pltest0001000004")
        assert [s.key for s in (await venue.observe()).account.stops] == [SOL, SOL_SHORT]
