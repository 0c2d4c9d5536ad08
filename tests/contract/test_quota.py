"""The bot's own counter against a venue that counts as well: never over, and quiet when told."""

from collections.abc import AsyncIterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bot.domain.action import AddMargin
from bot.domain.intent import Intent, Outcome
from bot.domain.position import PositionKey, Side
from bot.errors import Unavailable
from bot.exchanges import adapter
from bot.exchanges.binance.adapter import BinanceVenue
from bot.exchanges.binance.weights import BUDGETS, Budget, cost_of
from bot.exchanges.quota import JITTER, Lane
from bot.operate.ban import FileBanNote
from bot.paper.binance.routes import RESTRICTIONS, ROUTES
from bot.paper.binance.weights import counted_as, weight_of
from bot.paper.faults import Fault
from tests.kit.binance import Rig, connected, serving
from tests.kit.fakes import OpenGate
from tests.kit.paper import an_engine

PAPER_NAMES: dict[str, str] = {
    Budget.FUTURES: "fapi",
    Budget.SPOT: "api",
    Budget.WALLET: "sapi",
    Budget.WALLET_USER: "sapi by account",
}


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    engine = an_engine()
    engine.hold("SOLUSDT", D(50), leverage=10)
    engine.hold("BTCUSDT", D("0.1"), leverage=10)
    async with serving(engine, authority) as served:
        yield served


def an_intent(rig: Rig, amount: str) -> Intent:
    action = AddMargin(
        key=PositionKey("SOL/USDT:USDT", Side.LONG), amount=D(amount), currency="USDT"
    )
    at = rig.pace.now()
    return Intent(id="pl1", decision_id="dc1", account="main", action=action, written_at=at)


def asked(rig: Rig) -> int:
    """Return how many requests arrived, also those that were refused unread."""
    return len(rig.server.desk.requests) + sum(f.hits for f in rig.faults._all)


async def test_each_request_weighs_what_the_venue_counts_for_it(
    venue: BinanceVenue, rig: Rig
) -> None:
    await venue.observe()
    await venue.execute(an_intent(rig, "1"), OpenGate())
    await venue.settle(an_intent(rig, "1"))
    kinds = {(method, path) for method, path, _ in rig.server.desk.requests}
    assert len(kinds) >= 14
    for method, path, request in rig.server.desk.requests:
        cost = cost_of(method, path, request.parameters)
        route = ROUTES.get((method, path))
        usual = 1 if route is None else route.weight
        assert route is not None or (method, path) == RESTRICTIONS
        theirs = weight_of(path, usual, request.parameters)
        assert (cost.weight, PAPER_NAMES[cost.budget]) == (theirs, counted_as(method, path)), path


@pytest.mark.parametrize("length", ["1", "50", "99", "100", "101", "499", "500", "501", "1001"])
@pytest.mark.parametrize("host", ["fapi", "dapi"])
@pytest.mark.parametrize("name", ["markPriceKlines", "depth"])
def test_a_long_answer_weighs_more_on_both_sides(name: str, host: str, length: str) -> None:
    path = f"/{host}/v1/{name}"
    asked_for = {"symbol": "BTCUSDT", "limit": length}
    assert cost_of("GET", path, asked_for).weight == weight_of(path, 2, asked_for)


@pytest.mark.parametrize(
    "path",
    [f"/{host}/v1/{n}" for host in ("fapi", "dapi") for n in ("premiumIndex", "openAlgoOrders")],
)
def test_asking_about_every_symbol_weighs_more_on_both_sides(path: str) -> None:
    assert cost_of("GET", path, {}).weight == weight_of(path, 1, {}) >= 10


@pytest.mark.parametrize(("host", "weight"), [("fapi", 1), ("dapi", 10)])
def test_one_mark_in_coin_weighs_as_much_as_all(host: str, weight: int) -> None:
    path, asked_for = f"/{host}/v1/premiumIndex", {"symbol": "X"}
    theirs = weight_of(path, ROUTES["GET", path].weight, asked_for)
    assert cost_of("GET", path, asked_for).weight == theirs == weight


def test_a_request_that_is_not_listed_weighs_as_much_as_the_heaviest() -> None:
    assert cost_of("GET", "/fapi/v9/new", {}).weight == 40


async def test_the_own_count_is_never_below_the_venues(venue: BinanceVenue, rig: Rig) -> None:
    for _ in range(20):
        await venue.observe()
        await rig.pace.sleep(1)
        used = rig.server.desk.weights["fapi"].used(rig.pace.now_ms)
        assert (
            BUDGETS.limits[BUDGETS.main].weight // 2
            - venue._client.quota.left(Lane.PROTECT, venue._clock.monotonic())
            >= used
        )


async def test_a_bot_that_never_rests_stays_below_half_and_keeps_looking(
    venue: BinanceVenue, rig: Rig
) -> None:
    began, looks, last = rig.pace.monotonic(), 0, rig.pace.monotonic()
    while rig.pace.monotonic() - began < 180:
        await venue.observe()
        looks += 1
        assert rig.pace.monotonic() - last < 3
        last = rig.pace.monotonic()
        condition = venue.condition()
        assert condition.weight_left is not None
        assert condition.weight_left >= 120
    for name, weights in rig.server.desk.weights.items():
        assert weights.most <= weights.limit / 2, name
    assert rig.server.desk.weights["fapi"].most > 800
    assert looks > 120


