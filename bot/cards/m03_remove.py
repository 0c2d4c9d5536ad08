"""M3: does the venue give back what it may, and never more?"""

from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal

from bot.cards.bench import SOL, SOL_SHORT, Bench, add, remove
from bot.cards.card import Group
from bot.cards.expect import ended, holds, same
from bot.cards.needs import REMOVES
from bot.cards.scene import CROSS, LONG, SHORT, Scene
from bot.cards.tongue import No, Said
from bot.domain.intent import Outcome
from bot.margin.assess import assess, removable

GROUP = Group("M3", "remove margin", (REMOVES,))
RICH = Decimal(10**6)
"""Margin of any position. [USDT]"""


def _most(bench: Bench) -> Decimal:
    """Return what the books release, in whole steps of the venue."""
    most = bench.engine.removable(bench.held())
    return (most / bench.finest).to_integral_value(ROUND_FLOOR) * bench.finest


@GROUP.card(
    "floor",
    does="add 100, then remove all that may leave",
    passes="the position keeps its initial margin at mark and is safe",
)
async def floor(bench: Bench) -> None:
    """M3-01."""
    await bench.send(add("100"))
    done, _ = await bench.send(remove(_most(bench)))
    ended(done, Outcome.DONE)
    holding = bench.held()
    equity = holding.margin + bench.engine.profit(holding)
    holds("initial margin stays", equity >= bench.engine.initial(holding))
    holds("equity is above maintenance", equity > bench.engine.maintenance(holding))


@GROUP.card(
    "largest removal",
    scene=Scene(points=((0, 1.0), (600, 1.1))),
    does="let the price rise, add 100, and work out from the published formula what may leave",
    passes="ours is what the exchange releases, within its finest step",
)
async def largest(bench: Bench) -> None:
    """M3-02."""
    await bench.time.sleep(900)
    await bench.send(add("100"))
    seen = await bench.venue.observe()
    rules = next(i for i in seen.instruments if i.symbol == SOL.symbol)
    ours = removable(seen.account.positions[0], rules)
    holds("something may leave", ours > 0)
    holds(f"{ours} is {_most(bench)}", abs(ours - _most(bench)) <= bench.finest)
    done, _ = await bench.send(remove(_most(bench)))
    ended(done, Outcome.DONE)


@GROUP.card(
    "leverage setting as a limit",
    does="remove 1 from a position that has just its initial margin, then raise the setting",
    passes="refused at 10x, done at 20x; the bot changes no setting by itself",
)
async def leverage(bench: Bench) -> None:
    """M3-03."""
    done, _ = await bench.send(remove("1"))
    ended(done, Outcome.REJECTED, bench.code(No.FLOOR))
    same("leverage setting", bench.engine.leverage["SOLUSDT"], 10)
    bench.engine.set_leverage("SOLUSDT", 20)
    done, _ = await bench.send(remove("1"))
    ended(done, Outcome.DONE)
    same("leverage setting", bench.engine.leverage["SOLUSDT"], 20)


@GROUP.card(
    "sign",
    does="add 100 and remove 40.5",
    passes="the request takes out, and 40.5; margin falls, the wallet rises by it",
)
async def sign(bench: Bench) -> None:
    """M3-04."""
    await bench.send(add("100"))
    margin, wallet = bench.margin(), bench.engine.cross["USDT"]
    done, _ = await bench.send(remove("40.5"))
    ended(done, Outcome.DONE)
    wanted = Said(
        kind="remove_margin", symbol=SOL.symbol, amount=Decimal("40.5"), leg=bench.named()
    )
    same("request", bench.writes()[-1], wanted)
    same("margin", bench.margin(), margin - Decimal("40.5"))
    same("wallet", bench.engine.cross["USDT"], wallet + Decimal("40.5"))


@GROUP.card(
    "refusal at the floor",
    does="add 100 and remove one finest step more than may leave",
    passes="a definite refusal that changes nothing",
)
async def refusal(bench: Bench) -> None:
    """M3-05."""
    await bench.send(add("100"))
    before = bench.margin()
    done, _ = await bench.send(remove(_most(bench) + bench.finest))
    ended(done, Outcome.REJECTED, bench.code(No.FLOOR))
    same("margin", bench.margin(), before)


@GROUP.card(
    "reversal",
    does="add an amount with every digit that moves have, and remove the same",
    passes="all balances are as before, and the books have two moves of opposite sign",
)
async def reversal(bench: Bench) -> None:
    """M3-06."""
    before = bench.margin(), bench.engine.cross["USDT"]
    amount = bench.fine("33.33", 333)
    await bench.send(add(amount))
    done, _ = await bench.send(remove(amount))
    ended(done, Outcome.DONE)
    same("margin and wallet", (bench.margin(), bench.engine.cross["USDT"]), before)
    moves = [move.amount for move in bench.engine.margin_moves]
    same("moves", moves, [amount, -amount])


@GROUP.card(
    "tier edge",
    scene=Scene(held=()),
    does="hold as much as is the edge of a tier, look, add 100, remove all of it",
    passes="maintenance is the books', and the books release the 100",
)
async def tier_edge(bench: Bench) -> None:
    """M3-07."""
    bench.engine.cross["USDT"] += RICH
    bench.engine.hold("SOLUSDT", bench.tongue.edge, leverage=10)
    holding = bench.held()
    below, here, above = (
        bench.engine.maintenance(replace(holding, amount=holding.amount + lots))
        for lots in (-1, 0, 1)
    )
    holds(f"another tier begins at {holding.amount}", above - here != here - below)
    seen = await bench.venue.observe()
    rules = next(i for i in seen.instruments if i.symbol == SOL.symbol)
    ours = assess(seen.account.positions[0], rules).maintenance_margin
    same("maintenance", ours, bench.engine.maintenance(holding))
    await bench.send(add("100"))
    done, _ = await bench.send(remove("100"))
    ended(done, Outcome.DONE)


@GROUP.card(
    "read-back",
    does="add 100, remove 40, look, and settle it by history",
    passes="look, history and books say the same",
)
async def read_back(bench: Bench) -> None:
    """M3-08."""
    await bench.send(add("100"))
    done, intent = await bench.send(remove("40"))
    ended(done, Outcome.DONE)
    same("margin seen", (await bench.position()).margin, bench.margin())
    same("found in history", await bench.settle(intent), Decimal(40))
    same("moved in the books", bench.engine.margin_moves[-1].amount, Decimal(-40))


@GROUP.card(
    "hedge leg",
    scene=Scene(is_hedge=True, held=(LONG, SHORT)),
    does="add 50 to the short leg and remove 20 of it",
    passes="only the short leg changes",
)
async def hedge_leg(bench: Bench) -> None:
    """M3-09."""
    long, short = bench.margin(SOL), bench.margin(SOL_SHORT)
    await bench.send(add("50", SOL_SHORT))
    done, _ = await bench.send(remove("20", SOL_SHORT))
    ended(done, Outcome.DONE)
    same("short leg", bench.margin(SOL_SHORT), short + 30)
    same("long leg", bench.margin(SOL), long)


@GROUP.card(
    "cross position",
    scene=Scene(held=(CROSS,)),
    does="remove 1 from a cross position",
    passes="a definite refusal that changes nothing",
)
async def cross(bench: Bench) -> None:
    """M3-10."""
    before = bench.engine.cross["USDT"]
    done, _ = await bench.send(remove("1"))
    ended(done, Outcome.REJECTED)
    same("wallet", bench.engine.cross["USDT"], before)
