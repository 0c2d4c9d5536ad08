"""Which leg do writes name at Bitget in hedge mode?"""

from decimal import Decimal as D
from pathlib import Path

from bot.domain.intent import Outcome
from bot.domain.position import PositionMode
from tests.kit.bitget import connected, serving
from tests.kit.moves import SOL, SOL_SHORT, add, reduce, remove, stop
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
        assert rig.said("mix/account/set-margin")["holdSide"] == "short"
        await rig.pace.sleep(2)
        await send(venue, rig, remove("2.75", SOL_SHORT), "ploneback")
        assert [(m.side, m.amount) for m in rig.engine.margin_moves] == [
            ("SHORT", D("12.75")), ("SHORT", D("-2.75")),
        ]  # fmt: skip
        done = await send(venue, rig, reduce("5", "151.00", SOL_SHORT), "pltwo")
        assert (done.outcome, done.applied) == (Outcome.DONE, D(5))
        # With legs the side names the leg, also where it is closed.
        sent = rig.said("mix/order/place-order")
        assert (sent["side"], sent["tradeSide"], "reduceOnly" in sent) == ("sell", "close", False)
        assert rig.engine.holdings["SOLUSDT", "SHORT"].amount == D(-15)
        await send(venue, rig, stop("160.00", size="15", key=SOL_SHORT), "pltest0001000003")
        assert rig.said("mix/order/place-tpsl-order")["holdSide"] == "short"
        await send(venue, rig, stop(), "pltest0001000004")
        assert [s.key for s in (await venue.observe()).account.stops] == [SOL, SOL_SHORT]


async def test_both_legs_are_held_to_the_worse_of_their_rates(authority: Path) -> None:
    engine = a_hedged_engine()
    engine.cross["USDT"] = D(500_000)
    engine.hold("SOLUSDT", D(500), leverage=10)
    async with serving(engine, authority) as rig, connected(rig) as venue:
        rules = {i.symbol: i for i in (await venue.observe()).instruments}
        (tier,) = rules["SOL/USDT:USDT"].tiers
        assert tier.maintenance_rate == D("0.01") + D("0.0005")
