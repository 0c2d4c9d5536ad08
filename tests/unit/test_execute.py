from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.action import AddMargin, ReducePosition, RemoveMargin, Transfer
from bot.domain.intent import Intent, IntentState, SignedRequest
from bot.errors import JournalLost
from bot.exchanges.venues import VENUES
from bot.execute.arithmetic import fingerprint_scale, tag_in
from bot.execute.fingerprint import Fingerprints, least_marked, steps_apart
from bot.execute.gate import SendGate
from bot.execute.resolve import FINAL_AFTER, Resolver
from bot.ports import StoppedError
from bot.rebalance.memory import amount_of
from tests.kit.builders import NOON, a_position, an_observation
from tests.kit.fakes import FakeClock, FakeJournal, FakeVenue
from tests.kit.records import a_record, a_request, an_intent

KEY = a_position().key
ADD = AddMargin(key=KEY, amount=D("100.00"), currency="USDT")


async def a_gate(journal: FakeJournal, clock: FakeClock) -> SendGate:
    await journal.record(a_record(), b"", [an_intent()])
    return SendGate(an_intent(), journal=journal, clock=clock, look=lambda _: None)


async def test_a_request_that_waited_half_a_second_for_its_connection_is_dropped() -> None:
    clock, journal = FakeClock(), FakeJournal()
    gate = await a_gate(journal, clock)
    await gate.sent(SignedRequest(signed_at=clock.now(), window_ms=5000, digest="x"))
    clock.advance(0.5)
    gate.last_look()
    clock.advance(0.001)
    with pytest.raises(StoppedError, match="age of a request") as stopped:
        gate.last_look()
    assert stopped.value.code == "request_expired"


async def test_nothing_passes_the_last_look_that_is_not_durable_as_sent() -> None:
    gate = await a_gate(FakeJournal(), FakeClock())
    with pytest.raises(StoppedError, match="not durable") as stopped:
        gate.last_look()
    assert stopped.value.code == "request_mismatch"
    assert type(stopped.value.code) is str


async def test_a_lost_journal_stops_the_request_and_says_so() -> None:
    class Lost(FakeJournal):
        async def sent(self, intent_id: str, request: SignedRequest) -> None:
            raise JournalLost(f"the disk is full, {intent_id} {request.digest}")

    gate = await a_gate(Lost(), FakeClock())
    with pytest.raises(StoppedError) as stopped:
        await gate.sent(a_request(NOON))
    assert stopped.value.code == "journal_unwritable"
    assert gate.request is None


def marks() -> Fingerprints:
    return Fingerprints(step=D("0.00001"), epoch=1)


def test_two_equal_plans_leave_as_two_amounts_on_the_safe_side() -> None:
    prints = marks()
    one, two = (prints.marked(ADD, now=NOON, open_=()) for _ in "ab")
    assert isinstance(one, AddMargin)
    assert isinstance(two, AddMargin)
    assert one.amount != two.amount
    assert D(100) < min(one.amount, two.amount) < max(one.amount, two.amount) < D("100.01")
    less = prints.marked(RemoveMargin(key=KEY, amount=D(100), currency="USDT"), now=NOON, open_=())
    assert isinstance(less, RemoveMargin)
    assert D("99.99") < less.amount < D(100)


def test_an_amount_used_within_a_day_is_not_used_again_and_then_it_is() -> None:
    prints = marks()
    first = marks().marked(ADD, now=NOON, open_=())
    prints.learn([(NOON, first)])
    assert prints.marked(ADD, now=NOON, open_=()) != first
    later = marks()
    later.learn([(NOON - timedelta(days=1), first)])
    assert later.marked(ADD, now=NOON, open_=()) == first


def test_orders_and_amounts_too_small_for_digits_stay_as_they_are() -> None:
    prints = marks()
    order = ReducePosition(key=KEY, size=D(1), limit_price=D(59000))
    small = AddMargin(key=KEY, amount=D("0.50"), currency="USDT")
    assert prints.marked(order, now=NOON, open_=()) == order
    assert prints.marked(small, now=NOON, open_=()) == small
    assert prints.is_marked(order)
    assert not prints.is_marked(small)


def test_a_venue_that_finds_digits_too_fine_gets_coarser_ones() -> None:
    prints = marks()
    prints.coarsen()
    marked = prints.marked(ADD, now=NOON, open_=())
    assert isinstance(marked, AddMargin)
    assert marked.amount % D("0.0001") == 0
    assert D(100) < marked.amount < D("100.1")


async def test_what_was_confirmed_long_ago_and_never_read_back_is_final() -> None:
    clock, journal = FakeClock(), FakeJournal()
    venue = FakeVenue(an_observation(a_position()), clock)
    old = Intent(
        id="plold",
        decision_id="d1",
        account="main",
        action=ADD,
        written_at=NOON - FINAL_AFTER - timedelta(seconds=1),
        sent_at=NOON - FINAL_AFTER - timedelta(seconds=1),
        state=IntentState.DONE,
    )
    journal.intents[old.id] = old
    assert await Resolver(venue=venue, journal=journal, clock=clock).recover() == ()


def test_what_people_and_earlier_runs_moved_is_learnt_and_orders_are_not() -> None:
    prints, order = marks(), ReducePosition(key=KEY, size=D(100), limit_price=D(1))
    first = marks().marked(ADD, now=NOON, open_=())
    prints.learn([(NOON, order), (NOON, first)])
    assert prints.marked(ADD, now=NOON, open_=()) != first


REMOVE = RemoveMargin(key=KEY, amount=D(100), currency="USDT")
MOVE = Transfer(source="spot", destination="futures", amount=D(100), currency="USDT")


