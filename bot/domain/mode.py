"""What may the bot do at all, and how does that change?"""

from enum import StrEnum


class Mode(StrEnum):
    """How much the bot is allowed to do."""

    NORMAL = "normal"
    """Everything."""
    DEGRADED = "degraded"
    """Protective acts only: add margin, reduce."""
    OBSERVE = "observe"
    """Reads only; a person must act."""


class Event(StrEnum):
    """What happened during a poll."""

    POLLED = "polled"
    """A complete observation."""
    MISSED = "missed"
    """No complete observation."""
    DENIED = "denied"
    """Keys, permissions or account state forbid acting."""


POLLS_TO_RECOVER = 2


def next_mode(mode: Mode, event: Event, *, good_polls: int) -> Mode:
    """Return the mode after an event.

    Args:
        mode: The present one.
        event: What the poll brought.
        good_polls: Complete polls in a row, this one included.
    """
    match mode, event:
        case _, Event.DENIED:
            return Mode.OBSERVE
        case Mode.OBSERVE, _:
            return Mode.OBSERVE
        case _, Event.MISSED:
            return Mode.DEGRADED
        case Mode.DEGRADED, Event.POLLED if good_polls < POLLS_TO_RECOVER:
            return Mode.DEGRADED
    return Mode.NORMAL
