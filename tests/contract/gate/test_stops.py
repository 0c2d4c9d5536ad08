"""How do stops rest at Gate, and which of its triggered orders are stops?"""

import json
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import CancelStop
from bot.domain.intent import Outcome
from bot.domain.stop import RestingStop
from bot.exchanges.gate.adapter import GateVenue
from bot.paper.faults import Fault
from bot.paper.values import Ask
from tests.kit.fakes import an_open_gate
from tests.kit.gate import Rig
from tests.kit.moves import SOL, stop
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send

PLACED = "futures/usdt/price_orders"


async def test_a_stop_rests_on_mark_for_its_size_under_our_name_and_is_taken_back(
    venue: GateVenue, rig: Rig
) -> None:
    assert (await send(venue, rig, stop())).outcome is Outcome.DONE
    assert rig.said(PLACED, "POST") == {
        "settle": "usdt",
        "initial": {
            "contract": "SOL_USDT", "size": "-50", "price": "0", "tif": "ioc",
            "reduce_only": True, "text": f"t-{NAME}",
        },
        "trigger": {"strategy_type": "0", "price_type": "1", "price": "140.00", "rule": "2"},
        "order_type": "plan-close-long-position",
    }  # fmt: skip
    (resting,) = (await venue.observe()).account.stops
    assert resting == RestingStop(
        key=SOL, stop_id=resting.stop_id, client_id=NAME, size=D(50), stop_price=D(140),
        on_mark=True, is_ours=True,
    )  # fmt: skip
    gone = CancelStop(key=SOL, stop_id=resting.stop_id, client_id=NAME)
    assert (await send(venue, rig, gone, "pltest0001000002")).outcome is Outcome.DONE
    assert (await venue.observe()).account.stops == ()
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 1


async def test_stops_are_listed_to_the_end(venue: GateVenue, rig: Rig) -> None:
    for number in range(230):
        rig.engine.place(
            Ask(
                symbol="SOLUSDT", side="SELL", type="STOP_MARKET", size=D(1), stop=D("120.00"),
                reduce_only=True, on_mark=True, client_id=f"hand{number}", conditional=True,
            )
        )  # fmt: skip
    assert len((await venue.observe()).account.stops) == 230
    assert rig.count(PLACED) == 3


async def test_a_stop_for_whatever_is_open_names_no_quantity(venue: GateVenue, rig: Rig) -> None:
    assert (await send(venue, rig, stop(size=None))).outcome is Outcome.DONE
    said = rig.said(PLACED, "POST")
    assert (said["initial"]["size"], said["initial"]["close"]) == ("0", True)
    assert said["order_type"] == "close-long-position"
    assert (await venue.observe()).account.stops[0].size is None


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        pytest.param("trigger", {"rule": 1}, id="takes profit"),
        pytest.param("initial", {"is_reduce_only": False}, id="may open"),
        pytest.param("initial", {"price": "139"}, id="rests at a price"),
        pytest.param("trigger", {"strategy_type": 1}, id="watches a spread"),
        pytest.param("", {"order_type": "close-short-position"}, id="closes the other leg"),
        pytest.param("initial", {"contract": "XYZ_USDT"}, id="of what is not watched"),
    ],
)
async def test_another_triggered_order_is_no_stop(
    venue: GateVenue, rig: Rig, part: str, changes: dict[str, Any]
) -> None:
    await send(venue, rig, stop())

    def another(text: str) -> str:
        (row,) = json.loads(text)
        return json.dumps([row | ({part: row[part] | changes} if part else changes)])

    rig.faults.add(Fault(kind="rewrite", method="GET", path=PLACED, rewrite=another))
    assert (await venue.observe()).account.stops == ()


async def test_a_stop_of_the_last_price_is_shown_as_one(venue: GateVenue, rig: Rig) -> None:
    await send(venue, rig, stop())
    rig.faults.add(
        Fault(
            kind="rewrite", method="GET", path=PLACED,
            rewrite=lambda text: text.replace('"price_type": 1', '"price_type": 0'),
        )
    )  # fmt: skip
    assert [s.on_mark for s in (await venue.observe()).account.stops] == [False]


async def test_a_stop_whose_answer_was_lost_is_found_by_its_name_also_after_it_ended(
    venue: GateVenue, rig: Rig
) -> None:
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    intent = an_intent_now(rig, stop())
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    assert (await venue.settle(intent)).applied == 1
    (order,) = rig.engine.open_orders("SOLUSDT")
    rig.engine.cancel(order)
    await rig.pace.sleep(3)
    assert (await venue.settle(intent)).applied == 1
    other = an_intent_now(rig, stop(), "pltest0001000002")
    assert (await venue.settle(other)).applied == 0


@pytest.mark.parametrize("is_newest_first", [True, False])
async def test_among_many_ended_ones_it_is_found_whichever_way_they_are_listed(
    venue: GateVenue, rig: Rig, is_newest_first: bool
) -> None:
    for number in range(230):
        order = rig.engine.place(
            Ask(
                symbol="SOLUSDT", side="SELL", type="STOP_MARKET", size=D(1), stop=D("120.00"),
                reduce_only=True, on_mark=True, client_id=f"hand{number}", conditional=True,
            )
        )  # fmt: skip
        rig.engine.cancel(order)
    await rig.pace.sleep(60)
    intent = an_intent_now(rig, stop())
    await venue.execute(intent, an_open_gate())
    rig.engine.cancel(rig.engine.open_orders("SOLUSDT")[0])
    if not is_newest_first:
        rig.engine.orders = dict(reversed(rig.engine.orders.items()))
    before = rig.count(PLACED)
    assert (await venue.settle(intent)).applied == 1
    assert rig.count(PLACED) - before == (2 if is_newest_first else 4)
    other = an_intent_now(rig, stop(), "pltest0001000002")
    assert (await venue.settle(other)).applied == 0


async def test_a_stop_that_fired_was_not_taken_back(venue: GateVenue, rig: Rig) -> None:
    await send(venue, rig, stop())
    (resting,) = (await venue.observe()).account.stops
    gone = CancelStop(key=SOL, stop_id=resting.stop_id, client_id=NAME)
    rig.engine.orders[int(resting.stop_id)].status = "FILLED"
    done = await send(venue, rig, gone, "pltest0001000002")
    assert (done.outcome, done.code) == (Outcome.REJECTED, "ORDER_FINISHED")
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 0
    unknown = CancelStop(key=SOL, stop_id="77", client_id=NAME)
    assert (await venue.settle(an_intent_now(rig, unknown))).applied == 1  # forgotten long ago


@pytest.mark.parametrize("at", ["1767614400", "1767614400.5", "1767614400500", "1767614400500123"])
async def test_an_instant_is_read_in_whatever_part_of_a_second_the_venue_counts(
    venue: GateVenue, rig: Rig, at: str
) -> None:
    """Finished ones that ended before the send are others."""
    intent = an_intent_now(rig, stop())
    await venue.execute(intent, an_open_gate())
    rig.engine.cancel(rig.engine.open_orders("SOLUSDT")[0])
    await rig.pace.sleep(3)

    def stamped(text: str) -> str:
        rows = [row | {"create_time": float(at) if "." in at else int(at)}
                for row in json.loads(text)]  # fmt: skip
        return json.dumps(rows)

    rig.faults.add(Fault(kind="rewrite", method="GET", path=PLACED, rewrite=stamped))
    assert (await venue.settle(intent)).applied == 1
