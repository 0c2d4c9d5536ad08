"""How does money move between accounts of Bybit?"""

import uuid
from decimal import Decimal as D

from bot.domain.intent import Outcome
from bot.exchanges.bybit.adapter import BybitVenue
from bot.exchanges.bybit.write import NAMES, transfer_id
from tests.kit.bybit import Rig
from tests.kit.fakes import an_open_gate
from tests.kit.moves import move
from tests.kit.paper import NAME
from tests.kit.rigs import an_intent_now, send


async def test_a_transfer_takes_the_raw_route_under_a_uuid_of_its_own(
    venue: BybitVenue, rig: Rig
) -> None:
    assert (await send(venue, rig, move())).outcome is Outcome.DONE
    said = rig.said("asset/transfer/inter-transfer")
    assert (said["fromAccountType"], said["toAccountType"]) == ("FUND", "UNIFIED")
    assert (said["amount"], said["coin"]) == ("10.5", "USDT")
    assert said["transferId"] == str(uuid.uuid5(uuid.UUID(bytes=NAMES), NAME))
    assert said["transferId"] == transfer_id(NAME) != transfer_id("pltest0001000002")
    assert rig.engine.spot["USDT"] == D("4989.5")


async def test_a_transfer_on_its_way_is_neither_there_nor_absent(
    venue: BybitVenue, rig: Rig
) -> None:
    rig.engine.transfer_delay_ms = 60_000
    intent = an_intent_now(rig, move())
    assert (await venue.execute(intent, an_open_gate())).outcome is Outcome.UNKNOWN
    assert (await venue.settle(intent)).applied is None
    await rig.pace.sleep(61)
    assert (await venue.settle(intent)).applied == D("10.5")
