"""What a glance at marks shows and costs, and how looks are paid for beside it."""

import json

import pytest

from bot.errors import ExchangeError, Incomplete, Unavailable
from bot.exchanges.binance.adapter import BinanceVenue
from bot.exchanges.binance.family import USDM
from bot.exchanges.binance.glance import Glance
from bot.exchanges.binance.weights import BUDGETS, cost_of
from bot.exchanges.glance import SHARE
from bot.exchanges.quota import Lane
from bot.paper.faults import Fault
from bot.paper.instruments import CONTRACTS
from tests.kit.binance import Rig, connected

BTC, SOL = "BTC/USDT:USDT", "SOL/USDT:USDT"
LIMIT = BUDGETS.limits[BUDGETS.main]
BUDGET = LIMIT.weight // 2


def left(venue: BinanceVenue, lane: Lane) -> int:
    return venue._client.quota.left(lane, venue._clock.monotonic())


def spend(venue: BinanceVenue, lane: Lane) -> None:
    """Use a lane's budget up to its last request of weight 1."""
    cost, now = cost_of("GET", "/fapi/v1/time", {}), venue._clock.monotonic()
    while venue._client.quota.take(cost, lane, now):
        pass


async def test_a_glance_shows_the_marks_of_the_venue_and_reads_nothing_else(
    venue: BinanceVenue, rig: Rig
) -> None:
    before = len(rig.server.desk.requests)
    marks = await venue.glance({BTC, SOL})
    assert marks == {
        BTC: rig.engine.quotes["BTCUSDT"].mark,
        SOL: rig.engine.quotes["SOLUSDT"].mark,
    }
    paths = [path for _, path, _ in rig.server.desk.requests[before:]]
    assert paths == ["/fapi/v1/premiumIndex"] * 2


async def test_many_marks_are_one_answer(rig: Rig) -> None:
    ids = {f"S{n}": "BTCUSDT" for n in range(5)} | {f"C{n}": f"C{n}USDT" for n in range(10)}
    async with connected(rig) as venue:
        glance = Glance(venue._client, ids, USDM)
        before = len(rig.server.desk.requests)
        with pytest.raises(Incomplete, match="marks must be of"):
            await glance.marks(set(ids))
        ((_, path, request),) = rig.server.desk.requests[before:]
        assert (path, dict(request.parameters)) == ("/fapi/v1/premiumIndex", {})
        assert len(CONTRACTS) > 1  # the answer had more than was asked for
        assert await glance.marks({"S1"}) == {"S1": rig.engine.quotes["BTCUSDT"].mark}


@pytest.mark.parametrize("text", ["0", "-1", "NaN", "1e400", ""])
async def test_a_mark_that_is_no_price_is_no_mark(venue: BinanceVenue, rig: Rig, text: str) -> None:
    def spoil(body: str) -> str:
        return json.dumps(json.loads(body) | {"markPrice": text})

    rig.faults.add(Fault(kind="rewrite", path="premiumIndex", rewrite=spoil))
    with pytest.raises(ExchangeError):
        await venue.glance({BTC})


@pytest.mark.parametrize(("count", "weight"), [(1, 1), (3, 3), (10, 10), (11, 10), (300, 10)])
async def test_glances_take_their_share_of_the_budget_and_no_more(
    venue: BinanceVenue, count: int, weight: int
) -> None:
    every = venue._glance.every(count, venue._clock.monotonic())
    assert every is not None
    assert weight / every * LIMIT.span == pytest.approx(BUDGET * SHARE)


async def test_without_budget_there_are_no_glances_but_still_looks(
    venue: BinanceVenue, rig: Rig
) -> None:
    await venue.observe()
    assert venue.allowance().glance_every is not None
    spend(venue, Lane.GLANCE)
    assert venue.allowance().glance_every is None
    before = len(rig.server.desk.requests)
    with pytest.raises(Unavailable, match="budget"):
        await venue.glance({BTC})
    assert len(rig.server.desk.requests) == before
    assert left(venue, Lane.READ) > 250
    await venue.observe(at_once=True)


async def test_a_look_that_is_due_at_once_waits_for_no_later_one(
    venue: BinanceVenue, rig: Rig
) -> None:
    await venue.observe()
    spend(venue, Lane.GLANCE)
    wait = venue.allowance().look_in
    assert wait > 1
    before = rig.pace.monotonic()
    await venue.observe(at_once=True)
    assert rig.pace.monotonic() - before < 1
    before, wait = rig.pace.monotonic(), venue.allowance().look_in
    await venue.observe()
    assert rig.pace.monotonic() - before >= wait > 1


async def test_what_cannot_be_paid_for_is_waited_for_even_at_once(
    venue: BinanceVenue, rig: Rig
) -> None:
    await venue.observe()
    spend(venue, Lane.READ)
    before = len(rig.server.desk.requests)
    with pytest.raises(Unavailable, match="for a look"):
        await venue.observe(at_once=True)
    assert len(rig.server.desk.requests) == before
