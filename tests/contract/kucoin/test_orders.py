"""How are positions shrunk and stops kept at KuCoin?"""

from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.domain.action import CancelStop
from bot.domain.intent import Outcome
from bot.domain.position import PositionMode
from bot.exchanges.kucoin.adapter import KucoinVenue
from bot.paper.faults import Fault
from bot.paper.values import Ask
from tests.kit.fakes import an_open_gate
from tests.kit.kucoin import Rig, connected, serving
from tests.kit.moves import SOL, SOL_SHORT, add, reduce, stop
from tests.kit.paper import NAME, a_hedged_engine
from tests.kit.rigs import an_intent_now, send

NAMED = "plabcd0001000001"


async def test_a_reduction_is_a_limit_that_never_rests_in_whole_lots(
    venue: KucoinVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce(), NAMED)
    assert (done.outcome, done.applied) == (Outcome.DONE, D(7))
    assert rig.said("v1/orders") == {
        "clientOid": NAMED, "symbol": "SOLUSDTM", "side": "sell", "marginMode": "ISOLATED",
        "reduceOnly": True, "type": "limit", "timeInForce": "IOC", "price": "149.00", "size": "70",
    }  # fmt: skip
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == 43


async def test_what_was_not_filled_is_not_told_as_filled(venue: KucoinVenue, rig: Rig) -> None:
    done = await send(venue, rig, reduce(price="155.00"))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(0))
    assert rig.engine.holdings["SOLUSDT", "BOTH"].amount == 50


async def test_an_order_that_was_taken_and_cannot_be_read_is_unknown_until_it_can(
    venue: KucoinVenue, rig: Rig
) -> None:
    fault = rig.faults.add(Fault(kind="http_503", path="byClientOid"))
    intent = an_intent_now(rig, reduce())
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    fault.times = 0
    assert (await venue.settle(intent)).applied == 7


async def test_an_order_that_may_still_fill_proves_nothing(venue: KucoinVenue, rig: Rig) -> None:
    intent = an_intent_now(rig, reduce())
    await venue.execute(intent, an_open_gate())

    def still(text: str) -> str:
        return text.replace('"done"', '"open"').replace('"isActive": false', '"isActive": true')

    rig.faults.add(Fault(kind="rewrite", path="byClientOid", rewrite=still))
    assert (await venue.settle(intent)).applied is None


async def test_a_stop_is_reduce_only_on_mark_under_our_id_and_is_taken_back(
    venue: KucoinVenue, rig: Rig
) -> None:
    assert (await send(venue, rig, stop(), NAMED)).outcome is Outcome.DONE
    assert rig.said("v1/orders") == {
        "clientOid": NAMED, "symbol": "SOLUSDTM", "side": "sell", "marginMode": "ISOLATED",
        "reduceOnly": True, "type": "market", "stop": "down", "stopPriceType": "MP",
        "stopPrice": "140.00", "size": "500",
    }  # fmt: skip
    (found,) = (await venue.observe()).account.stops
    assert (found.key, found.size, found.stop_price) == (SOL, D(50), D("140.00"))
    assert (found.client_id, found.on_mark, found.is_ours) == (NAMED, True, True)
    gone = CancelStop(key=SOL, stop_id=found.stop_id, client_id=NAMED)
    assert (await send(venue, rig, gone, "plabcd0001000002")).outcome is Outcome.DONE
    assert (await venue.observe()).account.stops == ()
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 1
    again = await send(venue, rig, gone, "plabcd0001000003")
    assert (again.outcome, again.code) == (Outcome.REJECTED, "100004")


async def test_a_stop_for_whatever_is_open_names_no_size(venue: KucoinVenue, rig: Rig) -> None:
    assert (await send(venue, rig, stop(size=None))).outcome is Outcome.DONE
    said = rig.said("v1/orders")
    assert ("size" in said, said["closeOrder"]) == (False, True)
    assert (await venue.observe()).account.stops[0].size is None


