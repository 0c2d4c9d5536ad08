from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.account import Wallet
from bot.domain.action import PlaceStop
from bot.domain.intent import Intent, IntentState
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.position import PositionKey, Side
from bot.execute import books, looking, transit
from bot.execute.arithmetic import tag_of
from bot.execute.foreign import Actor, Sent, Writer, classified, explained, strange_names
from bot.execute.transit import Place
from tests.kit import ledger_world
from tests.kit.builders import BTC, NOON, a_position, a_stop, an_observation
from tests.kit.ledger_world import STEP, WRITER, LedgerWorld, Where, a_wallet, add, remove, transfer

SCALE = 1_000
FUTURES = Place("futures", "USDT")
SPOT = Place("spot", "USDT")


def an_intent(name: str = "plabcd0003000001", **changes: object) -> Intent:
    values: dict[str, object] = {
        "id": name,
        "decision_id": "d",
        "account": "main",
        "action": transfer("100.00001"),
        "written_at": NOON,
        "sent_at": NOON,
        "state": IntentState.SENT,
    }
    return Intent(**(values | changes))  # type: ignore[arg-type]  # any field by name


def a_row(amount: str, *, seconds: float = 0, name: str = "", **changes: object) -> LedgerRow:
    values: dict[str, object] = {
        "id": name or f"margin:{amount}:{seconds}",
        "at": NOON + timedelta(seconds=seconds),
        "kind": RowKind.MARGIN_ADDED if D(amount) > 0 else RowKind.MARGIN_REMOVED,
        "amount": D(amount),
        "asset": "USDT",
        "symbol": BTC,
        "actor": "USER_ADJUST",
    }
    return LedgerRow(**(values | changes))  # type: ignore[arg-type]  # any field by name


def tagged(*, epoch: int, counter: int) -> str:
    return str((D(100) / STEP + tag_of(epoch=epoch, counter=counter, scale=SCALE)) * STEP)


# the double entry


@pytest.mark.parametrize(
    ("state", "spot", "futures", "pending"),
    [
        (IntentState.WRITTEN, "400", "1000", "100"),
        (IntentState.SENT, "400", "1000", "100"),
        (IntentState.DONE, "400", "1000", "100"),
        (IntentState.UNKNOWN, "400", "1000", "100"),
        (IntentState.GAVE_UP, "400", "1000", "100"),
        (IntentState.APPLIED, "400", "1100", "0"),
        (IntentState.ABSENT, "500", "1000", "0"),
        (IntentState.REJECTED, "500", "1000", "0"),
        (IntentState.DROPPED, "500", "1000", "0"),
    ],
)
def test_each_state_of_a_transfer_debits_and_credits_what_it_proves(
    state: IntentState, spot: str, futures: str, pending: str
) -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    applied = D(100) if state is IntentState.APPLIED else None
    intent = an_intent(action=transfer("100"), state=state, applied=applied)
    ledger = transit.followed(ledger, [intent])
    assert (ledger.balance(SPOT), ledger.balance(FUTURES)) == (D(spot), D(futures))
    assert ledger.pending("USDT") == D(pending)


def test_what_did_not_arrive_returns_and_more_than_was_sent_stays_unexplained() -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    intent = an_intent(action=transfer("100"))
    ledger = transit.followed(ledger, [intent])
    part = transit.posted(ledger, intent.id, D(30))
    assert (part.balance(SPOT), part.balance(FUTURES)) == (D(470), D(1030))
    whole = transit.posted(ledger, intent.id, D(200))
    doubled = an_observation(futures="1200", spot="300").account
    gaps = transit.conservation(whole, doubled, at=NOON)
    assert gaps[0].pools == (("futures", D(100)), ("spot", D(-100)))
    assert gaps[0].is_open


def test_an_effect_without_an_amount_stays_pending() -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    ledger = transit.followed(ledger, [an_intent(state=IntentState.APPLIED)])
    assert ledger.is_pending("futures")


