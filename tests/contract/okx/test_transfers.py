"""How does money move between accounts of OKX, and what proves it?"""

from decimal import Decimal as D

import pytest

from bot.domain.intent import Outcome
from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.faults import Fault
from tests.kit.fakes import an_open_gate
from tests.kit.moves import move
from tests.kit.okx import Rig
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send


async def test_a_transfer_goes_from_account_to_account_under_our_id(
    venue: OkxVenue, rig: Rig
) -> None:
    assert (await send(venue, rig, move())).outcome is Outcome.DONE
    assert rig.said("asset/transfer") == {
        "type": "0", "ccy": "USDT", "amt": "10.5", "from": "6", "to": "18", "clientId": NAME,
    }  # fmt: skip
    assert rig.engine.spot["USDT"] == D("4989.5")
    await send(venue, rig, move("futures", "spot"), "pltest0001000002")
    assert rig.engine.spot["USDT"] == D(5000)


async def test_two_transfers_of_one_plan_leave_at_once_and_a_third_waits(
    venue: OkxVenue, rig: Rig
) -> None:
    done = [await send(venue, rig, move(amount="1"), f"pltransfer{n}") for n in range(3)]
    assert [one.outcome for one in done] == [Outcome.DONE, Outcome.DONE, Outcome.REJECTED]
    assert done[2].code == "weight_exhausted"
    assert max(rig.desk.counts.most.values()) <= 0.5


async def test_a_transfer_whose_name_is_forgotten_is_found_on_the_bills(
    venue: OkxVenue, rig: Rig
) -> None:
    intent = an_intent_now(rig, move())
    await venue.execute(intent, an_open_gate())
    rig.desk.room.transfers.clear()
    assert (await venue.settle(intent)).applied == D("10.5")


@pytest.mark.parametrize(("state", "applied"), [("failed", D(0)), ("pending", None)])
async def test_a_transfer_is_what_the_venue_says_of_it(
    venue: OkxVenue, rig: Rig, state: str, applied: D | None
) -> None:
    intent = an_intent_now(rig, move())
    await venue.execute(intent, an_open_gate())
    rig.faults.add(
        Fault(
            kind="rewrite", path="transfer-state",
            rewrite=lambda text: text.replace('"success"', f'"{state}"'),
        )
    )  # fmt: skip
    assert (await venue.settle(intent)).applied == applied
