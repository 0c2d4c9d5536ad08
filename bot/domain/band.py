"""Between which levels may a position stand?"""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.past import Carried


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
        may_give_back: Whether margin may return; not on numbers that are doubted.
        flags: What was not as it should be in what it was measured from.
        unsurvived: Names of the disasters that would liquidate the position as it stands.
        carry: What the next decision about the position shall know of this one.
    """

    distance: Levels
    leverage: Levels
    volatility: Decimal | None = None
    hit_probability: Decimal | None = None
    horizon: int | None = None
    why: str = ""
    may_give_back: bool = True
    flags: tuple[str, ...] = ()
    unsurvived: tuple[str, ...] = ()
    carry: Carried | None = None