def test_a_move_ends_once() -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    ledger = transit.followed(ledger, [an_intent(action=transfer("100"))])
    name = "plabcd0003000001"
    done = transit.posted(ledger, name, D(100))
    assert transit.posted(done, name, D(100)) == done
    with pytest.raises(ValueError, match="has ended as posted, now void"):
        transit.voided(done, name)
    with pytest.raises(ValueError, match="has ended as void, now posted"):
        transit.posted(transit.voided(ledger, name), name, D(100))
    with pytest.raises(ValueError, match="has ended as posted"):
        transit.posted(done, name, D(99))
    with pytest.raises(ValueError, match="must be written"):
        transit.voided(ledger, "plabcd0003000009")
    with pytest.raises(ValueError, match="applied must be >= 0"):
        transit.posted(ledger, name, D(-1))


@pytest.mark.parametrize(
    ("free", "floor", "wanted"),
    [("1000", "0", "400"), ("300", "0", "300"), ("1000", "150", "250"), ("1000", "500", "0")],
)
def test_usable_is_the_least_of_reported_and_ledger_above_the_floor(
    free: str, floor: str, wanted: str
) -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    ledger = transit.followed(ledger, [an_intent(action=transfer("100"))])
    assert transit.usable(ledger, a_wallet("spot", free), floor=D(floor)) == D(wanted)


def test_the_same_money_cannot_be_sent_again_while_the_venue_still_shows_it() -> None:
    world = LedgerWorld()
    world.send(transfer("499.99001"), "late")
    assert world.money["spot"] == D(500)  # nothing has left yet
    assert world.usable("spot") == D("0.00999")
    world.wait(8)
    world.settle()
    assert world.usable("futures") == D("1499.99001")


def test_a_wallet_that_is_not_shown_has_nothing_usable() -> None:
    world = LedgerWorld()
    account = world.observation().account
    assert world.books.usable(account, "earn", "USDT", floor=D(0)) == 0


def test_too_many_doubts_explain_nothing() -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    intents = [an_intent(f"plabcd0003{n:06d}", action=transfer(f"10.0000{n}")) for n in range(9)]
    ledger = transit.followed(ledger, intents)
    after = an_observation(futures="1010", spot="490").account
    assert transit.conservation(ledger, after, at=NOON)[0].is_open


# whose line it is


def test_an_intent_explains_one_line_of_two_equal_ones() -> None:
    intent = an_intent(action=add("100.00001"))
    rows = [a_row("100.00001", seconds=1, name="a"), a_row("100.00001", seconds=2, name="b")]
    sent, foreign = explained(rows, [Sent(intent=intent)])
    assert sent[0].row == rows[0]
    assert foreign == (rows[1],)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (a_row("-100.00001", seconds=1), "the other way"),
        (a_row("100.00001", seconds=1, symbol="ETH/USDT:USDT"), "another symbol"),
        (a_row("100.00001", seconds=1, side=Side.SHORT), "the other side"),
        (a_row("100.00001", seconds=1, asset="USDC"), "another asset"),
        (a_row("100.00001", seconds=-0.6), "before it was sent"),
        (a_row("100.00002", seconds=1), "more"),
        (a_row("40", seconds=8), "less, after the request could have taken effect"),
    ],
)
def test_a_line_that_differs_is_not_explained(row: LedgerRow, why: str) -> None:
    sent, foreign = explained([row], [Sent(intent=an_intent(action=add("100.00001")))])
    assert foreign == (row,), why
    assert sent[0].row is None


def test_a_clipped_effect_is_ours_until_the_exact_one_comes() -> None:
    sent: tuple[Sent, ...] = (Sent(intent=an_intent(action=add("100.00001"))),)
    small, exact = a_row("40", seconds=1), a_row("100.00001", seconds=3)
    sent, foreign = explained([small], sent)
    assert (sent[0].row, foreign) == (small, ())
    sent, foreign = explained([exact], sent)
    assert (sent[0].row, foreign) == (exact, (small,))


