"""Once a poll the books are compared with the venue, and what follows reaches mode and memory."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal as D

import pytest

from bot.domain.action import AddMargin, Transfer
from bot.domain.intent import Execution, Intent, IntentState, Outcome
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.mode import Event
from bot.domain.position import PositionKey, Side
from bot.domain.venue import VenueCondition
from bot.errors import Incomplete, Unavailable
from bot.execute.bookkeeper import Bookkeeper, News, adopted
from bot.execute.foreign import Actor, Finding, Writer
from bot.execute.perform import Performance
from bot.rebalance.memory import KeyMemory, Memory
from tests.kit.builders import BTC, NOON, a_position, a_stop, an_observation
from tests.kit.fakes import FakeClock, FakeVenue
from tests.kit.ledger_world import STEP

KEY = PositionKey(BTC, Side.LONG)
WRITER = Writer(epoch=3, step=STEP, before=("plabcd0000", "plabcd0003"))


class Desk:
    """A bookkeeper beside a venue."""

    def __init__(self, writer: Writer = WRITER) -> None:
        self.clock = FakeClock()
        self.venue = FakeVenue(
            an_observation(a_position(margin="300"), futures="1000", spot="500"), self.clock
        )
        self.keeper = Bookkeeper(venue=self.venue, clock=self.clock, writer=writer)

    async def poll(self, seconds: float = 6) -> News:
        self.clock.advance(seconds)
        self.keeper.begin()
        return self.keeper.compare(await self.venue.observe())

    async def polls(self, times: int) -> list[News]:
        return [await self.poll() for _ in range(times)]

    def hold(self, *, futures: str = "1000", spot: str = "500", margin: str = "300") -> None:
        self.venue.observation = an_observation(
            a_position(margin=margin), futures=futures, spot=spot
        )

    def line(self, amount: str, *, at: datetime | None = None, actor: str = "") -> None:
        kind = RowKind.MARGIN_ADDED if D(amount) > 0 else RowKind.MARGIN_REMOVED
        self.venue.lines.append(
            LedgerRow(
                id=f"row{len(self.venue.lines)}",
                at=at or self.clock.now(),
                kind=kind,
                amount=D(amount),
                asset="USDT",
                symbol=BTC,
                actor=actor,
            )
        )


def codes(news: list[News]) -> list[str]:
    return [code for one in news for code, _ in one.alarms]


def a_transfer(
    name: str = "plabcd0003000001", amount: str = "50.00001", **changes: object
) -> Intent:
    action = Transfer(source="spot", destination="futures", amount=D(amount), currency="USDT")
    values: dict[str, object] = {
        "id": name, "decision_id": "d", "account": "main", "action": action,
        "written_at": NOON, "sent_at": NOON, "state": IntentState.DONE,
    }  # fmt: skip
    return Intent(**(values | changes))  # type: ignore[arg-type]  # any field by name


async def test_while_all_agrees_nothing_follows_and_the_ledger_is_read_once_a_minute() -> None:
    desk = Desk()
    asked: list[datetime] = []
    rows = desk.venue.rows

    async def counted(since: datetime) -> tuple[LedgerRow, ...]:
        asked.append(since)
        return await rows(since)

    desk.venue.rows = counted  # type: ignore[method-assign]  # the same, counted
    for _ in range(40):
        assert await desk.poll() == News()
    assert len(asked) == 4


async def test_a_persons_move_is_told_once_and_only_protection_goes_on_for_ten_minutes() -> None:
    desk = Desk()
    await desk.polls(2)
    desk.line("25")
    desk.hold(futures="975", margin="325")
    first, *rest = await desk.polls(3)
    assert codes([first, *rest]) == ["foreign_move"]
    assert rest[-1].events == (Event.FOREIGN,)
    desk.clock.advance(600)
    assert (await desk.poll()).events == ()


async def test_a_declared_actor_alarms_nobody_and_changes_no_mode() -> None:
    desk = Desk(replace(WRITER, actors=frozenset({"AUTO_ADD"})))
    await desk.polls(2)
    desk.line("25", actor="AUTO_ADD")
    desk.hold(futures="975", margin="325")
    news = await desk.polls(6)
    assert codes(news) == []
    assert {event for one in news for event in one.events} == set()
    assert [f.actor for one in news for f in one.findings] == [Actor.KNOWN]


async def test_a_break_is_told_once_a_second_different_one_within_the_hour_stops_everything() -> (
    None
):
    desk = Desk()
    await desk.polls(2)
    desk.hold(futures="990")
    news = await desk.polls(6)
    assert codes(news) == ["unbalanced"]
    assert news[-1].events == (Event.UNBALANCED,)
    desk.hold(futures="980")
    news = await desk.polls(6)
    assert codes(news) == ["unbalanced", "unbalanced_again"]
    assert news[-1].events == (Event.UNBALANCED, Event.UNBALANCED_AGAIN)


async def test_a_person_who_looked_ends_a_break_and_a_suspicion() -> None:
    desk = Desk()
    await desk.polls(2)
    desk.line("25")
    desk.hold(futures="900", margin="325")
    assert (await desk.polls(6))[-1].events == (Event.FOREIGN, Event.UNBALANCED)
    desk.keeper.accept()
    assert all(one.events == () for one in await desk.polls(6))


@pytest.mark.parametrize(
    ("name", "is_strange"),
    [("plzzzz0001000001", True), ("plabcd0004000001", True), ("plabcd0002000009", False)],
)
async def test_an_order_of_another_run_than_those_before_is_a_second_writer(
    name: str, is_strange: bool
) -> None:
    desk = Desk()
    await desk.poll()
    stop = replace(a_stop("55000", stop_id="1"), client_id=name)
    desk.venue.observation = an_observation(
        a_position(margin="300"), futures="1000", spot="500", stops=(stop,)
    )
    news = await desk.polls(2)
    assert codes(news) == (["second_writer"] if is_strange else [])
    assert news[0].events == ((Event.FOREIGN, Event.SECOND_WRITER) if is_strange else ())


async def test_stops_that_could_not_be_read_at_first_are_no_strangers_later() -> None:
    desk = Desk()
    stop = replace(a_stop("55000", stop_id="1"), client_id="plzzzz0001000001")
    seen = an_observation(a_position(margin="300"), stops=(stop,))
    blind = replace(seen, account=replace(seen.account, stops=(), stops_at=None))
    assert desk.keeper.compare(blind).events == ()
    assert desk.keeper.compare(replace(seen, account=replace(seen.account, stops_at=NOON))) == (
        News()
    )


@pytest.mark.parametrize("failure", [Unavailable("x"), Incomplete("half a list")])
async def test_a_reading_that_fails_is_no_evidence_and_is_told_after_five_minutes(
    failure: Exception,
) -> None:
    desk = Desk()
    await desk.polls(2)
    desk.venue.row_failures = [failure] * 999  # type: ignore[list-item]  # both are such errors
    desk.hold(futures="990")  # never confirmed: no line was read that could say why
    news = await desk.polls(60)
    assert codes(news) == ["ledger_unread"]
    assert {event for one in news for event in one.events} == set()


async def test_nothing_waits_for_a_reading_that_takes_long() -> None:
    desk = Desk()
    gate = asyncio.Event()

    async def slow(since: datetime) -> tuple[LedgerRow, ...]:
        del since
        await gate.wait()
        return tuple(desk.venue.lines)

    desk.venue.rows = slow  # type: ignore[method-assign]  # the same, later
    await desk.polls(2)
    desk.line("25")
    desk.hold(futures="975", margin="325")
    assert codes(await desk.polls(1)) == []
    gate.set()
    assert codes(await desk.polls(2)) == ["foreign_move"]
    await desk.keeper.close()


async def test_the_ledger_waits_while_the_weight_is_needed_elsewhere() -> None:
    desk = Desk()
    await desk.poll()
    desk.venue.way = VenueCondition(weight_left_optional=99)
    await desk.polls(2)
    assert desk.keeper.books is not None
    assert desk.keeper.books.read_at is None
    desk.venue.way = VenueCondition(weight_left_optional=100)
    await desk.polls(2)
    assert desk.keeper.books.read_at is not None


async def test_what_is_on_its_way_is_held_by_neither_end_until_it_is_read_back() -> None:
    desk = Desk()
    await desk.polls(4)
    assert (await desk.poll()).holds == {}
    desk.keeper.told([a_transfer()])
    desk.hold(futures="1050.00001", spot="449.99999")  # it shows before the history does
    holds = (await desk.poll()).holds
    assert holds == {("futures", "USDT"): D(1000), ("spot", "USDT"): D("449.99999")}
    desk.keeper.told([a_transfer(state=IntentState.APPLIED, applied=D("50.00001"))])
    assert (await desk.poll()).holds == {}


async def test_while_the_books_do_not_agree_they_limit_nothing() -> None:
    desk = Desk()
    await desk.polls(4)
    desk.keeper.told([a_transfer()])
    desk.hold(futures="1200")
    assert (await desk.poll()).holds == {}


async def test_books_that_do_not_fit_are_opened_anew_and_told_and_end_nothing() -> None:
    desk = Desk()
    await desk.polls(4)
    desk.keeper.told([a_transfer(state=IntentState.APPLIED, applied=D(-1))])
    news = await desk.poll()
    assert codes([news]) == ["books_failed"]
    assert news.events == (Event.UNBALANCED,)
    assert all(one == News() for one in await desk.polls(6))


async def test_a_restart_takes_over_what_is_open_and_asks_nobody_about_it() -> None:
    desk = Desk()
    desk.keeper.told([a_transfer(state=IntentState.UNKNOWN)])
    news = await desk.poll()
    assert news.holds == {("futures", "USDT"): D(1000), ("spot", "USDT"): D("449.99999")}
    desk.hold(futures="1050.00001", spot="449.99999")
    desk.keeper.told([a_transfer(state=IntentState.APPLIED, applied=D("50.00001"))])
    later = await desk.polls(8)
    assert codes(later) == []
    assert later[-1] == News()


HELD = an_observation(a_position(margin="300"))


def a_finding(amount: str, **changes: object) -> Finding:
    values: dict[str, object] = {
        "actor": Actor.EXTERNAL, "at": NOON, "text": "x", "symbol": BTC, "amount": D(amount),
    }  # fmt: skip
    return Finding(**(values | changes))  # type: ignore[arg-type]  # any field by name


def test_what_a_person_took_out_is_no_longer_the_bots_to_give_back() -> None:
    memory = Memory(keys=(KeyMemory(key=KEY, added=D(100)),))
    after = adopted(memory, [a_finding("-30")], HELD)
    assert after.of(KEY) == KeyMemory(key=KEY, added=D(70), touched_at=HELD.at)
    assert adopted(memory, [a_finding("30")], HELD).of(KEY).added == D(100)


def test_a_move_of_ours_that_took_effect_once_more_is_spent_once_more() -> None:
    after = adopted(Memory(), [a_finding("30.00001", is_repeat=True)], HELD)
    assert after.added_since(KEY, HELD.at - timedelta(hours=1)) == D("30.00001")
    assert [move.action for move in after.moves] == [
        AddMargin(key=KEY, amount=D("30.00001"), currency="USDT")
    ]


@pytest.mark.parametrize(("amount", "spent"), [("0.5", "0.5"), ("0", "0"), ("-30", "0")])
def test_only_margin_that_came_once_more_is_spent_once_more(amount: str, spent: str) -> None:
    after = adopted(Memory(), [a_finding(amount, is_repeat=True)], HELD)
    assert after.added_since(KEY, HELD.at - timedelta(hours=1)) == D(spent)
    assert len(after.moves) == (D(spent) > 0)
    assert adopted(Memory(), [a_finding(amount)], HELD).moves == ()


def test_a_finding_that_changes_nothing_does_not_hide_the_next() -> None:
    nothing = [a_finding("30", actor=Actor.KNOWN), a_finding("30", symbol="ETH/USDT:USDT")]
    nothing.append(replace(nothing[1], is_repeat=True))
    assert adopted(Memory(), nothing, HELD) == Memory()
    assert adopted(Memory(), [*nothing, a_finding("-30")], HELD).of(KEY).touched_at == HELD.at


@pytest.mark.parametrize(
    "finding",
    [
        a_finding("30", actor=Actor.KNOWN),
        a_finding("30", symbol="ETH/USDT:USDT"),
        a_finding("30", side=Side.SHORT),
    ],
    ids=["declared", "another symbol", "the other side"],
)
def test_other_positions_and_declared_actors_change_nothing(finding: Finding) -> None:
    assert adopted(Memory(), [finding], HELD) == Memory()


async def test_books_that_do_not_fit_are_opened_anew_and_people_are_told() -> None:
    desk = Desk()
    await desk.polls(2)
    desk.line("Infinity")
    news = await desk.polls(12)
    assert "books_failed" in codes(news)
    assert desk.keeper.books is not None


async def test_a_reading_under_way_does_not_keep_the_bot_from_its_end() -> None:
    desk = Desk()
    began = asyncio.Event()

    async def never(since: datetime) -> tuple[LedgerRow, ...]:
        del since
        began.set()
        await asyncio.Event().wait()
        return ()

    desk.venue.rows = never  # type: ignore[method-assign]  # a venue that does not answer
    await desk.polls(2)
    assert began.is_set()
    await asyncio.wait_for(desk.keeper.close(), 1)


async def test_a_reading_ends_before_the_books_are_closed() -> None:
    desk = Desk()
    ended: list[bool] = []

    async def never(since: datetime) -> tuple[LedgerRow, ...]:
        del since
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        return ()

    desk.venue.rows = never  # type: ignore[method-assign]  # a venue that does not answer
    await desk.polls(2)
    await desk.keeper.close()
    assert ended == [True]


async def test_one_reading_at_a_time() -> None:
    desk = Desk()
    asked: list[datetime] = []

    async def slow(since: datetime) -> tuple[LedgerRow, ...]:
        asked.append(since)
        await asyncio.Event().wait()
        return ()

    desk.venue.rows = slow  # type: ignore[method-assign]  # a venue that does not answer
    await desk.polls(30)
    assert len(asked) == 1
    await desk.keeper.close()


@pytest.mark.parametrize("is_read_once", [False, True])
async def test_a_ledger_that_is_not_read_is_told_after_more_than_five_minutes(
    is_read_once: bool,
) -> None:
    desk = Desk()
    if not is_read_once:
        desk.venue.row_failures = [Unavailable("x")] * 999
    await desk.polls(5)
    kept = desk.keeper.books
    assert kept is not None
    desk.venue.row_failures = [Unavailable("x")] * 999
    since = kept.opened_from if kept.read_at is None else kept.read_at
    assert (since == kept.opened_from) is not is_read_once
    left = 300 - (desk.clock.now() - since).total_seconds()
    assert codes([await desk.poll(left)]) == []
    assert (await desk.poll(0.001)).alarms == (
        ("ledger_unread", f"the venue's ledger could not be read since {since:%H:%M:%S}"),
    )


async def test_what_gets_strange_after_a_person_looked_is_told() -> None:
    desk = Desk()
    desk.keeper.accept()  # before there is anything to look at
    await desk.polls(2)
    desk.hold(futures="990")
    assert codes(await desk.polls(6)) == ["unbalanced"]
    desk.keeper.accept()
    assert codes(await desk.polls(6)) == []
    desk.hold(futures="980")
    assert codes(await desk.polls(6)) == ["unbalanced"]


DONE = Execution(intent_id="plabcd0003000001", outcome=Outcome.DONE)
REJECTED = Execution(intent_id="plabcd0003000001", outcome=Outcome.REJECTED)


@pytest.mark.parametrize(
    ("outcome", "is_open"),
    [(DONE, True), (replace(DONE, outcome=Outcome.UNKNOWN), True), (REJECTED, False), ("x", False)],
    ids=["done, not read back", "unknown", "rejected", "dropped"],
)
async def test_after_a_send_only_what_may_have_had_an_effect_stays_on_its_way(
    outcome: Execution | str, is_open: bool
) -> None:
    desk = Desk()
    await desk.poll()
    written = a_transfer(state=IntentState.WRITTEN, sent_at=None)
    desk.keeper.told([written])
    sent = replace(written, state=IntentState.UNKNOWN, sent_at=desk.clock.now())
    done = Performance(
        outcomes={written.id: outcome}, effects=(), followed=(sent,) if is_open else ()
    )
    desk.keeper.performed([written], done)
    kept = desk.keeper.books
    assert kept is not None
    states = {True: IntentState.UNKNOWN, False: IntentState.REJECTED}
    wanted = IntentState.DROPPED if outcome == "x" else states[is_open]
    assert [entry.intent.state for entry in kept.sent] == [wanted]
    assert kept.ledger.is_pending() is is_open