async def test_when_the_reads_have_used_theirs_up_margin_can_still_be_added(
    venue: BinanceVenue, rig: Rig
) -> None:
    await venue.observe()
    quota, now = venue._client.quota, venue._clock.monotonic()
    cost = cost_of("GET", "/fapi/v1/time", {})
    while quota.take(cost, Lane.TELEMETRY, now) or quota.take(cost, Lane.READ, now):
        pass
    condition = venue.condition()
    assert condition.weight_left_optional == 0
    assert condition.weight_left is not None
    assert condition.weight_left >= 90
    before = asked(rig)
    with pytest.raises(Unavailable, match="budget"):
        await venue.observe()
    assert asked(rig) == before
    done = await venue.execute(an_intent(rig, "2"), OpenGate())
    assert done.outcome is Outcome.DONE
    assert (await venue.settle(an_intent(rig, "2"))).applied == D(2)


async def test_a_write_without_budget_does_not_leave(venue: BinanceVenue, rig: Rig) -> None:
    quota, now = venue._client.quota, venue._clock.monotonic()
    while quota.take(cost_of("GET", "/fapi/v1/time", {}), Lane.PROTECT, now):
        pass
    before = asked(rig)
    done = await venue.execute(an_intent(rig, "1"), OpenGate())
    assert (done.outcome, done.code) == (Outcome.REJECTED, "weight_exhausted")
    assert (asked(rig), rig.engine.margin_moves) == (before, [])
    assert venue.condition().weight_left == 0


async def test_what_others_use_up_is_seen_in_the_answers(venue: BinanceVenue, rig: Rig) -> None:
    await venue.observe()
    before = venue.condition().weight_left
    assert before is not None
    rig.server.desk.weights["fapi"].count(2000, rig.pace.now_ms)
    await venue.observe()
    left = venue.condition().weight_left
    assert left is not None
    assert left < 400 < before
    await rig.pace.sleep(70)
    await venue.observe()
    again = venue.condition().weight_left
    assert again is not None
    assert again > 1000


@pytest.mark.parametrize(
    ("kind", "longest", "is_ban"),
    [
        pytest.param("rate_429", 60, False, id="429"),
        pytest.param("ban_418", 120, True, id="418"),
        pytest.param("http_403", 120, True, id="403 without a code"),
    ],
)
async def test_nothing_at_all_is_asked_until_the_venue_may_be_asked_again(
    venue: BinanceVenue, rig: Rig, kind: str, longest: float, is_ban: bool
) -> None:
    await venue.observe()
    rig.faults.add(Fault(kind=kind, path="premiumIndex", times=1))  # type: ignore[arg-type]  # a kind
    with pytest.raises(Unavailable):
        await venue.observe()
    before, began = asked(rig), rig.pace.monotonic()
    assert venue.condition().is_banned
    assert bool(venue.condition().ban) is is_ban
    while venue.condition().is_banned:
        with pytest.raises(Unavailable, match="asked to wait"):
            await venue.observe()
        with pytest.raises(Unavailable, match="asked to wait"):
            await venue.settle(an_intent(rig, "1"))
        done = await venue.execute(an_intent(rig, "1"), OpenGate())
        assert (done.outcome, done.code) == (Outcome.REJECTED, "venue_banned")
        assert asked(rig) == before
        await rig.pace.sleep(1)
    waited = rig.pace.monotonic() - began
    assert waited <= longest + JITTER + 1
    assert not is_ban or waited >= 119
    assert not venue.condition().ban
    await venue.observe()
    assert rig.server.desk.weights["fapi"].used(rig.pace.now_ms) > 0


async def test_requests_that_wait_for_their_connection_do_not_leave_into_a_ban(
    rig: Rig, venue: BinanceVenue
) -> None:
    """Each of the reads of one look is held back at its last look once another was answered."""
    await venue.observe()
    arrived = len(rig.server.desk.requests)
    rig.faults.add(Fault(kind="ban_418", path="positionRisk", times=1))
    with pytest.raises(Unavailable):
        await venue.observe()
    # Those of the same moment may be under way already; the second round of the look is not.
    later = [path for _, path, _ in rig.server.desk.requests[arrived:]]
    assert not [path for path in later if "depth" in path]


async def test_a_ban_at_start_is_not_asked_about_again(rig: Rig) -> None:
    rig.faults.add(Fault(kind="ban_418", path="time"))
    with pytest.raises(Unavailable, match="asked to wait"):
        async with connected(rig):
            pass
    assert asked(rig) == 1


async def test_a_look_that_cannot_be_paid_for_soon_is_not_begun(
    venue: BinanceVenue, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await venue.observe()
    quota, now = venue._client.quota, venue._clock.monotonic()
    cost: Any = replace_weight(cost_of("GET", "/fapi/v1/time", {}), 10)
    while quota.left(Lane.READ, now) >= 10:
        quota.take(cost, Lane.READ, now)
    before = asked(rig)
    with pytest.raises(Unavailable, match="for a look"):
        await venue.observe()
    assert asked(rig) == before
    monkeypatch.setattr(adapter, "LONGEST_WAIT", 70.0)
    await venue.observe()
    assert rig.pace.monotonic() - now > 60


def replace_weight(cost: Any, weight: int) -> Any:
    return cost._replace(weight=weight)


async def test_a_run_that_begins_within_a_ban_asks_nothing(rig: Rig, tmp_path: Path) -> None:
    note = FileBanNote(tmp_path / "ban.json", rig.pace.now)
    async with connected(rig, bans=note) as venue:
        rig.faults.add(Fault(kind="ban_418", path="positionRisk", times=1))
        with pytest.raises(Unavailable):
            await venue.observe()
    before = asked(rig)
    with pytest.raises(Unavailable, match="asked to wait"):
        async with connected(rig, bans=note):
            pass
    assert asked(rig) == before
    await rig.pace.sleep(note.left()[0] + 1)
    async with connected(rig, bans=note) as venue:
        await venue.observe()
    assert asked(rig) > before
