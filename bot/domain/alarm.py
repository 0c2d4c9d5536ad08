"""What must a person be told now, and did it leave?"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that needs a person.

    Attributes:
        code: Stable, ``lower_snake_case``.
        text: What happened, with its numbers.
        at: Venue time. Aware UTC.
        intent_id: The intent it is about; empty if none.
    """

    code: str
    text: str
    at: datetime
    intent_id: str = ""


class Delivery(StrEnum):
    """What became of an alarm on one way to people."""

    RAISED = "raised"
    """It was given to every way; the first word of each alarm."""
    DELIVERED = "delivered"
    """It left: the reader's pipe took it, the broker confirmed it."""
    FAILED = "failed"
    """It did not leave in time; it may leave later, which is a word of its own."""
    DROPPED = "dropped"
    """It gave way to others and never leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One word about an alarm, as the journal keeps it.

    Attributes:
        alarm: The alarm.
        number: Of its first word in the journal; 0 for the first word itself.
        at: When this became of it. Aware UTC, venue time.
        sink: The way; empty for the first word.
        delivery: What became of it there.
    """

    alarm: Alarm
    number: int
    at: datetime
    sink: str
    delivery: Delivery
