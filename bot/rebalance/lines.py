"""Between which marks does nothing change, had positions and money not changed since the last look?

What is seen of a mark alone is a reason to look, never to act: size, margin and money may have
changed as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Decision

LEAST, LARGEST = Decimal(0), Decimal("Infinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The marks of one symbol at which a position of it falls through its next level.

    Attributes:
        low: Below it a long does. [quote/base]
        high: Above it a short does. [quote/base]
    """

    low: Decimal = LEAST
    high: Decimal = LARGEST

    def is_crossed(self, mark: Decimal) -> bool:
        """Whether a mark lies outside. [quote/base]."""
        return mark < self.low or mark > self.high


def lines(decision: Decision) -> dict[str, Lines]:
    """Return the lines of each symbol with a position above one of its levels.

    The level is the trigger; below that the emergency. A position that is below both, that nothing
    is planned for, or that no price liquidates has none. A long stands at distance ``d`` where mark
    is ``liquidation / (1 - d)``, a short where it is ``liquidation / (1 + d)``.
    """
    found: dict[str, Lines] = {}
    for verdict in decision.positions:
        risk, band = verdict.risk, verdict.band
        if band is None or risk.distance is None or risk.liquidation_price is None:
            continue
        levels = (band.distance.trigger, band.distance.emergency)
        level = next((level for level in levels if risk.distance >= level), None)
        if level is None:
            continue
        symbol = risk.position.key.symbol
        known = found.get(symbol, Lines())
        if risk.position.size > 0:
            found[symbol] = Lines(
                low=max(known.low, risk.liquidation_price / (1 - level)), high=known.high
            )
        else:
            found[symbol] = Lines(
                low=known.low, high=min(known.high, risk.liquidation_price / (1 + level))
            )
    return found


def is_any_crossed(watched: Mapping[str, Lines], marks: Mapping[str, Decimal]) -> bool:
    """Whether one of the marks crosses a line of its symbol; a symbol without lines tells nothing.

    Args:
        watched: Of the last decision, by unified symbol.
        marks: By unified symbol. [quote/base]
    """
    return any(
        symbol in watched and watched[symbol].is_crossed(mark) for symbol, mark in marks.items()
    )
