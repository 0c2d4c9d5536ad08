"""What does a venue's field say, exactly, or does it say nothing usable?"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.errors import Incomplete

LARGEST = Decimal(10) ** 15
"""No price, size or amount of any market is larger; one that is shows a broken answer."""
SMALLEST = Decimal("1e-30")
"""Nor is any nearer to 0 without being 0: dividing by it would overflow."""
LONGEST_ID = 20
"""Digits of the largest number of 64 bits."""
PLAIN = re.compile(r"-?\d+(\.\d*)?([eE][+-]?\d{1,3})?", re.ASCII)
"""What is read as a number; `Decimal` takes underscores, blanks and other alphabets as well."""


def number(row: Mapping[str, Any], key: str) -> Decimal:
    """Return a field as an exact number.

    Raises:
        Incomplete: It is absent, empty, no plain number, or absurd; the text names it.
    """
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Incomplete(f"field {key!r} of {_name(row)} must be a numeric string, was {value!r}")
    is_plain = isinstance(value, int) or PLAIN.fullmatch(value) is not None
    found = Decimal(value) if is_plain else Decimal("NaN")
    if not found.is_finite() or abs(found) > LARGEST or (found and abs(found) < SMALLEST):
        raise Incomplete(f"field {key!r} of {_name(row)} must be a number, was {str(value)[:40]!r}")
    return found


def positive(row: Mapping[str, Any], key: str) -> Decimal:
    """Return a field that must be above 0.

    Raises:
        Incomplete: As `number`, or it is not.
    """
    found = number(row, key)
    if found <= 0:
        raise Incomplete(f"field {key!r} of {_name(row)} must be > 0, was {found}")
    return found


def amount(row: Mapping[str, Any], key: str) -> Decimal:
    """Return a field that must not be below 0.

    Raises:
        Incomplete: As `number`, or it is.
    """
    found = number(row, key)
    if found < 0:
        raise Incomplete(f"field {key!r} of {_name(row)} must be >= 0, was {found}")
    return found


def text(row: Mapping[str, Any], key: str) -> str:
    """Return a field that must be a word.

    Raises:
        Incomplete: It is absent, empty or no text.
    """
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise Incomplete(f"field {key!r} of {_name(row)} must be a word, was {value!r}")
    return value


def whole(row: Mapping[str, Any], key: str) -> int:
    """Return a field that must be a whole number.

    Raises:
        Incomplete: It is not.
    """
    found = number(row, key)
    if found != found.to_integral_value():
        raise Incomplete(f"field {key!r} of {_name(row)} must be a whole number, was {found}")
    return int(found)


def identity(row: Mapping[str, Any], key: str) -> str:
    """Return the number that the venue gave to something, as digits.

    It counts and measures nothing: it may be longer than any amount.

    Raises:
        Incomplete: It is none.
    """
    found = given_id(row.get(key))
    if found is None:
        raise Incomplete(
            f"field {key!r} of {_name(row)} must be an id, was {str(row.get(key))[:40]!r}"
        )
    return found


def given_id(value: object) -> str | None:
    """Return the number that a venue gave to something, as digits; ``None`` where it is none."""
    found = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    is_number = found.isascii() and found.isdigit() and len(found) <= LONGEST_ID
    return found if is_number and int(found) > 0 else None


def instant(milliseconds: int) -> datetime:
    """Return the instant of a stamp. Aware UTC.

    Raises:
        Incomplete: It is beyond every calendar.
    """
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise Incomplete(f"time must be an instant in ms, was {milliseconds}") from None


def stamp_of(at: datetime) -> int:
    """Return the stamp of an instant, without parts of a millisecond. [ms]."""
    return int(at.timestamp() * 1000)


def rows(value: Any, what: str) -> list[dict[str, Any]]:
    """Return a list of objects.

    Raises:
        Incomplete: It is anything else; HTML and half answers arrive as text.
    """
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise Incomplete(f"{what} must be a list of objects, was {type(value).__name__}")
    return value


def table(value: Any, what: str) -> dict[str, Any]:
    """Return an object.

    Raises:
        Incomplete: It is anything else.
    """
    if not isinstance(value, dict):
        raise Incomplete(f"{what} must be an object, was {type(value).__name__}")
    return value


def _name(row: Mapping[str, Any]) -> str:
    return str(row.get("symbol") or row.get("asset") or "the answer")[:40]
