"""What does a look need, and what of it is nobody's move?"""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.ledger import RowKind
from bot.execute import books, looking
from tests.kit.builders import NOON, a_position, a_stop, an_observation
from tests.kit.ledger_lines import FUTURES, MARGIN, a_row, an_intent
from tests.kit.ledger_world import WRITER, LedgerWorld, Where


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


@pytest.mark.parametrize("where", ["margin", "futures"])
def test_funding_is_found_in_the_margin_or_the_wallet_and_is_nobodys_move(where: Where) -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(11)
    world.pay(RowKind.FUNDING, D("-1.25"), where=where)
    world.wait(1)
    assert world.poll().is_explained
    assert not world.findings
    assert world.books.ledger.balance(MARGIN) == world.money["margin"]


def test_margin_that_a_fill_releases_returns_to_the_wallet_and_is_nobodys_move() -> None:
    world = LedgerWorld()
    world.poll()
    world.wait(11)
    world.fill(D("0.5"))
    world.wait(1)
    report = world.poll()
    assert (report.is_explained, report.findings, world.findings) == (True, (), [])
    assert world.usable("futures") == D("1149.63")


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
