"""Between which distances may a position drift before something is done?"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bot.leverage.arrays import Booleans, Floats
from bot.leverage.units import FAR, Units, distance_of, equity_at

CONFIRMATION = 1800.0
"""A position must stand beyond give-back for so long before anything returns. [s]"""
INTERVAL = 600.0
"""Least time between two routine moves. [s]"""
_TICKS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Log distances of n positions, ``emergency <= trigger < target < give_back``.

    Attributes:
        emergency: Shape (n,). [log]
        trigger: Shape (n,). [log]
        target: Shape (n,). [log]
        give_back: Shape (n,). [log]
        equity_low: Shape (n,), at the trigger. [quote]
        equity_target: Shape (n,). [quote]
        equity_high: Shape (n,), at give-back. [quote]
        widened: Shape (n,): the execution buffer moved target or give-back outwards.
    """

    emergency: Floats
    trigger: Floats
    target: Floats
    give_back: Floats
    equity_low: Floats
    equity_target: Floats
    equity_high: Floats
    widened: Booleans


def trigger(required: Floats, stress: Floats, execution: Floats) -> Floats:
    """Return the distance below which something is done: the largest of three. [log].

    Args:
        required: Of the tail at the tolerance. [log]
        stress: Floor of the catalogue. [log]
        execution: Buffer, see `execution_buffer`. [log]
    """
    return np.maximum(np.maximum(required, stress), execution)


def execution_buffer(
    quantile: Floats, sigma_sqrt_h: Floats, *, act_hours: float, slippage: Floats, tick: Floats
) -> Floats:
    """Return how far a price may run while an action is on its way. [log].

    Args:
        quantile: Excursion exceeded in 5 % of windows. [standard deviations]
        sigma_sqrt_h: Volatility. [log/sqrt(h)]
        act_hours: From sending to confirmed, 99th percentile, >= 0. [h]
        slippage: Of the fill against mark. [log]
        tick: Of the price. [log]

    Raises:
        ValueError: If ``act_hours`` is outside.
    """
    if not (math.isfinite(act_hours) and act_hours >= 0):
        raise ValueError(f"act_hours must be finite and >= 0, was {act_hours}")
    found: Floats = quantile * sigma_sqrt_h * math.sqrt(act_hours) + slippage + _TICKS * tick
    return found


def emergency(trigger_log: Floats, loose: Floats, fast: Floats, execution: Floats) -> Floats:
    """Return the distance below which cool-downs are skipped. [log].

    Args:
        trigger_log: See `trigger`. [log]
        loose: Required distance at ten times the tolerance, 5 % at most. [log]
        fast: Required distance at 5 % over the fast reaction time. [log]
        execution: Buffer. [log]
    """
    return np.minimum(trigger_log, np.maximum(loose, fast + execution))


def miller_orr(fixed: Floats, sd_day: Floats, rate_day: float) -> Floats:
    """Return how far the target stands above the lower limit; give-back stands at three times it.

    ``(3 K s^2 / (4 i))^(1/3)``. [quote]

    Args:
        fixed: Cost of one move, > 0. [quote]
        sd_day: Of the balance over a day, > 0. [quote]
        rate_day: Opportunity rate of idle money, > 0. [1/day]

    Raises:
        ValueError: If an argument is not positive and finite.

    Source: Miller and Orr (1966).
    """
    for name, values in (("fixed", fixed), ("sd_day", sd_day), ("rate_day", np.array(rate_day))):
        if not (np.isfinite(values) & (values > 0)).all():
            raise ValueError(f"{name} must be finite and > 0")
    found: Floats = np.cbrt(3.0 * fixed * sd_day * sd_day / (4.0 * rate_day))
    return found


def daily_cost(
    low: Floats, target: Floats, high: Floats, *, fixed: Floats, sd_day: Floats, rate_day: float
) -> Floats:
    """Return what a band costs: moves, and money that lies idle. [quote/day].

    Args:
        low: Lower limit of the balance. [quote]
        target: Where a move leads, > ``low``. [quote]
        high: Upper limit, > ``target``. [quote]
        fixed: Cost of one move. [quote]
        sd_day: Of the balance over a day. [quote]
        rate_day: Opportunity rate. [1/day]

    Source: Miller and Orr (1966).
    """
    moves = fixed * sd_day * sd_day / ((target - low) * (high - target))
    found: Floats = moves + rate_day * (low + target + high) / 3.0
    return found


def by_cost(
    units: Units,
    trigger_log: Floats,
    emergency_log: Floats,
    execution: Floats,
    *,
    fixed: Floats,
    sigma_day: Floats,
    rate_day: float,
) -> Band:
    """Return the band whose target and give-back cost least after Miller and Orr.

    Args:
        units: n positions.
        trigger_log: Shape (n,), > 0. [log]
        emergency_log: Shape (n,), in (0, trigger]. [log]
        execution: Shape (n,), > 0. [log]
        fixed: Shape (n,), cost of one move. [quote]
        sigma_day: Shape (n,), of the log price over a day. [log]
        rate_day: Opportunity rate. [1/day]

    Raises:
        ValueError: If a number is outside.
    """
    low = equity_at(units, trigger_log)
    step = miller_orr(fixed, units.notional * sigma_day, rate_day)
    return _spread(
        units,
        (trigger_log, emergency_log, execution),
        distance_of(units, low + step),
        distance_of(units, low + 3.0 * step),
    )


