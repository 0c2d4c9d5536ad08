"""M4: does collateral that goes between wallets of one account arrive once?"""

from dataclasses import replace
from decimal import Decimal

from bot.cards.bench import Bench, transfer
from bot.cards.card import Group
from bot.cards.expect import ended, holds, same
from bot.cards.needs import NAMED_TRANSFERS, TRANSFERS
from bot.cards.scene import Scene
from bot.cards.tongue import No, Said, Target
from bot.domain.intent import Outcome
from bot.paper.values import Ask

GROUP = Group("M4", "internal transfer", (TRANSFERS,))
SLOW = Scene(transfer_seconds=30)


def _wallets(bench: Bench) -> tuple[Decimal, Decimal]:
    return bench.engine.spot["USDT"], bench.engine.cross["USDT"]


@GROUP.card(
    "spot to futures",
    does="transfer an amount with every digit that moves have",
    passes="the request names the route, and both wallets change by exactly that",
)
async def inward(bench: Bench) -> None:
    """M4-01."""
    spot, futures = _wallets(bench)
    moved = bench.fine("10.12", 345)
    done, _ = await bench.send(transfer(moved))
    ended(done, Outcome.DONE)
    wanted = Said(kind="transfer", route=("spot", "futures"), currency="USDT", amount=moved)
    same("request", [replace(said, name="") for said in bench.writes()], [wanted])
    same("wallets", _wallets(bench), (spot - moved, futures + moved))


@GROUP.card(
    "futures to spot",
    does="transfer such an amount the other way",
    passes="the request names the route, and both wallets change by exactly that",
)
async def outward(bench: Bench) -> None:
    """M4-02."""
    spot, futures = _wallets(bench)
    moved = bench.fine("10.12", 345)
    done, _ = await bench.send(transfer(moved, "futures", "spot"))
    ended(done, Outcome.DONE)
    same("route", bench.writes()[-1].route, ("futures", "spot"))
    same("wallets", _wallets(bench), (spot + moved, futures - moved))


@GROUP.card(
    "id of the venue",
    does="transfer 10 while the answer lacks the venue's id",
    passes="nothing is taken for done; history shows that it was",
)
async def venue_id(bench: Bench) -> None:
    """M4-03."""
    bench.mishap("rewrite", Target.TRANSFER, rewrite=bench.tongue.nameless)
    done, intent = await bench.send(transfer("10"))
    ended(done, Outcome.UNKNOWN)
    same("transfers in the books", len(bench.engine.transfers), 1)
    same("found in history", await bench.settle(intent), Decimal(10))


@GROUP.card(
    "duplicate id",
    needs=(NAMED_TRANSFERS,),
    does="send the same transfer twice under one id of ours",
    passes="the second returns the first or is unknown, never refused: one of them has arrived",
)
async def duplicate(bench: Bench) -> None:
    """M4-04."""
    before = _wallets(bench)
    done, intent = await bench.send(transfer("10"))
    ended(done, Outcome.DONE)
    await bench.rest()
    again, _ = await bench.send(transfer("10"), intent.id)
    holds(f"no refusal, was {again.code} {again.text}", again.outcome is not Outcome.REJECTED)
    same("requests", len(bench.writes()), 2)
    same("wallets", _wallets(bench), (before[0] - 10, before[1] + 10))
    same("found", await bench.settle(intent), Decimal(10))


@GROUP.card(
    "unknown status",
    scene=SLOW,
    does="transfer 10 and ask history while it is on its way, and after",
    passes="on its way it is neither there nor absent; then it is there",
)
async def unknown_status(bench: Bench) -> None:
    """M4-05."""
    _, intent = await bench.send(transfer("10"))
    same("found on its way", await bench.settle(intent), None)
    await bench.time.sleep(31)
    same("found at the end", await bench.settle(intent), Decimal(10))


@GROUP.card(
    "more than there is",
    does="transfer one cent more than the spot wallet has",
    passes="a definite refusal that changes nothing",
)
async def insufficient(bench: Bench) -> None:
    """M4-06."""
    before = _wallets(bench)
    done, _ = await bench.send(transfer(before[0] + Decimal("0.01")))
    ended(done, Outcome.REJECTED, bench.code(No.TRANSFER_FUNDS))
    same("wallets", _wallets(bench), before)


@GROUP.card(
    "locked by orders",
    does="let an order of a person hold margin, then transfer all of the wallet out",
    passes="refused; what is free, as the adapter sees it, leaves",
)
async def locked(bench: Bench) -> None:
    """M4-07."""
    order = Ask(symbol="BTCUSDT", side="BUY", type="LIMIT", size=Decimal(1), price=Decimal(58000))
    bench.engine.place(order)
    before = _wallets(bench)
    done, _ = await bench.send(transfer(before[1], "futures", "spot"))
    ended(done, Outcome.REJECTED, bench.code(No.TRANSFER_FUNDS))
    same("wallets", _wallets(bench), before)
    wallet = (await bench.venue.observe()).account.wallet("futures", "USDT")
    free = Decimal(0) if wallet is None else wallet.free
    await bench.rest()
    done, _ = await bench.send(transfer(free, "futures", "spot"))
    ended(done, Outcome.DONE)
    same("left in the wallet", bench.engine.cross["USDT"], bench.engine.order_initial())


@GROUP.card(
    "history row",
    does="transfer 10 and one step beside 10 by a person, and settle by history",
    passes="only the row of exactly its amount is taken for it",
)
async def history_row(bench: Bench) -> None:
    """M4-08."""
    bench.engine.transfer("spot", "futures", "USDT", Decimal(10))
    bench.mishap("abort", Target.TRANSFER)
    amount = bench.fine("10", 1)
    done, intent = await bench.send(transfer(amount))
    ended(done, Outcome.UNKNOWN)
    same("found of what was lost", await bench.settle(intent), Decimal(0))
    await bench.rest()
    _, intent = await bench.send(transfer(amount))
    same("found of what arrived", await bench.settle(intent), amount)


@GROUP.card(
    "delay",
    scene=SLOW,
    does="transfer 10 and look while it is on its way, and after",
    passes="it leaves one wallet at once, is in none meanwhile, and arrives; no money is lost",
)
async def delay(bench: Bench) -> None:
    """M4-09."""
    spot, futures = _wallets(bench)
    money = bench.money()
    await bench.send(transfer("10"))
    seen = (await bench.venue.observe()).account
    totals = [w.total for name in ("spot", "futures") if (w := seen.wallet(name, "USDT"))]
    same("wallets on its way", totals, [spot - 10, futures])
    same("all money on its way", bench.money(), money)
    await bench.time.sleep(31)
    same("wallets at the end", _wallets(bench), (spot - 10, futures + 10))
    same("all money at the end", bench.money(), money)


GROUP.skip(
    "test hosts without wallets",
    does="ask the capability table what can be done on the venue's test hosts",
    passes="no transfer is offered there",
    because="the paper exchange has wallets",
)
