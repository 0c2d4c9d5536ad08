"""How are positions shrunk at Hyperliquid, and stops left there?"""

import json
import re
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.action import CancelStop, PlaceStop
from bot.domain.intent import Outcome
from bot.domain.position import PositionKey, Side
from bot.errors import Incomplete
from bot.exchanges.hyperliquid.adapter import HyperliquidVenue
from bot.exchanges.hyperliquid.names import cloid_of, name_of
from bot.paper.faults import Fault
from tests.kit.fakes import an_open_gate
from tests.kit.hyperliquid import Rig
from tests.kit.moves import BTC, move, reduce, stop
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send

SOL = PositionKey("SOL/USDC:USDC", Side.LONG)
CLOID = "0x706c746573743030303130303030303031"


def test_the_name_of_an_intent_is_the_id_letter_by_letter() -> None:
    assert cloid_of("plab010001000aab") == "0x706c6162303130303031303030616162"
    assert name_of("0x706c6162303130303031303030616162") == "plab010001000aab"
    assert name_of(cloid_of("plone")) == "plone"
    for other in (None, "", "0x", "0x00112233445566778899aabbccddeeff", "hand", 7):
        assert name_of(other) == ""


async def test_a_reduction_leaves_as_an_order_that_only_shrinks(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce())
    assert (done.outcome, done.applied) == (Outcome.DONE, D(7))
    assert rig.said("exchange/order") == {
        "type": "order",
        "orders": [{
            "a": 1, "b": False, "p": "149", "s": "7", "r": True, "t": {"limit": {"tif": "Ioc"}},
            "c": cloid_of(NAME),
        }],
        "grouping": "na",
    }  # fmt: skip
    done = await send(venue, rig, reduce("0.02", "61000", BTC), "pltwo")
    assert (done.outcome, done.applied) == (Outcome.DONE, D("0.02"))
    assert rig.said("exchange/order")["orders"][0]["b"] is True


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(reduce("7", "156"), "no_match", id="too dear"),
        pytest.param(reduce("7", "1"), "oracle", id="far from the oracle"),
        pytest.param(stop("155"), "trigger", id="fires at once"),
    ],
)
async def test_an_order_the_venue_refuses_is_rejected_in_our_word(
    venue: HyperliquidVenue, rig: Rig, action: Any, code: str
) -> None:
    done = await send(venue, rig, action)
    assert (done.outcome, done.code) == (Outcome.REJECTED, code)


async def test_an_order_that_would_grow_is_rejected(venue: HyperliquidVenue, rig: Rig) -> None:
    rig.engine.deleverage("SOLUSDT", "BOTH", D(50))
    done = await send(venue, rig, reduce())
    assert (done.outcome, done.code) == (Outcome.REJECTED, "reduce_only")


@pytest.mark.parametrize(
    ("action", "why"),
    [
        pytest.param(reduce("7", "149.005"), "multiple of 0.01", id="a price between"),
        pytest.param(reduce("7", "1234.56"), "five figures", id="too many figures"),
        pytest.param(reduce("0.5"), "multiple of", id="half a lot"),
        pytest.param(stop("1234.56"), "five figures", id="a trigger"),
        pytest.param(stop(size=None), "name its size", id="all of it"),
        pytest.param(move(), "owner's key", id="a transfer in"),
        pytest.param(move("futures", "spot"), "owner's key", id="a transfer out"),
        pytest.param(CancelStop(key=SOL, stop_id="x1", client_id=NAME), "digits", id="no number"),
    ],
)
async def test_what_the_venue_would_not_take_never_leaves(
    venue: HyperliquidVenue, rig: Rig, action: Any, why: str
) -> None:
    before = len(rig.desk.requests)
    done = await send(venue, rig, action)
    assert (done.outcome, done.code) == (Outcome.REJECTED, "not_representable")
    assert why in done.text
    assert len(rig.desk.requests) == before


