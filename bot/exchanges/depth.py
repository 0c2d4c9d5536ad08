"""What does one side of a book say, whatever the venue?"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.domain.market import BookLevel
from bot.errors import Incomplete
from bot.exchanges.numbers import amount, positive

ONE = Decimal(1)


def levels(
    depth: Mapping[str, Any] | None, side: str, symbol: str, *, unit: Decimal = ONE
) -> tuple[BookLevel, ...]:
    """Return the levels of one side, in the venue's order; none where the book was not read.

    Args:
        depth: The book; ``None`` where it was not read.
        side: The venue's word for it.
        symbol: Unified, for people.
        unit: What one of what the wire counts is. [base or quote]

    Raises:
        Incomplete: The side is missing, or a level is broken.
    """
    if depth is None:
        return ()
    found = depth.get(side)
    if not isinstance(found, list):
        raise Incomplete(f"{side} of {symbol} must be a list, was {type(found).__name__}")
    made = []
    for row in found:
        if not isinstance(row, list) or len(row) < 2:  # noqa: PLR2004 - price and size
            raise Incomplete(f"{side} of {symbol} must be pairs, had {str(row)[:60]}")
        named = {"symbol": symbol, "price": row[0], "size": row[1]}
        made.append(BookLevel(price=positive(named, "price"), size=amount(named, "size") * unit))
    return tuple(made)
