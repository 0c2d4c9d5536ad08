"""How do stops rest at Bybit, and which of its orders are stops?"""

from decimal import Decimal as D

import pytest

from bot.domain.action import CancelStop
from bot.domain.intent import Outcome
from bot.exchanges.bybit.adapter import BybitVenue
from bot.paper.faults import Fault
from bot.paper.values import Ask
from tests.kit.bybit import Rig
from tests.kit.moves import SOL, stop
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send


async def test_a_stop_is_reduce_only_on_mark_under_our_id_and_is_taken_back(
    venue: BybitVenue, rig: Rig
) -> None:
    name = "plabcd0001000001"
    assert (await send(venue, rig, stop(), name)).outcome is Outcome.DONE
    assert rig.said("order/create") == {
        "category": "linear", "symbol": "SOLUSDT", "side": "Sell", "orderType": "Market",
        "qty": "50", "triggerPrice": "140.00", "triggerDirection": 2, "triggerBy": "MarkPrice",
        "timeInForce": "IOC", "positionIdx": 0, "orderLinkId": name, "reduceOnly": True,
        "closeOnTrigger": True,
    }  # fmt: skip
    (found,) = (await venue.observe()).account.stops
    assert (found.key, found.size, found.stop_price) == (SOL, D(50), D("140.00"))
    assert (found.client_id, found.on_mark, found.is_ours) == (name, True, True)
    gone = CancelStop(key=SOL, stop_id=found.stop_id, client_id=name)
    assert (await send(venue, rig, gone, "plabcd0001000002")).outcome is Outcome.DONE
    assert (await venue.observe()).account.stops == ()
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 1
    again = await send(venue, rig, gone, "plabcd0001000003")
    assert (again.outcome, again.code) == (Outcome.REJECTED, "110001")


async def test_a_stop_for_whatever_is_open_names_no_quantity(venue: BybitVenue, rig: Rig) -> None:
    assert (await send(venue, rig, stop(size=None))).outcome is Outcome.DONE
    assert rig.said("order/create")["qty"] == "0"
    assert (await venue.observe()).account.stops[0].size is None


async def test_stops_of_others_are_seen_and_what_opens_or_takes_profit_is_none(
    venue: BybitVenue, rig: Rig
) -> None:
    def by_hand(**changes: object) -> None:
        values: dict[str, object] = {
            "symbol": "SOLUSDT", "side": "SELL", "type": "STOP_MARKET", "size": D(10),
            "stop": D("141.00"), "reduce_only": True, "client_id": "web", "conditional": True,
        }  # fmt: skip
        rig.engine.place(Ask(**(values | changes)))  # type: ignore[arg-type]  # any field by name

    by_hand()
    by_hand(client_id="opens", reduce_only=False, side="BUY", stop=D("170.00"))
    (found,) = (await venue.observe()).account.stops
    assert (found.is_ours, found.on_mark, found.size) == (False, False, D(10))
    await rig.pace.sleep(61)
    rig.faults.add(
        Fault(
            kind="rewrite",
            path="order/realtime",
            rewrite=lambda t: t.replace('"triggerDirection": 2', '"triggerDirection": 1'),
        )
    )
    assert (await venue.observe()).account.stops == ()


@pytest.mark.parametrize("stop_id", ["", "a/b", "x" * 65, "\u0661"])
async def test_a_stop_with_an_odd_id_is_not_taken_back(
    venue: BybitVenue, rig: Rig, stop_id: str
) -> None:
    before = len(rig.desk.requests)
    done = await send(venue, rig, CancelStop(key=SOL, stop_id=stop_id, client_id=NAME))
    assert done.outcome is Outcome.REJECTED
    assert len(rig.desk.requests) == before
