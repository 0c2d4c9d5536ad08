"""How long may a run write, and from when may its successor?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.timing import CLOCK_BOUND, WINDOW

TIME_TO_LIVE = 15.0
"""Of a lease since it was renewed. [s]"""
RENEW_AFTER = 5.0
"""A lease as old as this is renewed. [s]"""
MARGIN = WINDOW + CLOCK_BOUND
"""More than this must be left when a request is signed and when it leaves, and a successor waits so
long after the end. Both are needed. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right of one run to write.

    Attributes:
        holder: Tells machines apart: what is equal shares the operating system's locks.
        name: Of machine and process, for people.
        epoch: Of the run.
        expires: Aware UTC, venue time.
    """

    holder: str
    name: str
    epoch: int
    expires: datetime

    @property
    def free_at(self) -> datetime:
        """From when another machine may write. Aware UTC, venue time."""
        return self.expires + timedelta(seconds=MARGIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who wants to write next.

    Attributes:
        holder: As in `Lease`.
        name: As in `Lease`.
        at: When. Aware UTC, venue time.
        unless_changed: The lease whose end was waited for; ``None`` where there was nothing to
            wait for.
    """

    holder: str
    name: str
    at: datetime
    unless_changed: Lease | None = None

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
            expires=self.at + timedelta(seconds=TIME_TO_LIVE),
        )
