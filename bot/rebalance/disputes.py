"""Whose liquidation price is not the one that the venue shows?"""

from decimal import Decimal

from bot.domain.decision import Decision
from bot.domain.position import MarginMode


def disputes(decision: Decision, *, most: Decimal) -> dict[str, str]:
    """Return the isolated positions that the venue judges otherwise, each with both prices.

    A venue that shows no price says nothing, and some show none for positions far from it.

    Args:
        decision: Its positions carry the venue's price beside ours.
        most: Largest difference that is none. [ratio of the venue's price]
    """
    found = {}
    for verdict in decision.positions:
        position, ours = verdict.risk.position, verdict.risk.liquidation_price
        theirs = position.venue_liquidation_price
        if position.margin_mode is not MarginMode.ISOLATED or theirs is None:
            continue
        if ours is None or abs(ours - theirs) > most * theirs:
            by_us = "none" if ours is None else f"{ours:.8g}"
            found[str(position.key)] = (
                f"liquidation price of {position.key} is {by_us} by our rules, {theirs:.8g} by the "
                "venue: margin is not given back"
            )
    return found
