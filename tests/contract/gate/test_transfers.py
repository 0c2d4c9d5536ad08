"""How does money move between accounts of Gate, and what proves it?"""

from decimal import Decimal as D

import pytest

from bot.domain.intent import Outcome
from bot.exchanges.gate.adapter import GateVenue
from bot.paper.faults import Fault
from tests.kit.fakes import an_open_gate
from tests.kit.gate import Rig
from tests.kit.moves import move
from tests.kit.rigs import an_intent_now, send


async def test_a_transfer_goes_from_account_to_account(venue: GateVenue, rig: Rig) -> None:
    assert (await send(venue, rig, move())).outcome is Outcome.DONE
    assert rig.said("wallet/transfers") == {
        "currency": "USDT", "from": "spot", "to": "futures", "amount": "10.5", "settle": "usdt",
    }  # fmt: skip
    assert rig.engine.spot["USDT"] == D("4989.5")
    await send(venue, rig, move("futures", "spot"), "pltest0001000002")
    assert rig.engine.spot["USDT"] == D(5000)


@pytest.mark.parametrize("body", ['""', "{}", "null", '{"tx_id": 0}', '{"tx_id": true}'])
async def test_an_answer_without_a_number_confirms_nothing(
    venue: GateVenue, rig: Rig, body: str
) -> None:
    """The library's own remark is that the venue may answer with nothing at all."""
    rig.faults.add(
        Fault(kind="rewrite", method="POST", path="wallet/transfers", rewrite=lambda _: body)
    )
    intent = an_intent_now(rig, move())
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    assert (await venue.settle(intent)).applied == D("10.5")


async def test_what_left_one_account_and_is_not_booked_on_the_other_is_not_absent(
    venue: GateVenue, rig: Rig
) -> None:
    rig.engine.transfer_delay_ms = 30_000
    rig.faults.add(Fault(kind="abort_after", method="POST", times=1))
    intent = an_intent_now(rig, move())
    await venue.execute(intent, an_open_gate())
    assert (await venue.settle(intent)).applied is None
    await rig.pace.sleep(31)
    assert (await venue.settle(intent)).applied == D("10.5")


async def test_an_equal_transfer_from_before_the_send_is_no_evidence(
    venue: GateVenue, rig: Rig
) -> None:
    rig.engine.transfer("spot", "futures", "USDT", D("10.5"))
    await rig.pace.sleep(2)
    assert (await venue.settle(an_intent_now(rig, move()))).applied == 0
    await rig.pace.sleep(2)
    rig.engine.transfer("futures", "spot", "USDT", D("10.5"))  # the other way
    assert (await venue.settle(an_intent_now(rig, move()))).applied == 0
