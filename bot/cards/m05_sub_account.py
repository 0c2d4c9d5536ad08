"""M5: can collateral leave the account that the bot is given?"""

from bot.cards.bench import Bench, add, transfer
from bot.cards.card import Group
from bot.cards.expect import ended, holds, refused, same
from bot.domain.intent import Outcome
from bot.errors import Denied

GROUP = Group("M5", "sub-accounts and other owners")
NO_PATH = "no code path: this bot moves nothing between accounts"


@GROUP.card(
    "rights of the key",
    does="start with a key that may withdraw",
    passes="the start is refused, and nothing but time and rights was asked for by then",
)
async def rights(bench: Bench) -> None:
    """M5-01."""
    bench.let_withdraw()
    before = len(bench.wire.asked)
    await refused("a key that may withdraw", Denied, bench.again)
    asked = {item.method for item in bench.wire.asked[before:]}
    same("methods of what was asked", asked, {"GET"})


GROUP.skip(
    "direction main to sub only",
    does="transfer from a sub-account with its own key to another",
    passes="the venue refuses every direction but to the main account",
    because=NO_PATH,
)


@GROUP.card(
    "destination that is not ours",
    does="transfer 10 from spot to a wallet of another name",
    passes="nothing leaves",
)
async def foreign_destination(bench: Bench) -> None:
    """M5-03."""
    await _never_leaves(bench, "spot", "sub-account-7")


@GROUP.card(
    "source that is not ours",
    does="transfer 10 from a wallet of another name to futures",
    passes="nothing leaves",
)
async def foreign_source(bench: Bench) -> None:
    """M5-04."""
    await _never_leaves(bench, "elsewhere", "futures")


@GROUP.card(
    "one wallet as both ends",
    does="transfer 10 from spot to spot",
    passes="nothing leaves",
)
async def no_way(bench: Bench) -> None:
    """M5-05."""
    await _never_leaves(bench, "spot", "spot")


GROUP.skip(
    "history between accounts",
    does="read the history of transfers between main and sub-account",
    passes="each transfer is one line with its own id",
    because=NO_PATH,
)
GROUP.skip(
    "caps of a sub-account",
    does="transfer more than the sub-account's cap",
    passes="refused, and nothing changes",
    because=NO_PATH,
)


@GROUP.card(
    "paths that leave",
    does="start, look, add, transfer both ways, read the ledger and settle",
    passes="no path of withdrawals, deposits or sub-accounts is asked for",
)
async def paths(bench: Bench) -> None:
    """M5-08."""
    for action in (add("5"), transfer("5"), transfer("5", "futures", "spot")):
        done, intent = await bench.send(action)
        ended(done, Outcome.DONE)
        await bench.settle(intent)
        await bench.rest()
    seen = await bench.venue.observe()
    await bench.venue.rows(seen.at)
    leaving = bench.tongue.leaving
    strange = [a.path for a in bench.wire.asked if any(word in a.path for word in leaving)]
    same("paths that leave", strange, [])
    holds("something was asked for", len(bench.wire.asked) > 20)  # noqa: PLR2004 - a whole session


async def _never_leaves(bench: Bench, source: str, destination: str) -> None:
    money = bench.money()
    done, _ = await bench.send(transfer("10", source, destination))
    ended(done, Outcome.REJECTED, "not_representable")
    same("writes", bench.writes(), [])
    same("transfers in the books", bench.engine.transfers, [])
    same("all money", bench.money(), money)
