"""How long does a position live while nobody acts?"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.position import Side
from bot.domain.risk import Blackout


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How far a price moved at worst in so long.

    Attributes:
        minutes: [min]
        fall: From a price down to the lowest one within the time. [ratio]
        rise: From a price up to the highest one within the time. [ratio]
    """

    minutes: int
    fall: Decimal
    rise: Decimal

    def against(self, side: Side) -> Decimal:
        """Return the move that hurts a side. [ratio]."""
        return self.fall if side is Side.LONG else self.rise


WORST = tuple(
    Pace(minutes=minutes, fall=Decimal(fall), rise=Decimal(rise))
    for minutes, fall, rise in (
        (1, "0.1448", "0.2073"),
        (2, "0.1707", "0.2073"),
        (3, "0.1979", "0.2073"),
        (5, "0.2046", "0.2245"),
        (7, "0.2314", "0.2245"),
        (10, "0.2407", "0.2977"),
        (15, "0.2407", "0.3472"),
        (20, "0.2469", "0.3493"),
        (25, "0.2685", "0.3909"),
        (30, "0.2685", "0.3977"),
        (40, "0.2868", "0.3977"),
        (50, "0.3024", "0.3977"),
        (60, "0.3119", "0.4418"),
        (90, "0.3193", "0.6047"),
        (120, "0.3334", "0.6047"),
        (180, "0.3593", "0.6047"),
        (240, "0.3708", "0.6047"),
        (360, "0.3742", "0.6047"),
        (480, "0.3969", "0.6047"),
        (720, "0.4327", "0.6242"),
        (1440, "0.5417", "0.6242"),
    )
)
"""The worst of 23 windows of one-minute spot bars of BTC and ETH at Binance, 2019-09 to 2025-07,
chosen for their crashes and squeezes (March 2020, May 2021, …); derived on 2026-11-27 with
``python -m bench.blackout``. Smaller coins have moved farther: for them it is no bound."""


def survival(side: Side, distance: Decimal | None, *, paces: Sequence[Pace] = WORST) -> Blackout:
    """Return what a position survives without any action, its stop not counted.

    Args:
        side: Of the position.
        distance: Adverse move to its liquidation price over mark; ``None`` when no price
            liquidates. [ratio]
        paces: Ascending in time.
    """
    survived = [pace.minutes for pace in paces if distance is None or pace.against(side) < distance]
    move = None if distance is None else max(Decimal(0), distance)
    return Blackout(move=move, minutes=max(survived, default=0))
