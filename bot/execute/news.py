"""What changed since the last look that a write must not build on yet?

A number that changed is not wrong, but one reading of it proves little. Each doubt ends by itself:
when the venue's own liquidation price follows from the new table, when index or time confirm the
price, when the next look shows the same position mode.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.instrument import Instrument, MarginTier
from bot.domain.market import Market
from bot.domain.observation import Observation
from bot.domain.position import PositionMode
from bot.margin.assess import liquidation_price

JUMP = Decimal("0.05")
"""Between two looks; a mark that moved less is believed by itself. [ratio]"""
INDEX_SPLIT = Decimal("0.03")
"""The index confirms a mark that is no farther from it. [ratio]"""
CONFIRMED_AFTER = timedelta(seconds=60)
"""So long after a jump its looks confirm each other: a price that stays is no bad tick."""
CLOSING = timedelta(hours=1)
"""Before a contract ends nothing is added to it: there is no insurance fund any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the look before showed; values by symbol.

    Attributes:
        mode: Position mode; ``None`` before the first look.
        tiers: Maintenance tables.
        marks: Mark prices. [quote/base]
        unagreed: Symbols whose changed table no liquidation price of the venue confirmed.
        jumped: When a mark jumped without its index.
        closing: Symbols that are known to end.
    """

    mode: PositionMode | None = None
    tiers: Mapping[str, tuple[MarginTier, ...]] = field(default_factory=dict)
    marks: Mapping[str, Decimal] = field(default_factory=dict)
    unagreed: frozenset[str] = frozenset()
    jumped: Mapping[str, datetime] = field(default_factory=dict)
    closing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One look beside the one before it.

    Attributes:
        seen: For the next look.
        mode: The position mode the plan should have been made in.
        unagreed: Symbols whose maintenance table changed and is not confirmed.
        unconfirmed: Symbols whose mark is not confirmed.
        closing: Symbols that stop trading within the hour.
        alarms: Code and text of what is new.
    """

    seen: Seen
    mode: PositionMode
    unagreed: frozenset[str]
    unconfirmed: frozenset[str]
    closing: frozenset[str]
    alarms: tuple[tuple[str, str], ...]


def compare(seen: Seen, observation: Observation, *, dispute: Decimal) -> News:
    """Return what is new in a look.

    Args:
        seen: Of the look before; an empty one believes what it is shown first.
        observation: Screened or not.
        dispute: A venue's liquidation price this near to ours confirms a table. [ratio]
    """
    mode = observation.account.position_mode
    unagreed, jumped = _unagreed(seen, observation, dispute), _jumped(seen, observation)
    ending = {i.symbol: i.closes_at for i in observation.instruments if i.closes_at is not None}
    now = Seen(
        mode=mode,
        tiers={**seen.tiers, **{i.symbol: i.tiers for i in observation.instruments}},
        marks={**seen.marks, **{m.symbol: m.mark_price for m in observation.markets}},
        unagreed=unagreed,
        jumped=jumped,
        closing=frozenset(ending),
    )
    return News(
        seen=now,
        mode=mode if seen.mode is None else seen.mode,
        unagreed=unagreed,
        unconfirmed=frozenset(jumped),
        closing=frozenset(s for s, at in ending.items() if at - observation.at <= CLOSING),
        alarms=tuple(_alarms(seen, now, ending)),
    )


def _unagreed(seen: Seen, observation: Observation, dispute: Decimal) -> frozenset[str]:
    found = set()
    for instrument in observation.instruments:
        symbol = instrument.symbol
        before = seen.tiers.get(symbol, instrument.tiers)
        is_new = before != instrument.tiers
        if is_new or (symbol in seen.unagreed and not _is_agreed(observation, instrument, dispute)):
            found.add(symbol)
    return frozenset(found)


def _is_agreed(observation: Observation, instrument: Instrument, dispute: Decimal) -> bool:
    """Whether the venue's liquidation prices follow from a table; nothing held contradicts none."""
    for position in observation.account.positions:
        if position.symbol != instrument.symbol:
            continue
        ours = liquidation_price(position, instrument)
        theirs = position.venue_liquidation_price
        if (ours is None) is not (theirs is None):
            return False
        if ours is not None and theirs is not None and abs(ours - theirs) > dispute * theirs:
            return False
    return True


def _jumped(seen: Seen, observation: Observation) -> dict[str, datetime]:
    found = {}
    for market in observation.markets:
        if _is_near(market.mark_price, market.index_price, INDEX_SPLIT):
            continue
        since = seen.jumped.get(market.symbol)
        if since is None and _has_jumped(market, seen.marks):
            since = observation.at
        if since is not None and observation.at - since < CONFIRMED_AFTER:
            found[market.symbol] = since
    return found


def _has_jumped(market: Market, marks: Mapping[str, Decimal]) -> bool:
    before = marks.get(market.symbol)
    return before is not None and not _is_near(market.mark_price, before, JUMP)


def _is_near(price: Decimal, other: Decimal, share: Decimal) -> bool:
    return abs(price - other) <= share * other


def _alarms(seen: Seen, now: Seen, ending: Mapping[str, datetime]) -> Iterator[tuple[str, str]]:
    if seen.mode is not None and seen.mode is not now.mode:
        yield "position_mode_changed", f"position mode was {seen.mode}, is {now.mode}"
    for symbol in sorted(now.unagreed - seen.unagreed):
        yield "tiers_changed", f"the maintenance table of {symbol} changed"
    for symbol in sorted(now.jumped.keys() - seen.jumped.keys()):
        moved = f"from {seen.marks[symbol]} to {now.marks[symbol]}"
        yield "price_unconfirmed", f"mark of {symbol} jumped {moved}, its index did not"
    for symbol in sorted(now.closing - seen.closing):
        yield "symbol_closing", f"{symbol} stops trading at {ending[symbol]:%Y-%m-%d %H:%M} UTC"
