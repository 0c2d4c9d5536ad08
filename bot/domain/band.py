"""Between which levels may a position stand?"""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Four levels of one measure.

    Attributes:
        emergency: Act without waiting.
        trigger: Act, to the target.
        target: Where an action aims.
        give_back: Beyond it margin may return, to the target.
    """

    emergency: Decimal
    trigger: Decimal
    target: Decimal
    give_back: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageBand:
    """The same four levels as distance and as effective leverage.

    Attributes:
        distance: Liquidation distances, ``emergency <= trigger < target < give_back``. [ratio]
        leverage: The effective leverages at those distances, in reverse order. [x]
        volatility: What the strategy measured, per square-root hour; ``None`` if it uses none.
        hit_probability: Chance to touch the liquidation price within ``horizon``; ``None`` where
            the strategy claims none. [ratio]
        horizon: Of the two numbers above. [s]
        why: One phrase for the decision record.
    """

    distance: Levels
    leverage: Levels
    volatility: Decimal | None = None
    hit_probability: Decimal | None = None
    horizon: int | None = None
    why: str = ""
