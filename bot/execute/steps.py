"""How many whole steps is an amount, exactly?

The way from decimals into the integer kernel. The context of decimals rounds to 28 digits and
raises on what does not fit; whole numbers do neither.
"""

from decimal import Decimal

LARGEST = Decimal(10) ** 18
"""No amount, size or price is larger: beyond it is a fault, not money. [any unit]"""
FINEST = -100
"""Nor does any have more decimal places: 28 digits of the smallest quotient. [decimal places]"""


def is_countable(number: Decimal) -> bool:
    """Whether a number is finite and of a size that can be counted in steps."""
    return number.is_finite() and _exponent(number) >= FINEST and number.copy_abs() <= LARGEST


def is_priced(number: Decimal) -> bool:
    """Whether a number can be a price: countable and > 0."""
    return is_countable(number) and number > 0


def floor(amount: Decimal, *, step: Decimal) -> int:
    """Return the whole steps within an amount; for what there is. [steps]

    Raises:
        ValueError: If the amount is not countable.
    """
    counted, per = _ratio(amount, step)
    return counted // per


def ceiling(amount: Decimal, *, step: Decimal) -> int:
    """Return the whole steps that cover an amount; for what is spent. [steps]

    Raises:
        ValueError: If the amount is not countable.
    """
    counted, per = _ratio(amount, step)
    return -(-counted // per)


def is_whole(amount: Decimal, *, step: Decimal) -> bool:
    """Whether an amount is a whole number of steps, to the last digit.

    Raises:
        ValueError: If the amount is not countable.
    """
    counted, per = _ratio(amount, step)
    return counted % per == 0


def _ratio(amount: Decimal, step: Decimal) -> tuple[int, int]:
    if not is_countable(amount):
        raise ValueError(f"amount must be countable, was {amount}")
    above, below = amount.as_integer_ratio()
    step_above, step_below = step.as_integer_ratio()
    return above * step_below, below * step_above


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101 - the number is finite
    return exponent
