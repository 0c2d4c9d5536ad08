"""How much can be sold or bought now, and at what cost?"""

from collections.abc import Sequence
from decimal import Decimal

from bot.domain.instrument import Instrument
from bot.domain.market import BookLevel, Market
from bot.domain.position import Side
from bot.margin import isolated
from bot.rebalance.rounding import down, up


def worst_price(
    market: Market, instrument: Instrument, side: Side, *, slippage: Decimal, furthest: Decimal
) -> Decimal:
    """Return the limit price of an order that reduces a position. [quote/base].

    ``slippage`` beyond the best price of the book: in a fall trades run ahead of mark, and a
    limit counted from mark alone would find nothing to trade with. Never more than ``furthest``
    from mark. Rounded towards mark.

    Args:
        market: With its book; without one, slippage counts from mark.
        instrument: Its tick.
        side: Of the position.
        slippage: [ratio]
        furthest: [ratio]
    """
    levels = market.bids if side is Side.LONG else market.asks
    worse = min if side is Side.LONG else max
    start = worse(market.mark_price, levels[0].price) if levels else market.mark_price
    bound = market.mark_price * (1 - side.sign * furthest)
    price = start * (1 - side.sign * slippage)
    price = max(price, bound) if side is Side.LONG else min(price, bound)
    rounded = up if side is Side.LONG else down
    return rounded(price, step=instrument.price_step)


def resting(market: Market, side: Side, *, limit_price: Decimal) -> Decimal | None:
    """Return the size that rests at the limit price or better. [base or quote].

    ``None`` when the book was not read: the size is then not limited by depth.
    """
    levels = market.bids if side is Side.LONG else market.asks
    if not levels:
        return None
    return sum((level.size for level in within(levels, side, limit_price)), Decimal(0))


def reduction_cost(
    market: Market, instrument: Instrument, side: Side, *, size: Decimal, limit_price: Decimal
) -> Decimal:
    """Return the expected fee and slippage against mark of a reduction. [settle].

    Walks the visible book; what it does not show is charged at the limit price.
    """
    contract = instrument.contract
    levels = market.bids if side is Side.LONG else market.asks
    left, paid = size, Decimal(0)
    for level in within(levels, side, limit_price):
        taken = min(left, level.size)
        paid += isolated.value(contract, size=taken, price=level.price)
        left -= taken
        if left <= 0:
            break
    paid += isolated.value(contract, size=left, price=limit_price)
    rises = isolated.direction(contract, size=side.sign * size)
    slip = rises * (isolated.value(contract, size=size, price=market.mark_price) - paid)
    return slip + paid * instrument.taker_fee


def within(levels: Sequence[BookLevel], side: Side, limit: Decimal) -> tuple[BookLevel, ...]:
    """Return the levels at a limit price or better."""
    return tuple(
        level
        for level in levels
        if (level.price >= limit if side is Side.LONG else level.price <= limit)
    )
