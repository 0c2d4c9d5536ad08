"""When is what nobody here did taken over, by what is read or because a person looked?"""

from dataclasses import replace
from decimal import Decimal as D

from bot.domain.intent import IntentState
from bot.execute import books, looking, transit
from bot.execute.foreign import Actor
from tests.kit.builders import BTC
from tests.kit.ledger_lines import FUTURES
from tests.kit.ledger_world import LedgerWorld, remove, transfer


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
