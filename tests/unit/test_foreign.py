"""What a line of the venue's ledger says about who wrote it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from bot.domain.action import Action, AddMargin, PlaceStop, RemoveMargin, Transfer
from bot.domain.intent import IntentState
from bot.domain.ledger import LedgerRow, RowKind
from bot.domain.position import Side
from bot.domain.timing import WINDOW
from bot.execute.arithmetic import tag_of
from bot.execute.foreign import Actor, Sent, classified, explained, strange_names
from tests.kit.builders import BTC, NOON, a_position
from tests.kit.ledger_lines import a_row, an_intent, tagged
from tests.kit.ledger_world import WRITER, row_of

KEY = a_position().key
ADD = AddMargin(key=KEY, amount=D("100.00001"), currency="USDT")
REMOVE = RemoveMargin(key=KEY, amount=D("40.00001"), currency="USDT")
OUT = Transfer(source="futures", destination="spot", amount=D("30.00001"), currency="USDT")
STOP = PlaceStop(key=KEY, size=D(1), stop_price=D(50000), is_needed=True)


@pytest.mark.parametrize("action", [ADD, REMOVE, OUT])
def test_a_move_of_ours_that_comes_again_is_nobody_elses(action: Action) -> None:
    row = row_of(action, action.amount, NOON, "again")  # type: ignore[union-attr]  # all move money
    (found,) = classified([row], [], WRITER, own=[STOP, action])
    assert (found.actor, found.is_repeat) == (Actor.EXTERNAL, True)
    (found,) = classified([row], [], WRITER, own=[STOP])
    assert (found.actor, found.is_repeat) == (Actor.EXTERNAL, False)


# whose line it is

ONE = an_intent("plabcd0003000001", action=ADD)
TWO = an_intent("plabcd0003000002", action=replace(ADD, amount=D("60.00002")))


@pytest.mark.parametrize("actor", Actor)
def test_an_actor_is_its_name(actor: Actor) -> None:
    assert actor.value == actor.name.lower()


def test_a_line_that_nobody_explains_does_not_hide_the_next() -> None:
    rows = [a_row("7", seconds=0.5), a_row("100.00001", seconds=1)]
    sent, foreign = explained(rows, [Sent(intent=ONE)], window=WINDOW)
    assert (sent[0].row, foreign) == (rows[1], (rows[0],))


def test_an_exact_amount_is_not_taken_for_part_of_another() -> None:
    row = a_row("60.00002", seconds=1)
    sent, foreign = explained([row], [Sent(intent=ONE), Sent(intent=TWO)], window=WINDOW)
    assert ([entry.row for entry in sent], foreign) == ([None, row], ())


def test_a_part_goes_to_an_intent_that_has_no_line_yet() -> None:
    rows = [a_row("100.00001", seconds=1), a_row("20", seconds=2)]
    sent, foreign = explained(rows, [Sent(intent=ONE), Sent(intent=TWO)], window=WINDOW)
    assert ([entry.row for entry in sent], foreign) == (rows, ())


@pytest.mark.parametrize(
    ("sent_at", "seconds", "amount", "is_ours"),
    [
        pytest.param(2, 1.4, "100.00001", False, id="before it was sent"),
        pytest.param(2, 1.5, "100.00001", True, id="sent within the clock bound"),
        pytest.param(None, -0.6, "100.00001", False, id="before it was written"),
        pytest.param(None, -0.5, "100.00001", True, id="written within the clock bound"),
        pytest.param(2, 9.5, "40", True, id="part, until the request is settled"),
        pytest.param(2, 9.6, "40", False, id="part, later"),
        pytest.param(2, 999, "100.00001", True, id="all of it, whenever"),
    ],
)
def test_an_intent_explains_what_took_effect_while_its_request_could(
    sent_at: float | None, seconds: float, amount: str, is_ours: bool
) -> None:
    at = None if sent_at is None else NOON + timedelta(seconds=sent_at)
    row = a_row(amount, seconds=seconds)
    _, foreign = explained([row], [Sent(intent=replace(ONE, sent_at=at))], window=WINDOW)
    assert (foreign == ()) is is_ours


@pytest.mark.parametrize(
    ("state", "applied", "amount", "is_ours"),
    [
        (IntentState.APPLIED, "40", "40", True),
        (IntentState.APPLIED, "40", "100.00001", False),
        (IntentState.APPLIED, "40", "20", False),
        (IntentState.APPLIED, "200", "100.00001", True),
        (IntentState.APPLIED, None, "100.00001", True),
        (IntentState.APPLIED, None, "40", True),
        (IntentState.UNKNOWN, "40", "100.00001", True),
        (IntentState.UNKNOWN, "40", "60", True),
        (IntentState.ABSENT, None, "100.00001", False),
    ],
)
def test_an_intent_that_has_ended_explains_what_was_proven_and_no_other(
    state: IntentState, applied: str | None, amount: str, is_ours: bool
) -> None:
    intent = replace(ONE, state=state, applied=None if applied is None else D(applied))
    _, foreign = explained([a_row(amount, seconds=1)], [Sent(intent=intent)], window=WINDOW)
    assert (foreign == ()) is is_ours


@pytest.mark.parametrize(
    ("action", "changes", "is_ours"),
    [
        (ADD, {}, True),
        (ADD, {"wallet": "coin"}, False),
        (ADD, {"side": KEY.side}, True),
        (REMOVE, {}, True),
        (REMOVE, {"asset": "USDC"}, False),
        (OUT, {}, True),
        (OUT, {"asset": "USDC"}, False),
        (OUT, {"wallet": "coin"}, False),
        (OUT, {"other": "earn"}, False),
        (OUT, {"kind": RowKind.TRANSFER_IN}, False),
        (OUT, {"kind": RowKind.MARGIN_REMOVED}, False),
    ],
)
def test_a_line_is_ours_only_where_all_it_says_fits(
    action: AddMargin | RemoveMargin | Transfer, changes: dict[str, object], is_ours: bool
) -> None:
    row = replace(row_of(action, action.amount, NOON, "x"), **changes)  # type: ignore[arg-type]  # any field by name
    _, foreign = explained([row], [Sent(intent=an_intent(action=action))], window=WINDOW)
    assert (foreign == ()) is is_ours


# who it was


def test_neither_a_declared_line_nor_one_of_ours_again_hides_the_next() -> None:
    writer = replace(WRITER, actors=frozenset({"AUTO_ADD"}))
    declared = a_row("5", seconds=1, actor="AUTO_ADD")
    again, other = a_row("100.00001", seconds=2), a_row("7", seconds=3)
    found = classified([other, again, declared], (), writer, own=[ADD])
    assert [(f.actor, f.is_repeat) for f in found] == [
        (Actor.KNOWN, False), (Actor.EXTERNAL, True), (Actor.EXTERNAL, False)
    ]  # fmt: skip


def test_a_venue_that_names_nobody_has_named_nobody_declared() -> None:
    writer = replace(WRITER, actors=frozenset({""}))
    assert classified([a_row("5", actor="")], (), writer)[0].actor is Actor.EXTERNAL


@pytest.mark.parametrize("first", ["100", "100.00312"])
def test_a_line_without_digits_is_followed_by_nobody(first: str) -> None:
    row = a_row(tagged(epoch=5, counter=8), seconds=1)
    assert classified([row], (a_row(first),), WRITER)[0].actor is Actor.EXTERNAL


@pytest.mark.parametrize(
    ("step", "actor"), [("0.001", Actor.SECOND_WRITER), ("0.002", Actor.EXTERNAL)]
)
def test_a_step_of_which_a_unit_has_less_than_a_thousand_carries_no_digits(
    step: str, actor: Actor
) -> None:
    rows = [
        a_row(str((100_000 + tag_of(epoch=5, counter=n, scale=1_000)) * D(step)), seconds=n)
        for n in (7, 8)
    ]
    writer = replace(WRITER, step=D(step))
    assert classified(rows, (), writer)[-1].actor is actor


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (a_row("5"), f"margin_added of 5 USDT at {BTC}: no intent of ours explains it"),
        (
            a_row("-5", side=Side.LONG),
            f"margin_removed of -5 USDT at {BTC} long: no intent of ours explains it",
        ),
        (
            a_row("5", kind=RowKind.TRANSFER_IN, symbol="", other="spot"),
            "transfer_in of 5 USDT at spot to futures: no intent of ours explains it",
        ),
        (
            a_row("-5", kind=RowKind.TRANSFER_OUT, symbol="", other="spot"),
            "transfer_out of -5 USDT at futures to spot: no intent of ours explains it",
        ),
        (
            a_row("-5", kind=RowKind.TRANSFER_OUT, symbol=""),
            "transfer_out of -5 USDT at futures to outside: no intent of ours explains it",
        ),
    ],
)
def test_people_are_told_what_moved_where(row: LedgerRow, text: str) -> None:
    (found,) = classified([row], (), WRITER)
    assert (found.text, found.at, found.symbol, found.side) == (text, row.at, row.symbol, row.side)
    assert found.amount == (row.amount if row.symbol else 0)


def test_people_are_told_whose_digits_another_bot_continues() -> None:
    one, two = (a_row(tagged(epoch=5, counter=n), seconds=n) for n in (7, 8))
    text = classified([two], (one,), WRITER)[0].text
    assert text.endswith(f"its digits follow those of {one.amount} at {one.at.isoformat()}")


def test_names_of_earlier_runs_begin_with_the_first_and_end_before_the_second() -> None:
    names = ["plabcd0001000000", "plabcd0001000001", "plabcd0003000000", "plabcd0000zzzzzz"]
    writer = replace(WRITER, before=(names[0], names[2]))
    found = list(strange_names(names, frozenset(), writer, at=NOON))
    assert [f.text.split()[1] for f in found] == [names[2], names[3]]
    assert [f.amount for f in found] == [0, 0]
