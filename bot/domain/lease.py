"""How long may a run write, and from when may its successor?"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.timing import CLOCK_BOUND, WINDOW

RENEW_AFTER = 5.0
"""A lease as old as this is renewed. [s]"""
SPARE = 10.0
"""So much longer than the window lives a lease: two renewals that failed are no end. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long a lease lives, and how far its ends are kept apart.

    Attributes:
        window: How long the venue accepts a request after the time signed in it. [s]
    """

    window: float = WINDOW

    @property
    def time_to_live(self) -> float:
        """Of a lease since it was renewed. [s]."""
        return self.window + SPARE

    @property
    def margin(self) -> float:
        """What must be left, and more, when a request is signed and when it leaves. [s].

        A successor waits so long after the end. Both are needed.
        """
        return self.window + CLOCK_BOUND


USUAL = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right of one run to write.

    Attributes:
        holder: Tells machines apart: what is equal shares the operating system's locks.
        name: Of machine and process, for people.
        epoch: Of the run.
        expires: Aware UTC, venue time.
        terms: Of the venue.
    """

    holder: str
    name: str
    epoch: int
    expires: datetime
    terms: Terms = field(default=USUAL, compare=False)

    @property
    def free_at(self) -> datetime:
        """From when another machine may write. Aware UTC, venue time."""
        return self.expires + timedelta(seconds=self.terms.margin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who wants to write next.

    Attributes:
        holder: As in `Lease`.
        name: As in `Lease`.
        at: When. Aware UTC, venue time.
        unless_changed: The lease whose end was waited for; ``None`` where there was nothing to
            wait for.
        terms: Of the venue.
    """

    holder: str
    name: str
    at: datetime
    unless_changed: Lease | None = None
    terms: Terms = USUAL

    def may_follow(self, found: Lease | None) -> bool:
        """Whether nobody else may write any more.

        On the same machine the lock of the operating system is held by whoever asks, which proves
        that the holder is gone; on another one only time does.
        """
        return found is None or found.holder == self.holder or found == self.unless_changed

    def lease(self, epoch: int) -> Lease:
        """Return the lease of the run that begins."""
        return Lease(
            holder=self.holder,
            name=self.name,
            epoch=epoch,
            expires=self.at + timedelta(seconds=self.terms.time_to_live),
            terms=self.terms,
        )
