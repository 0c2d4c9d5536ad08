"""What does an answer, or the lack of one, prove?

ccxt's class alone never decides: one class holds definite refusals and lost replies alike. The
phase comes first (did a byte leave?), then the venue's code, then the HTTP status.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.exchanges.dialect import Codes

THROTTLED_STATUS = frozenset({418, 429})


class Proof(StrEnum):
    """What is proven about a write."""

    NO_EFFECT = "no_effect"
    UNKNOWN = "unknown"


@dataclass(slots=True, kw_only=True)
class Trace:
    """What happened on the wire for one call.

    Attributes:
        began: Whether the request was handed to the transport.
        left: Whether a byte of the request may have left: a connection was in hand and nothing
            stopped it there.
        status: HTTP status of the answer; ``None`` without one.
        code: The venue's code in it; ``None`` without one.
        message: The venue's text.
    """

    began: bool = False
    left: bool = False
    status: int | None = None
    code: int | None = None
    message: str = ""


def proof_of(trace: Trace, codes: Codes) -> tuple[Proof, str]:
    """Return what a failed write proves, and a short code for the record.

    The trace of this run alone proves that nothing left: name not found, connection refused, no
    handshake, stopped at the last look. A class of exception proves nothing.
    """
    if not trace.left:
        return Proof.NO_EFFECT, "not_connected" if trace.began else "not_sent"
    if trace.status is None:
        return Proof.UNKNOWN, "no_answer"
    if trace.code is not None and trace.code in codes.no_effect | codes.throttled:
        return Proof.NO_EFFECT, str(trace.code)
    if trace.status in THROTTLED_STATUS and trace.code is not None:
        return Proof.NO_EFFECT, str(trace.code)
    if trace.code is not None:
        return Proof.UNKNOWN, str(trace.code)
    return Proof.UNKNOWN, f"http_{trace.status}"