@pytest.mark.parametrize("out", [False, True])
def test_a_transfer_is_known_by_its_two_ends(out: bool) -> None:
    row = a_row(
        "-100.00001" if out else "100.00001",
        kind=RowKind.TRANSFER_OUT if out else RowKind.TRANSFER_IN,
        symbol="",
        other="spot",
    )
    ours = an_intent(action=transfer("100.00001", out=out))
    other = an_intent(action=transfer("100.00001", out=not out))
    assert explained([row], [Sent(intent=ours)])[1] == ()
    assert explained([row], [Sent(intent=other)])[1] == (row,)
    outside = replace(row, other="")
    assert explained([outside], [Sent(intent=ours)])[1] == (outside,)


# who it was


def test_a_declared_actor_is_known_and_alarms_nobody() -> None:
    writer = replace(WRITER, actors=frozenset({"AUTO_ADD"}))
    found = classified([a_row("5", actor="AUTO_ADD")], (), writer)
    assert [f.actor for f in found] == [Actor.KNOWN]


def test_a_lone_foreign_line_is_a_person_even_if_its_digits_look_like_a_tag() -> None:
    found = classified([a_row(tagged(epoch=5, counter=7))], (), WRITER)
    assert [(f.actor, f.symbol) for f in found] == [(Actor.EXTERNAL, BTC)]


@pytest.mark.parametrize(
    ("first", "second", "seconds", "actor"),
    [
        pytest.param((5, 7), (5, 8), 600, Actor.SECOND_WRITER, id="successive"),
        pytest.param((5, 111), (5, 112), 1, Actor.SECOND_WRITER, id="the lane begins anew"),
        pytest.param((5, 7), (5, 8), 601, Actor.EXTERNAL, id="too far apart"),
        pytest.param((5, 7), (5, 9), 10, Actor.EXTERNAL, id="one is missing"),
        pytest.param((5, 8), (5, 7), 10, Actor.EXTERNAL, id="the wrong way"),
        pytest.param((5, 7), (4, 8), 10, Actor.EXTERNAL, id="two epochs"),
        pytest.param((3, 7), (3, 8), 10, Actor.EXTERNAL, id="our own epoch"),
        pytest.param((11, 7), (11, 8), 10, Actor.EXTERNAL, id="our own epoch mod 8"),
    ],
)
@pytest.mark.parametrize("is_one_reading", [True, False])
def test_two_successive_tags_of_a_foreign_epoch_within_ten_minutes_are_a_second_writer(
    first: tuple[int, int],
    second: tuple[int, int],
    seconds: float,
    actor: Actor,
    is_one_reading: bool,
) -> None:
    one = a_row(tagged(epoch=first[0], counter=first[1]), name="one")
    two = a_row(tagged(epoch=second[0], counter=second[1]), seconds=seconds, name="two")
    if is_one_reading:
        found = classified([two, one], (), WRITER)
    else:
        found = classified([two], (one,), WRITER)
    assert found[-1].actor is actor


@pytest.mark.parametrize("amount", ["100.000001", "0.00312", "100"])
def test_an_amount_that_cannot_carry_a_tag_is_a_persons(amount: str) -> None:
    other = a_row(tagged(epoch=5, counter=7), name="other")
    found = classified([a_row(amount, seconds=1)], (other,), Writer(epoch=3, step=STEP))
    assert found[0].actor is Actor.EXTERNAL


def test_an_order_with_the_shape_of_our_ids_that_nobody_here_gave_is_a_second_writer() -> None:
    known = frozenset({"plabcd0003000001"})
    names = ["plabcd0003000001", "plzzzz0009000002", "my-order"]
    found = list(strange_names(names, known, WRITER, at=NOON))
    assert [f.actor for f in found] == [Actor.SECOND_WRITER]
    assert "plzzzz0009000002" in found[0].text


# poll by poll


