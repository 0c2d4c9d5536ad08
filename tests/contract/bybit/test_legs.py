"""Which leg do writes name at Bybit in hedge mode?"""

from decimal import Decimal as D
from pathlib import Path

from bot.domain.intent import Outcome
from bot.domain.position import PositionMode
from tests.kit.bybit import connected, serving
from tests.kit.moves import SOL, SOL_SHORT, add, reduce, stop
from tests.kit.paper import a_hedged_engine
from tests.kit.rigs import an_intent_now, send


async def test_hedge_mode_is_detected_and_each_write_names_its_leg(authority: Path) -> None:
    async with serving(a_hedged_engine(), authority) as rig, connected(rig) as venue:
        seen = await venue.observe()
        assert seen.account.position_mode is PositionMode.HEDGE
        assert [p.key for p in seen.account.positions] == [SOL, SOL_SHORT]
        for key, leg in ((SOL, 1), (SOL_SHORT, 2)):
            name = f"pltest000100000{leg}"
            done = await send(venue, rig, add("12.75", key), name)
            assert (done.outcome, done.applied) == (Outcome.DONE, D("12.75"))
            assert rig.said("position/add-margin")["positionIdx"] == leg
            assert (await venue.settle(an_intent_now(rig, add("12.75", key), name))).applied
        buy = reduce("5", "151.00", SOL_SHORT)
        done = await send(venue, rig, buy, "pltest0001000009")
        assert (done.outcome, done.applied) == (Outcome.DONE, D(5))
        said = rig.said("order/create")
        assert (said["side"], said["positionIdx"], said["reduceOnly"]) == ("Buy", 2, True)
        assert rig.engine.holdings["SOLUSDT", "SHORT"].amount == D(-15)
        resting = stop("160.00", size="15", key=SOL_SHORT)
        assert (await send(venue, rig, resting, "plabcd0001000001")).outcome is Outcome.DONE
        said = rig.said("order/create")
        assert (said["positionIdx"], said["triggerDirection"]) == (2, 1)
        (found,) = (await venue.observe()).account.stops
        assert (found.key, found.size, found.is_ours) == (SOL_SHORT, D(15), True)
