"""How is a position reduced at OKX, and what proves the fill?"""

from decimal import Decimal as D

import pytest

from bot.domain.intent import Outcome
from bot.errors import Incomplete
from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.faults import Fault
from tests.kit.moves import BTC, reduce
from tests.kit.okx import Rig
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send


async def test_a_reduction_is_sent_in_contracts_and_what_it_filled_is_read_back(
    venue: OkxVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce("0.05", "62000.0", BTC))
    assert (done.outcome, done.applied) == (Outcome.DONE, D("0.05"))
    assert rig.said("trade/order") == {"instId": "BTC-USDT-SWAP", "clOrdId": NAME}
    sent = rig.said("trade/order", "POST")
    assert sent == {
        "instId": "BTC-USDT-SWAP", "tdMode": "isolated", "side": "buy", "posSide": "net",
        "ordType": "ioc", "sz": "5", "px": "62000.0", "clOrdId": NAME, "reduceOnly": True,
    }  # fmt: skip
    assert rig.engine.holdings["BTCUSDT", "BOTH"].amount == D("-0.05")


async def test_an_order_that_finds_nobody_is_done_with_nothing_filled(
    venue: OkxVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce("7", "155.00"))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(0))


async def test_an_accepted_order_whose_fill_cannot_be_read_is_unknown_and_settled_later(
    venue: OkxVenue, rig: Rig
) -> None:
    fault = rig.faults.add(Fault(kind="http_503", method="GET", path="trade/order"))
    done = await send(venue, rig, reduce())
    assert (done.outcome, done.code) == (Outcome.UNKNOWN, "unexpected_answer")
    assert fault.hits >= 3
    rig.faults.forget()
    intent = an_intent_now(rig, reduce())
    assert (await venue.settle(intent)).applied == D(7)


async def test_an_order_that_is_not_over_proves_nothing(venue: OkxVenue, rig: Rig) -> None:
    live = Fault(
        kind="rewrite", method="GET", path="trade/order",
        rewrite=lambda text: text.replace('"filled"', '"live"'),
    )  # fmt: skip
    rig.faults.add(live)
    done = await send(venue, rig, reduce())
    assert done.outcome is Outcome.UNKNOWN
    with pytest.raises(Incomplete, match="must be over"):
        await venue.settle(an_intent_now(rig, reduce()))
