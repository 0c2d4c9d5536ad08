"""What does an answer, or the lack of one, prove?

ccxt's class alone never decides: one class holds definite refusals and lost replies alike. The
phase comes first (did a byte leave?), then the venue's code, then the HTTP status.
"""

from dataclasses import dataclass
from enum import StrEnum

NO_EFFECT = frozenset({
    -1021, -1022, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1109, -1110, -1111,
    -1112, -1113, -1114, -1115, -1116, -1117, -1118, -1119, -1120, -1121, -1125, -1127, -1128,
    -1130, -1131, -1136, -2010, -2011, -2014, -2015, -2018, -2019, -2021, -2022, -2023, -2027,
    -2028, -4003, -4004, -4005, -4006, -4045, -4046, -4047, -4048, -4050, -4051, -4054, -4055,
    -4061, -4118, -4130, -4131, -4161, -4164, -4168, -4400, -4401, -4402, -5021, -5022, -5028,
})  # fmt: skip
"""Binance codes that say: nothing happened."""
ARRIVED = frozenset({-4116})
"""An earlier attempt arrived: look at it."""
DENIED = frozenset({-2014, -2015, -1022, -1002})
"""Key, address or permission: a person must act."""
WORDS = {"-1111": "too_precise"}
"""Codes that the bot itself acts on, in its own words."""
NO_SUCH_ORDER = -2013
"""Of a read; weak evidence, since a list may lag."""
TIME_REFUSED = -1021
"""The time inside a request is wrong: measure the clock again."""
MODE_REFUSED = frozenset({-4061, -1106})
"""The request may be of another position mode than the account's: in hedge mode the venue takes
no reduce-only flag."""
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


def proof_of(trace: Trace) -> tuple[Proof, str]:
    """Return what a failed write proves, and a short code for the record.

    The trace of this run alone proves that nothing left: name not found, connection refused, no
    handshake, stopped at the last look. A class of exception proves nothing.
    """
    if not trace.left:
        return Proof.NO_EFFECT, "not_connected" if trace.began else "not_sent"
    if trace.status is None:
        return Proof.UNKNOWN, "no_answer"
    if trace.code is not None and trace.code in NO_EFFECT:
        return Proof.NO_EFFECT, str(trace.code)
    if trace.status in THROTTLED_STATUS and trace.code is not None:
        return Proof.NO_EFFECT, str(trace.code)
    if trace.code is not None:
        return Proof.UNKNOWN, str(trace.code)
    return Proof.UNKNOWN, f"http_{trace.status}"
