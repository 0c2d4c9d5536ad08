"""What does a flexible-leverage token do next, and how much of it?

The state machine by which such tokens keep their leverage: a band with a target that is approached
in steps, trades cut into chunks over time, and a ripcord that waits for nothing. All of it is exact
and pure; instants are arguments. Nothing here limits a rescue by what may still be borrowed: on a
perpetual a position can always be closed, all of it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """Leverages and times, ``0 < minimum <= target <= maximum <= ripcord``.

    Attributes:
        target: Where it aims in the long run. [x]
        minimum: Below it a step is due at once. [x]
        maximum: Above it a step is due at once; a ripcord aims here. [x]
        ripcord: From it on nothing else is done. [x]
        recentering_speed: Share of the way to the target per step, in (0, 1]. [ratio]
        interval: Between two steps inside the band.
        cooldown: Between two chunks of a step.
        ripcord_cooldown: Between two chunks of a ripcord.
        slippage: Worst price of a step, from mark. [ratio]
        ripcord_slippage: Worst price of a ripcord, from mark. [ratio]
    """

    target: Decimal
    minimum: Decimal
    maximum: Decimal
    ripcord: Decimal
    recentering_speed: Decimal
    interval: timedelta
    cooldown: timedelta
    ripcord_cooldown: timedelta
    slippage: Decimal
    ripcord_slippage: Decimal

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ValueError: Naming the fields and their values.
        """
        if not 0 < self.minimum <= self.target <= self.maximum <= self.ripcord:
            raise ValueError(
                "leverages must satisfy 0 < minimum <= target <= maximum <= ripcord, were "
                f"{self.minimum}, {self.target}, {self.maximum}, {self.ripcord}"
            )
        if not 0 < self.recentering_speed <= 1:
            raise ValueError(f"recentering_speed must be in (0, 1], was {self.recentering_speed}")
        if not self.interval >= self.cooldown >= self.ripcord_cooldown >= timedelta():
            raise ValueError(
                "times must satisfy interval >= cooldown >= ripcord_cooldown >= 0, were "
                f"{self.interval}, {self.cooldown}, {self.ripcord_cooldown}"
            )
        for name in ("slippage", "ripcord_slippage"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], was {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """Where it trades.

    Attributes:
        name: Tells venues apart.
        chunk: Largest trade of a step, > 0. [base]
        ripcord_chunk: Largest trade of a ripcord, > 0. [base]
    """

    name: str
    chunk: Decimal
    ripcord_chunk: Decimal

    def __post_init__(self) -> None:
        """Refuse chunks of which no step would ever be made.

        Raises:
            ValueError: Naming the field.
        """
        for name in ("chunk", "ripcord_chunk"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, was {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is remembered between two looks.

    Attributes:
        aim: Of a step that was cut into chunks and is not through; ``None`` for none. [x]
        traded: Venue and instant of its last trade, by name. Aware UTC.
    """

    aim: Decimal | None = None
    traded: tuple[tuple[str, datetime], ...] = ()

    def last(self, venue: str) -> datetime | None:
        """Return when a venue was last traded at; ``None`` for never."""
        return dict(self.traded).get(venue)

    @property
    def last_anywhere(self) -> datetime | None:
        """When any venue was last traded at; ``None`` for never."""
        return max((at for _, at in self.traded), default=None)


class Verdict(StrEnum):
    """What is due."""

    NOTHING = "nothing"
    STEP = "step"
    ITERATE = "iterate"
    RIPCORD = "ripcord"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """What to do now, and what to remember when it is done.

    Attributes:
        verdict: Why.
        aim: Leverage it leads towards; ``None`` where nothing is due. [x]
        total: Signed change of the position that leads there, > 0 makes it larger. [base]
        size: Of it, what is traded now: at most a chunk. [base]
        slippage: Worst price, from mark. [ratio]
        after: The state once it is done.
    """

    verdict: Verdict
    aim: Decimal | None
    total: Decimal
    size: Decimal
    slippage: Decimal
    after: State


def effective_leverage(notional: Decimal, equity: Decimal) -> Decimal | None:
    """Return notional over equity; ``None`` where no equity is left, which is beyond any. [x].

    Args:
        notional: > 0. [quote]
        equity: Signed. [quote]
    """
    return notional / equity if equity > 0 else None


def next_leverage(method: Method, leverage: Decimal) -> Decimal:
    """Return where a step from here aims: part of the way to the target, inside the band. [x]."""
    speed = method.recentering_speed
    step = leverage * (1 - speed) + method.target * speed
    return min(max(step, method.minimum), method.maximum)


def verdict(
    state: State, method: Method, venue: Venue, *, now: datetime, leverage: Decimal | None
) -> Verdict:
    """Return what is due at a venue.

    Args:
        state: Remembered.
        method: In force.
        venue: Where it would be traded.
        now: Aware UTC.
        leverage: Of the position; ``None`` where no equity is left. [x]
    """
    last = state.last(venue.name)
    if leverage is None or leverage >= method.ripcord:
        return Verdict.RIPCORD if _is_over(method.ripcord_cooldown, last, now) else Verdict.NOTHING
    if state.aim is not None:
        return Verdict.ITERATE if _is_over(method.cooldown, last, now) else Verdict.NOTHING
    is_outside = leverage > method.maximum or leverage < method.minimum
    if is_outside or _is_over(method.interval, state.last_anywhere, now):
        return Verdict.STEP
    return Verdict.NOTHING


def trade(
    state: State,
    method: Method,
    venue: Venue,
    *,
    now: datetime,
    leverage: Decimal | None,
    size: Decimal,
) -> Trade:
    """Return what to trade at a venue now.

    A step that was cut goes on towards the aim it began with, and ends without a trade when the
    price has gone there by itself.

    Args:
        state: Remembered.
        method: In force.
        venue: Where it would be traded.
        now: Aware UTC.
        leverage: Of the position; ``None`` where no equity is left. [x]
        size: Of the position, > 0. [base]
    """
    due = verdict(state, method, venue, now=now, leverage=leverage)
    if due is Verdict.NOTHING:
        return Trade(
            verdict=due,
            aim=None,
            total=Decimal(0),
            size=Decimal(0),
            slippage=method.slippage,
            after=state,
        )
    if leverage is None or due is Verdict.RIPCORD:
        aim, chunk, slippage = method.maximum, venue.ripcord_chunk, method.ripcord_slippage
    else:
        begun = state.aim if due is Verdict.ITERATE else None
        aim = next_leverage(method, leverage) if begun is None else begun
        chunk, slippage = venue.chunk, method.slippage
    total = traded_size(size, leverage, aim)
    if due is Verdict.ITERATE and leverage is not None and is_there(method, aim, leverage):
        total = Decimal(0)
    part = min(max(total, -chunk), chunk)
    is_cut = part != total and due is not Verdict.RIPCORD
    return Trade(
        verdict=due,
        aim=aim,
        total=total,
        size=part,
        slippage=slippage,
        after=_traded(replace(state, aim=aim if is_cut else None), venue.name, now),
    )


def traded_size(size: Decimal, leverage: Decimal | None, aim: Decimal) -> Decimal:
    """Return the change of a position that brings it to a leverage, equity as it is. [base].

    Args:
        size: Of the position, > 0. [base]
        leverage: Its own; ``None`` where no equity is left: then all of it goes. [x]
        aim: > 0. [x]
    """
    if leverage is None:
        return -size
    return size * (aim - leverage) / leverage


def moved_margin(notional: Decimal, equity: Decimal, aim: Decimal) -> Decimal:
    """Return the change of margin that brings a position to a leverage, size as it is. [quote].

    Args:
        notional: Of the position, > 0. [quote]
        equity: Its own, signed: what is lost beyond it is added too. [quote]
        aim: > 0. [x]
    """
    return notional / aim - equity


def is_there(method: Method, aim: Decimal, leverage: Decimal) -> bool:
    """Whether the price went to or past the aim while its step was under way.

    Args:
        method: In force.
        aim: Of the step. [x]
        leverage: Of the position, > 0. [x]
    """
    return (aim < method.target and leverage >= aim) or (aim > method.target and leverage <= aim)


def _is_over(wait: timedelta, since: datetime | None, now: datetime) -> bool:
    return since is None or now - since > wait


def _traded(state: State, venue: str, now: datetime) -> State:
    return replace(state, traded=tuple(sorted((dict(state.traded) | {venue: now}).items())))
