"""How often is KuCoin asked?"""

import pytest

from bot.domain.intent import Outcome
from bot.exchanges.kucoin.adapter import KucoinVenue
from bot.exchanges.kucoin.limits import COSTS, cost
from bot.paper.faults import Fault
from bot.paper.kucoin.routes import routed
from tests.kit.kucoin import Rig
from tests.kit.moves import add
from tests.kit.rigs import send

WORDS = {"risk-limit": "XBTUSDTM", "mark-price": "SOLUSDTM", "funding-rate": "DOGEUSDCM",
         "orders": "234125150956625920"}  # fmt: skip


@pytest.mark.parametrize("name", COSTS)
def test_each_endpoint_is_counted_as_the_venue_counts_it(name: str) -> None:
    method, path = name.split()
    for before, word in WORDS.items():
        path = path.replace(f"{before}/*", f"{before}/{word}")
    found = routed(method, path)
    assert found is not None
    assert cost(method, path, "", "") == COSTS[name] == (found[0].pool, found[0].weight)


async def test_after_too_many_requests_it_goes_on_when_the_venue_says(
    venue: KucoinVenue, rig: Rig
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind="rate_429", method="POST", path="deposit-margin", times=1))
    assert (await send(venue, rig, add("1"))).code == "429000"
    assert (await send(venue, rig, add("1"))).code == "venue_banned"
    now = venue._clock.monotonic()
    assert 25 <= venue._client.quota.stopped_for(now) <= 36
    await rig.pace.sleep(36)
    assert (await send(venue, rig, add("1"), "pltwo")).outcome is Outcome.DONE


async def test_no_pool_is_used_more_than_half(venue: KucoinVenue, rig: Rig) -> None:
    await venue.observe()
    assert venue.allowance().glance_every is not None
    for _ in range(60):
        await venue.observe()
    assert 0.3 < max(rig.desk.counts.most.values()) <= 0.5
