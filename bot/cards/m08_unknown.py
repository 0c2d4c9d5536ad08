"""M8: is what became of a write found out, and never guessed?"""

from datetime import timedelta
from decimal import Decimal

from bot.cards.bench import SOL, Bench, add, reduce, transfer
from bot.cards.card import Group
from bot.cards.expect import ended, holds, same
from bot.cards.needs import LISTED, NAMED_ORDERS, TRANSFERS, WINDOW
from bot.cards.scene import Scene
from bot.cards.tongue import No, Target
from bot.domain.intent import Intent, Outcome
from bot.domain.ledger import LedgerRow
from bot.domain.timing import settle_point
from bot.execute.foreign import Sent, explained
from bot.paper.faults import Kind

GROUP = Group("M8", "unknown outcomes")
LAG_MS = 1900


async def _unknown(bench: Bench, kind: Kind, number: int = 0) -> Intent:
    bench.mishap(kind, Target.MARGIN)
    done, intent = await bench.send(add(bench.marked(number)))
    ended(done, Outcome.UNKNOWN)
    return intent


async def _are_told_apart(bench: Bench, lost: Kind, done: Kind) -> None:
    """Add twice, without effect and with it; each leaves once, and history knows which is which."""
    before = await _unknown(bench, lost, 0)
    after = await _unknown(bench, done, 1)
    same("left", len(bench.writes()), 2)
    same("moves in the books", _moves(bench), [bench.marked(1)])
    same("found of the first", await bench.settle(before), Decimal(0))
    same("found of the second", await bench.settle(after), bench.marked(1))


async def _rows(bench: Bench, intent: Intent) -> tuple[LedgerRow, ...]:
    return await bench.venue.rows(intent.written_at - timedelta(seconds=1))


def _moves(bench: Bench) -> list[Decimal]:
    return [move.amount for move in bench.engine.margin_moves]


@GROUP.card(
    "refused when late",
    needs=(WINDOW, TRANSFERS),
    does="add, then transfer, while the request arrives 1 s after the end of its window",
    passes="the window keeps both out: no effect, then or later",
)
async def late(bench: Bench) -> None:
    """M8-01."""
    for action in (add(bench.marked()), transfer(bench.marked())):
        bench.wire.late_ms = _window_ms(bench) + 1000
        done, intent = await bench.send(action)
        ended(done, Outcome.UNKNOWN)
        await bench.time.sleep(bench.venue.window + 5)  # by then it has arrived
        same("found", await bench.settle(intent), Decimal(0))
    same("moves in the books", _moves(bench), [])
    same("transfers in the books", bench.engine.transfers, [])


@GROUP.card(
    "effect at the end of the window",
    needs=(WINDOW,),
    does="add while the request arrives 0.1 s before the end of its window, after the bot gave up",
    passes="nothing at first, the effect by the settle point: no absence before it is the truth",
)
async def window(bench: Bench) -> None:
    """M8-02."""
    bench.wire.late_ms = _window_ms(bench) - 100
    done, intent = await bench.send(add(bench.marked()))
    ended(done, Outcome.UNKNOWN)
    same("found at once", await bench.settle(intent), Decimal(0))
    await _wait_for_settle_point(bench, intent)
    same("found at the settle point", await bench.settle(intent), bench.marked())
    same("moves in the books", _moves(bench), [bench.marked()])


@GROUP.card(
    "lag of history",
    needs=(LISTED,),
    scene=Scene(lag_ms=LAG_MS),
    does="add while the answer is lost and history lags 1.9 s",
    passes="not shown at once, shown at the settle point",
)
async def lag(bench: Bench) -> None:
    """M8-03."""
    intent = await _unknown(bench, "http_503_after")
    same("found at once", await bench.settle(intent), Decimal(0))
    await _wait_for_settle_point(bench, intent)
    same("found at the settle point", await bench.settle(intent), bench.marked())


@GROUP.card(
    "duplicate id",
    needs=(NAMED_ORDERS,),
    does="send one reduction twice under the same id",
    passes="the second is unknown, not refused, and has no effect; both are one in history",
)
async def duplicate(bench: Bench) -> None:
    """M8-04."""
    _, intent = await bench.reduced(reduce("7"))
    done, again = await bench.send(reduce("7"), intent.id)
    ended(done, Outcome.UNKNOWN, bench.code(No.DUPLICATE))
    same("size", bench.size(), 43)
    same("found", await bench.settle(again), Decimal(7))


@GROUP.card(
    "lost answer",
    does="add while the connection breaks before and, another time, after the effect",
    passes="both are unknown, each left once, and history tells them apart",
)
async def lost(bench: Bench) -> None:
    """M8-05."""
    await _are_told_apart(bench, "abort", "abort_after")


@GROUP.card(
    "answer that cannot be read",
    does="add while the answer is cut in half, a page, empty, and of another amount",
    passes="each is unknown, and history tells which had effect",
)
async def unreadable(bench: Bench) -> None:
    """M8-06."""
    kinds: dict[Kind, bool] = {"half_json": True, "html": False, "empty": False}
    for number, (kind, has_effect) in enumerate(kinds.items()):
        intent = await _unknown(bench, kind, number)
        await bench.rest()
        wanted = bench.marked(number) if has_effect else Decimal(0)
        same(f"found after {kind}", await bench.settle(intent), wanted)
    amount = bench.marked(len(kinds))
    misquoted = bench.tongue.misquoted
    bench.mishap("rewrite", Target.MARGIN, rewrite=lambda text: misquoted(text, amount))
    done, intent = await bench.send(add(amount))
    ended(done, Outcome.UNKNOWN, "unexpected_answer")
    same("found after another amount", await bench.settle(intent), amount)


