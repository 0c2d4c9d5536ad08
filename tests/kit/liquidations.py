"""How far are our liquidation prices from those that the venue shows?"""

from decimal import Decimal

from bot.domain.observation import Observation
from bot.margin.assess import assess


def farthest(seen: Observation) -> Decimal:
    """Return the largest distance of all positions; there must be one. [part of the venue's]."""
    rules = {i.symbol: i for i in seen.instruments}
    found = []
    for position in seen.account.positions:
        ours = assess(position, rules[position.symbol]).liquidation_price
        theirs = position.venue_liquidation_price
        assert ours is not None
        assert theirs is not None
        found.append(abs(ours - theirs) / theirs)
    return max(found)
