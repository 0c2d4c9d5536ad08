"""Where does an equity that moves evenly meet what must be held?

Every liquidation price of this package comes from here: ``fixed + slope * x = need(x)``.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from bot.margin.curve import ZERO, Curve

INFINITE = Decimal("Infinity")


class Interval(NamedTuple):
    """Where more than the need is held, without its ends.

    Attributes:
        low: >= 0. [x]
        high: Infinite where it has no end. [x]
    """

    low: Decimal
    high: Decimal


def healthy(*, fixed: Decimal, slope: Decimal, curve: Curve) -> tuple[Interval, ...]:
    """Return all stretches of ``x >= 0`` on which ``fixed + slope * x`` exceeds the need.

    A convex need, as every continuous table of rising rates has, leaves one stretch or none. A
    table that jumps at its joints may leave several: then it matters from where one looks. The walk
    visits each piece once.

    Args:
        fixed: Equity at 0. [settle]
        slope: [settle/x]
        curve: The need.

    Returns:
        Ascending, apart from each other.
    """
    lows: list[Decimal] = []
    highs: list[Decimal] = []
    ends = [piece[0] for piece in curve[1:]]
    ends.append(INFINITE)
    for (start, rate, offset), end in zip(curve, ends, strict=True):
        low, high = start, end
        kept, gain = fixed + offset, slope - rate
        if gain > 0:
            low = max(start, -kept / gain)
        elif gain < 0:
            high = min(end, -kept / gain)
        elif kept <= 0:
            continue
        if low >= high:
            continue
        if highs and highs[-1] == low:
            highs[-1] = high
        else:
            lows.append(low)
            highs.append(high)
    return tuple(map(Interval, lows, highs))


def nearest(intervals: Sequence[Interval], x: Decimal) -> Interval:
    """Return the stretch that holds x, or else the one with the nearest end.

    Args:
        intervals: At least one.
        x: >= 0.
    """
    return min(intervals, key=lambda one: max(one.low - x, x - one.high, ZERO))
