"""Who else owns the margin of a position?"""

from bot.domain.decision import Refusal
from bot.domain.position import PositionKey


def venue_adds_margin(key: PositionKey) -> Refusal:
    """Return why nothing is taken from a position that the venue tops up by itself."""
    return Refusal(
        code="venue_adds_margin",
        text=f"the venue adds margin to {key} by itself and would add again what the bot gives "
        "back: one of both must own it",
    )
