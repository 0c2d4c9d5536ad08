"""How often is Bitget asked?"""

from datetime import timedelta

from bot.domain.intent import Outcome
from bot.exchanges.bitget.adapter import BitgetVenue
from bot.exchanges.bitget.limits import ALLOWED, OTHER, cost
from bot.paper.bitget.limits import LIMITS, USUAL
from bot.paper.bitget.routes import ROUTES
from bot.paper.faults import Fault
from tests.kit.bitget import Rig, connected
from tests.kit.moves import add
from tests.kit.rigs import send

ONCE_A_SECOND = ("GET", "/api/v2/spot/account/info")


async def test_after_too_many_requests_it_goes_on_in_seconds(venue: BitgetVenue, rig: Rig) -> None:
    rig.faults.add(Fault(kind="rate_429", method="POST", path="set-margin", times=1))
    assert (await send(venue, rig, add("1"))).code == "429"
    assert (await send(venue, rig, add("1"))).code == "venue_banned"
    await rig.pace.sleep(4)
    assert (await send(venue, rig, add("1"))).outcome is Outcome.DONE


async def test_no_endpoint_is_asked_more_often_than_half_of_what_it_allows(
    venue: BitgetVenue, rig: Rig
) -> None:
    for _ in range(30):
        await venue.observe()
    most = rig.desk.counts.most
    assert max(share for key, share in most.items() if key != ONCE_A_SECOND) <= 0.5
    assert rig.count("spot/account/info") == 1  # of the one that it allows a second


def test_what_the_bot_counts_is_no_more_than_its_stand_in_allows() -> None:
    for name, count in ALLOWED.items():
        if name == OTHER:
            continue
        method, path = name.split(" ")
        assert (method, path) in ROUTES
        assert count <= LIMITS.get((method, path), USUAL)
    assert cost("GET", "/api/v2/mix/nothing", "", "").budget == OTHER


async def test_bars_are_read_page_by_page_once_and_then_only_what_is_new(rig: Rig) -> None:
    async with connected(rig, bars=450) as venue:
        first = (await venue.observe()).markets[0].bars
        assert len(first.close) == 450
        before = rig.count("mix/market/history-mark-candles")
        assert before == 6
        await venue.observe()
        assert rig.count("mix/market/history-mark-candles") == before
        rig.engine.advance(rig.engine.now_ms + 3_600_000)
        later = (await venue.observe()).markets[0].bars
        assert rig.count("mix/market/history-mark-candles") == before + 2
        assert first.opened_at is not None
        assert later.opened_at == first.opened_at + timedelta(hours=1)
        assert later.close[:-1] == first.close[1:]
