"""Whose is a line of the venue's ledger: an intent's, a person's or a second writer's?"""

from dataclasses import replace
from decimal import Decimal as D

import pytest

from bot.domain.intent import IntentState
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.position import Side
from bot.domain.timing import WINDOW
from bot.execute.foreign import Actor, Sent, Writer, classified, explained, strange_names
from tests.kit.builders import BTC, NOON
from tests.kit.ledger_lines import a_row, an_intent, tagged
from tests.kit.ledger_world import STEP, WRITER, LedgerWorld, add, transfer


def test_an_intent_explains_one_line_of_two_equal_ones() -> None:
    intent = an_intent(action=add("100.00001"))
    rows = [a_row("100.00001", seconds=1, name="a"), a_row("100.00001", seconds=2, name="b")]
    sent, foreign = explained(rows, [Sent(intent=intent)], window=WINDOW)
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
    sent, foreign = explained(
        [row], [Sent(intent=an_intent(action=add("100.00001")))], window=WINDOW
    )
    assert foreign == (row,), why
    assert sent[0].row is None


def test_a_clipped_effect_is_ours_until_the_exact_one_comes() -> None:
    sent: tuple[Sent, ...] = (Sent(intent=an_intent(action=add("100.00001"))),)
    small, exact = a_row("40", seconds=1), a_row("100.00001", seconds=3)
    sent, foreign = explained([small], sent, window=WINDOW)
    assert (sent[0].row, foreign) == (small, ())
    sent, foreign = explained([exact], sent, window=WINDOW)
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
    assert explained([row], [Sent(intent=ours)], window=WINDOW)[1] == ()
    assert explained([row], [Sent(intent=other)], window=WINDOW)[1] == (row,)
    outside = replace(row, other="")
    assert explained([outside], [Sent(intent=ours)], window=WINDOW)[1] == (outside,)


# who it was, where no intent explains it


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
