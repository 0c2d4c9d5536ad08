"""Where must an order rest at the venue that closes a position when the bot does not act?

One reduce-only stop on mark per position, for all of it, between the price at which the emergency
begins and the liquidation price. Own orders only, and the new one before the old one goes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.account import Account
from bot.domain.action import CancelStop, PlaceStop
from bot.domain.band import LeverageBand
from bot.domain.decision import PlannedAction, Refusal
from bot.domain.instrument import Instrument
from bot.domain.market import Market
from bot.domain.position import MarginMode, Position, PositionKey, Side
from bot.domain.stop import RestingStop
from bot.domain.switch import Permission, Switches
from bot.margin import isolated
from bot.margin.assess import assess
from bot.rebalance import book
from bot.rebalance.memory import Memory
from bot.rebalance.planned import Plan
from bot.rebalance.policy import Policy
from bot.rebalance.rounding import down, is_multiple, up

PLACE = Decimal("0.5")
"""Where in its room a stop is placed, from the liquidation side: as far from either end, because
books thin in a fall and the bot itself shall act before. [ratio]"""
KEPT = (Decimal("0.1"), Decimal("0.9"))
"""Between which places in its room a stop that stands is left alone. [ratio]"""
LONGEST_UNREAD = timedelta(seconds=120)
"""After so long without a look at the resident stops it is not known which stand."""
SETTLING = timedelta(seconds=5)
"""Least time between two changes of one position's stop; the venue's list needs some of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Between which prices a stop may stand; on the way from liquidation towards mark.

    Attributes:
        side: Of the position.
        near: Where closing all of it still pays spread, depth and fee before
            liquidation. [quote/base]
        far: The mark at which the emergency begins. [quote/base]
    """

    side: Side
    near: Decimal
    far: Decimal

    def is_beyond(self, price: Decimal, other: Decimal) -> bool:
        """Whether a price is farther from liquidation than another."""
        return self.side.sign * (price - other) > 0

    def keeps(self, price: Decimal) -> bool:
        """Whether a stop that stands there may stay."""
        first, last = (self.near + share * (self.far - self.near) for share in KEPT)
        return self.is_beyond(price, first) and self.is_beyond(last, price)

    def place(self, bound: Decimal, *, tick: Decimal) -> Decimal | None:
        """Return where to place a stop short of a bound, away from liquidation to a tick.

        ``None`` when no tick lies strictly between. [quote/base]
        """
        rounded = up if self.side is Side.LONG else down
        price = rounded(self.near + PLACE * (bound - self.near), step=tick)
        return price if self.is_beyond(bound, price) and self.is_beyond(price, self.near) else None


def emergency_price(side: Side, *, liquidation: Decimal, emergency: Decimal) -> Decimal | None:
    """Return the mark at which the distance to liquidation is the emergency's. [quote/base].

    ``None`` where no mark is so far away: a long never stands at a distance of 1.

    Args:
        side: Of the position.
        liquidation: [quote/base]
        emergency: Distance. [ratio]
    """
    share = 1 - side.sign * emergency
    return liquidation / share if share > 0 else None


def standing(
    stops: Iterable[RestingStop], position: Position, liquidation: Decimal | None
) -> RestingStop | None:
    """Return our stop that closes all of a position before its liquidation, the first to fire."""
    sign = position.side.sign
    found = [
        stop
        for stop in stops
        if stop.is_ours
        and stop.covers(position)
        and (liquidation is None or sign * (stop.stop_price - liquidation) > 0)
    ]
    return max(found, key=lambda s: (sign * s.stop_price, s.stop_id), default=None)


def plan_stops(
    account: Account,
    instruments: Mapping[str, Instrument],
    markets: Mapping[str, Market],
    bands: Mapping[PositionKey, LeverageBand],
    memory: Memory,
    policy: Policy,
    *,
    now: datetime,
) -> Plan:
    """Return the stops to place and to take back, and what cannot be placed.

    Args:
        account: As it will be after the actions before.
        instruments: By symbol.
        markets: By symbol.
        bands: Chosen by the strategy; a position without one has no emergency level.
        memory: Of earlier polls.
        policy: Limits.
        now: Of the observation. Aware UTC.
    """
    held = [p for p in account.positions if p.margin_mode is MarginMode.ISOLATED]
    if account.stops_at is None or now - account.stops_at > LONGEST_UNREAD:
        return Plan(refusals=tuple(_unread(p, account) for p in _ordered(held)))
    plans = [
        _plan_one(
            position,
            instruments[position.symbol],
            markets[position.symbol],
            bands.get(position.key),
            _own(account, position.key),
            memory,
            policy,
        )
        for position in _ordered(held)
        if _is_settled(memory, position.key, now)
    ]
    plans.append(_orphans(account, memory, now))
    return Plan(
        actions=tuple(action for one in plans for action in one.actions),
        refusals=tuple(refusal for one in plans for refusal in one.refusals),
    )


def room_of(
    position: Position,
    instrument: Instrument,
    market: Market,
    *,
    liquidation: Decimal,
    emergency: Decimal,
    policy: Policy,
) -> Room | None:
    """Return where the stop of a position may stand; ``None`` where there is no room."""
    side = position.side
    cost = _cost(position, instrument, market, policy)
    needed = isolated.distance_of_loss(instrument.contract, size=position.size, share=cost)
    if needed is None:
        return None
    near = emergency_price(side, liquidation=liquidation, emergency=needed)
    far = emergency_price(side, liquidation=liquidation, emergency=emergency)
    if near is None or far is None or side.sign * (far - near) <= 0:
        return None
    return Room(side=side, near=near, far=far)


def _plan_one(
    position: Position,
    instrument: Instrument,
    market: Market,
    band: LeverageBand | None,
    own: tuple[RestingStop, ...],
    memory: Memory,
    policy: Policy,
) -> Plan:
    liquidation = assess(position, instrument).liquidation_price
    if liquidation is None:
        return Plan(actions=_cancelled(own, memory, why="stop_needless"))
    stands = standing(own, position, liquidation)
    if band is None:
        return _refused(position, stands, "the strategy gives it no emergency level")
    room = room_of(
        position,
        instrument,
        market,
        liquidation=liquidation,
        emergency=band.distance.emergency,
        policy=policy,
    )
    kept = _kept(own, position, room)
    if kept is not None:
        rest = tuple(stop for stop in own if stop != kept)
        return Plan(actions=_cancelled(rest, memory, why="stop_replaced"))
    allowed = Switches(pause=memory.pause)
    is_needed = stands is None
    if not allowed.allows("place_stop", mode=memory.mode, is_needed=is_needed):
        return _refused(position, stands, f"mode {memory.mode}, pause {memory.pause}")
    problem = _size_problem(position, instrument)
    if problem:
        return _refused(position, stands, problem)
    price = _price(room, position, instrument, may_hurry=is_needed)
    if price is None:
        return _refused(
            position,
            stands,
            f"nothing is left between its liquidation price {liquidation} with the cost of closing "
            f"it, and the nearer of its emergency and mark {position.mark_price}",
        )
    place = PlannedAction(
        action=PlaceStop(
            key=position.key, size=abs(position.size), stop_price=price, is_needed=is_needed
        ),
        why="no_stop_stands" if is_needed else "stop_off",
        cost=Decimal(0),
        before=None,
        after=None,
    )
    return Plan(actions=(place, *_cancelled(own, memory, why="stop_replaced")))


def _kept(own: Iterable[RestingStop], position: Position, room: Room | None) -> RestingStop | None:
    """Return the stop that may stay where it is; of several the one nearest to its place."""
    if room is None:
        return None
    middle = room.near + PLACE * (room.far - room.near)
    found = [s for s in own if s.covers(position) and room.keeps(s.stop_price)]
    return min(found, key=lambda s: (abs(s.stop_price - middle), s.stop_id), default=None)


def _price(
    room: Room | None, position: Position, instrument: Instrument, *, may_hurry: bool
) -> Decimal | None:
    if room is None:
        return None
    price = room.place(room.far, tick=instrument.price_step)
    if price is None or not room.keeps(price):
        return None
    if room.is_beyond(position.mark_price, price):
        return price
    # Mark is past that place already: what is left of the room is better than nothing, but a
    # stop that stands is not to follow mark down.
    return room.place(position.mark_price, tick=instrument.price_step) if may_hurry else None


def _cost(position: Position, instrument: Instrument, market: Market, policy: Policy) -> Decimal:
    """Return what closing all of a position costs of its value, at least the fee. [ratio]."""
    limit = book.worst_price(
        market,
        instrument,
        position.side,
        slippage=policy.emergency_slippage,
        furthest=policy.emergency_slippage,
    )
    size = abs(position.size)
    cost = book.reduction_cost(market, instrument, position.side, size=size, limit_price=limit)
    value = isolated.value(instrument.contract, size=size, price=market.mark_price)
    return max(instrument.taker_fee, cost / value)


def _size_problem(position: Position, instrument: Instrument) -> str:
    size = abs(position.size)
    if size > instrument.max_market_size:
        return f"size {size} is above the largest market order {instrument.max_market_size}"
    if not is_multiple(size, step=instrument.size_step):
        return f"size {size} is no multiple of the lot {instrument.size_step}"
    return ""


def _cancelled(
    stops: Iterable[RestingStop], memory: Memory, *, why: str
) -> tuple[PlannedAction, ...]:
    """Return the actions that take stops back, where that is allowed now."""
    allowed = Switches(pause=memory.pause).permission("cancel_stop", mode=memory.mode)
    if allowed is not Permission.YES:
        return ()
    return tuple(
        PlannedAction(
            action=CancelStop(key=stop.key, stop_id=stop.stop_id, client_id=stop.client_id),
            why=why,
            cost=Decimal(0),
            before=None,
            after=None,
        )
        for stop in stops
    )


def _orphans(account: Account, memory: Memory, now: datetime) -> Plan:
    """Return how to take back our stops of positions that are not held any more."""
    held = {position.key for position in account.positions}
    keys = sorted({stop.key for stop in account.stops} - held)
    stops = [stop for key in keys if _is_settled(memory, key, now) for stop in _own(account, key)]
    return Plan(actions=_cancelled(stops, memory, why="stop_orphaned"))


def _is_settled(memory: Memory, key: PositionKey, now: datetime) -> bool:
    if memory.is_stop_unsettled(key):
        return False
    last = memory.last_move_at(key, kinds=(PlaceStop, CancelStop))
    return last is None or now - last >= SETTLING


def _own(account: Account, key: PositionKey) -> tuple[RestingStop, ...]:
    return tuple(stop for stop in account.stops if stop.is_ours and stop.key == key)


def _ordered(positions: Iterable[Position]) -> list[Position]:
    return sorted(positions, key=lambda position: position.key)


def _refused(position: Position, stands: RestingStop | None, why: str) -> Plan:
    """Return a refusal, unless a stop stands all the same: then it is left where it is."""
    if stands is not None:
        return Plan()
    return Plan(refusals=(Refusal(code="no_backstop", text=f"{position.key} has no stop: {why}"),))


def _unread(position: Position, account: Account) -> Refusal:
    at = "never" if account.stops_at is None else account.stops_at.isoformat(timespec="seconds")
    return Refusal(
        code="no_backstop",
        text=f"it must be known whether a stop stands for {position.key}, stops were read {at}",
    )
