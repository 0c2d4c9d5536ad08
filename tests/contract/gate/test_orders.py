"""How is a position reduced at Gate, and what proves the fill?"""

import json
from decimal import Decimal as D
from typing import Any

import pytest

from bot.domain.intent import Outcome
from bot.errors import Incomplete
from bot.exchanges.gate.adapter import GateVenue
from bot.paper.faults import Fault
from tests.kit.fakes import an_open_gate
from tests.kit.gate import Rig
from tests.kit.moves import BTC, reduce
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send

ORDERS = "futures/usdt/orders"


async def test_a_reduction_is_sent_in_contracts_and_its_answer_tells_what_it_filled(
    venue: GateVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce("0.05", "62000.0", BTC))
    assert (done.outcome, done.applied) == (Outcome.DONE, D("0.05"))
    assert rig.said(ORDERS, "POST") == {
        "settle": "usdt", "contract": "BTC_USDT", "size": "50", "price": "62000.0", "tif": "ioc",
        "reduce_only": True, "text": f"t-{NAME}",
    }  # fmt: skip
    assert rig.engine.holdings["BTCUSDT", "BOTH"].amount == D("-0.05")


async def test_an_order_that_finds_nobody_is_done_with_nothing_filled(
    venue: GateVenue, rig: Rig
) -> None:
    done = await send(venue, rig, reduce("7", "155.00"))
    assert (done.outcome, done.applied) == (Outcome.DONE, D(0))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"text": "t-another"}, id="another name"),
        pytest.param({"contract": "BTC_USDT"}, id="another contract"),
        pytest.param({"status": "open"}, id="not over"),
        pytest.param({"size": "-8"}, id="another size"),
        pytest.param({"size": "7"}, id="the other way"),
        pytest.param({"left": "-8"}, id="more left than was asked for"),
        pytest.param({"left": "3"}, id="left of the other way"),
        pytest.param({"left": None}, id="nothing told of what is left"),
    ],
)
async def test_an_answer_that_does_not_fit_is_unknown(
    venue: GateVenue, rig: Rig, changes: dict[str, Any]
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite", method="POST", path=ORDERS,
            rewrite=lambda text: json.dumps(json.loads(text) | changes),
        )
    )  # fmt: skip
    assert (await send(venue, rig, reduce())).outcome is Outcome.UNKNOWN


async def test_an_order_is_found_by_its_name_and_once_that_is_forgotten_by_its_fills(
    venue: GateVenue, rig: Rig
) -> None:
    intent = an_intent_now(rig, reduce())
    await venue.execute(intent, an_open_gate())
    assert (await venue.settle(intent)).applied == D(7)
    rig.engine.advance(rig.engine.now_ms + 3_700_000)
    assert (await venue.settle(intent)).applied == D(7)
    assert rig.count("futures/usdt/my_trades_timerange") == 1
    other = an_intent_now(rig, reduce(), "pltest0001000002")
    assert (await venue.settle(other)).applied == 0


async def test_an_order_that_is_not_over_proves_nothing(venue: GateVenue, rig: Rig) -> None:
    intent = an_intent_now(rig, reduce())
    await venue.execute(intent, an_open_gate())
    rig.faults.add(
        Fault(
            kind="rewrite", method="GET", path=ORDERS,
            rewrite=lambda text: text.replace('"finished"', '"open"'),
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match="must be over"):
        await venue.settle(intent)


async def test_more_fills_than_were_asked_for_prove_nothing(venue: GateVenue, rig: Rig) -> None:
    intent = an_intent_now(rig, reduce())
    await venue.execute(intent, an_open_gate())
    rig.engine.advance(rig.engine.now_ms + 3_700_000)
    rig.faults.add(
        Fault(
            kind="rewrite", path="my_trades_timerange",
            rewrite=lambda text: text.replace('"-7"', '"-8"'),
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match="fills"):
        await venue.settle(intent)
