"""Where exactly each limit of the books lies: what is still waited for beside what is not."""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.domain.action import PlaceStop
from bot.domain.intent import Intent, IntentState
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.observation import Observation
from bot.execute import books, looking
from bot.execute.books import Books, Doubt
from bot.execute.foreign import Actor
from tests.kit.builders import NOON, a_position, a_stop, an_observation
from tests.kit.ledger_lines import FUTURES, MARGIN, OPENED, a_fee, a_move, a_row, after, an_intent
from tests.kit.ledger_world import KEY, WRITER, add, transfer

STOP = PlaceStop(key=KEY, size=D(1), stop_price=D(50000), is_needed=True)
SEEN = an_observation(a_position(margin="300"), futures="1000", spot="500")


def at(seconds: float, *, futures: str = "1000", margin: str = "300") -> Observation:
    held = a_position(margin=margin)
    return an_observation(held, futures=futures, spot="500", at=after(seconds))


def a_doubt(*, since: float = 0, first: float = 0, looks: int = 1, amount: str = "5") -> Doubt:
    return Doubt(
        where="futures",
        asset="USDT",
        amount=D(amount),
        since=after(since),
        first=after(first),
        looks=looks,
    )


def having(*doubts: Doubt, read_at: float | None = 0, has_agreed: bool = True) -> Books:
    at = None if read_at is None else after(read_at)
    return replace(OPENED, doubts=doubts, read_at=at, has_agreed=has_agreed)


def test_books_that_were_just_opened_doubt_nothing_and_have_agreed_with_nothing() -> None:
    assert (OPENED.picture, OPENED.is_broken, OPENED.has_agreed) == ("", False, False)
    assert OPENED.wants_rows(NOON)


def test_what_is_not_explained_is_told_with_its_place_its_amount_and_its_asset() -> None:
    assert having(a_doubt(), a_doubt(amount="-7")).picture == "futures 5 USDT, futures -7 USDT"


def test_the_ledger_is_read_from_a_minute_before_the_last_reading_or_the_opening() -> None:
    assert having(read_at=None).since == after(-60)
    assert having(read_at=100).since == after(40)


@pytest.mark.parametrize(
    ("doubt", "read_at", "is_break"),
    [
        pytest.param(a_doubt(), None, False, id="never read"),
        pytest.param(a_doubt(), 14.9, False, id="an old answer"),
        pytest.param(a_doubt(), 15, True, id="no answer is that old"),
        pytest.param(a_doubt(since=50, looks=6), 59.9, False, id="changes for less than a minute"),
        pytest.param(a_doubt(since=50, looks=6), 60, True, id="changes for a minute"),
        pytest.param(a_doubt(since=50, looks=5), 60, False, id="too few looks"),
    ],
)
def test_what_stays_strange_for_long_or_changes_each_time_is_a_break(
    doubt: Doubt, read_at: float | None, is_break: bool
) -> None:
    assert having(read_at=read_at).is_break(doubt) is is_break


@pytest.mark.parametrize(
    ("kept", "seconds", "is_due"),
    [
        pytest.param(having(), 59.9, False, id="all agrees"),
        pytest.param(having(), 60, True, id="a minute later"),
        pytest.param(having(a_doubt()), 9.9, False, id="just read"),
        pytest.param(having(a_doubt()), 10, True, id="something is strange"),
        pytest.param(having(a_doubt(since=-15)), 10, False, id="a break has no line"),
        pytest.param(having(a_doubt(since=-15), a_doubt()), 10, True, id="a break and more"),
        pytest.param(having(a_doubt(since=-15), has_agreed=False), 10, True, id="a wrong opening"),
    ],
)
def test_the_ledger_is_read_again_soon_while_a_line_could_still_explain_something(
    kept: Books, seconds: float, is_due: bool
) -> None:
    assert kept.wants_rows(after(seconds)) is is_due


def test_each_look_that_leaves_something_counts_and_a_new_amount_begins_anew() -> None:
    kept = OPENED
    for seconds, futures in ((1, "1005"), (2, "1005"), (3, "1006")):
        kept, _ = looking.look(kept, at(seconds, futures=futures))
    assert kept.doubts == (a_doubt(amount="6", since=3, first=1, looks=3),)
    assert looking.look(kept, at(4))[0].doubts == ()


# what is booked of a reading


@pytest.mark.parametrize(
    ("row", "booked"),
    [
        pytest.param(a_fee(-15.1), [], id="in the opening"),
        pytest.param(a_fee(-15), [True], id="the opening may be so old an answer"),
        pytest.param(a_fee(0.5), [True], id="within the clock bound"),
        pytest.param(a_fee(0.6), [False], id="after the opening"),
        pytest.param(a_fee(0.6, asset="BNB"), [], id="an asset that nobody watches"),
        pytest.param(a_fee(-15.1, asset="BNB"), [], id="neither"),
    ],
)
def test_a_line_is_booked_from_the_oldest_answer_on_and_carried_beside_the_opening(
    row: LedgerRow, booked: list[bool]
) -> None:
    kept, _ = books.read(OPENED, [row], asked_at=after(2))
    assert [entry.is_carried for entry in kept.ledger.booked] == booked
    assert kept.seen == {row.id: row.at}