def test_a_stop_of_an_earlier_run_is_no_stranger_and_a_new_one_is() -> None:
    seen = an_observation(a_position(), stops=(a_stop("55000", stop_id="1"),))
    kept = books.open_books(seen, (), writer=WRITER)
    kept, report = looking.look(kept, seen)
    assert not report.is_second_writer
    later = an_observation(
        a_position(),
        stops=(a_stop("55000", stop_id="1"), a_stop("54000", stop_id="2")),
        at=NOON + timedelta(days=2),
    )
    _, report = looking.look(kept, later)
    assert report.is_second_writer
    ours, _ = books.told(kept, [an_intent("plabcd0001000002")], at=NOON + timedelta(days=2))
    assert not looking.look(ours, later)[1].is_second_writer


def test_lines_are_read_at_once_when_a_balance_is_strange_and_else_once_a_minute() -> None:
    world = LedgerWorld()
    kept, report = looking.look(world.books, world.observation())
    assert report.wants_rows  # never read before
    kept, _ = books.read(kept, (), asked_at=world.now)
    world.wait(59)
    assert not looking.look(kept, world.observation())[1].wants_rows
    world.wait(1)
    assert looking.look(kept, world.observation())[1].wants_rows
    kept, _ = books.read(kept, (), asked_at=world.now)
    world.pay(RowKind.FEE, D(-1), where="futures")
    world.wait(9)
    kept, report = looking.look(kept, world.observation())
    assert (report.is_explained, report.wants_rows) == (False, False)  # read too lately
    world.wait(1)
    kept, report = looking.look(kept, world.observation())
    assert report.wants_rows
    kept, _ = books.read(kept, [row for _, row in world.rows], asked_at=world.now)
    assert looking.look(kept, world.observation())[1].is_explained


def test_a_persons_move_is_adopted_alarms_once_and_is_suspicious_for_ten_minutes() -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(61)
    world.foreign(remove("25"))
    report = world.poll()
    assert (report.is_explained, report.is_broken, report.is_suspicious) == (True, False, True)
    assert [(f.actor, f.symbol) for f in world.findings] == [(Actor.EXTERNAL, BTC)]
    world.wait(599)
    assert world.poll().is_suspicious
    world.wait(1)
    assert not world.poll().is_suspicious
    assert len(world.findings) == 1


def test_a_deposit_that_no_list_shows_is_adopted_once_every_line_was_read() -> None:
    world = LedgerWorld()
    world.poll()
    world.deposit(D(250))
    assert world.usable("spot") == D(500)  # not believed yet
    for _ in range(4):
        world.wait(6)
        report = world.poll()
    assert report.is_explained
    assert world.usable("spot") == D(750)
    assert [f.actor for f in world.findings] == [Actor.EXTERNAL]


def test_margin_that_changed_without_a_line_is_adopted_and_named() -> None:
    world = LedgerWorld()
    world.poll()
    world._change("margin", D(-7))
    world._change("futures", D(7))
    for _ in range(4):
        world.wait(6)
        report = world.poll()
    assert report.is_explained
    assert [(f.actor, f.symbol) for f in world.findings] == [(Actor.EXTERNAL, BTC)]


def test_an_intent_taken_for_absent_whose_line_shows_is_told_to_people() -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(1)
    world.send(transfer("50.00001"), "lands")
    world.wait(61)
    world.poll()
    intent = replace(next(iter(world.intents.values())), state=IntentState.ABSENT)
    world.books, found = books.told(world.books, [intent], at=world.now)
    assert [f.actor for f in found] == [Actor.EXTERNAL]
    assert "is absent with 0, the venue's ledger has 50.00001" in found[0].text
    assert world.poll().is_explained


def test_part_of_a_transfer_is_a_break_until_a_list_shows_its_size() -> None:
    world = LedgerWorld(travel=30)
    world.poll()
    world.send(transfer("80.00001"), "clipped")
    for _ in range(4):
        world.wait(6)
        report = world.poll()
    assert report.is_broken
    world.wait(6)
    world.poll()
    world.wait(6)
    assert world.poll().is_explained
    world.settle()
    assert world.usable("futures") == D("1020.00000")


