"""M6: does an order that reduces only ever reduce?"""

from decimal import Decimal

from bot.cards.bench import BTC, SOL, SOL_SHORT, Bench, reduce
from bot.cards.card import Group
from bot.cards.expect import ended, holds, same
from bot.cards.needs import CAPPED, NAMED_ORDERS
from bot.cards.scene import BTC as HELD_BTC
from bot.cards.scene import LONG, SHORT, Scene
from bot.cards.tongue import No, Said, Target
from bot.domain.intent import Outcome
from bot.domain.position import Side

GROUP = Group("M6", "reduce-only order")


@GROUP.card(
    "flag in the request",
    does="reduce a long by 7",
    passes="a sale that only reduces, now or never, leaves under our id, and 43 are left",
)
async def flag(bench: Bench) -> None:
    """M6-01."""
    _, intent = await bench.reduced(reduce("7"))
    wanted = Said(
        kind="reduce_position",
        symbol=SOL.symbol,
        amount=Decimal(7),
        price=Decimal("148.50"),
        trade="sell",
        only_reduces=True,
        is_immediate=True,
        name=intent.id,
    )
    same("request", bench.writes(), [wanted])
    same("size", bench.size(), 43)


@GROUP.card(
    "hedge side",
    scene=Scene(is_hedge=True, held=(LONG, SHORT)),
    does="reduce the short leg by 7",
    passes="the request names the leg and cannot open, as the venue wants it; only it shrinks",
)
async def hedge_side(bench: Bench) -> None:
    """M6-02."""
    await bench.reduced(reduce("7", SOL_SHORT))
    said = bench.writes()[-1]
    same("side and leg", (said.trade, said.leg), ("buy", Side.SHORT))
    holds("it only reduces", said.only_reduces)
    same("both legs", (bench.size(SOL), bench.size(SOL_SHORT)), (50, -43))


@GROUP.card(
    "no flip",
    needs=(CAPPED,),
    does="reduce by 50 after a person has closed 30 of 50",
    passes="20 are filled, nothing is left, and nothing is held on the other side",
)
async def no_flip(bench: Bench) -> None:
    """M6-03."""
    bench.engine.deleverage("SOLUSDT", "BOTH", Decimal(30))
    filled, _ = await bench.reduced(reduce("50"))
    same("filled", filled, 20)
    same("size", bench.size(), 0)


@GROUP.card(
    "larger than the venue takes",
    does="reduce by more than the largest order",
    passes="a definite refusal, and nothing is filled",
)
async def oversize(bench: Bench) -> None:
    """M6-04."""
    most = bench.engine.contracts["SOLUSDT"].maximum
    done, _ = await bench.send(reduce(str(most + 1)))
    ended(done, Outcome.REJECTED, bench.code(No.SIZE))
    same("size", bench.size(), 50)


@GROUP.card(
    "partial fill",
    scene=Scene(depth=0.0001),
    does="reduce by 50 where the book holds less within the limit",
    passes="what is told is what was filled, no more than the limit allows, and nothing rests",
)
async def partial(bench: Bench) -> None:
    """M6-05."""
    told, _ = await bench.reduced(reduce("50"))
    filled = sum((trade.size for trade in bench.engine.trades), Decimal(0))
    holds(f"{filled} of 50 are filled", 0 < filled < 50)  # noqa: PLR2004 - what was asked
    same("told", told, filled)
    same("size", bench.size(), 50 - filled)
    holds(
        "no fill beyond the limit", all(t.price >= Decimal("148.50") for t in bench.engine.trades)
    )
    same("resting orders", bench.engine.open_orders(), [])


@GROUP.card(
    "nothing to reduce",
    does="reduce where there is no position",
    passes="a definite refusal under the venue's code, and no position appears",
)
async def nothing(bench: Bench) -> None:
    """M6-06."""
    done, _ = await bench.send(reduce("0.010", BTC))
    ended(done, Outcome.REJECTED, bench.code(No.REDUCTION))
    same("size", bench.size(BTC), 0)


@GROUP.card(
    "query by client id",
    needs=(NAMED_ORDERS,),
    does="reduce by 7 while the answer is lost, beside an order of a person; settle by our id",
    passes="found as filled by 7, by our id alone",
)
async def client_id(bench: Bench) -> None:
    """M6-07."""
    await bench.send(reduce("3"), "web0000000000001")
    bench.mishap("abort_after", Target.ORDER)
    done, intent = await bench.send(reduce("7"))
    ended(done, Outcome.UNKNOWN)
    same("found", await bench.settle(intent), Decimal(7))
    same("size", bench.size(), 40)


@GROUP.card(
    "smaller than the smallest value of an order",
    scene=Scene(held=(HELD_BTC,)),
    does="reduce by one lot that is worth less than the smallest opening order",
    passes="it is filled: what reduces is exempt",
)
async def minimum(bench: Bench) -> None:
    """M6-08."""
    contract, mark = bench.engine.contracts["BTCUSDT"], bench.engine.quotes["BTCUSDT"].mark
    holds("one lot is worth less", contract.lot * mark < contract.notional)
    await bench.reduced(reduce(str(contract.lot), BTC))
    same("size", bench.size(BTC), Decimal("0.1") - contract.lot)


@GROUP.card(
    "closed position",
    does="reduce by all of it, and look",
    passes="the position is gone, and all but loss and fee is in the wallets",
)
async def closed(bench: Bench) -> None:
    """M6-09."""
    money = bench.money()
    await bench.reduced(reduce("50"))
    seen = await bench.venue.observe()
    same("positions seen", seen.account.positions, ())
    same("size", bench.size(), 0)
    paid = sum((trade.fee - trade.profit for trade in bench.engine.trades), Decimal(0))
    same("futures wallet and spot", bench.money(), money - paid)
    same("margin and wallet", bench.engine.cross["USDT"], bench.engine.wallet_balance())


@GROUP.card(
    "short bought back",
    scene=Scene(held=(SHORT,)),
    does="reduce a short by 7",
    passes="an order to buy leaves, and 43 are left short",
)
async def short(bench: Bench) -> None:
    """M6-10."""
    await bench.reduced(reduce("7", SOL_SHORT))
    said = bench.writes()[-1]
    same("side", said.trade, "buy")
    holds("it only reduces", said.only_reduces)
    same("size", bench.size(SOL_SHORT), -43)
