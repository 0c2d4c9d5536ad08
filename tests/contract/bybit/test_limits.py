"""How often is Bybit asked, and what stops all asking?"""

import pytest

from bot.errors import Unavailable
from bot.exchanges.bybit.adapter import BybitVenue
from bot.paper.faults import Fault
from tests.kit.bybit import Rig
from tests.kit.moves import add
from tests.kit.rigs import send


async def test_too_many_requests_stop_all_asking_until_the_venue_says(
    venue: BybitVenue, rig: Rig
) -> None:
    fault = rig.faults.add(Fault(kind="rate_429", path="add-margin", times=1))
    await venue.observe()
    assert (await send(venue, rig, add("1"))).code == "10006"
    assert fault.hits == 1
    before = len(rig.desk.requests)
    with pytest.raises(Unavailable):
        await venue.observe()
    assert len(rig.desk.requests) == before
    await rig.pace.sleep(7)
    await venue.observe()


async def test_a_shut_out_is_kept_for_ten_minutes(venue: BybitVenue, rig: Rig) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="ban_418", path="tickers", times=1))
    with pytest.raises(Unavailable):
        await venue.observe()
    condition = venue.condition()
    assert condition.is_banned
    assert "403" in condition.ban
    await rig.pace.sleep(590)
    assert venue.condition().is_banned
    await rig.pace.sleep(16)
    await venue.observe()


async def test_the_venues_own_count_is_kept_below_half(venue: BybitVenue, rig: Rig) -> None:
    for _ in range(30):
        await venue.observe()
    assert rig.desk.limits.address.most <= 300
