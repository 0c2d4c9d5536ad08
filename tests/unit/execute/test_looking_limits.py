"""What one look makes of books in a known state: agreed, taken over, adopted, forgotten."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.account import Wallet
from bot.domain.intent import IntentState
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.observation import Observation
from bot.execute import books, looking, transit
from bot.execute.books import Books, Doubt
from bot.execute.foreign import Sent
from bot.execute.transit import Booked, Place
from tests.kit.builders import BTC, a_position, a_stop, an_observation
from tests.kit.ledger_lines import (
    FUTURES,
    MARGIN,
    OPENED,
    SPOT,
    a_fee,
    a_move,
    a_row,
    after,
    an_intent,
)
from tests.kit.ledger_world import add, remove

CARRIED = transit.entry_of(a_fee(-3), is_carried=True)


def a_look(
    seconds: float,
    *,
    futures: str = "1000",
    spot: str = "500",
    margin: str = "300",
    size: str = "1",
    others: Iterable[tuple[str, str]] = (),
) -> Observation:
    held = a_position(margin=margin, size=size)
    seen = an_observation(held, futures=futures, spot=spot, at=after(seconds))
    more = tuple(
        Wallet(name=name, currency="USDT", total=D(total), free=D(total)) for name, total in others
    )
    return replace(seen, account=replace(seen.account, wallets=(*seen.account.wallets, *more)))


def a_doubt(where: str, amount: str, *, since: float = 0, looks: int = 1) -> Doubt:
    at = after(since)
    return Doubt(where=where, asset="USDT", amount=D(amount), since=at, first=at, looks=looks)


def having(*doubts: Doubt, entries: Iterable[Booked] = (), **changes: object) -> Books:
    """Return books that were read and have agreed."""
    values = {"doubts": doubts, "read_at": after(15), "has_agreed": True} | changes
    ledger = replace(OPENED.ledger, booked=tuple(entries))
    return replace(OPENED, ledger=ledger, **values)  # type: ignore[arg-type]  # any field by name


def carried(kept: Books) -> list[str]:
    return [entry.id for entry in kept.ledger.booked if entry.is_carried]


# whether they have ever agreed


def test_books_agree_once_a_later_look_follows_from_what_is_certain() -> None:
    first, _ = looking.look(OPENED, a_look(0))
    assert not first.has_agreed  # it is the opening itself
    assert looking.look(first, a_look(0.1))[0].has_agreed
    beside = replace(first, ledger=transit.booked(first.ledger, CARRIED))
    assert not looking.look(beside, a_look(0.1))[0].has_agreed


def test_breaks_are_forgotten_when_books_agree_for_the_first_time_only() -> None:
    breaks = ((after(1), "x"),)
    assert looking.look(having(has_agreed=False, breaks=breaks), a_look(2))[0].breaks == ()
    assert looking.look(having(breaks=breaks), a_look(2))[0].breaks == breaks
    beside = having(has_agreed=False, breaks=breaks, entries=[CARRIED])
    kept, _ = looking.look(beside, a_look(2))
    assert (kept.has_agreed, kept.breaks) == (False, breaks)


@pytest.mark.parametrize("spot_since", [0, 0.1])
def test_books_that_never_agreed_begin_anew_once_all_that_is_strange_has_lasted(
    spot_since: float,
) -> None:
    never = having(
        a_doubt("futures", "5"), a_doubt("spot", "7", since=spot_since), has_agreed=False
    )
    kept, report = looking.look(never, a_look(16, futures="1005", spot="507"))
    begins = spot_since == 0
    assert kept.has_agreed is begins
    assert (kept.doubts == ()) is begins
    assert kept.is_broken is report.is_broken is not begins
    assert len(kept.breaks) == (0 if begins else 1)


def test_two_breaks_of_books_that_never_agreed_say_the_same() -> None:
    breaks = ((after(1), "x"), (after(2), "y"))
    for has_agreed in (True, False):
        kept = having(breaks=breaks, has_agreed=has_agreed)
        assert looking.look(kept, a_look(3, futures="1005"))[1].is_repeated is has_agreed


@pytest.mark.parametrize(("seconds", "is_repeated"), [(3600, True), (3601, False)])
def test_a_second_break_is_one_within_the_hour(seconds: float, is_repeated: bool) -> None:
    kept = having(
        a_doubt("futures", "5", since=seconds - 20),
        breaks=((after(0.5), "x"),),
        read_at=after(seconds - 1),
    )
    kept, report = looking.look(kept, a_look(seconds, futures="1005"))
    assert report.is_repeated is is_repeated
    assert len(kept.breaks) == 1 + is_repeated


@pytest.mark.parametrize("age", [3599.9, 3600])
def test_a_break_is_remembered_for_less_than_an_hour(age: float) -> None:
    kept = having(breaks=((after(1), "futures 5 USDT"),), read_at=after(age))
    doubtful = replace(kept, doubts=(a_doubt("futures", "5", since=age - 20),))
    assert len(looking.look(kept, a_look(1 + age))[0].breaks) == (age < 3600)
    kept, _ = looking.look(doubtful, a_look(1 + age, futures="1005"))
    assert [at for at, _ in kept.breaks] == [after(1) if age < 3600 else after(1 + age)]


# what a person has looked at


def test_what_has_lasted_since_a_person_looked_is_taken_over() -> None:
    strange = a_look(16, futures="1012", margin="293")
    doubts = (a_doubt("futures", "5"), a_doubt(BTC, "-7"))
    for accepted_at, order in ((0, doubts), (0, doubts[::-1]), (-0.1, doubts)):
        kept = having(*order, accepted_at=after(accepted_at))
        kept, report = looking.look(kept, strange)
        assert report.is_explained is (accepted_at == 0)
    young = a_doubt("spot", "3", since=1)
    kept = having(young, *doubts, accepted_at=after(2))
    kept, _ = looking.look(kept, a_look(15.5, futures="1012", margin="293", spot="503"))
    assert [doubt.where for doubt in kept.doubts] == ["spot"]


def test_while_a_line_beside_the_opening_may_be_all_of_it_nothing_is_taken_over() -> None:
    kept = having(a_doubt("futures", "5", since=-15), accepted_at=after(0), entries=[CARRIED])
    assert not looking.look(kept, a_look(1, futures="1005"))[1].is_explained
    without = replace(kept, ledger=OPENED.ledger)
    assert looking.look(without, a_look(1, futures="1005"))[1].is_explained


# margins


@pytest.mark.parametrize(
    ("size", "margin", "shift"),
    [
        pytest.param("1", "290", "0", id="not filled: it may be the move itself"),
        pytest.param("0.5", "290", "-10", id="filled: at least this much was released"),
        pytest.param("0.5", "300", "0", id="filled, and nothing to see of it"),
        pytest.param("0.5", "300.5", "0", id="filled, and part of the move to see"),
        pytest.param("2", "310", "0", id="filled: it may be the move itself"),
    ],
)
def test_while_a_move_of_a_margin_is_open_only_what_a_fill_released_is_shifted(
    size: str, margin: str, shift: str
) -> None:
    kept, _ = books.told(OPENED, [an_intent(action=add("50.00001"))], at=after(0))
    kept, _ = looking.look(kept, a_look(1, size=size, margin=margin))
    assert kept.ledger.balances()[MARGIN] == 300 + D(shift)
    assert len(kept.ledger.booked) == (D(shift) != 0)


def test_a_line_that_a_look_does_not_have_yet_is_not_taken_back() -> None:
    kept, _ = books.read(having(), [a_row("7", seconds=60)], asked_at=after(61))
    kept, report = looking.look(kept, a_look(60.4))
    assert kept.ledger.balances()[MARGIN] == 307
    assert report.is_explained


@pytest.mark.parametrize(("margin", "is_explained"), [("300.00000001", False), ("300", True)])
def test_the_smallest_step_of_a_margin_is_a_change(margin: str, is_explained: bool) -> None:
    futures = str(D(1300) - D(margin))
    assert looking.look(having(), a_look(1, margin=margin, futures=futures))[1].is_explained is (
        is_explained
    )


@pytest.mark.parametrize(("count", "is_explained"), [(6, True), (7, False)])
def test_the_sums_of_the_last_six_payments_are_tried(count: int, is_explained: bool) -> None:
    recent = tuple(
        a_row(str(2**n), seconds=n, kind=RowKind.FUNDING, name=str(n)) for n in range(count)
    )
    total = 2**count - 1
    seen = a_look(20, margin=str(300 + total), futures=str(1000 - total))
    assert looking.look(having(recent=recent), seen)[1].is_explained is is_explained


@pytest.mark.parametrize(
    ("kind", "shift", "is_explained"),
    [
        pytest.param(RowKind.MARGIN_ADDED, 7, True, id="a move that shows as itself"),
        pytest.param(RowKind.MARGIN_ADDED, -7, True, id="a move that a look had before its line"),
        pytest.param(RowKind.FUNDING, 7, True, id="a payment"),
        pytest.param(RowKind.FUNDING, -7, False, id="no payment goes back"),
    ],
)
def test_a_margin_changes_by_payments_and_by_moves_either_way(
    kind: RowKind, shift: int, is_explained: bool
) -> None:
    kept = having(recent=(a_row("7", seconds=1, kind=kind),))
    seen = a_look(20, margin=str(300 + shift), futures=str(1000 - shift))
    assert looking.look(kept, seen)[1].is_explained is is_explained


def test_margin_that_nothing_explains_is_adopted_with_its_amount_once_it_lasts() -> None:
    seen = a_look(15, margin="293", futures="1007")
    kept, report = looking.look(having(a_doubt(BTC, "-7")), seen)
    assert [(found.symbol, found.amount) for found in report.findings] == [(BTC, D(-7))]
    assert kept.ledger.balances()[MARGIN] == 293


# wallets that nobody lists


def test_what_reached_a_wallet_is_adopted_once_it_lasts_whatever_other_wallets_have() -> None:
    wallets = [("earn", "40")]
    kept, _ = looking.look(
        books.open_books(a_look(0, others=wallets), (), writer=OPENED.writer),
        a_look(1, others=wallets),
    )
    doubts = (a_doubt("earn", "9", since=0.1), a_doubt("spot", "5"))
    kept = replace(kept, doubts=doubts, read_at=after(15))
    kept, report = looking.look(kept, a_look(16, spot="505", others=[("earn", "49")]))
    assert [(found.text.split()[0], found.amount) for found in report.findings] == [("spot", D(0))]
    assert kept.ledger.balance(SPOT) == 505
    assert [doubt.where for doubt in kept.doubts] == ["earn"]


def test_nothing_is_adopted_while_a_line_beside_the_opening_may_be_all_of_it() -> None:
    doubt = a_doubt("spot", "5", since=-15)
    for entries in ([], [CARRIED]):
        kept = having(doubt, entries=entries, read_at=after(0))
        assert len(looking.look(kept, a_look(1, spot="505"))[1].findings) == (not entries)


# lines beside the opening


@pytest.mark.parametrize(("seconds", "is_decided"), [(14.9, False), (15, True)])
@pytest.mark.parametrize("is_in_the_opening", [False, True])
def test_a_line_beside_the_opening_is_decided_when_no_answer_is_as_old(
    is_in_the_opening: bool, seconds: float, is_decided: bool
) -> None:
    # A move that is on its way keeps the ledger from being opened anew.
    later = transit.entry_of(a_fee(1))
    lacks = D(0) if is_in_the_opening else D(-1)
    kept = having(entries=[later, CARRIED], supposed=(_lacking(lacks), after(-15)))
    kept = replace(kept, read_at=after(0))
    kept, _ = books.told(kept, [an_intent()], at=after(0))
    kept, report = looking.look(kept, a_look(seconds, futures=str(999 + lacks)))
    assert report.is_explained
    assert (carried(kept) == []) is is_decided
    if is_decided:
        assert kept.ledger.balances()[FUTURES] == 999 + lacks


def _lacking(amount: D) -> tuple[tuple[str, str, D], ...]:
    return (("futures", "USDT", amount),) if amount else ()


@pytest.mark.parametrize(
    ("amount", "since", "read_at", "is_decided"),
    [
        pytest.param("-1", 15, 30, True, id="long ago, and every line was read"),
        pytest.param("-1", 15, 29.9, False, id="not long ago"),
        pytest.param("-1", 15, None, False, id="no line was read"),
        pytest.param("-2", 15, 30, False, id="something else"),
    ],
)
def test_what_the_opening_lacked_is_believed_when_the_same_explained_a_look_long_ago(
    amount: str, since: float, read_at: float | None, is_decided: bool
) -> None:
    kept = having(
        entries=[CARRIED],
        supposed=(_lacking(D(amount)), after(since)),
        read_at=None if read_at is None else after(read_at),
    )
    kept, _ = books.told(kept, [an_intent()], at=after(0))
    kept, report = looking.look(kept, a_look(31, futures="999"))
    assert report.is_explained is is_decided
    assert (carried(kept) == []) is is_decided
    # What is supposed now is remembered from the look that said so first.
    same = amount == "-1"
    assert kept.supposed == (_lacking(D(-1)), after(since if same else 31))


def test_what_was_supposed_is_not_believed_of_something_else() -> None:
    kept = having(entries=[CARRIED], supposed=(_lacking(D(-1)), after(15)), read_at=after(30))
    kept, report = looking.look(kept, a_look(31, futures="996"))
    assert (carried(kept), report.picture) == ([CARRIED.id], "futures -4 USDT")


def test_only_a_line_beside_the_opening_may_have_one_end_there() -> None:
    moved = transit.entry_of(a_move("7"))
    kept = having(a_doubt("futures", "-1"), a_doubt("spot", "7"), entries=[CARRIED, moved])
    kept, report = looking.look(kept, a_look(16, futures="1006", spot="500"))
    assert carried(kept) == []
    assert [found.text.split()[:4] for found in report.findings] == [["spot", "changed", "by", "7"]]


def test_several_wallets_decide_about_the_opening_only_once_all_of_them_last() -> None:
    doubts = (a_doubt("futures", "-1"), a_doubt("spot", "5", since=0.1))
    for order in (doubts, doubts[:1], (doubts[0], replace(doubts[1], since=after(0)))):
        kept, _ = looking.look(
            having(*order, entries=[CARRIED]), a_look(16, futures="999", spot="505")
        )
        assert bool(carried(kept)) is (order[-1].since != after(0) or len(order) == 1)


@pytest.mark.parametrize(("amount", "rest"), [("-4", "-3"), ("-2", "-1")])
def test_only_what_a_line_explains_is_taken_for_the_opening(amount: str, rest: str) -> None:
    kept = having(a_doubt("futures", amount), entries=[CARRIED])  # a fee of 1, and something else
    kept, report = looking.look(kept, a_look(16, futures=str(1000 + D(amount))))
    assert (carried(kept), kept.ledger.balances()[FUTURES]) == ([], D(999))
    assert report.picture == f"futures {rest} USDT"


@pytest.mark.parametrize(("futures", "spot"), [("1007", "500"), ("1000", "493")])
def test_an_opening_that_has_one_end_of_a_persons_transfer_is_put_right_and_alarms_nobody(
    futures: str, spot: str
) -> None:
    kept = having(entries=[transit.entry_of(a_move("7", -3), is_carried=True)])
    for seconds in (1, 15, 30, 45):
        kept, report = looking.look(kept, a_look(seconds, futures=futures, spot=spot))
        kept, _ = books.read(kept, (), asked_at=after(seconds))
        assert report.findings == ()
    assert report.is_explained
    assert kept.ledger.balances()[FUTURES] == D(futures)
    assert kept.ledger.balances()[SPOT] == D(spot)


def test_books_without_such_lines_are_not_touched_however_long_something_lasts() -> None:
    kept, _ = looking.look(having(a_doubt("futures", "5")), a_look(16, futures="1005"))
    assert kept.ledger.booked == ()


@pytest.mark.parametrize(("seconds", "is_young"), [(14.9, True), (15, False)])
def test_books_that_agree_take_over_the_look_once_no_answer_is_as_old_as_the_opening(
    seconds: float, is_young: bool
) -> None:
    other = Place("futures", "BNB")
    kept = having(entries=[CARRIED])
    kept = replace(kept, ledger=replace(kept.ledger, opening=((other, D(5)), *kept.ledger.opening)))
    kept, report = looking.look(kept, a_look(seconds))
    assert report.is_explained
    assert bool(carried(kept)) is is_young
    assert (other in kept.ledger.balances()) is is_young


# what is forgotten


def test_names_lines_and_intents_are_forgotten_after_a_day_and_open_intents_never() -> None:
    day = timedelta(days=1).total_seconds()
    over = an_intent("plabcd0003000001", state=IntentState.REJECTED)
    open_ = an_intent("plabcd0003000002", action=remove("5"))
    kept = having(
        names={"a": after(0)}, seen={"b": after(0)}, sent=(Sent(intent=over), Sent(intent=open_))
    )
    young, _ = looking.look(kept, a_look(day - 0.1))
    assert (len(young.names), len(young.seen), len(young.sent)) == (1, 1, 2)
    old, _ = looking.look(kept, a_look(day))
    assert (len(old.names), len(old.seen), old.sent) == (0, 0, (Sent(intent=open_),))


@pytest.mark.parametrize(("age", "is_kept"), [(599.9, True), (600, False)])
def test_payments_are_remembered_for_ten_minutes_and_foreign_moves_for_twenty(
    age: float, is_kept: bool
) -> None:
    row: LedgerRow = a_move("3", seconds=0)
    kept = having(recent=(row,), foreign=(row,))
    assert len(looking.look(kept, a_look(age))[0].recent) == is_kept
    assert len(looking.look(kept, a_look(2 * age))[0].foreign) == is_kept


# whose orders stand


def with_stops(seconds: float, *numbers: str, are_read: bool = True) -> Observation:
    """Return a look that shows orders of a bot that nobody here knows."""
    seen = a_look(seconds)
    stops = tuple(
        replace(a_stop("55000", stop_id=number), client_id=f"plzzzz000900000{number}")
        for number in numbers
    )
    stops_at = seen.account_at if are_read else None
    return replace(seen, account=replace(seen.account, stops=stops, stops_at=stops_at))


def strangers(*looks: Observation) -> list[int]:
    """Return how many findings each look but the first brings."""
    kept, found = books.open_books(looks[0], (), writer=OPENED.writer), []
    for seen in looks[1:]:
        kept, report = looking.look(kept, seen)
        found.append(len(report.findings))
    return found


def test_each_strange_order_is_said_once_also_when_it_comes_back() -> None:
    looks = (with_stops(0, "1"), with_stops(1), with_stops(2, "1", "2"), with_stops(3, "2"))
    assert strangers(*looks, with_stops(4), with_stops(5, "2")) == [0, 1, 0, 0, 0]


def test_strangers_are_found_once_it_was_seen_which_orders_stood() -> None:
    blind = (with_stops(0, are_read=False), with_stops(1, are_read=False))
    assert strangers(*blind, with_stops(2, "1"), with_stops(3, "1", "2")) == [0, 0, 1]
    later = (with_stops(1, are_read=False), with_stops(2, "1"))
    assert strangers(with_stops(0), *later) == [0, 1]