@GROUP.card(
    "5xx",
    does="add while the venue answers 503 before and, another time, after the effect",
    passes="both are unknown, and history tells them apart",
)
async def server_error(bench: Bench) -> None:
    """M8-07."""
    await _are_told_apart(bench, "http_503", "http_503_after")


@GROUP.card(
    "timeout inside the venue",
    needs=(TRANSFERS,),
    does="add, and transfer, while the venue says that its back end timed out",
    passes="both are unknown, and history has both",
)
async def timed_out(bench: Bench) -> None:
    """M8-08."""
    intent = await _unknown(bench, "timeout_1007")
    same("found of the addition", await bench.settle(intent), bench.marked())
    bench.mishap("timeout_1007", Target.TRANSFER)
    amount = bench.fine("10", 1)
    done, intent = await bench.send(transfer(amount))
    ended(done, Outcome.UNKNOWN, bench.code(No.TIMED_OUT))
    same("found of the transfer", await bench.settle(intent), amount)


@GROUP.card(
    "restart",
    needs=(LISTED,),
    does="add while the answer is lost, then connect anew and settle",
    passes="the new connection finds it by what was written down alone",
)
async def restart(bench: Bench) -> None:
    """M8-09."""
    intent = await _unknown(bench, "abort_after")
    venue = await bench.again()
    same("found", (await venue.settle(intent)).applied, bench.marked())


@GROUP.card(
    "order of rows",
    needs=(LISTED,),
    does="add four times, and settle each while the venue lists its rows the other way round",
    passes="each is found",
)
async def order_of_rows(bench: Bench) -> None:
    """M8-10."""
    amounts = [bench.marked(number) for number in range(4)]
    intents = []
    for amount in amounts:
        await bench.rest()
        intents.append((await bench.send(add(amount)))[1])
    bench.relist(Target.MARGIN_HISTORY, lambda rows: rows[::-1])
    found = [await bench.settle(intent) for intent in intents]
    same("found", found, amounts)


@GROUP.card(
    "clipped amount",
    needs=(LISTED,),
    does="add 12 and more while the answer is lost and the venue takes 6 of it",
    passes="not taken for the whole; the ledger shows the 6, and they are explained by that intent",
)
async def clipped(bench: Bench) -> None:
    """M8-11."""
    intent = await _unknown(bench, "abort")
    bench.engine.move_margin("SOLUSDT", "BOTH", Decimal(6), add=True)
    same("found whole", await bench.settle(intent), Decimal(0))
    known, foreign = explained(
        await _rows(bench, intent), [Sent(intent=intent)], window=bench.venue.window
    )
    same("explained", [s.row.amount for s in known if s.row], [Decimal(6)])
    same("foreign", foreign, ())


@GROUP.card(
    "digits that tell one move from another",
    needs=(LISTED,),
    does="add 12.34 and digits of its own, beside a person who adds 12.34; read history and ledger",
    passes="every digit is there, and only that row is taken for ours",
)
async def fingerprint(bench: Bench) -> None:
    """M8-12."""
    bench.engine.move_margin("SOLUSDT", "BOTH", Decimal("12.34"), add=True)
    _, intent = await bench.send(add(bench.marked()))
    same("found", await bench.settle(intent), bench.marked())
    known, foreign = explained(
        await _rows(bench, intent), [Sent(intent=intent)], window=bench.venue.window
    )
    same("ours", [s.row.amount for s in known if s.row], [bench.marked()])
    same("of others", [row.amount for row in foreign], [Decimal("12.34")])


@GROUP.card(
    "clock of the machine",
    scene=Scene(skew_seconds=3600),
    does="start, look and add on a machine whose clock is an hour ahead",
    passes="all is signed in the venue's time, done, and settled",
)
async def skew(bench: Bench) -> None:
    """M8-13."""
    done, intent = await bench.send(add(bench.marked()))
    ended(done, Outcome.DONE)
    apart = abs((intent.sent_at or intent.written_at) - intent.written_at)
    holds("it is signed in the venue's time", apart < timedelta(seconds=1))
    same("found", await bench.settle(intent), bench.marked())
    same("margin seen", (await bench.position()).margin, bench.margin(SOL))


@GROUP.card(
    "one addition beside an unknown one, and one delivered twice",
    needs=(LISTED,),
    does="add while the answer is lost, add again, and let the network deliver a third twice",
    passes="each has its own row; of the third, one row is its own and one is nobody's",
)
async def over_add(bench: Bench) -> None:
    """M8-14."""
    amounts = [bench.marked(number) for number in range(3)]
    first = await _unknown(bench, "abort_after", 0)
    done, second = await bench.send(add(amounts[1]))
    ended(done, Outcome.DONE)
    bench.wire.copies = 1
    _, third = await bench.send(add(amounts[2]))
    settled = [await bench.settle(intent) for intent in (first, second, third)]
    same("found", settled, amounts)
    same("moves in the books", len(_moves(bench)), 4)
    sent = [Sent(intent=intent) for intent in (first, second, third)]
    known, foreign = explained(await _rows(bench, first), sent, window=bench.venue.window)
    same("explained", sum(s.row is not None for s in known), 3)
    same("nobody's", [row.amount for row in foreign], [amounts[2]])


def _window_ms(bench: Bench) -> int:
    return round(bench.venue.window * 1000)


async def _wait_for_settle_point(bench: Bench, intent: Intent) -> None:
    sent_ms = int((intent.sent_at or intent.written_at).timestamp() * 1000)
    left = sent_ms + settle_point(bench.venue.window).total_seconds() * 1000 - bench.time.now_ms
    await bench.time.sleep(left / 1000)
