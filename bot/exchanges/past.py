"""From when on is a venue's history searched for a write, and what does it prove?"""

from decimal import Decimal

from bot.domain.intent import Intent, Settlement
from bot.domain.timing import CLOCK_BOUND
from bot.exchanges.numbers import stamp_of

LOOK_BACK_MS = int(CLOCK_BOUND * 1000)
"""History is searched from this long before the send. [ms]"""


def since_ms(intent: Intent) -> int:
    """Return from when on the effect of an intent can be there. [ms]."""
    return stamp_of(intent.sent_at or intent.written_at) - LOOK_BACK_MS


def settled(intent: Intent, found: Decimal | None) -> Settlement:
    """Return what a history that was read completely says.

    Args:
        intent: What was searched for.
        found: Its effect, of the action's own unit; ``None`` where it is not there.
    """
    is_there = "not" if found is None else "found"
    return Settlement(
        intent_id=intent.id,
        applied=Decimal(0) if found is None else found,
        text=f"{is_there} in the venue's history",
    )
