"""Between which marks does nothing change, had positions and money not changed since the last look?

What is seen of a mark alone is a reason to look, never to act: size, margin and money may have
changed as well.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.domain.decision import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The marks of one symbol at which a position of it falls through its next level.

    Attributes:
        low: Below it a long does. [quote/base]
        high: Above it a short does. [quote/base]
    """

    low: Decimal = Decimal(0)
    high: Decimal = Decimal("Infinity")

    def is_crossed(self, mark: Decimal) -> bool:
        """Whether a mark lies outside. [quote/base]."""
        return mark < self.low or mark > self.high


def headroom(decision: Decision) -> Decimal | None:
    """Return how far the nearest position stands above its next level; ``None`` for none. [ratio].

    A position that has no line counts for nothing.
    """
    return min((level.headroom for level in _levels(decision)), default=None)


def lines(decision: Decision) -> dict[str, Lines]:
    """Return the lines of each symbol with a position above one of its levels.

    The level is the trigger; below that the emergency. A position that is below both, that nothing
    is planned for, or that no price liquidates has none.
    """
    found: dict[str, Lines] = {}
    for level in _levels(decision):
        known = found.get(level.symbol, Lines())
        if level.is_long:
            found[level.symbol] = replace(known, low=max(known.low, level.mark))
        else:
            found[level.symbol] = replace(known, high=min(known.high, level.mark))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """The next level that a position would fall through.

    Attributes:
        symbol: Unified.
        is_long: Whether it falls with the mark.
        mark: At which it stands just there. [quote/base]
        headroom: Its distance above it. [ratio]
    """

    symbol: str
    is_long: bool
    mark: Decimal
    headroom: Decimal


def _levels(decision: Decision) -> Iterator[_Level]:
    """Yield the level of each position that has one.

    A long stands at distance ``d`` where mark is ``liquidation / (1 - d)``, a short where it is
    ``liquidation / (1 + d)``.
    """
    for verdict in decision.positions:
        risk, band = verdict.risk, verdict.band
        if band is None or risk.distance is None or risk.liquidation_price is None:
            continue
        side = risk.position.side.sign
        for level in (band.distance.trigger, band.distance.emergency):
            if risk.distance >= level:
                yield _Level(
                    symbol=risk.position.key.symbol,
                    is_long=side > 0,
                    mark=risk.liquidation_price / (1 - side * level),
                    headroom=risk.distance - level,
                )
                break


def is_any_crossed(watched: Mapping[str, Lines], marks: Mapping[str, Decimal]) -> bool:
    """Whether one of the marks crosses a line of its symbol; a symbol without lines tells nothing.

    Args:
        watched: Of the last decision, by unified symbol.
        marks: By unified symbol. [quote/base]
    """
    return any(
        symbol in watched and watched[symbol].is_crossed(mark) for symbol, mark in marks.items()
    )
