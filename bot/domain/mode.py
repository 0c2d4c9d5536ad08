"""What may the bot do at all, and how does that change?"""

from collections.abc import Mapping
from enum import StrEnum


class Mode(StrEnum):
    """How much the bot is allowed to do; later members allow less."""

    NORMAL = "normal"
    """Everything."""
    DEGRADED = "degraded"
    """Protective acts only: add margin, reduce."""
    OBSERVE = "observe"
    """Reads only; a person must act, or the lease must hold again where that was lost."""
    KILLED = "killed"
    """Reads only; a person said so, and only a person takes it back."""


class Event(StrEnum):
    """What happened to the bot."""

    POLLED = "polled"
    """A complete observation."""
    RECOVERED = "recovered"
    """A complete observation, and enough of them in a row; `next_mode` tells it from POLLED."""
    MISSED = "missed"
    """No complete observation."""
    STALLED = "stalled"
    """The program stood still: what it knows is old."""
    JOURNAL_LOST = "journal_lost"
    """The journal cannot be written; the emergency reserve is in use."""
    RESERVE_LOST = "reserve_lost"
    """Nor can the emergency reserve: nothing may be written at the venue."""
    DENIED = "denied"
    """Keys, permissions or account state forbid acting."""
    LEASE_LOST = "lease_lost"
    """Another run may write soon, or does: too little is left of the lease."""
    LEASE_RENEWED = "lease_renewed"
    """The lease that was lost holds again; of a bot that observes for no other reason."""
    KILLED = "killed"
    """A person said ``kill``, or the latch cannot be read."""
    REARMED = "rearmed"
    """A person took the kill back."""
    FOREIGN = "foreign"
    """Somebody else moved collateral a short while ago."""
    UNBALANCED = "unbalanced"
    """Balances do not follow from the books, although everything that could say why was read."""
    UNBALANCED_AGAIN = "unbalanced_again"
    """The second different one within the hour."""
    SECOND_WRITER = "second_writer"
    """Another bot of our kind acts on the account."""
    RESUMED = "resumed"
    """A person looked and said ``resume``."""


POLLS_TO_RECOVER = 2

_NORMAL, _DEGRADED, _OBSERVE, _KILLED = Mode

# Whoever comes back from a stop comes back to protecting; the rest follows from complete polls.
TRANSITIONS: Mapping[Event, Mapping[Mode, Mode]] = {
    event: dict(zip(Mode, after, strict=True))
    for event, after in {
        # before:         normal     degraded   observe    killed
        Event.POLLED:    (_NORMAL,   _DEGRADED, _OBSERVE,  _KILLED),
        Event.RECOVERED: (_NORMAL,   _NORMAL,   _OBSERVE,  _KILLED),
        Event.MISSED:    (_DEGRADED, _DEGRADED, _OBSERVE,  _KILLED),
        Event.STALLED:   (_DEGRADED, _DEGRADED, _OBSERVE,  _KILLED),
        Event.JOURNAL_LOST: (_DEGRADED, _DEGRADED, _OBSERVE, _KILLED),
        Event.RESERVE_LOST: (_OBSERVE, _OBSERVE, _OBSERVE, _KILLED),
        Event.FOREIGN:   (_DEGRADED, _DEGRADED, _OBSERVE,  _KILLED),
        Event.UNBALANCED: (_DEGRADED, _DEGRADED, _OBSERVE, _KILLED),
        Event.UNBALANCED_AGAIN: (_OBSERVE, _OBSERVE, _OBSERVE, _KILLED),
        Event.SECOND_WRITER: (_OBSERVE, _OBSERVE, _OBSERVE, _KILLED),
        Event.DENIED:    (_OBSERVE,  _OBSERVE,  _OBSERVE,  _KILLED),
        Event.LEASE_LOST: (_OBSERVE, _OBSERVE,  _OBSERVE,  _KILLED),
        Event.LEASE_RENEWED: (_NORMAL, _DEGRADED, _DEGRADED, _KILLED),
        Event.KILLED:    (_KILLED,   _KILLED,   _KILLED,   _KILLED),
        Event.REARMED:   (_NORMAL,   _DEGRADED, _OBSERVE,  _DEGRADED),
        Event.RESUMED:   (_NORMAL,   _DEGRADED, _DEGRADED, _KILLED),
    }.items()
}  # fmt: skip
"""The mode after each event in each mode."""


def next_mode(mode: Mode, event: Event, *, good_polls: int = 0) -> Mode:
    """Return the mode after an event.

    Args:
        mode: The present one.
        event: What happened.
        good_polls: Complete polls in a row, this one included; only POLLED looks at it.
    """
    if event is Event.POLLED and good_polls >= POLLS_TO_RECOVER:
        event = Event.RECOVERED
    return TRANSITIONS[event][mode]