def by_multiples(
    units: Units,
    trigger_log: Floats,
    emergency_log: Floats,
    execution: Floats,
    *,
    target: float,
    give_back: float,
) -> Band:
    """Return the band whose target and give-back are multiples of the trigger.

    Args:
        units: n positions.
        trigger_log: Shape (n,), > 0. [log]
        emergency_log: Shape (n,), in (0, trigger]. [log]
        execution: Shape (n,), > 0. [log]
        target: > 1. [ratio]
        give_back: > ``target``. [ratio]

    Raises:
        ValueError: If a number is outside.
    """
    if not 1 < target < give_back < math.inf:
        raise ValueError(
            f"multiples must satisfy 1 < target < give_back, were {target}, {give_back}"
        )
    return _spread(
        units,
        (trigger_log, emergency_log, execution),
        trigger_log * target,
        trigger_log * give_back,
    )


def _spread(
    units: Units, given: tuple[Floats, Floats, Floats], target: Floats, give_back: Floats
) -> Band:
    trigger_log, emergency_log, execution = given
    ordered = (emergency_log > 0) & (emergency_log <= trigger_log) & (trigger_log < FAR)
    if not (ordered & (execution > 0) & np.isfinite(execution)).all():
        raise ValueError("0 < emergency <= trigger and execution > 0 must hold")
    near = np.maximum(target, trigger_log + execution)
    far = np.maximum(give_back, near + 2.0 * execution)
    return Band(
        emergency=emergency_log,
        trigger=trigger_log,
        target=near,
        give_back=far,
        equity_low=equity_at(units, trigger_log),
        equity_target=equity_at(units, near),
        equity_high=equity_at(units, far),
        widened=(near > target) | (far > give_back),
    )


def is_worth_moving(
    size: float,
    *,
    minimum: float,
    step: float,
    weight: float,
    before: float,
    after: float,
    fixed: float,
    omega: float,
) -> bool:
    """Whether a routine move is large enough and gains more than it costs.

    Args:
        size: Of the move, > 0. [quote]
        minimum: Of the venue. [quote]
        step: See `miller_orr`; a quarter of it is the least. [quote]
        weight: What a liquidation adds to the loss. [quote]
        before: Hit probability now. [ratio]
        after: Hit probability after the move. [ratio]
        fixed: Cost of the move. [quote]
        omega: Price of margin over the plan. [ratio]
    """
    if not size >= max(minimum, step / 4.0):
        return False
    return weight * (before - after) >= fixed + omega * size


class Turn(StrEnum):
    """What the band asks for."""

    HOLD = "hold"
    RAISE = "raise"
    RESCUE = "rescue"
    GIVE_BACK = "give_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What is remembered between two polls.

    Attributes:
        beyond_since: Since when every poll saw the position beyond give-back. [s]
        moved_at: Of the last routine move. [s]
    """

    beyond_since: float | None = None
    moved_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One position at one poll.

    Attributes:
        at: Time, never falling. [s]
        a_log: Distance of the position. [log]
        emergency: Of the band. [log]
        trigger: Of the band. [log]
        give_back: Of the band. [log]
        may_give_back: Normal mode, fresh mark, no stress flag, full history.
    """

    at: float
    a_log: float
    emergency: float
    trigger: float
    give_back: float
    may_give_back: bool


def turn(
    drift: Drift, look: Look, *, confirmation: float = CONFIRMATION, interval: float = INTERVAL
) -> tuple[Turn, Drift]:
    """Return what to do, to the target, and what to remember.

    Below the trigger something is done at once, unless a routine move has just been made; below the
    emergency level always. Margin returns only when every poll of the confirmation time, and two at
    least, saw the position beyond give-back and allowed it; a poll that did not starts it again.

    Args:
        drift: Of the polls before.
        look: This poll.
        confirmation: [s]
        interval: Least time between two routine moves: the longer of window and ten minutes. [s]

    Raises:
        ValueError: If a number is not finite or the band is not ordered.
    """
    if not (math.isfinite(look.at) and math.isfinite(look.a_log)):
        raise ValueError("time and distance of a look must be finite")
    if not 0 < look.emergency <= look.trigger < look.give_back:
        raise ValueError("0 < emergency <= trigger < give_back must hold")
    rested = drift.moved_at is None or look.at - drift.moved_at >= interval
    beyond = look.may_give_back and look.a_log > look.give_back
    since = (drift.beyond_since if drift.beyond_since is not None else look.at) if beyond else None
    kept = Drift(beyond_since=since, moved_at=drift.moved_at)
    if look.a_log < look.emergency:
        return Turn.RESCUE, Drift(moved_at=look.at)
    if look.a_log < look.trigger:
        return (Turn.RAISE, Drift(moved_at=look.at)) if rested else (Turn.HOLD, kept)
    waited = drift.beyond_since is not None and look.at - drift.beyond_since >= confirmation
    if beyond and waited and rested:
        return Turn.GIVE_BACK, Drift(moved_at=look.at)
    return Turn.HOLD, kept
