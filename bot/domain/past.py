"""What may a strategy know of its own decisions before this one?

What it carries is a few short texts, kept with the memory of the bot and so with every decision. It
is a hint, never a truth: whatever is not whole, too large or of another kind is nothing.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

MOST_VALUES = 16
LONGEST_NAME = 40
LONGEST_TEXT = 1000
"""Of all that is carried of a position, as one text."""
SMALLEST, LARGEST = Decimal("1E-15"), Decimal("1E+15")
"""Of a number other than 0 that is carried."""
_KIND = "kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What one decision about a position leaves to the next.

    Attributes:
        kind: Whose it is and how it is to be read; change it with the meaning of a value.
        values: Name and text of each, a name once.
    """

    kind: str
    values: tuple[tuple[str, str], ...] = ()

    def text(self, name: str) -> str | None:
        """Return a value; ``None`` for none."""
        return dict(self.values).get(name)

    def number(self, name: str) -> Decimal | None:
        """Return a value as a number; ``None`` for none and for what nobody could compute with."""
        try:
            found = Decimal(self.text(name) or "NaN")
        except InvalidOperation:
            return None
        if not found.is_finite() or abs(found) > LARGEST or 0 < abs(found) < SMALLEST:
            return None
        return found

    def instant(self, name: str) -> datetime | None:
        """Return a value as an instant in UTC; ``None`` for none and for what is none."""
        try:
            found = datetime.fromisoformat(self.text(name) or "")
            return None if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What came before a decision about one position.

    Attributes:
        now: When it was looked at; what is carried must be measured by it. Aware UTC.
        moved_at: When the bot decided on its last move of margin or size within a day, confirmed
            or not; ``None`` for none. Aware UTC.
        carried: What the last band of it carried; ``None`` for nothing.
    """

    now: datetime
    moved_at: datetime | None = None
    carried: Carried | None = None

    def of(self, kind: str) -> Carried:
        """Return what is carried, if it is of a kind; else nothing."""
        if self.carried is None or self.carried.kind != kind:
            return Carried(kind=kind)
        return self.carried


def written(carried: object) -> str | None:
    """Return what is carried as one text; ``None`` for what cannot be carried."""
    if not isinstance(carried, Carried) or not _is_text(carried.kind):
        return None
    if not isinstance(carried.values, tuple) or len(carried.values) > MOST_VALUES:
        return None
    found: dict[str, str] = {_KIND: carried.kind}
    for pair in carried.values:
        if not (isinstance(pair, tuple) and len(pair) == 2 and all(map(_is_text, pair))):  # noqa: PLR2004 - a pair
            return None
        name, value = pair
        if name in found or not 0 < len(name) <= LONGEST_NAME:
            return None
        found[name] = value
    text = json.dumps(found, separators=(",", ":"))
    return text if len(text) <= LONGEST_TEXT else None


def read(text: str) -> Carried | None:
    """Return what was written; ``None`` for anything else."""
    if not 0 < len(text) <= LONGEST_TEXT:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get(_KIND), str):
        return None
    carried = Carried(
        kind=found[_KIND],
        values=tuple((name, value) for name, value in found.items() if name != _KIND),
    )
    return carried if written(carried) == text else None


def _is_text(value: object) -> bool:
    # A text with half a character could not be written to a file.
    return isinstance(value, str) and value.isprintable() and value.isascii()
