"""How is a position reduced at Bitget, and what proves the fill?"""

from decimal import Decimal as D

import pytest

from bot.domain.intent import Outcome
from bot.errors import Incomplete
from bot.exchanges.bitget.adapter import BitgetVenue
from bot.paper.faults import Fault
from tests.kit.bitget import Rig
from tests.kit.moves import BTC, reduce
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send


async def test_a_reduction_carries_the_flag_and_what_it_filled_is_read_back(
    venue: BitgetVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce("0.05", "62000.0", BTC))
    assert (done.outcome, done.applied) == (Outcome.DONE, D("0.05"))
    assert rig.said("mix/order/detail") == {
        "productType": "USDT-FUTURES", "symbol": "BTCUSDT", "clientOid": NAME,
    }  # fmt: skip
    assert rig.said("mix/order/place-order") == {
        "productType": "USDT-FUTURES", "symbol": "BTCUSDT", "marginCoin": "USDT",
        "marginMode": "isolated", "orderType": "limit", "force": "ioc", "size": "0.05",
        "price": "62000.0", "clientOid": NAME, "side": "buy", "reduceOnly": "YES",
    }  # fmt: skip
    assert rig.engine.holdings["BTCUSDT", "BOTH"].amount == D("-0.05")


async def test_an_order_that_finds_nobody_is_done_with_nothing_filled(
    venue: BitgetVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce("7", "155.00"))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(0))


async def test_an_accepted_order_whose_fill_cannot_be_read_is_unknown_and_settled_later(
    venue: BitgetVenue, rig: Rig
) -> None:
    fault = rig.faults.add(Fault(kind="http_503", method="GET", path="order/detail"))
    done = await send(venue, rig, reduce())
    assert (done.outcome, done.code) == (Outcome.UNKNOWN, "unexpected_answer")
    assert fault.hits >= 3
    rig.faults.forget()
    await rig.pace.sleep(2)  # until the venue's own limit on this address has room again
    intent = an_intent_now(rig, reduce())
    assert (await venue.settle(intent)).applied == D(7)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"filled"', '"live"', "must be over"),
        ('"baseVolume": "7"', '"baseVolume": "8"', "must be <= 7"),
        (NAME, "another", "was another"),
        ("SOLUSDT", "BTCUSDT", "was another"),
    ],
)
async def test_an_order_that_is_not_over_or_not_ours_proves_nothing(
    venue: BitgetVenue, rig: Rig, old: str, new: str, why: str
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite", method="GET", path="order/detail",
            rewrite=lambda text: text.replace(old, new),
        )
    )  # fmt: skip
    done = await send(venue, rig, reduce())
    assert done.outcome is Outcome.UNKNOWN
    with pytest.raises(Incomplete, match=why):
        await venue.settle(an_intent_now(rig, reduce()))
