"""How often is OKX asked?"""

from datetime import timedelta

from bot.domain.intent import Outcome
from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.faults import Fault
from tests.kit.moves import add
from tests.kit.okx import Rig, connected
from tests.kit.rigs import send


async def test_after_too_many_requests_it_goes_on_in_seconds(venue: OkxVenue, rig: Rig) -> None:
    rig.faults.add(Fault(kind="rate_429", method="POST", path="position/margin-balance", times=1))
    assert (await send(venue, rig, add("1"))).code == "50011"
    assert (await send(venue, rig, add("1"))).code == "venue_banned"
    await rig.pace.sleep(4)
    assert (await send(venue, rig, add("1"))).outcome is Outcome.DONE


async def test_no_endpoint_is_asked_more_often_than_half_of_what_it_allows(
    venue: OkxVenue, rig: Rig
) -> None:
    for _ in range(30):
        await venue.observe()
    assert max(rig.desk.counts.most.values()) <= 0.5


async def test_bars_are_read_once_and_then_only_what_is_new(rig: Rig) -> None:
    async with connected(rig, bars=240) as venue:
        first = (await venue.observe()).markets[0].bars
        assert len(first.close) == 240
        before = rig.count("market/mark-price-candles")
        assert before == 6
        await venue.observe()
        assert rig.count("market/mark-price-candles") == before
        rig.engine.advance(rig.engine.now_ms + 3_600_000)
        later = (await venue.observe()).markets[0].bars
        assert rig.count("market/mark-price-candles") == before + 2
        assert first.opened_at is not None
        assert later.opened_at == first.opened_at + timedelta(hours=1)
        assert later.close[:-1] == first.close[1:]