async def test_a_cancel_whose_answer_is_lost_is_settled_by_the_order(
    venue: KucoinVenue, rig: Rig
) -> None:
    await send(venue, rig, stop(), NAMED)
    (number,) = rig.engine.orders
    gone = an_intent_now(rig, CancelStop(key=SOL, stop_id=str(number), client_id=NAMED))
    assert (await venue.settle(gone)).applied == 0
    rig.faults.add(Fault(kind="http_503_after", method="DELETE", times=1))
    assert (await venue.execute(gone, an_open_gate())).outcome is Outcome.UNKNOWN
    assert (await venue.settle(gone)).applied == 1


@pytest.mark.parametrize("answer", ['{"code": "200000", "data": {"cancelledOrderIds": []}}', "[]"])
async def test_a_cancel_that_names_no_order_is_unknown(
    venue: KucoinVenue, rig: Rig, answer: str
) -> None:
    await send(venue, rig, stop(), NAMED)
    (number,) = rig.engine.orders
    rig.faults.add(Fault(kind="rewrite", method="DELETE", rewrite=lambda _: answer))
    done = await send(venue, rig, CancelStop(key=SOL, stop_id=str(number), client_id=NAMED))
    assert done.outcome is Outcome.UNKNOWN


async def test_stops_of_others_are_seen_and_what_opens_or_takes_profit_is_none(
    venue: KucoinVenue, rig: Rig
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
            kind="rewrite", path="stopOrders",
            rewrite=lambda text: text.replace('"stop": "down"', '"stop": "up"'),
        )
    )  # fmt: skip
    assert (await venue.observe()).account.stops == ()


async def test_every_page_of_stops_is_read(venue: KucoinVenue, rig: Rig) -> None:
    for number in range(60):
        rig.engine.place(
            Ask(
                symbol="SOLUSDT", side="SELL", type="STOP_MARKET", size=D(1), reduce_only=True,
                stop=D(100 + number) / 2, conditional=True, client_id=f"web{number}",
            )
        )  # fmt: skip
    assert len((await venue.observe()).account.stops) == 60


@pytest.mark.parametrize("stop_id", ["", "a/b", "..", "\u0661"])
async def test_a_stop_with_an_odd_id_is_not_taken_back(
    venue: KucoinVenue, rig: Rig, stop_id: str
) -> None:
    before = len(rig.desk.requests)
    done = await send(venue, rig, CancelStop(key=SOL, stop_id=stop_id, client_id=NAME))
    assert done.outcome is Outcome.REJECTED
    assert len(rig.desk.requests) == before


async def test_with_legs_margin_orders_and_stops_name_their_leg(authority: Path) -> None:
    async with serving(a_hedged_engine(), authority) as rig, connected(rig) as venue:
        seen = await venue.observe()
        assert seen.account.position_mode is PositionMode.HEDGE
        assert [(p.key, p.size) for p in seen.account.positions] == [
            (SOL, D(50)), (SOL_SHORT, D(-20)),
        ]  # fmt: skip
        await send(venue, rig, add("12.75", SOL_SHORT), "plone")
        assert rig.said("v1/position/margin/deposit-margin")["positionSide"] == "SHORT"
        assert rig.engine.margin_moves[-1].side == "SHORT"
        done = await send(venue, rig, reduce("5", "151.00", SOL_SHORT), "pltwo")
        assert (done.outcome, done.applied) == (Outcome.DONE, D(5))
        sent = rig.said("v1/orders", "POST")
        assert (sent["side"], sent["positionSide"], sent["reduceOnly"]) == ("buy", "SHORT", True)
        await send(venue, rig, stop("160.00", size="15", key=SOL_SHORT), "pltest0001000003")
        await send(venue, rig, stop(), "pltest0001000004")
        assert [s.key for s in (await venue.observe()).account.stops] == [SOL, SOL_SHORT]


async def test_a_mode_that_was_changed_meanwhile_is_read_again(
    venue: KucoinVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.engine.holdings.clear()
    rig.engine.hedge_mode = True
    rig.engine.hold("SOLUSDT", D(50), leverage=10)
    done = await send(venue, rig, reduce())
    assert (done.outcome, done.code) == (Outcome.REJECTED, "330012")
    assert (await venue.observe()).account.position_mode is PositionMode.HEDGE
