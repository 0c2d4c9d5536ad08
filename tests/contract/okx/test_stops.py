"""How do stops rest at OKX, and which of its orders are stops?"""

import json
from decimal import Decimal as D

import pytest

from bot.domain.action import CancelStop
from bot.domain.intent import Outcome
from bot.domain.stop import RestingStop
from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.faults import Fault
from bot.paper.values import Ask
from tests.kit.moves import SOL, stop
from tests.kit.okx import Rig
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send


async def test_a_stop_rests_on_mark_for_its_size_under_our_id_and_is_taken_back(
    venue: OkxVenue, rig: Rig
) -> None:
    assert (await send(venue, rig, stop())).outcome is Outcome.DONE
    assert rig.said("trade/order-algo") == {
        "instId": "SOL-USDT-SWAP", "tdMode": "isolated", "side": "sell", "posSide": "net",
        "ordType": "conditional", "slTriggerPx": "140.00", "slTriggerPxType": "mark",
        "slOrdPx": "-1", "sz": "50", "reduceOnly": True, "algoClOrdId": NAME,
    }  # fmt: skip
    (resting,) = (await venue.observe()).account.stops
    assert resting == RestingStop(
        key=SOL, stop_id=resting.stop_id, client_id=NAME, size=D(50), stop_price=D(140),
        on_mark=True, is_ours=True,
    )  # fmt: skip
    gone = CancelStop(key=SOL, stop_id=resting.stop_id, client_id=NAME)
    assert (await send(venue, rig, gone, "pltest0001000002")).outcome is Outcome.DONE
    (cancelled,) = rig.desk.requests[-1][2].items
    assert cancelled.parameters == {"instId": "SOL-USDT-SWAP", "algoId": resting.stop_id}
    assert (await venue.observe()).account.stops == ()
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 1


async def test_stops_are_listed_to_the_end(venue: OkxVenue, rig: Rig) -> None:
    for number in range(230):
        rig.engine.place(
            Ask(
                symbol="SOLUSDT", side="SELL", type="STOP_MARKET", size=D(1), stop=D("120.00"),
                reduce_only=True, on_mark=True, client_id=f"hand{number}", conditional=True,
            )
        )  # fmt: skip
    assert len((await venue.observe()).account.stops) == 230
    assert rig.count("trade/orders-algo-pending") == 3


async def test_a_stop_for_whatever_is_open_names_no_quantity(venue: OkxVenue, rig: Rig) -> None:
    assert (await send(venue, rig, stop(size=None))).outcome is Outcome.DONE
    said = rig.said("trade/order-algo")
    assert (said["closeFraction"], "sz" in said, said["reduceOnly"]) == ("1", False, True)
    assert (await venue.observe()).account.stops[0].size is None


@pytest.mark.parametrize(
    "changes",
    [
        {"slTriggerPx": "", "tpTriggerPx": "200"},
        {"reduceOnly": "false"},
        {"closeFraction": "0.5"},
    ],
)
async def test_another_conditional_order_is_no_stop(
    venue: OkxVenue, rig: Rig, changes: dict[str, str]
) -> None:
    await send(venue, rig, stop())

    def another(text: str) -> str:
        body = json.loads(text)
        return json.dumps(body | {"data": [body["data"][0] | changes]})

    rig.faults.add(Fault(kind="rewrite", path="orders-algo-pending", rewrite=another))
    assert (await venue.observe()).account.stops == ()
