"""How is a position reduced at Bybit?"""

from decimal import Decimal as D

from bot.domain.intent import Outcome
from bot.exchanges.bybit.adapter import BybitVenue
from tests.kit.bybit import Rig
from tests.kit.moves import reduce
from tests.kit.paper import NAME
from tests.kit.rigs import send


async def test_a_reduction_is_immediate_or_cancel_reduce_only_under_our_id(
    venue: BybitVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce())
    assert (done.outcome, done.applied) == (Outcome.DONE, D(7))
    assert rig.said("order/create") == {
        "category": "linear", "symbol": "SOLUSDT", "side": "Sell", "orderType": "Limit",
        "qty": "7", "price": "149.00", "timeInForce": "IOC", "positionIdx": 0,
        "orderLinkId": NAME, "reduceOnly": True,
    }  # fmt: skip
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(43)


async def test_what_a_reduction_could_not_fill_is_told(venue: BybitVenue, rig: Rig) -> None:
    done = await send(venue, rig, reduce("7", "155.00"))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(0))
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == D(50)
