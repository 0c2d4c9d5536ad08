"""May this run still write, as far as its journal knows?"""

from collections.abc import Callable
from datetime import timedelta

from bot.domain.lease import RENEW_AFTER, USUAL
from bot.errors import InUse, JournalError, JournalLost
from bot.journal.sqlite import SqliteJournal
from bot.ports import Clock

_FOREVER = float("inf")


class LeaseKeeper:
    """The right to write that a run took when it began; a `bot.ports.Authority`."""

    def __init__(
        self,
        journal: SqliteJournal,
        clock: Clock,
        *,
        is_shared: bool,
        touch: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep the lease of a journal.

        Args:
            journal: Begun with a claim; or one whose disk took none, then nothing can be renewed.
            clock: Of the venue.
            is_shared: Whether other machines can reach the journal. Where none can, the locks of
                the operating system are enough once its disk takes no renewal any more.
            touch: Called with each renewal.
        """
        self._touch = touch
        self._journal, self._clock, self._is_shared = journal, clock, is_shared
        self._is_cut_off = journal.held is None
        self._terms = USUAL if journal.held is None else journal.held.terms

    @property
    def left(self) -> float:
        """What is left of the lease; infinite where nobody else can take it. [s]."""
        if self._is_cut_off and not self._is_shared:
            return _FOREVER
        held = self._journal.held
        return 0.0 if held is None else (held.expires - self._clock.now()).total_seconds()

    @property
    def margin(self) -> float:
        """More than this must be left when a request is signed and when it leaves. [s]."""
        return self._terms.margin

    @property
    def is_epoch_current(self) -> bool:
        """Whether no later run is known to have begun."""
        return not self._journal.is_succeeded

    async def renew(self) -> None:
        """Renew the lease if that is due.

        Raises:
            InUse: A later run has begun.
        """
        # More than a whole lease is left after venue time was set back: nobody believes that date.
        longest = self._terms.time_to_live
        if self._is_cut_off or longest - RENEW_AFTER < self.left <= longest:
            return
        self._touch()
        try:
            await self._journal.renew(self._clock.now() + timedelta(seconds=longest))
        except InUse:
            raise
        except JournalLost:
            self._is_cut_off = True
        except JournalError:
            return  # the disk is slow: the lease goes on as it is, and the next poll tries again

    async def release(self) -> None:
        """Let the lease end now, so that a run on another machine need not wait for its end."""
        try:
            await self._journal.renew(self._clock.now())
        except JournalError:
            return  # it ends by itself