@pytest.mark.parametrize("other", [ADD, REMOVE, MOVE], ids=lambda a: a.kind)
def test_what_any_move_was_sent_with_is_taken(other: AddMargin | RemoveMargin | Transfer) -> None:
    first = marks().marked(ADD, now=NOON, open_=())
    assert isinstance(first, AddMargin)
    same = replace(other, amount=first.amount)
    prints = marks()
    prints.learn([(NOON, same)])
    assert prints.marked(ADD, now=NOON, open_=()) != first
    assert marks().marked(ADD, now=NOON, open_=(same,)) != first
    assert not marks().is_marked(other)
    assert marks().is_marked(marks().marked(other, now=NOON, open_=()))


def test_an_amount_finer_than_the_venue_books_stays_as_it_is() -> None:
    fine = replace(ADD, amount=D("100.000001"))
    assert marks().marked(fine, now=NOON, open_=()) == fine


def test_a_run_counts_its_moves_one_by_one() -> None:
    prints, found = marks(), []
    for _ in range(2):
        marked = prints.marked(ADD, now=NOON, open_=())
        assert isinstance(marked, AddMargin)
        steps = int(marked.amount / prints.step)
        scale = fingerprint_scale(amount=steps, steps_per_unit=100_000)
        assert scale is not None
        found.append(tag_in(steps, scale=scale))
    (first, second) = found
    assert first is not None
    assert second is not None
    assert second == (first[0], first[1] + 1)


def test_when_every_amount_is_taken_the_plan_leaves_as_it_was_made() -> None:
    prints = marks()
    seen = set()
    for _ in range(200):
        marked = prints.marked(ADD, now=NOON, open_=())
        assert isinstance(marked, AddMargin)
        if marked == ADD:
            break
        assert marked.amount not in seen
        seen.add(marked.amount)
    assert marked == ADD
    assert not prints.is_marked(marked)
    assert len(seen) >= 40  # as many as a position may get in a day


def coarse() -> Fingerprints:
    """Of a venue that takes four decimals of a coin, where thousandths are planned."""
    step, room = D("0.0001"), D("0.001")
    return Fingerprints(step=step, epoch=1, apart=steps_apart(room=room, step=step))


@pytest.mark.parametrize("amount", ["0.001", "0.2", "12.345"])
def test_where_there_are_no_tags_equal_plans_leave_as_other_amounts_within_a_step(
    amount: str,
) -> None:
    prints, planned = coarse(), AddMargin(key=KEY, amount=D(amount), currency="BTC")
    sent = [prints.marked(planned, now=NOON, open_=()) for _ in range(10)]
    assert [amount_of(action) - D(amount) for action in sent] == [D(n) / 10_000 for n in range(10)]
    later = NOON + timedelta(days=1)
    assert prints.marked(planned, now=later, open_=()) == planned


def test_where_there_are_no_tags_the_oldest_amount_serves_again_once_all_are_used() -> None:
    prints, planned = coarse(), AddMargin(key=KEY, amount=D("0.002"), currency="BTC")
    first = [prints.marked(planned, now=NOON + timedelta(minutes=n), open_=()) for n in range(10)]
    again = [
        prints.marked(planned, now=NOON + timedelta(minutes=n), open_=()) for n in range(10, 20)
    ]
    assert first == again
    # One that is open is passed over, and where all are nothing is made of the plan.
    late = NOON + timedelta(minutes=20)
    assert prints.marked(planned, now=late, open_=first[:1]) == first[1]
    assert prints.marked(planned, now=late, open_=first) == planned


def test_where_there_are_no_tags_a_removal_never_takes_more_than_was_planned() -> None:
    prints, planned = coarse(), RemoveMargin(key=KEY, amount=D("0.002"), currency="BTC")
    sent = [amount_of(prints.marked(planned, now=NOON, open_=())) for _ in range(10)]
    assert sent == [D("0.002") - D(n) / 10_000 for n in range(10)]


def test_where_there_are_no_tags_an_amount_is_told_from_sums_of_what_is_open() -> None:
    prints, planned = coarse(), AddMargin(key=KEY, amount=D("0.003"), currency="BTC")
    open_ = [replace(planned, amount=D(amount)) for amount in ("0.001", "0.002")]
    assert amount_of(prints.marked(planned, now=NOON, open_=open_)) == D("0.0031")


@pytest.mark.parametrize("prints", [marks(), coarse()], ids=["tags", "none"])
def test_what_is_finer_than_the_venue_books_stays_as_it_is(prints: Fingerprints) -> None:
    odd = AddMargin(key=KEY, amount=D("100.000001"), currency="BTC")
    assert prints.marked(odd, now=NOON, open_=()) == odd


def test_tags_need_a_thousand_steps_of_room() -> None:
    for room, apart in (("0.001", 10), ("0.0999", 999), ("0.1", 0), ("1", 0)):
        assert steps_apart(room=D(room), step=D("0.0001")) == apart
    for row in VENUES.values():
        assert steps_apart(room=row.margin_step, step=row.collateral_step) == 0


@pytest.mark.parametrize("step", ["0.00001", "0.00000001"])
def test_the_least_amount_that_is_marked_is_told_from_others_and_one_step_less_is_not(
    step: str,
) -> None:
    prints, least = Fingerprints(step=D(step), epoch=1), least_marked(D(step))
    for amount, is_marked in ((least, True), (least - D(step) * 10, False)):
        asked = AddMargin(key=KEY, amount=amount, currency="BTC")
        sent = prints.marked(asked, now=NOON, open_=())
        assert prints.is_marked(sent) is is_marked