async def test_a_name_too_long_for_the_venue_never_leaves(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce(), "plab010001000aabc")
    assert (done.outcome, done.code) == (Outcome.REJECTED, "not_representable")


async def test_a_stop_rests_under_our_id_and_is_taken_back(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    assert (await send(venue, rig, stop())).outcome is Outcome.DONE
    (order,) = rig.said("exchange/order")["orders"]
    assert order == {
        "a": 1, "b": False, "p": "126", "s": "50", "r": True,
        "t": {"trigger": {"isMarket": True, "triggerPx": "140", "tpsl": "sl"}},
        "c": cloid_of(NAME),
    }  # fmt: skip
    (resting,) = (await venue.observe()).account.stops
    assert (resting.key, resting.client_id, resting.is_ours) == (SOL, NAME, True)
    assert (resting.size, resting.stop_price, resting.on_mark) == (D(50), D(140), True)
    gone = CancelStop(key=SOL, stop_id=resting.stop_id, client_id=NAME)
    assert (await send(venue, rig, gone, "pltest0001000002")).outcome is Outcome.DONE
    assert rig.said("exchange/cancel") == {
        "type": "cancel", "cancels": [{"a": 1, "o": int(resting.stop_id)}]
    }  # fmt: skip
    assert (await venue.observe()).account.stops == ()
    assert (await venue.settle(an_intent_now(rig, gone))).applied == 1
    again = await send(venue, rig, gone, "pltest0001000003")
    assert (again.outcome, again.code) == (Outcome.REJECTED, "missing")


async def test_the_worst_price_of_a_stop_over_a_short_lies_above_it(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    over = PlaceStop(key=BTC, size=D("0.1"), stop_price=D(61234), is_needed=True)
    assert (await send(venue, rig, over)).outcome is Outcome.DONE
    (order,) = rig.said("exchange/order")["orders"]
    assert (order["b"], order["p"], order["a"]) == (True, "67358", 0)


async def test_what_opens_or_takes_profit_is_no_stop(venue: HyperliquidVenue, rig: Rig) -> None:
    await send(venue, rig, stop())
    for pattern, new in (
        ('"reduceOnly": true', '"reduceOnly": false'),
        ('"Stop Market"', '"Take Profit Market"'),
        ('"isTrigger": true', '"isTrigger": false'),
    ):
        fault = rig.faults.add(
            Fault(kind="rewrite", path="frontendOpenOrders",
                  rewrite=lambda text, a=pattern, b=new: text.replace(a, b))  # type: ignore[misc]  # bound here
        )  # fmt: skip
        venue._stops.forget()
        assert (await venue.observe()).account.stops == ()
        fault.times = 0


async def test_a_part_that_was_filled_is_settled_by_order_and_fills(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.engine.holdings["SOLUSDT", "BOTH"].amount = D(5)  # less than is asked for
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    intent = an_intent_now(rig, reduce())
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    assert (await venue.settle(intent)).applied == 5


async def test_fills_that_contradict_their_order_prove_nothing(
    venue: HyperliquidVenue, rig: Rig
) -> None:
    intent = an_intent_now(rig, reduce())
    await venue.execute(intent, an_open_gate())

    def lacking(text: str) -> str:
        assert json.loads(text)
        return "[]"

    rig.faults.add(Fault(kind="rewrite", path="userFillsByTime", rewrite=lacking))
    with pytest.raises(Incomplete, match="fills of"):
        await venue.settle(intent)


@pytest.mark.parametrize("status", ["open", "triggered", "halfway"])
async def test_an_order_that_is_not_over_proves_nothing(
    venue: HyperliquidVenue, rig: Rig, status: str
) -> None:
    intent = an_intent_now(rig, reduce())
    await venue.execute(intent, an_open_gate())
    rig.faults.add(
        Fault(kind="rewrite", path="orderStatus",
              rewrite=lambda text: re.sub('"status": "filled"', f'"status": "{status}"', text))
    )  # fmt: skip
    with pytest.raises(Incomplete, match=status):
        await venue.settle(intent)
