"""M2: does margin that is added arrive, exactly, where it should, and nowhere else?"""

from decimal import Decimal

from bot.cards.bench import BTC, SOL, SOL_SHORT, Bench, add
from bot.cards.card import Group
from bot.cards.expect import ended, holds, near, same
from bot.cards.scene import BTC as HELD_BTC
from bot.cards.scene import CROSS, LONG, SHORT, Scene
from bot.cards.tongue import No, Said
from bot.domain.intent import Outcome
from bot.domain.position import Side
from bot.margin.assess import assess

GROUP = Group("M2", "add margin")


@GROUP.card(
    "collateral step",
    does="add an amount with every digit that moves have, then the finest step of the wallet",
    passes="the books have every digit",
)
async def collateral_step(bench: Bench) -> None:
    """M2-01."""
    before = bench.margin()
    for amount in (bench.marked(), bench.finest):
        done, _ = await bench.send(add(amount))
        ended(done, Outcome.DONE)
        before += amount
        same("margin", bench.margin(), before)


@GROUP.card(
    "minimum",
    does="add the finest step, then half of it",
    passes="the first arrives; the second never leaves",
)
async def minimum(bench: Bench) -> None:
    """M2-02."""
    done, _ = await bench.send(add(bench.finest))
    ended(done, Outcome.DONE)
    left = len(bench.writes())
    done, _ = await bench.send(add(bench.finest / 2))
    ended(done, Outcome.REJECTED, "not_representable")
    same("writes", len(bench.writes()), left)


@GROUP.card(
    "maximum",
    does="add one cent more than is free, then all that is free",
    passes="the first is refused for funds and changes nothing; the second empties the wallet",
)
async def maximum(bench: Bench) -> None:
    """M2-03."""
    before, free = bench.margin(), bench.engine.available()
    done, _ = await bench.send(add(free + Decimal("0.01")))
    ended(done, Outcome.REJECTED, bench.code(No.MARGIN_FUNDS))
    same("margin", bench.margin(), before)
    done, _ = await bench.send(add(free))
    ended(done, Outcome.DONE)
    same("wallet", bench.engine.cross["USDT"], 0)


@GROUP.card(
    "sign",
    does="add -5, 0, NaN and Infinity",
    passes="nothing leaves",
)
async def sign(bench: Bench) -> None:
    """M2-04."""
    for amount in ("-5", "0", "NaN", "Infinity"):
        done, _ = await bench.send(add(amount))
        ended(done, Outcome.REJECTED, "not_representable")
    same("writes", bench.writes(), [])
    same("moves in the books", bench.engine.margin_moves, [])


@GROUP.card(
    "side of a short",
    scene=Scene(held=(SHORT,)),
    does="add 20 to a short position",
    passes="its margin grows, and its liquidation price moves up, away from mark",
)
async def short_side(bench: Bench) -> None:
    """M2-05."""
    before, price = bench.margin(SOL_SHORT), _liquidation(bench, short=True)
    done, _ = await bench.send(add("20", SOL_SHORT))
    ended(done, Outcome.DONE)
    same("margin", bench.margin(SOL_SHORT), before + 20)
    holds("the liquidation price rises", _liquidation(bench, short=True) > price)


@GROUP.card(
    "hedge side",
    scene=Scene(is_hedge=True, held=(LONG, SHORT)),
    does="add 20 to the short leg",
    passes="the request names the leg, that leg has 20 more, the other is unchanged",
)
async def hedge_side(bench: Bench) -> None:
    """M2-06."""
    long, short = bench.margin(SOL), bench.margin(SOL_SHORT)
    done, _ = await bench.send(add("20", SOL_SHORT))
    ended(done, Outcome.DONE)
    same("leg of the request", bench.writes()[-1].leg, Side.SHORT)
    same("short leg", bench.margin(SOL_SHORT), short + 20)
    same("long leg", bench.margin(SOL), long)


@GROUP.card(
    "isolated only",
    scene=Scene(held=(CROSS,)),
    does="add 20 to a cross position",
    passes="it is refused, definitely, and no balance changes",
)
async def isolated_only(bench: Bench) -> None:
    """M2-07."""
    before = bench.engine.cross["USDT"]
    done, _ = await bench.send(add("20"))
    ended(done, Outcome.REJECTED)
    same("wallet", bench.engine.cross["USDT"], before)
    same("moves in the books", bench.engine.margin_moves, [])


@GROUP.card(
    "read-back",
    does="add 20, look, and settle it by history",
    passes="look, history and books say the same, and the wallet has 20 less",
)
async def read_back(bench: Bench) -> None:
    """M2-08."""
    wallet = bench.engine.cross["USDT"]
    done, intent = await bench.send(add("20"))
    ended(done, Outcome.DONE)
    same("margin seen", (await bench.position()).margin, bench.margin())
    same("found in history", await bench.settle(intent), Decimal(20))
    same("wallet", bench.engine.cross["USDT"], wallet - 20)


@GROUP.card(
    "no rounding by the step of the contract",
    does="add 12.75 where the lot of the contract is 1",
    passes="12.75 leaves and 12.75 arrives",
)
async def no_contract_step(bench: Bench) -> None:
    """M2-09."""
    before = bench.margin()
    same("lot", bench.engine.contracts["SOLUSDT"].lot, 1)
    done, _ = await bench.send(add("12.75"))
    ended(done, Outcome.DONE)
    wanted = Said(kind="add_margin", symbol=SOL.symbol, amount=Decimal("12.75"), leg=bench.named())
    same("request", bench.writes(), [wanted])
    same("margin", bench.margin(), before + Decimal("12.75"))


@GROUP.card(
    "neighbours unchanged",
    scene=Scene(held=(LONG, HELD_BTC)),
    does="add 20 to one of two positions",
    passes="the other position, all sizes and the spot wallet are as before; no money is lost",
)
async def neighbours(bench: Bench) -> None:
    """M2-10."""

    def beside() -> object:
        spot = bench.engine.spot["USDT"]
        return bench.margin(BTC), bench.size(BTC), bench.size(SOL), spot, bench.money()

    before = beside()
    done, _ = await bench.send(add("20"))
    ended(done, Outcome.DONE)
    same("everything else", beside(), before)


@GROUP.card(
    "new liquidation price",
    does="add 200 and look",
    passes="the exchange would take over farther away, and ours is that price within 0.05 bp",
)
async def new_liquidation_price(bench: Bench) -> None:
    """M2-11."""
    before = _liquidation(bench)
    done, _ = await bench.send(add("200"))
    ended(done, Outcome.DONE)
    theirs = _liquidation(bench)
    seen = await bench.venue.observe()
    rules = {instrument.symbol: instrument for instrument in seen.instruments}
    ours = assess(seen.account.positions[0], rules[SOL.symbol]).liquidation_price
    holds("it is farther away", theirs < before)
    near("liquidation price", ours, theirs)


@GROUP.card(
    "refusal codes",
    does="add to a position that is not there, and with a key that was revoked",
    passes="both are definite refusals under the venue's code",
)
async def refusal_codes(bench: Bench) -> None:
    """M2-12."""
    done, _ = await bench.send(add("20", BTC))
    ended(done, Outcome.REJECTED, bench.code(No.POSITION))
    bench.revoke()
    done, _ = await bench.send(add("20"))
    ended(done, Outcome.REJECTED, bench.code(No.KEY))
    same("moves in the books", bench.engine.margin_moves, [])


def _liquidation(bench: Bench, *, short: bool = False) -> Decimal:
    return bench.engine.liquidation_price(bench.held(SOL_SHORT if short else SOL))
