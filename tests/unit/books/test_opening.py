"""What if the first look was torn, old, or beside a line that may be in it?"""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.domain.account import Wallet
from bot.domain.ledger import RowKind
from bot.execute import books, looking
from tests.kit import ledger_world
from tests.kit.ledger_lines import FUTURES, a_fee, a_row
from tests.kit.ledger_world import LedgerWorld, Where, add


def test_lines_from_before_the_books_are_neither_booked_nor_foreign() -> None:
    world = LedgerWorld()
    old = [a_row("40", seconds=-30), a_fee(-2)]
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
    fee = a_fee(seconds)
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