@pytest.mark.parametrize(("seconds", "found"), [(-0.1, 0), (0, 1)])
def test_a_move_is_foreign_from_the_opening_on(seconds: float, found: int) -> None:
    _, findings = books.read(OPENED, [a_row("7", seconds=seconds)], asked_at=after(2))
    assert len(findings) == found


def test_a_line_of_our_own_move_is_not_booked_beside_the_move() -> None:
    sent = an_intent(action=add("50.00001"), state=IntentState.APPLIED, applied=D("50.00001"))
    kept, _ = books.told(OPENED, [sent], at=NOON)
    kept, findings = books.read(kept, [a_row("50.00001", seconds=1)], asked_at=after(2))
    assert (kept.ledger.booked, kept.recent, findings) == ((), (), ())
    assert kept.ledger.balance(MARGIN) == D("350.00001")


def test_payments_and_foreign_moves_may_show_inside_a_margin_and_fees_may_not() -> None:
    funding = a_row("-2", seconds=1, kind=RowKind.FUNDING)
    foreign, moved = a_row("7", seconds=2), a_move("3", seconds=3)
    kept, _ = books.read(OPENED, [funding, foreign, moved, a_fee(4)], asked_at=after(5))
    assert kept.recent == (funding, foreign)


def test_a_part_that_was_taken_for_ours_is_booked_once_the_whole_shows() -> None:
    kept, _ = books.told(OPENED, [an_intent(action=transfer("50.00001"))], at=NOON)
    kept, findings = books.read(kept, [a_move("20")], asked_at=after(2))
    assert (kept.ledger.booked, findings) == ((), ())
    kept, findings = books.read(kept, [a_move("50.00001", 2)], asked_at=after(3))
    assert [found.actor for found in findings] == [Actor.EXTERNAL]
    assert kept.ledger.balance(FUTURES) == D(1020)


def test_the_latest_foreign_move_counts_for_how_long_it_is_suspicious() -> None:
    kept, _ = books.read(OPENED, [a_row("7", seconds=300), a_row("8")], asked_at=after(301))
    assert kept.suspicious_until == after(900)
    kept, _ = books.read(kept, [a_row("9", seconds=200)], asked_at=after(302))
    assert kept.suspicious_until == after(900)
    assert books.alerted(OPENED, ()).suspicious_until is None


# what is told of intents


@pytest.mark.parametrize(("seconds", "is_found"), [(-0.6, False), (-0.5, True), (0, True)])
@pytest.mark.parametrize("is_margin", [False, True])
def test_a_line_that_its_intent_belies_is_found_and_booked_from_the_opening_on(
    seconds: float, is_margin: bool, is_found: bool
) -> None:
    action = add("50.00001") if is_margin else transfer("50.00001")
    sent = an_intent(action=action, written_at=after(-1), sent_at=after(-1))
    kept = books.open_books(SEEN, [sent], writer=WRITER)
    row = a_row("50.00001", seconds=seconds) if is_margin else a_move("50.00001", seconds)
    kept, found = books.read(kept, [row], asked_at=after(2))
    assert (kept.sent[0].row, found) == (row, ())
    kept, found = books.told(kept, [replace(sent, state=IntentState.ABSENT)], at=after(3))
    assert kept.sent[0].row is None
    assert len(kept.ledger.booked) == len(found) == is_found
    assert [f.amount for f in found] == [D("50.00001") if is_margin else 0] * is_found


def test_a_line_that_its_intent_bears_out_stays_with_it() -> None:
    sent = an_intent(action=transfer("50.00001"))
    kept, _ = books.told(OPENED, [sent], at=NOON)
    kept, _ = books.read(kept, [a_move("50.00001")], asked_at=after(2))
    over = replace(sent, state=IntentState.APPLIED, applied=D("50.00001"))
    kept, found = books.told(kept, [over], at=after(3))
    assert (kept.sent[0].row, kept.ledger.booked, found) == (a_move("50.00001"), (), ())


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(an_intent("plabcd0003000001", action=STOP), id="an order"),
        pytest.param(
            an_intent("plabcd0003000002", state=IntentState.REJECTED), id="one that has ended"
        ),
    ],
)
def test_an_intent_that_moves_nothing_more_does_not_hide_the_next(before: Intent) -> None:
    kept, _ = books.told(OPENED, [before], at=NOON)
    kept, _ = books.told(kept, [before, an_intent("plabcd0003000003")], at=NOON)
    assert kept.ledger.pending("USDT") == D("100.00001")


def test_an_order_that_was_sent_before_the_books_is_no_stranger() -> None:
    sent = an_intent("plabcd0003000001", action=STOP)
    kept = books.open_books(SEEN, [sent], writer=WRITER)
    stop = replace(a_stop("55000", stop_id="1"), client_id=sent.id)
    seen = an_observation(a_position(margin="300"), futures="1000", spot="500", stops=(stop,))
    assert kept.knows_stops
    assert looking.look(kept, seen)[1].findings == ()
