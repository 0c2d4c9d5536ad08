"""Does the judge of the exchange's books see each thing that must not be, and nothing else?"""

from decimal import Decimal as D

import pytest

from bot.judge.ledger import (
    DAY_MS,
    RE_ADD_MS,
    SEEN_WITHIN_MS,
    Fill,
    Limits,
    Move,
    Passage,
    faults,
    unbalanced,
)

LIMITS = Limits(
    margin_per_hour=D(100),
    margin_per_day=D(150),
    floors={"futures": D(50), "spot": D(20)},
    wallets=frozenset({"futures", "spot"}),
)
HOUR_MS = 3_600_000


def a_move(amount: str, at_ms: int = 0, *, left: str = "1000", by_bot: bool = True) -> Move:
    return Move(at_ms=at_ms, position="BTC", amount=D(amount), left=D(left), by_bot=by_bot)


def a_passage(
    amount: str,
    at_ms: int = 0,
    *,
    takes: int = 4000,
    source: str = "spot",
    destination: str = "futures",
    left: str = "1000",
) -> Passage:
    return Passage(
        at_ms=at_ms,
        arrived_ms=at_ms + takes,
        source=source,
        destination=destination,
        amount=D(amount),
        left=D(left),
    )


def words(*rows: Move | Passage | Fill, twice: frozenset[D] = frozenset()) -> list[str]:
    """Return the names of what is found."""
    found = faults(
        [row for row in rows if isinstance(row, Move)],
        [row for row in rows if isinstance(row, Passage)],
        [row for row in rows if isinstance(row, Fill)],
        LIMITS,
        delivered_twice=twice,
    )
    return [text.partition(":")[0] for text in found]


def test_nothing_is_found_where_nothing_happened() -> None:
    assert words() == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([a_move("10"), a_move("11", 5)], []),
        ([a_move("10"), a_move("10", 5)], ["I1"]),
        ([a_move("10"), a_move("10", DAY_MS)], []),
        ([a_move("10"), a_move("10", 5, by_bot=False)], []),
        ([a_passage("10"), a_passage("10", 5000)], ["I1"]),
        ([a_passage("10"), a_passage("10", 5000, source="futures", destination="spot")], []),
        ([a_move("60"), a_move("41", HOUR_MS - 1)], ["I7"]),
        ([a_move("60"), a_move("41", HOUR_MS)], []),
        ([a_move("60"), a_move("41", HOUR_MS), a_move("50", DAY_MS - 1)], ["I7"]),
        ([a_move("60"), a_move("-10", 1), a_move("40", 2)], []),
        ([a_move("10", left="49")], ["I10"]),
        ([a_move("-10", left="49")], []),
        ([a_move("10", left="49"), a_move("1", by_bot=False)], []),
        ([a_move("10", SEEN_WITHIN_MS, left="49"), a_move("1", by_bot=False)], ["I10"]),
        ([a_passage("10", left="19")], ["I10"]),
        ([a_passage("10", destination="elsewhere")], ["I9"]),
        ([a_passage("10"), a_passage("11", 3999)], ["I4"]),
        ([a_passage("10"), a_passage("11", 4000)], []),
        ([a_passage("10"), a_passage("11", 5, source="futures", destination="spot")], []),
    ],
)
def test_rows_are_judged(rows: list[Move | Passage], expected: list[str]) -> None:
    assert words(*rows) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [("2", "1", []), ("2", "0", []), ("-2", "-1", []), ("2", "3", ["I3"]), ("2", "-1", ["I3"]),
     ("-2", "-3", ["I3"])],
)  # fmt: skip
def test_a_fill_only_shrinks(before: str, after: str, expected: list[str]) -> None:
    assert words(Fill(at_ms=0, position="BTC", before=D(before), after=D(after))) == expected


@pytest.mark.parametrize(("later", "expected"), [(RE_ADD_MS - 1, []), (RE_ADD_MS, ["I10"])])
def test_released_margin_may_return_below_the_floor(later: int, expected: list[str]) -> None:
    fill = Fill(at_ms=0, position="BTC", before=D(2), after=D(1))
    assert words(fill, a_move("10", later, left="49")) == expected


def test_what_the_network_itself_doubled_is_no_fault_of_the_bot() -> None:
    twice = frozenset({D(10)})
    assert words(a_move("10"), a_move("10", 5), twice=twice) == []
    assert words(a_passage("10"), a_passage("10", 5), twice=twice) == []
    assert words(a_passage("10", left="19"), twice=twice) == []


def test_a_transfer_waits_for_a_doubled_one_as_soon_as_it_can_be_seen() -> None:
    twice = frozenset({D(10)})
    first, again = a_passage("10"), a_passage("10", 4000, takes=60_000)
    assert words(first, again, a_passage("11", 4001), twice=twice) == []
    assert words(first, again, a_passage("11", 4000 + SEEN_WITHIN_MS), twice=twice) == ["I4"]
    assert words(first, a_passage("11", 3999), twice=twice) == ["I4"]
    assert words(first, again, a_passage("11", 3999), twice=twice) == ["I4"]
    assert words(again, a_passage("11", 4001), twice=twice) == ["I4"]


@pytest.mark.parametrize("gap", ["0.00000001", "-0.00000001", "5"])
def test_collateral_from_nowhere_is_named(gap: str) -> None:
    def books(wallets: D) -> list[str]:
        return unbalanced(
            wallets=wallets, margins=D(30), pending=D(5), opening=D(100), booked=D(-15)
        )

    assert books(D(50)) == []
    assert books(D(50) + D(gap)) == [f"I4: books are off by {D(gap)}"]
