"""Can an amount be sent as it is, and which amount does an answer name?"""

from decimal import Decimal, InvalidOperation
from typing import Any

from bot.domain.action import PlaceStop, ReducePosition
from bot.domain.instrument import Instrument

ONE = Decimal(1)
"""What placing or taking back a stop amounts to. [orders]"""


def amount_problem(amount: Decimal, step: Decimal) -> str:
    """Return why an amount cannot be sent; empty where it can.

    Args:
        amount: What shall be sent.
        step: Its finest, in the same unit.
    """
    if not (amount.is_finite() and amount > 0):
        return f"amount must be finite and > 0, was {amount}"
    if amount % step != 0:
        return f"amount must be a multiple of {step}, was {amount}"
    return ""


def named_amount(value: Any) -> Decimal | None:
    """Return the number a field of an answer names; ``None`` where it is none."""
    try:
        found = Decimal(value) if isinstance(value, str | int) else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def order_problem(action: ReducePosition, instrument: Instrument) -> str:
    """Return why an order cannot be sent as planned; empty where it can."""
    return amount_problem(action.size, instrument.size_step) or amount_problem(
        action.limit_price, instrument.price_step
    )


def stop_problem(action: PlaceStop, instrument: Instrument) -> str:
    """Return why a stop cannot be sent as planned; empty where it can."""
    problem = amount_problem(action.stop_price, instrument.price_step)
    if problem or action.size is None:
        return problem
    return amount_problem(action.size, instrument.size_step)