def test_a_clipped_line_goes_to_the_intent_that_the_venue_settles_with_it() -> None:
    world = LedgerWorld()
    world.poll()
    world.send(add("80.00001"), "lost")
    world.send(add("60.00002"), "clipped")
    world.wait(61)
    world.poll()
    lost, clipped = world.intents.values()
    assert [entry.row is None for entry in world.books.sent] == [False, True]  # the wrong one
    world.settle()
    assert (world.intents[lost.id].state, world.intents[clipped.id].applied) == (
        IntentState.ABSENT,
        D("15.00000"),
    )
    assert [entry.row is None for entry in world.books.sent] == [True, False]
    assert world.poll().is_explained
    assert not world.findings


def test_lines_from_before_the_books_are_neither_booked_nor_foreign() -> None:
    world = LedgerWorld()
    old = [a_row("40", seconds=-30), a_row("-1", seconds=-2, kind=RowKind.FEE, symbol="")]
    kept, found = books.read(world.books, old, asked_at=world.now)
    assert found == ()
    kept, report = looking.look(kept, world.observation())
    assert report.is_explained
    assert kept.ledger.balance(FUTURES) == D(1000)


@pytest.mark.parametrize("seconds", [-9, 0.1])
@pytest.mark.parametrize("is_in_the_opening", [True, False])
def test_a_line_beside_the_opening_may_be_in_it_or_not(
    is_in_the_opening: bool, seconds: float
) -> None:
    world = LedgerWorld()
    if not is_in_the_opening:
        world.money["futures"] -= 1
    fee = a_row("-1", seconds=seconds, kind=RowKind.FEE, symbol="")
    world.wait(3)
    kept, _ = books.read(world.books, [fee], asked_at=world.now)
    kept, report = looking.look(kept, world.observation())
    assert report.is_explained
    for _ in range(4):
        world.wait(10)
        kept, _ = books.read(kept, [fee], asked_at=world.now)
        kept, report = looking.look(kept, world.observation())
    assert report.is_explained
    assert not report.is_broken
    assert kept.ledger.balance(FUTURES) == world.money["futures"]


def test_a_line_that_came_after_the_look_is_not_missed_in_it() -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(61)
    seen = world.observation()
    world.wait(0.4)
    world.pay(RowKind.FEE, D(-1), where="futures")
    kept, _ = books.read(world.books, [row for _, row in world.rows], asked_at=world.now)
    kept, report = looking.look(kept, seen)
    assert report.is_explained
    world.wait(1)
    kept, report = looking.look(kept, world.observation())
    assert report.is_explained
    assert kept.ledger.balance(FUTURES) == D(999)


def test_an_intent_that_has_ended_and_is_told_again_counts_once() -> None:
    world = LedgerWorld()
    world.poll()
    world.send(transfer("50.00001"), "lands")
    world.settle()
    world.poll()
    intent = next(iter(world.intents.values()))
    assert intent.state is IntentState.APPLIED
    world.books, _ = books.told(world.books, [intent], at=world.now)
    assert world.usable("futures") == D("1050.00001")
    assert world.books.ledger.balance(SPOT) == D("449.99999")


@pytest.mark.parametrize("where", ["margin", "futures"])
def test_funding_is_found_in_the_margin_or_the_wallet_and_is_nobodys_move(where: Where) -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(11)
    world.pay(RowKind.FUNDING, D("-1.25"), where=where)
    world.wait(1)
    assert world.poll().is_explained
    assert not world.findings
    assert world.books.ledger.balance(Place(BTC, "USDT")) == world.money["margin"]


def test_margin_that_a_fill_releases_returns_to_the_wallet_and_is_nobodys_move() -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(11)
    world.fill(D("0.5"))
    world.wait(1)
    report = world.poll()
    assert (report.is_explained, report.findings, world.findings) == (True, (), [])
    assert world.usable("futures") == D("1149.63")


