"""M1: is what the adapter shows what the books say?"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from bot.cards.bench import SOL, SOL_SHORT, Bench, add
from bot.cards.card import Group
from bot.cards.expect import holds, near, refused, same
from bot.cards.scene import BTC as HELD_BTC
from bot.cards.scene import CROSS, LONG, SHORT, Held, Scene
from bot.cards.tongue import Target
from bot.domain.account import Wallet
from bot.domain.ledger import RowKind
from bot.domain.position import MarginMode, PositionKey, PositionMode
from bot.errors import Incomplete
from bot.margin.assess import assess

GROUP = Group("M1", "read model")
HEDGED = Scene(is_hedge=True, held=(LONG, SHORT))


async def _is_as_booked(bench: Bench, key: PositionKey) -> None:
    seen, booked = await bench.position(key), bench.held(key)
    same("size", seen.size, booked.amount)
    same("entry price", seen.entry_price, booked.entry)
    same("margin", seen.margin, booked.margin)
    same("mark", seen.mark_price, bench.engine.quotes[booked.symbol].mark)
    same("leverage setting", seen.leverage_setting, bench.engine.leverage[booked.symbol])


@GROUP.card(
    "isolated position",
    does="look",
    passes="size, entry, margin, mark and leverage setting are the books'; the mode is isolated",
)
async def isolated(bench: Bench) -> None:
    """M1-01."""
    await _is_as_booked(bench, SOL)
    same("margin mode", (await bench.position()).margin_mode, MarginMode.ISOLATED)


@GROUP.card(
    "cross position",
    scene=Scene(held=(CROSS,)),
    does="look",
    passes="the mode is cross and the position has no margin of its own",
)
async def cross(bench: Bench) -> None:
    """M1-02."""
    await _is_as_booked(bench, SOL)
    same("margin mode", (await bench.position()).margin_mode, MarginMode.CROSS)


@GROUP.card(
    "hedge mode",
    scene=HEDGED,
    does="look",
    passes="both legs of one symbol are there, each with its own size and margin",
)
async def hedge(bench: Bench) -> None:
    """M1-03."""
    await bench.send(add("7.5", SOL_SHORT))
    for key in (SOL, SOL_SHORT):
        await _is_as_booked(bench, key)
    seen = await bench.venue.observe()
    same("position mode", seen.account.position_mode, PositionMode.HEDGE)


@GROUP.card(
    "one-way mode",
    scene=Scene(held=(SHORT,)),
    does="look at a short position",
    passes="the mode is one-way, and the side comes from the sign of the size",
)
async def one_way(bench: Bench) -> None:
    """M1-04."""
    await _is_as_booked(bench, SOL_SHORT)
    seen = await bench.venue.observe()
    same("position mode", seen.account.position_mode, PositionMode.ONE_WAY)


@GROUP.card(
    "wallets without unrealized profit",
    scene=Scene(held=(LONG, HELD_BTC), points=((0, 1.0), (600, 1.2))),
    does="look after prices have risen for ten minutes",
    passes="wallets and margins are the books' balances, and no profit is in any of them",
)
async def wallets(bench: Bench) -> None:
    """M1-05."""
    await bench.time.sleep(600)
    seen = await bench.venue.observe()
    holds("there is unrealized profit", seen.account.positions[0].mark_price > Decimal(61000))
    same("futures wallet", _total(seen.account.wallet("futures", "USDT")), _cross(bench))
    same("spot wallet", _total(seen.account.wallet("spot", "USDT")), bench.engine.spot["USDT"])
    same("everything held", seen.account.held(), bench.money())


def _total(wallet: Wallet | None) -> Decimal | None:
    return None if wallet is None else wallet.total


def _cross(bench: Bench) -> Decimal:
    return bench.engine.cross["USDT"]


@GROUP.card(
    "missing is not zero",
    does="look while the venue leaves out one field of the position, then of the account",
    passes="each look is incomplete and names the field; the next one is whole",
)
async def missing(bench: Bench) -> None:
    """M1-06."""
    for target, name in bench.tongue.fields:
        bench.mishap("rewrite", target, times=None, rewrite=partial(re.sub, name, "gone"))
        why = await refused(f"a look without {name}", Incomplete, bench.venue.observe)
        holds(f"the refusal names {name}", name in why)
        bench.wire.faults.forget()
        await bench.venue.observe()


@GROUP.card(
    "stamps and age",
    does="look",
    passes="the account is as old as its request, a mark as its own stamp, never as its arrival",
)
async def stamps(bench: Bench) -> None:
    """M1-07."""
    left = len(bench.wire.asked)
    seen = await bench.venue.observe()
    target = bench.tongue.targets[Target.POSITIONS]
    asked = next(a for a in bench.wire.asked[left:] if (a.method, a.path) == target)
    signed_ms = bench.tongue.signed_ms(asked)
    same("account [ms]", int(seen.account_at.timestamp() * 1000), signed_ms)
    holds("the look ends after its request", seen.account_at < seen.at)
    stamp = datetime.fromtimestamp(bench.time.now_ms / 1000, UTC) - seen.markets[0].mark_at
    holds("a mark is older than the end of the look", stamp > timedelta(0))


@GROUP.card(
    "liquidation price against ours",
    scene=Scene(held=(LONG, HELD_BTC)),
    does="look, and work each liquidation price out from tiers, size, entry and margin",
    passes="ours is the price where the exchange takes the position over, within 0.05 bp",
)
async def liquidation_price(bench: Bench) -> None:
    """M1-08."""
    seen = await bench.venue.observe()
    rules = {instrument.symbol: instrument for instrument in seen.instruments}
    same("positions seen", len(seen.account.positions), 2)
    for position in seen.account.positions:
        ours = assess(position, rules[position.symbol]).liquidation_price
        theirs = bench.engine.liquidation_price(bench.held(position.key))
        near("liquidation price", ours, theirs)


GROUP.skip(
    "USDC and inverse contracts",
    does="look at positions settled in USDC and in coin",
    passes="each has its own settlement currency, and inverse ones are not taken for linear",
    because="the paper exchange lists contracts settled in USDT only",
)
GROUP.skip(
    "multi-assets mode",
    does="look at an account whose collateral is several currencies",
    passes="totals in USD are not taken for one currency",
    because="the paper exchange has single-asset mode only",
)


@GROUP.card(
    "empty account",
    does="look while the list of positions is empty by mistake, then once it is empty in truth",
    passes="no flat account is believed while totals show a position; then there is none",
)
async def empty(bench: Bench) -> None:
    """M1-11."""
    bench.relist(Target.POSITIONS, lambda _: [])
    await refused("an empty list beside a position", Incomplete, bench.venue.observe)
    bench.wire.faults.forget()
    await bench.rest()
    del bench.engine.holdings["SOLUSDT", "BOTH"]
    seen = await bench.venue.observe()
    same("positions of an empty account", seen.account.positions, ())


@GROUP.card(
    "pagination",
    scene=Scene(held=(Held(symbol="SOLUSDT", size="50", leverage=2),)),
    does="read the ledger after more funding payments than fit one page",
    passes="every line of the books is there once",
)
async def pagination(bench: Bench) -> None:
    """M1-12."""
    since = datetime.fromtimestamp(bench.time.now_ms / 1000, UTC)
    for _ in range(1100):
        bench.time.charge(25)
        bench.engine.pay_funding()
    found = [row for row in await bench.venue.rows(since) if row.kind is RowKind.FUNDING]
    same("lines", len(found), len(bench.engine.income))
    same("lines by name", len({row.id for row in found}), len(found))
    same("their sum", sum(r.amount for r in found), sum(r.amount for r in bench.engine.income))
