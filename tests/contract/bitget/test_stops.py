"""How do stops rest at Bitget, and which of its plans are stops?"""

import json
from decimal import Decimal as D

import pytest

from bot.domain.action import CancelStop
from bot.domain.intent import Outcome
from bot.domain.stop import RestingStop
from bot.exchanges.bitget.adapter import BitgetVenue
from bot.paper.faults import Fault
from bot.paper.values import Ask
from tests.kit.bitget import Rig
from tests.kit.moves import SOL, stop
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send


async def test_a_stop_rests_on_mark_for_its_size_under_our_id_and_is_taken_back(
    venue: BitgetVenue, rig: Rig
) -> None:
    assert (await send(venue, rig, stop())).outcome is Outcome.DONE
    # Without legs the position is named by the side that it was opened with.
    assert rig.said("mix/order/place-tpsl-order") == {
        "productType": "USDT-FUTURES", "symbol": "SOLUSDT", "marginCoin": "USDT",
        "planType": "loss_plan", "triggerPrice": "140.00", "triggerType": "mark_price",
        "holdSide": "buy", "size": "50", "clientOid": NAME,
    }  # fmt: skip
    (resting,) = (await venue.observe()).account.stops
    assert resting == RestingStop(
        key=SOL, stop_id=resting.stop_id, client_id=NAME, size=D(50), stop_price=D(140),
        on_mark=True, is_ours=True,
    )  # fmt: skip
    gone = CancelStop(key=SOL, stop_id=resting.stop_id, client_id=NAME)
    assert (await send(venue, rig, gone, "pltest0001000002")).outcome is Outcome.DONE
    assert rig.said("mix/order/cancel-plan-order") == {
        "productType": "USDT-FUTURES", "symbol": "SOLUSDT", "marginCoin": "USDT",
        "planType": "loss_plan", "orderIdList": [{"orderId": resting.stop_id}],
    }  # fmt: skip
    assert (await venue.observe()).account.stops == ()
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 1


async def test_a_stop_that_has_fired_was_placed_and_not_taken_back(
    venue: BitgetVenue, rig: Rig
) -> None:
    placed = an_intent_now(rig, stop("149.90"))
    assert (await send(venue, rig, stop("149.90"))).outcome is Outcome.DONE
    (resting,) = (await venue.observe()).account.stops
    order = rig.engine.orders[int(resting.stop_id)]
    for _ in range(600):
        if not order.is_open:
            break
        await rig.pace.sleep(60)
    assert order.status == "FILLED"
    gone = CancelStop(key=SOL, stop_id=resting.stop_id, client_id=NAME)
    assert (await venue.settle(placed)).applied == 1
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 0


async def test_a_cancel_of_which_neither_list_knows_is_unknown(
    venue: BitgetVenue, rig: Rig
) -> None:
    """The venue says success where it looked among plans of another kind."""
    await send(venue, rig, stop())
    (resting,) = (await venue.observe()).account.stops
    rig.engine.orders[int(resting.stop_id)].ask = Ask(
        symbol="SOLUSDT", side="SELL", type="STOP_MARKET", stop=D(140), close_position=True,
        on_mark=True, client_id=NAME, conditional=True,
    )  # fmt: skip
    gone = CancelStop(key=SOL, stop_id=resting.stop_id, client_id=NAME)
    assert (await send(venue, rig, gone, "pltest0001000002")).outcome is Outcome.UNKNOWN
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 0


async def test_stops_are_listed_to_the_end(venue: BitgetVenue, rig: Rig) -> None:
    for number in range(230):
        rig.engine.place(
            Ask(
                symbol="SOLUSDT", side="SELL", type="STOP_MARKET", size=D(1), stop=D("120.00"),
                reduce_only=True, on_mark=True, client_id=f"hand{number}", conditional=True,
            )
        )  # fmt: skip
    assert len((await venue.observe()).account.stops) == 230
    assert rig.count("mix/order/orders-plan-pending") == 3


async def test_a_stop_of_a_person_for_whatever_is_open_is_seen_as_one(
    venue: BitgetVenue, rig: Rig
) -> None:
    rig.engine.place(
        Ask(
            symbol="SOLUSDT", side="SELL", type="STOP_MARKET", stop=D("120.00"),
            close_position=True, client_id="hand", conditional=True,
        )
    )  # fmt: skip
    (found,) = (await venue.observe()).account.stops
    assert (found.size, found.on_mark, found.is_ours) == (None, False, False)


@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_without_legs_a_stop_is_of_what_is_held_whatever_side_it_is_told_with(
    venue: BitgetVenue, rig: Rig, side: str
) -> None:
    """Whether that word is of the order or of the position, the venue does not say."""
    await send(venue, rig, stop())

    def told(text: str) -> str:
        return text.replace('"side": "sell"', f'"side": "{side}"')

    rig.faults.add(Fault(kind="rewrite", path="orders-plan-pending", rewrite=told))
    assert [s.key for s in (await venue.observe()).account.stops] == [SOL]


@pytest.mark.parametrize("kind", ["profit_plan", "pos_profit", "moving_plan", "normal_plan"])
async def test_another_plan_is_no_stop(venue: BitgetVenue, rig: Rig, kind: str) -> None:
    await send(venue, rig, stop())

    def another(text: str) -> str:
        body = json.loads(text)
        body["data"]["entrustedList"][0]["planType"] = kind
        return json.dumps(body)

    rig.faults.add(Fault(kind="rewrite", path="orders-plan-pending", rewrite=another))
    assert (await venue.observe()).account.stops == ()
