"""How are numbers written for a client, and read from one?"""

from decimal import Decimal, InvalidOperation

EIGHT = Decimal("0.00000001")


def fixed(value: Decimal) -> str:
    """Return a number with eight decimals."""
    return format(value.quantize(EIGHT), "f")


def plain(value: Decimal) -> str:
    """Return a number as plain digits."""
    return format(value, "f")


def places(step: Decimal) -> int:
    """Return the decimals of a step."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def number(text: str) -> Decimal | None:
    """Return the number that plain digits are; ``None`` for anything else."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and "e" not in text.lower() else None
