"""Which marks would make a new look due at once, had the positions not changed since the last?

What is seen of a mark alone is a reason to look, never to act: size, margin and money may have
changed as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Decision
from bot.margin import linear


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The next level that one position may fall through.

    Attributes:
        symbol: Unified.
        size: Signed. [base]
        liquidation: As last computed. [quote/base]
        level: Distance that must not be fallen short of. [ratio]
    """

    symbol: str
    size: Decimal
    liquidation: Decimal
    level: Decimal

    def is_crossed(self, mark: Decimal) -> bool:
        """Whether the position would be below its level at that mark. [quote/base]."""
        distance = linear.distance(size=self.size, mark_price=mark, liquidation=self.liquidation)
        return distance is not None and distance < self.level


def lines(decision: Decision) -> tuple[Line, ...]:
    """Return the line below each position: its trigger, below that the emergency.

    None for a position that is below both, that nothing is planned for, or that no price
    liquidates.
    """
    found = []
    for verdict in decision.positions:
        risk, band = verdict.risk, verdict.band
        if band is None or risk.distance is None or risk.liquidation_price is None:
            continue
        levels = (band.distance.trigger, band.distance.emergency)
        level = next((level for level in levels if risk.distance >= level), None)
        if level is not None:
            found.append(
                Line(
                    symbol=risk.position.key.symbol,
                    size=risk.position.size,
                    liquidation=risk.liquidation_price,
                    level=level,
                )
            )
    return tuple(found)


def is_any_crossed(watched: tuple[Line, ...], marks: Mapping[str, Decimal]) -> bool:
    """Whether one of the marks crosses a line of its symbol; a symbol without a mark tells nothing.

    Args:
        watched: Of the last decision.
        marks: By unified symbol. [quote/base]
    """
    return any(line.symbol in marks and line.is_crossed(marks[line.symbol]) for line in watched)
