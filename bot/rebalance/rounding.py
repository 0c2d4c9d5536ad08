"""To which step does an amount round, in which direction, and how is it shown?"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal


def down(value: Decimal, *, step: Decimal) -> Decimal:
    """Return the largest multiple of ``step`` that is <= ``value``."""
    return (value / step).to_integral_value(rounding=ROUND_FLOOR) * step


def up(value: Decimal, *, step: Decimal) -> Decimal:
    """Return the smallest multiple of ``step`` that is >= ``value``."""
    return (value / step).to_integral_value(rounding=ROUND_CEILING) * step


def is_multiple(value: Decimal, *, step: Decimal) -> bool:
    """Whether ``value`` is a whole number of steps."""
    return value % step == 0


def shown(value: Decimal, *, step: Decimal) -> str:
    """Return an amount with the decimal places of its step."""
    return f"{value:.{max(0, -int(step.as_tuple().exponent))}f}"
