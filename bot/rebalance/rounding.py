"""To which step does an amount round, and in which direction?"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

LEAST = Decimal(1)
"""Nothing smaller moves, also in an emergency: it could not carry digits of its own. [quote]"""


def down(value: Decimal, *, step: Decimal) -> Decimal:
    """Return the largest multiple of ``step`` that is <= ``value``."""
    return (value / step).to_integral_value(rounding=ROUND_FLOOR) * step


def up(value: Decimal, *, step: Decimal) -> Decimal:
    """Return the smallest multiple of ``step`` that is >= ``value``."""
    return (value / step).to_integral_value(rounding=ROUND_CEILING) * step


def is_multiple(value: Decimal, *, step: Decimal) -> bool:
    """Whether ``value`` is a whole number of steps."""
    return value % step == 0
