"""M7: does a stop that rests at the venue close the position when nobody else does?"""

from decimal import Decimal

from bot.cards.bench import SOL, Bench, reduce
from bot.cards.card import Group
from bot.cards.expect import ended, holds, same
from bot.cards.needs import STOPS
from bot.cards.scene import Scene
from bot.domain.action import CancelStop, PlaceStop
from bot.domain.intent import Execution, Intent, Outcome
from bot.domain.stop import RestingStop
from bot.paper.values import Ask, Order

GROUP = Group("M7", "resident stop", (STOPS,))
FALL = Scene(points=((0, 1.0), (300, 0.92)))
"""150 to 138: through the stop, not to liquidation."""
TRIGGER = Decimal("140.00")


async def _place(
    bench: Bench, size: str = "50", price: Decimal = TRIGGER
) -> tuple[Execution, Intent]:
    stop = PlaceStop(key=SOL, size=Decimal(size), stop_price=price, is_needed=True)
    done, intent = await bench.send(stop)
    ended(done, Outcome.DONE)
    return done, intent


def _order(bench: Bench, intent: Intent) -> Order:
    return bench.engine.order(client_id=intent.id)


async def _seen(bench: Bench) -> tuple[RestingStop, ...]:
    return (await bench.venue.observe()).account.stops


@GROUP.card(
    "fires on mark",
    scene=FALL,
    does="place a stop, and let the last price fall through it ahead of mark",
    passes="it stands while only the last price is beyond it, and closes all once mark is",
)
async def on_mark(bench: Bench) -> None:
    """M7-01."""
    _, intent = await _place(bench)
    order, last_alone = _order(bench, intent), 0
    while bench.engine.quotes["SOLUSDT"].mark > TRIGGER:
        holds("it stands while mark is above", order.is_open)
        last_alone += bench.engine.quotes["SOLUSDT"].last <= TRIGGER
        await bench.time.sleep(1)
    holds("the last price was beyond it alone", last_alone > 0)
    same("size once mark is there", bench.size(), 0)
    same("status", order.status, "FILLED")


@GROUP.card(
    "replace",
    does="place a second stop nearer, then take the first back",
    passes="one of them stands at any time, and at the end only the second, as the look shows",
)
async def replace(bench: Bench) -> None:
    """M7-02."""
    _, first = await _place(bench)
    _, second = await _place(bench, price=Decimal("142.00"))
    same("standing", len(bench.engine.open_orders("SOLUSDT")), 2)
    stop_id = next(s.stop_id for s in await _seen(bench) if s.client_id == first.id)
    done, _ = await bench.send(CancelStop(key=SOL, stop_id=stop_id, client_id=first.id))
    ended(done, Outcome.DONE)
    same("standing", [o.client_id for o in bench.engine.open_orders("SOLUSDT")], [second.id])
    same("seen", [(s.client_id, s.is_ours) for s in await _seen(bench)], [(second.id, True)])


@GROUP.card(
    "room for a reduction beside it",
    does="place a stop for all of the position, then reduce by 20",
    passes="the reduction is filled, and the stop still stands",
)
async def room(bench: Bench) -> None:
    """M7-03."""
    _, intent = await _place(bench)
    await bench.reduced(reduce("20"))
    same("size", bench.size(), 30)
    holds("the stop stands", _order(bench, intent).is_open)


@GROUP.card(
    "survives the bot",
    scene=FALL,
    does="place a stop, close every connection, and let the price fall",
    passes="the exchange closes the position; it is not liquidated",
)
async def survives(bench: Bench) -> None:
    """M7-04."""
    await _place(bench)
    await bench.venue.close()
    await bench.time.sleep(400)
    same("size", bench.size(), 0)
    same("liquidations", bench.engine.liquidations, [])


@GROUP.card(
    "larger than what is left",
    scene=FALL,
    does="place a stop for 50, reduce by 20, and let the price fall",
    passes="it closes the 30 that are left and opens nothing",
)
async def follows(bench: Bench) -> None:
    """M7-05."""
    _, intent = await _place(bench)
    await bench.send(reduce("20"))
    await bench.time.sleep(400)
    same("size", bench.size(), 0)
    same("closed by the stop", _order(bench, intent).filled, 30)


@GROUP.card(
    "only our own is taken back",
    does="place a stop beside one of a person, look, and take back the one that is ours",
    passes="the look tells them apart, and the other still stands",
)
async def own_only(bench: Bench) -> None:
    """M7-06."""
    theirs = bench.engine.place(
        Ask(
            symbol="SOLUSDT",
            side="SELL",
            type="STOP_MARKET",
            size=Decimal(10),
            stop=Decimal("141.00"),
            reduce_only=True,
            on_mark=True,
            client_id="web_1",
            conditional=True,
        )
    )
    _, intent = await _place(bench)
    seen = {stop.client_id: stop for stop in await _seen(bench)}
    same(
        "ours of those seen",
        {n: s.is_ours for n, s in seen.items()},
        {"web_1": False, intent.id: True},
    )
    stop_id = seen[intent.id].stop_id
    done, _ = await bench.send(CancelStop(key=SOL, stop_id=stop_id, client_id=intent.id))
    ended(done, Outcome.DONE)
    same("standing", [o.client_id for o in bench.engine.open_orders("SOLUSDT")], ["web_1"])
    holds("the other is as it was", theirs.is_open)
