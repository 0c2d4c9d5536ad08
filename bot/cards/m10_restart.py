"""M10: does a bot that begins again know what the one before it did?"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from bot.bootstrap.storage import adopt, reserve_of
from bot.cards.bench import Bench, add
from bot.cards.card import Group
from bot.cards.expect import ended, holds, refused, same
from bot.cards.needs import LISTED
from bot.cards.tongue import Target
from bot.domain.action import Action
from bot.domain.decision import Refusal
from bot.domain.intent import Intent, IntentState, Outcome, SignedRequest
from bot.domain.mode import Mode
from bot.domain.timing import settle_point
from bot.errors import InUse
from bot.exchanges.venues import VENUES
from bot.execute.foreign import Actor, Sent, Writer, classified, explained
from bot.execute.gate import SendGate
from bot.execute.perform import perform
from bot.execute.resolve import Resolver
from bot.journal.emergency import EmergencyJournal
from bot.journal.lock import ProcessLock
from bot.journal.reserve import Reserve
from bot.journal.sqlite import SqliteJournal
from bot.operate.switches import FileSwitchboard
from bot.ports import Journal

GROUP = Group("M10", "restart")
SLOTS = 8


def _path(bench: Bench) -> Path:
    return bench.folder / "state" / "journal.db"


def _resolver(bench: Bench, journal: SqliteJournal) -> Resolver:
    return Resolver(venue=bench.venue, journal=journal, clock=bench.time)


def _gate(bench: Bench, journal: Journal, intent: Intent) -> SendGate:
    """Return a gate that nothing is held against."""
    return SendGate(intent, journal=journal, clock=bench.time, look=lambda _: None)


async def _written(bench: Bench, journal: SqliteJournal, action: Action) -> Intent:
    """Return an intent that is in the journal and was not sent."""
    decision = journal.ids.decision()
    intent = replace(bench.intent(action, journal.ids.intent()), decision_id=decision, sent_at=None)
    record = {
        "id": decision, "seq": 1, "at": intent.written_at.isoformat(), "account": "main",
        "verdict": "act", "reason": "card", "urgency": "emergency",
    }  # fmt: skip
    await journal.record(record, b"{}", [intent])
    return intent


async def _left_sent(bench: Bench, journal: SqliteJournal, action: Action) -> Intent:
    """Send an intent and die before anything of the answer is written down."""
    intent = await _written(bench, journal, action)
    await bench.venue.execute(intent, _gate(bench, journal, intent))
    return intent


@GROUP.card(
    "open intent, not sent",
    does="write an intent down, die, and begin again",
    passes="it is dropped, nothing leaves, and the books are unchanged",
)
async def written(bench: Bench) -> None:
    """M10-01."""
    async with SqliteJournal.open(_path(bench)) as journal:
        await _written(bench, journal, add("20"))
    async with SqliteJournal.open(_path(bench)) as journal:
        same("to be followed", await _resolver(bench, journal).recover(), ())
        same("open", await journal.open_intents(), ())
    same("moves in the books", bench.engine.margin_moves, [])


@GROUP.card(
    "open intents, sent",
    does="send one that takes effect and one that is lost, die, and begin again",
    passes="one is applied at once; the other absent, but not before the settle point",
)
async def sent(bench: Bench) -> None:
    """M10-02."""
    async with SqliteJournal.open(_path(bench)) as journal:
        bench.mishap("abort", Target.MARGIN)
        await _left_sent(bench, journal, add(bench.marked(1)))
        await _left_sent(bench, journal, add(bench.marked()))
    same("moves in the books", [m.amount for m in bench.engine.margin_moves], [bench.marked()])
    async with SqliteJournal.open(_path(bench)) as journal:
        resolver = _resolver(bench, journal)
        found = await resolver.recover()
        same("to be followed", [i.state for i in found], [IntentState.UNKNOWN] * 2)
        news = await resolver.follow(found)
        same("at once", [(n.after.state, n.settled.applied) for n in news], _applied(bench))
        rest = tuple(i for i in found if i.id != news[0].after.id)
        await bench.time.sleep(settle_point(bench.venue.window).total_seconds())
        same("after one look", await resolver.follow(rest), ())
        await bench.time.sleep(1)
        states = [n.after.state for n in await resolver.follow(rest)]
        same("after two looks", states, [IntentState.ABSENT])
        same("open", await journal.open_intents(), ())


def _applied(bench: Bench) -> list[tuple[IntentState, Decimal]]:
    return [(IntentState.APPLIED, bench.marked())]


@GROUP.card(
    "second instance",
    does="begin a second run on the same journal, and one on the same account elsewhere",
    passes="both are refused while the first lives, and begin once it has ended",
)
async def second_instance(bench: Bench) -> None:
    """M10-03."""

    async def begin() -> None:
        async with SqliteJournal.open(_path(bench)):
            pass

    def account() -> ProcessLock:
        return ProcessLock.take_account(
            f"{bench.tongue.venue} {bench.keys.key}",
            folder=bench.folder / "locks",
            name="main",
            journal=_path(bench),
        )

    async def take() -> None:
        account().release()

    async with SqliteJournal.open(_path(bench)):
        with account():
            await refused("a second run on the journal", InUse, begin)
            await refused("a second run on the account", InUse, take)
    await begin()
    await take()


@GROUP.card(
    "latch",
    does="kill, begin again, and try to send; then re-arm and try again",
    passes="it is still killed and no byte of it leaves; then the addition arrives",
)
async def latch(bench: Bench) -> None:
    """M10-04."""
    state = bench.folder / "state"
    FileSwitchboard(state).kill("card")
    board = FileSwitchboard(state)
    holds("it is killed after the restart", board.state.killed)

    def look(intent: Intent, request: SignedRequest) -> Refusal | None:
        del request
        return board.state.refusal(intent.action.kind, mode=Mode.NORMAL)

    async with SqliteJournal.open(_path(bench)) as journal:
        for outcome in (Outcome.REJECTED, Outcome.DONE):
            intent = await _written(bench, journal, add("20"))
            done = await perform(
                [intent], venue=bench.venue, journal=journal, clock=bench.time, look=look
            )
            ended(done.executions[0], outcome)
            if outcome is Outcome.REJECTED:
                same("writes while killed", bench.writes(), [])
                board.rearm()
    same("moves in the books", [m.amount for m in bench.engine.margin_moves], [Decimal(20)])


@GROUP.card(
    "import of the reserve",
    does="send from the emergency reserve while the answer is lost, die, and begin again",
    passes="the journal takes it over, it is settled, and its slot is free",
)
async def reserve(bench: Bench) -> None:
    """M10-05."""
    path = reserve_of(_path(bench))
    async with SqliteJournal.open(_path(bench)) as journal:
        name = journal.ids.intent()
    intent = replace(bench.intent(add(bench.marked()), name), sent_at=None)
    with Reserve.open(path, slots=SLOTS) as slots:
        slots.write([intent], sequence=1, reason="card")
        bench.mishap("abort_after", Target.MARGIN)
        gate = _gate(bench, EmergencyJournal(slots), intent)
        ended(await bench.venue.execute(intent, gate), Outcome.UNKNOWN)
    async with SqliteJournal.open(_path(bench)) as journal:
        with Reserve.open(path, slots=SLOTS) as slots:
            await adopt(journal, slots)
            same("free slots", slots.free, SLOTS)
        resolver = _resolver(bench, journal)
        news = await resolver.follow(await resolver.recover())
        same("settled", [(n.after.state, n.settled.applied) for n in news], _applied(bench))


@GROUP.card(
    "row of somebody else",
    needs=(LISTED,),
    does="let a person add 30 while the bot is away, beside its own open intent; begin again",
    passes="its own row is explained, the other is told as external, with its amount",
)
async def foreign(bench: Bench) -> None:
    """M10-06."""
    async with SqliteJournal.open(_path(bench)) as journal:
        await _left_sent(bench, journal, add(bench.marked()))
    bench.engine.move_margin("SOLUSDT", "BOTH", Decimal(30), add=True)
    async with SqliteJournal.open(_path(bench)) as journal:
        open_ = await _resolver(bench, journal).recover()
        rows = await bench.venue.rows(open_[0].written_at - timedelta(seconds=1))
        known, rest = explained(
            rows, [Sent(intent=intent) for intent in open_], window=bench.venue.window
        )
        same("explained", [s.row.amount for s in known if s.row], [bench.marked()])
        step = VENUES[bench.tongue.venue].collateral_step
        writer = Writer(epoch=journal.ids.epoch, step=step)
        told = classified(rest, (), writer, own=[intent.action for intent in open_])
        same("told", [(f.actor, f.amount) for f in told], [(Actor.EXTERNAL, Decimal(30))])
