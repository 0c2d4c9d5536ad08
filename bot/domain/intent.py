"""What was written down before it was sent, and what became of it?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from bot.domain.action import Action


class Outcome(StrEnum):
    """What an attempt to act proved."""

    DONE = "done"
    """The venue confirmed the effect."""
    REJECTED = "rejected"
    """The venue refused, or no byte left: no effect."""
    UNKNOWN = "unknown"
    """It may have had effect: look, never send again."""


class IntentState(StrEnum):
    """Where an intent stands."""

    WRITTEN = "written"
    """Durable, not sent."""
    SENT = "sent"
    """Durable before the first byte left; no answer is recorded."""
    DONE = "done"
    """The venue confirmed it; still to be read back."""
    REJECTED = "rejected"
    """The venue refused it, or the trace of its own send shows that no byte left."""
    UNKNOWN = "unknown"
    """Nothing is proven; waits to be settled."""
    APPLIED = "applied"
    """The venue's history shows the effect."""
    ABSENT = "absent"
    """After the settle point the venue's history shows no effect, twice."""
    GAVE_UP = "gave_up"
    """Not settled in time: counted as done in every budget and as absent in every buffer."""
    DROPPED = "dropped"
    """Never sent: an earlier action of the plan was not done, or a restart came first."""

    @property
    def is_open(self) -> bool:
        """Whether its effect is not settled."""
        return self in (
            IntentState.WRITTEN,
            IntentState.SENT,
            IntentState.UNKNOWN,
            IntentState.GAVE_UP,
        )

    @property
    def is_followed(self) -> bool:
        """Whether the venue's history is still to be looked at for it."""
        return self.is_open or self is IntentState.DONE


STEPS: Mapping[IntentState, frozenset[IntentState]] = {
    IntentState.WRITTEN: frozenset({IntentState.SENT, IntentState.DROPPED}),
    IntentState.SENT: frozenset({
        IntentState.DONE, IntentState.REJECTED, IntentState.UNKNOWN,
        # A restart finds it SENT: unknown, and settled like one.
        IntentState.APPLIED, IntentState.ABSENT, IntentState.GAVE_UP,
    }),
    IntentState.DONE: frozenset({IntentState.APPLIED, IntentState.UNKNOWN}),
    IntentState.UNKNOWN: frozenset({
        IntentState.APPLIED, IntentState.ABSENT, IntentState.GAVE_UP,
    }),
    IntentState.GAVE_UP: frozenset({IntentState.APPLIED, IntentState.ABSENT}),
    IntentState.REJECTED: frozenset(),
    IntentState.APPLIED: frozenset(),
    IntentState.ABSENT: frozenset(),
    IntentState.DROPPED: frozenset(),
}  # fmt: skip
"""Which state may follow which; an unknown effect never becomes REJECTED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An approved action under the id that the venue also sees where it takes one.

    Attributes:
        id: ``[a-z0-9]``, at most 20 characters; used once, never made anew for the same intent.
        decision_id: The decision that approved it.
        account: Name of the account.
        action: What shall be done.
        written_at: Aware UTC, venue time.
        sent_at: The instant signed inside the request, set before its first byte leaves;
            ``None`` until then.
        state: See `IntentState`.
        applied: What the venue confirmed, of the action's own unit; ``None`` until it did.
    """

    id: str
    decision_id: str
    account: str
    action: Action
    written_at: datetime
    sent_at: datetime | None = None
    state: IntentState = IntentState.WRITTEN
    applied: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A request that is signed and complete, and has not left.

    Attributes:
        signed_at: The instant inside it, from which its validity counts. Aware UTC, venue time.
        window_ms: How long the venue accepts it after that. [ms]
        digest: SHA-256 over method, address and parameters without the signature, in hex.
        is_reduce_only: Whether what will be sent can only shrink a position; ``None`` for what is
            no order.
    """

    signed_at: datetime
    window_ms: int
    digest: str
    is_reduce_only: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What one send brought.

    Attributes:
        intent_id: The intent.
        outcome: DONE, REJECTED or UNKNOWN.
        applied: What the venue confirmed, of the action's own unit; ``None`` unless DONE.
        code: The venue's or our own short code; empty when DONE.
        text: For people; secrets already removed.
        latency_ms: From the first byte to the answer. [ms]
    """

    intent_id: str
    outcome: Outcome
    applied: Decimal | None = None
    code: str = ""
    text: str = ""
    latency_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What the venue's history says of an intent whose effect was unknown.

    Attributes:
        intent_id: The intent.
        applied: What took effect, of the action's own unit; 0 means the complete history from
            before the send until now has no trace of it, which proves absence only after the
            settle point; ``None`` means the venue itself does not know yet.
        text: The evidence, for people.
    """

    intent_id: str
    applied: Decimal | None
    text: str
