"""How does money move between accounts of Bitget, and what proves it?"""

from decimal import Decimal as D

import pytest

from bot.domain.intent import Outcome
from bot.errors import Incomplete
from bot.exchanges.bitget.adapter import BitgetVenue
from bot.paper.faults import Fault
from tests.kit.bitget import Rig
from tests.kit.fakes import an_open_gate
from tests.kit.moves import move
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send


async def test_a_transfer_goes_from_account_to_account_under_our_id(
    venue: BitgetVenue, rig: Rig
) -> None:
    assert (await send(venue, rig, move())).outcome is Outcome.DONE
    assert rig.said("spot/wallet/transfer") == {
        "fromType": "spot", "toType": "usdt_futures", "amount": "10.5", "coin": "USDT",
        "clientOid": NAME,
    }  # fmt: skip
    assert rig.engine.spot["USDT"] == D("4989.5")
    await send(venue, rig, move("futures", "spot"), "pltest0001000002")
    assert rig.engine.spot["USDT"] == D(5000)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"clientOid": "pl', '"clientOid": "xx'),
        ('"clientOid"', '"clientOrderId"'),
        ('"transferId": "', '"transferId": null, "was": "'),
    ],
)
async def test_an_answer_without_our_name_or_a_number_is_unknown(
    venue: BitgetVenue, rig: Rig, old: str, new: str
) -> None:
    rig.faults.add(
        Fault(
            kind="rewrite", path="wallet/transfer", rewrite=lambda text: text.replace(old, new)
        )
    )  # fmt: skip
    intent = an_intent_now(rig, move())
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    assert (await venue.settle(intent)).applied == D("10.5")


@pytest.mark.parametrize(("state", "applied"), [("Failed", D(0)), ("Processing", None)])
async def test_a_transfer_is_what_the_venue_says_of_it(
    venue: BitgetVenue, rig: Rig, state: str, applied: D | None
) -> None:
    intent = an_intent_now(rig, move())
    await venue.execute(intent, an_open_gate())
    rig.faults.add(
        Fault(
            kind="rewrite", path="transferRecords",
            rewrite=lambda text: text.replace('"Successful"', f'"{state}"'),
        )
    )  # fmt: skip
    assert (await venue.settle(intent)).applied == applied


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"10.5"', '"10.4"'), (NAME, "another"), ('"fromType": "spot"', '"fromType": "p2p"'),
        ('"coin": "USDT"', '"coin": "USDC"'),
    ],
)  # fmt: skip
async def test_a_transfer_that_is_another_one_proves_nothing(
    venue: BitgetVenue, rig: Rig, old: str, new: str
) -> None:
    intent = an_intent_now(rig, move())
    await venue.execute(intent, an_open_gate())
    rig.faults.add(
        Fault(
            kind="rewrite", path="transferRecords", rewrite=lambda text: text.replace(old, new)
        )
    )  # fmt: skip
    with pytest.raises(Incomplete, match="was another"):
        await venue.settle(intent)
