"""Which distance belongs to a log distance, exactly enough for an amount?"""

import math
from decimal import Decimal

from bot.domain.position import Side

DIGITS = Decimal("0.000001")


def from_log(a_log: float, side: Side) -> Decimal:
    """Return the distance of a log distance, rounded up to six digits. [ratio].

    Long ``1 - exp(-a)``, short ``exp(a) - 1``. Here and in `bot.leverage.purse` a float
    becomes a decimal.

    Raises:
        ValueError: If ``a_log`` is not finite and positive.
    """
    if not (math.isfinite(a_log) and a_log > 0):
        raise ValueError(f"log distance must be > 0, was {a_log}")
    value = -math.expm1(-a_log) if side is Side.LONG else math.expm1(a_log)
    return Decimal(math.ceil(value * 1e6)) * DIGITS


def to_log(distance: Decimal, side: Side) -> float:
    """Return the log distance of a distance.

    Raises:
        ValueError: If a long stands at 1 or more.
    """
    if side is Side.LONG and distance >= 1:
        raise ValueError(f"distance of a long must be below 1, was {distance}")
    return -math.log1p(-float(distance)) if side is Side.LONG else math.log1p(float(distance))
