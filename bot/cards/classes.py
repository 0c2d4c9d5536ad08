"""What may the bot rely on at a venue, by its cards?"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.cards.card import Result, Verdict
from bot.exchanges.venues import Key

WINDOWED = frozenset({"M8-01", "M8-02"})
NAMED = frozenset({"M6-07", "M8-04"})
NAMED_MOVES = frozenset({"M4-04"})
STOPPED = frozenset({"M7-01", "M7-04", "M7-05"})
SHOWN = frozenset({"M8-02", "M8-03"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """What the cards of a venue grant; what is not shown is not granted.

    Attributes:
        moves: What protects margin moves from happening twice.
        transfers: What protects transfers from it.
        orders: What protects orders and stops from it.
        has_stops: Whether stops that rest there fire on mark and only ever reduce.
        is_shown_in_time: Whether history shows every effect by the settle point.
    """

    moves: Key
    transfers: Key
    orders: Key
    has_stops: bool
    is_shown_in_time: bool


def classes(found: Iterable[Result]) -> Classes:
    """Return what passed cards grant."""
    passed = {result.card.number for result in found if result.verdict is Verdict.PASS}
    moves = Key.WINDOW if passed >= WINDOWED else Key.NONE
    return Classes(
        moves=moves,
        transfers=Key.OWN_ID if passed >= NAMED_MOVES else moves,
        orders=Key.OWN_ID if passed >= NAMED else Key.NONE,
        has_stops=passed >= STOPPED,
        is_shown_in_time=passed >= SHOWN,
    )