def test_a_second_different_break_within_the_hour_is_said() -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(1)
    world.poll()
    world.money["futures"] += 5
    for _ in range(4):
        world.wait(31)
        report = world.poll()
    assert (report.is_broken, report.is_repeated) == (True, False)
    world.money["futures"] += 3
    for _ in range(4):
        world.wait(31)
        report = world.poll()
    assert (report.is_broken, report.is_repeated) == (True, True)


def test_what_was_strange_when_a_person_looked_is_taken_over_once_it_lasts() -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(61)
    world.money["futures"] += 5  # no line says so
    world._change("margin", D(-7))
    world.poll()
    world.wait(3)
    world.books = books.accepted(world.books, world.now)
    found = []
    for _ in range(4):
        found.append(world.poll())
        world.wait(6)
    assert not found[0].is_explained  # it may still be an old answer
    assert not any(report.is_broken for report in found)
    assert found[-1].is_explained
    assert world.books.ledger.balance(FUTURES) == world.money["futures"]
    assert transit.imbalance(world.books.ledger, "USDT") == 0


def test_what_gets_strange_after_a_person_looked_is_not_taken_over() -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(61)
    world.poll()
    world.books = books.accepted(world.books, world.now)
    world.wait(3)
    world.money["futures"] += 5
    for _ in range(6):
        report = world.poll()
        world.wait(6)
    assert report.is_broken


def test_a_person_who_looks_at_an_old_answer_changes_nothing_that_is_known() -> None:
    world = LedgerWorld(travel=3)
    world.poll()
    world.wait(61)
    world.poll()
    old = world.observation()
    world.send(transfer("50.00001"), "lands", confirmed=True)
    world.wait(4)
    world.settle()
    world.books = books.accepted(world.books, world.now)
    stale = replace(old, at=world.now, account_at=world.now)
    world.books, report = looking.look(world.books, stale)
    for _ in range(4):
        world.wait(6)
        report = world.poll()
    assert report.is_explained
    assert not world.findings
    assert world.books.ledger.balance(FUTURES) == D("1050.00001")


@pytest.mark.parametrize("lacks", ["futures", "margin"])
def test_a_start_between_the_two_ends_of_an_unknown_move_is_put_right(lacks: Where) -> None:
    world = LedgerWorld(lag=1.9)
    before = dict(world.money)
    world.send(add("50.00001"), "lands")
    after = dict(world.money)
    world.money[lacks] = before[lacks]  # wallets and positions are different answers
    world.restart(0.5)
    world.money = after
    for _ in range(5):
        report = world.poll()
        assert report.is_explained, report.picture
        world.settle()
        world.wait(6)
    assert not world.findings
    assert world.books.ledger.balance(FUTURES) == after["futures"]


def test_what_changes_with_each_look_is_a_break_after_a_minute_and_six_looks() -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(1)
    world.poll()
    found = []
    for number in range(8):
        world.wait(13)
        world.money["futures"] += 1 + number  # no line says so
        found.append(world.poll().is_broken)
    assert found == [False] * 5 + [True] * 3
    world.wait(61)
    assert world.poll().is_broken


def test_two_looks_that_are_far_apart_are_no_break_because_time_has_passed() -> None:
    world = LedgerWorld(lag=1.9)
    world.poll()
    for fee in ("-0.5", "-0.7"):
        world.wait(61)
        world.pay(RowKind.FEE, D(fee), where="futures")  # its line does not show yet
        assert not world.poll().is_broken


def test_a_line_beside_the_opening_is_decided_late_and_is_no_break_till_then() -> None:
    world = LedgerWorld(lag=1.9)
    world.pay(RowKind.FEE, D("-0.01"), where="futures")
    world.wait(1)
    world.poll()
    world.wait(63)
    world.pay(RowKind.REALIZED_PNL, D("0.01000002"), where="futures")
    world.poll()
    for _ in range(4):
        world.wait(31)
        report = world.poll()
    assert report.is_explained, report.picture
    assert not any(report.is_broken for report in world.reports)


