"""What must a signed request pass before its first byte leaves?"""

from collections.abc import Callable

from bot.domain.decision import Refusal
from bot.domain.intent import Intent, SignedRequest
from bot.errors import JournalLost
from bot.execute.denial import DenialCode
from bot.ports import Clock, Journal, StoppedError

OLDEST = 0.5
"""A request that waited longer for its connection is dropped and decided anew. [s]"""


class SendGate:
    """The gate of one intent; a `bot.ports.Gate`."""

    def __init__(
        self,
        intent: Intent,
        *,
        journal: Journal,
        clock: Clock,
        look: Callable[[SignedRequest], Refusal | None],
    ) -> None:
        self._intent, self._journal, self._clock, self._look = intent, journal, clock, look
        self.request: SignedRequest | None = None
        """What is durable as sent; ``None`` while nothing is."""

    async def sent(self, request: SignedRequest) -> None:
        """Make the request durable as sent.

        Raises:
            StoppedError: It may not be sent.
            JournalError: It is not durable; it may not be sent.
        """
        self._check(request)
        try:
            await self._journal.sent(self._intent.id, request)
        except JournalLost as lost:
            raise StoppedError(DenialCode.JOURNAL_UNWRITABLE, str(lost)) from lost
        self.request = request

    def last_look(self) -> None:
        """Look once more, with the connection in hand and nothing written to it.

        Raises:
            StoppedError: It may not be sent any more.
        """
        if self.request is None:
            raise StoppedError(
                DenialCode.REQUEST_MISMATCH, f"{self._intent.id} is not durable as sent"
            )
        self._check(self.request)
        age = (self._clock.now() - self.request.signed_at).total_seconds()
        if age > OLDEST:
            raise StoppedError(
                DenialCode.REQUEST_EXPIRED,
                f"age of a request must be <= {OLDEST} s, was {age:.3f} s",
            )

    def _check(self, request: SignedRequest) -> None:
        refusal = self._look(request)
        if refusal is not None:
            raise StoppedError(refusal.code, refusal.text)
