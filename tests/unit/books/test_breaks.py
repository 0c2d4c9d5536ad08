"""When is what is not explained a break, and when is it only late?"""

from decimal import Decimal as D

from bot.domain.ledger import RowKind
from tests.kit.ledger_world import LedgerWorld, transfer


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