def test_a_line_beside_the_opening_is_decided_although_there_is_always_something_new() -> None:
    world = LedgerWorld(lag=1.9)
    world.wait(0.1)
    world.pay(RowKind.FEE, D("-0.37"), where="futures")
    world.wait(3)
    world.poll()
    for number in range(5):
        world.wait(9)
        world.pay(RowKind.FEE, D(-2 - number), where="futures")
        world.poll()  # its line does not show yet
        world.wait(4)
        world.poll()
    assert not any(entry.is_carried for entry in world.books.ledger.booked)
    world.wait(11)
    assert world.poll().is_explained
    assert world.books.ledger.balance(FUTURES) == world.money["futures"]
    assert not any(report.is_broken for report in world.reports)


def test_books_whose_first_look_was_wrong_begin_anew_once_that_lasts() -> None:
    world = LedgerWorld()
    right = dict(world.money)
    world.money["futures"] -= 100  # an old answer
    world.restart()
    world.money = right
    found = []
    for _ in range(5):
        found.append(world.poll())
        world.wait(7)
    assert not found[0].is_explained
    assert found[-1].is_explained
    assert not any(report.is_repeated for report in found)
    assert world.books.ledger.balance(FUTURES) == right["futures"]
    world.money["futures"] += 5  # from here on they know
    for _ in range(5):
        world.wait(7)
        report = world.poll()
    assert report.is_broken


def test_fees_in_an_asset_that_nobody_watches_are_nobodys_break() -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(61)
    fee = a_row("-0.001", seconds=60, kind=RowKind.FEE, symbol="", asset="BNB")
    world.rows.append((world.now, fee))
    for _ in range(6):
        world.wait(31)
        report = world.poll()
    assert (report.is_explained, world.findings) == (True, [])


def test_an_asset_that_is_shown_for_a_while_begins_with_what_is_shown() -> None:
    world = LedgerWorld()
    for _ in range(4):
        world.wait(31)
        world.poll()
    seen = world.observation()
    other = Wallet(name="futures", currency="USDC", total=D(70), free=D(70))
    for wallets in ((other, *seen.account.wallets), seen.account.wallets):
        for _ in range(4):
            world.wait(6)
            at = replace(
                seen,
                at=world.now,
                account_at=world.now,
                account=replace(seen.account, wallets=wallets),
            )
            world.books, report = looking.look(world.books, at)
            world.books, _ = books.read(world.books, (), asked_at=world.now)
            assert (report.is_explained, report.findings) == (True, ())


@pytest.mark.parametrize("seen_first", ["futures", "margin"])
def test_an_opening_between_the_two_ends_of_a_persons_move_is_put_right(seen_first: Where) -> None:
    world = LedgerWorld()
    row = ledger_world.row_of(add("7"), D(7), world.now, "by hand")
    world._book(row, since=world.now)
    seen_later: Where = "margin" if seen_first == "futures" else "futures"
    change = {"futures": D(-7), "margin": D(7)}
    world._change(seen_first, change[seen_first])
    world.poll()  # opens the books
    world._change(seen_later, change[seen_later])
    for _ in range(4):
        world.wait(11)
        report = world.poll()
    assert report.is_explained, report.picture
    assert world.usable("futures") == world.money["futures"]


def test_what_moves_nothing_or_had_no_effect_before_the_opening_is_not_followed() -> None:
    ledger = transit.opened(an_observation(futures="1000", spot="500").account)
    stop = PlaceStop(key=PositionKey(BTC, Side.LONG), size=D(1), stop_price=D(1), is_needed=True)
    assert transit.followed(ledger, [an_intent(action=stop)]) == ledger
    refused = an_intent(state=IntentState.REJECTED)
    assert transit.followed(ledger, [refused], is_carried=True) == ledger
