"""M9: does the adapter notice that the rules, the venue or the key have changed?"""

from datetime import UTC, datetime
from decimal import Decimal

from bot.cards.bench import SOL, Bench, add, reduce
from bot.cards.card import Group
from bot.cards.expect import ended, holds, refused, same
from bot.cards.needs import AUTOMATIC
from bot.cards.scene import Scene
from bot.cards.tongue import No, Target
from bot.domain.instrument import Instrument
from bot.domain.intent import Outcome
from bot.domain.position import PositionMode, Side
from bot.errors import Denied, Unavailable

GROUP = Group("M9", "modes, tiers, status")
HOUR = 3600
ENDS_MS = 1_770_000_000_000


async def _rules(bench: Bench) -> Instrument:
    seen = await bench.venue.observe()
    return next(i for i in seen.instruments if i.symbol == SOL.symbol)


@GROUP.card(
    "position mode",
    scene=Scene(held=()),
    does="let a person switch to hedge mode, and reduce as if it were one-way; then look",
    passes="the order is refused, definitely; the next look shows hedge mode, the next move a leg",
)
async def mode(bench: Bench) -> None:
    """M9-01."""
    bench.engine.set_hedge_mode(hedge=True)
    bench.engine.hold("SOLUSDT", Decimal(50), leverage=10)
    await bench.rest()
    done, _ = await bench.send(reduce("7"))
    ended(done, Outcome.REJECTED)
    same("size", bench.size(), 50)
    seen = await bench.venue.observe()
    same("position mode", seen.account.position_mode, PositionMode.HEDGE)
    done, _ = await bench.send(add("7.5"))
    ended(done, Outcome.DONE)
    same("leg", bench.writes()[-1].leg, Side.LONG)


@GROUP.card(
    "tier change",
    does="let the venue double every maintenance rate it tells, and look an hour later",
    passes="the tiers seen are the new ones",
)
async def tiers(bench: Bench) -> None:
    """M9-02."""
    before = (await _rules(bench)).tiers
    bench.forge(bench.tongue.dearer)
    await bench.time.sleep(HOUR)
    after = (await _rules(bench)).tiers
    fee = bench.tongue.closing_fee
    same(
        "rates",
        [tier.maintenance_rate - fee for tier in after],
        [(tier.maintenance_rate - fee) * 2 for tier in before],
    )


@GROUP.card(
    "delisting",
    does="let the venue announce an end of the contract, and look an hour later",
    passes="the end is in the rules of the contract",
)
async def delisting(bench: Bench) -> None:
    """M9-03."""
    same("end before", (await _rules(bench)).closes_at, None)
    bench.forge(bench.tongue.ends(ENDS_MS))
    await bench.time.sleep(HOUR)
    same("end", (await _rules(bench)).closes_at, datetime.fromtimestamp(ENDS_MS / 1000, UTC))


@GROUP.card(
    "maintenance",
    does="look; look and add while the venue answers 503 to everything; then again",
    passes="no look, an unknown addition without effect; then both go on",
)
async def maintenance(bench: Bench) -> None:
    """M9-04."""
    before = (await bench.position()).margin
    bench.mishap("http_503", None, times=None)
    await refused("a look in maintenance", Unavailable, bench.venue.observe)
    done, intent = await bench.send(add("5"))
    ended(done, Outcome.UNKNOWN)
    bench.wire.faults.forget()
    same("margin", (await bench.position()).margin, before)
    same("found", await bench.settle(intent), Decimal(0))
    done, _ = await bench.send(add("5"))
    ended(done, Outcome.DONE)


@GROUP.card(
    "flag of automatic margin",
    needs=(AUTOMATIC,),
    does="let the venue show that it adds margin by itself, and look again once settings are due",
    passes="the position says so; before it did not",
)
async def automatic_margin(bench: Bench) -> None:
    """M9-05."""
    same("before", (await bench.position()).venue_adds_margin, False)
    if bench.tongue.adds_by_itself is not None:
        bench.forge(bench.tongue.adds_by_itself)
    await bench.time.sleep(HOUR)
    same("after", (await bench.position()).venue_adds_margin, True)


@GROUP.card(
    "key that was revoked",
    does="look and add with a key that the venue does not know any more",
    passes="the look is denied, the addition definitely refused; nothing is tried as if too busy",
)
async def permissions(bench: Bench) -> None:
    """M9-06."""
    bench.revoke()
    why = await refused("a look with a revoked key", Denied, bench.venue.observe)
    holds("the code is named", bench.code(No.KEY) in why)
    done, _ = await bench.send(add("5"))
    ended(done, Outcome.REJECTED, bench.code(No.KEY))
    same("moves in the books", bench.engine.margin_moves, [])


GROUP.skip(
    "key that expires",
    does="read when the rights of the key end",
    passes="the day is told in time",
    because="no code path: the bot does not read when a key expires",
)


@GROUP.card(
    "request budget",
    does="let the venue ask to wait (429), then look and add meanwhile and afterwards",
    passes="no request leaves before the time it named; then both go on",
)
async def weights(bench: Bench) -> None:
    """M9-08."""
    bench.mishap("rate_429", Target.POSITIONS)
    await refused("a look that is told to wait", Unavailable, bench.venue.observe)
    left = len(bench.wire.asked)
    await refused("a look meanwhile", Unavailable, bench.venue.observe)
    done, _ = await bench.send(add("5"))
    ended(done, Outcome.REJECTED, "venue_banned")
    same("requests meanwhile", len(bench.wire.asked), left)
    await bench.time.sleep(120)
    await bench.venue.observe()
    done, _ = await bench.send(add("5"))
    ended(done, Outcome.DONE)
