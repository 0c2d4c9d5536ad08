"""Which margin does each rule want at each hour?

The rules that `bench.scoring.score` compares, as margins per unit of notional at the close of each
bar, from what was known then; only `oracle` knows more, on purpose. Distances are logs, shape (m,),
one per step of a replay.

Sources: what `strategies/hazard.py` does for `core`, `strategies/volatility_target.py` for
`volatility_target`; the public documents of leverage tokens, and of exchanges for their automatic
addition, for the others.
"""

from dataclasses import dataclass

import numpy as np

from bench.scoring.score import Rule
from bot.leverage import band, units
from bot.leverage.arrays import Floats
from bot.leverage.history import History, excursions

DAY = 24
"""Hours the oracle knows. [h]"""
ORACLE_LEAST = 0.002
ORACLE_OVER = 1e-4
ORACLE_WIDE = 0.01
"""Beyond twice the need and so much more, margin returns. [log]"""
FLEXIBLE = (0.85, 1.15, 0.05, 24)
"""Minimum and maximum over the target, speed of recentering, and hours between steps."""
ABOUT = 0.05
"""An exchange adds when equity is within so much of maintenance margin. [ratio]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Of which position.

    Attributes:
        side: 1 long, -1 short.
        maintenance: Maintenance rate. [ratio]
    """

    side: int
    maintenance: float

    def units(self, count: int) -> units.Units:
        """Return so many positions of notional 1."""
        one = np.ones(count)
        return units.of_one_tier(one, one * self.side, one * self.maintenance)

    def margin(self, a_log: Floats) -> Floats:
        """Return the margin per notional at log distances. [ratio]."""
        return units.equity_at(self.units(a_log.size), a_log)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Between which log distances a band is kept.

    Attributes:
        least: Of a trigger. [log]
        most: Of a target. [log]
    """

    least: float
    most: float

    def trigger(self, required: Floats, execution: Floats, *, target: float) -> Floats:
        """Return the trigger, so near that a target so many times as far is between the ends."""
        found = np.maximum(np.maximum(required, self.least), execution)
        return np.minimum(found, self.most / target)


def core(
    name: str,
    hazard: float,
    required: Floats,
    execution: Floats,
    *,
    geometry: Geometry,
    ends: Ends,
    target: float,
    give_back: float,
) -> Rule:
    """Return the band around a required distance, as the default strategy spreads it.

    Args:
        name: Of the family.
        hazard: Its parameter. [1/year]
        required: Distance at which the tolerance is met. [log]
        execution: What a price covers while an action is on its way, > 0. [log]
        geometry: Of the position.
        ends: What the band is kept between.
        target: Over the trigger, > 1. [ratio]
        give_back: Over the trigger, > ``target``. [ratio]
    """
    trigger = ends.trigger(required, execution, target=target)
    found = band.by_multiples(
        geometry.units(required.size),
        trigger,
        trigger,
        execution,
        target=target,
        give_back=give_back,
    )
    return Rule(
        name=name,
        parameter=hazard,
        low=found.equity_low,
        aim=found.equity_target,
        high=found.equity_high,
    )


def core_by_cost(
    name: str,
    hazard: float,
    required: Floats,
    execution: Floats,
    sigma_day: Floats,
    *,
    geometry: Geometry,
    ends: Ends,
    target: float,
    fixed: float,
    rate_day: float,
) -> Rule:
    """Return the band as the default strategy spreads it where a move has a price.

    Args:
        name: Of the family.
        hazard: Its parameter. [1/year]
        required: Distance at which the tolerance is met. [log]
        execution: What a price covers while an action is on its way, > 0. [log]
        sigma_day: Of the log price over a day, > 0. [log]
        geometry: Of the position.
        ends: What the band is kept between.
        target: Over the trigger, > 1; bounds the trigger only. [ratio]
        fixed: Cost of one move, > 0. [ratio]
        rate_day: Opportunity rate, > 0. [1/day]
    """
    trigger = ends.trigger(required, execution, target=target)
    found = band.by_cost(
        geometry.units(required.size),
        trigger,
        trigger,
        execution,
        fixed=np.full(required.size, fixed),
        sigma_day=sigma_day,
        rate_day=rate_day,
    )
    farthest = geometry.margin(np.maximum(ends.most, trigger + execution))
    return Rule(
        name=name,
        parameter=hazard,
        low=found.equity_low,
        aim=np.minimum(found.equity_target, farthest),
        high=found.equity_high,
    )


def volatility_target(
    multiple: float,
    per_hour: Floats,
    *,
    hours: float,
    geometry: Geometry,
    ends: Ends,
    trigger: float,
    give_back: float,
) -> Rule:
    """Return a target so many standard deviations away.

    Args:
        multiple: Its parameter.
        per_hour: Volatility. [log/sqrt(h)]
        hours: The horizon. [h]
        geometry: Of the position.
        ends: What the band is kept between.
        trigger: Over the target, < 1. [ratio]
        give_back: Over the target, > 1. [ratio]
    """
    aim = np.clip(multiple * np.sqrt(hours) * per_hour, ends.least / trigger, ends.most)
    return Rule(
        name="volatility target",
        parameter=multiple,
        low=geometry.margin(aim * trigger),
        aim=geometry.margin(aim),
        high=geometry.margin(aim * give_back),
    )


def static(leverage: float, steps: int) -> Rule:
    """Return what opens at a leverage and then does nothing."""
    return Rule(
        name="static",
        parameter=leverage,
        low=np.full(steps, -np.inf),
        aim=np.full(steps, 1 / leverage),
        high=np.full(steps, np.inf),
    )


def leverage_band(leverage: float, steps: int, *, width: float = 0.2) -> Rule:
    """Return what goes to a leverage whenever it is farther from it than a share of it."""
    return Rule(
        name="leverage band",
        parameter=leverage,
        low=np.full(steps, 1 / (leverage * (1 + width))),
        aim=np.full(steps, 1 / leverage),
        high=np.full(steps, 1 / (leverage * (1 - width))),
    )


def flexible(leverage: float, steps: int) -> Rule:
    """Return what a flexible-leverage token does, by moving margin and in one chunk.

    ``clamp(now (1 - speed) + target speed, minimum, maximum)`` once a day, and at once outside.
    Its ripcord leads to the maximum, as any step from beyond it does that slow.
    """
    least, most, speed, every = FLEXIBLE
    return Rule(
        name="flexible leverage",
        parameter=leverage,
        low=np.full(steps, 1 / (leverage * most)),
        aim=np.full(steps, 1 / leverage),
        high=np.full(steps, 1 / (leverage * least)),
        speed=speed,
        every=every,
    )


def top_up(leverage: float, steps: int) -> Rule:
    """Return what an exchange does that adds the initial margin again when it is nearly gone.

    It acts within a bar, at once, and its wallet lasts up to leverage 1: both in its favour.
    """
    return Rule(
        name="auto top-up",
        parameter=leverage,
        low=np.full(steps, -np.inf),
        aim=np.full(steps, 1 / leverage),
        high=np.full(steps, np.inf),
        chunk=1 / leverage,
        ahead=ABOUT,
    )


def next_day(history: History, side: int) -> Floats:
    """Return how far the price runs against a side within the next 24 h, shape (n,). [log].

    A missing hour does not run; NaN where the present bar is missing.
    """
    after = np.full(DAY, np.nan)
    close, low, high = (
        np.concatenate((x, after)) for x in (history.close, history.low, history.high)
    )
    gone = ~np.isfinite(close)
    long, short = excursions(
        History(
            start=history.start,
            high=np.where(gone, np.finfo(np.float64).tiny, high),
            low=np.where(gone, np.inf, low),
            close=close,
            rejected=gone,
        ),
        DAY,
    )
    return (long if side > 0 else short)[: len(history)]


def oracle(ahead: Floats, *, geometry: Geometry) -> Rule:
    """Return what holds the margin that the next 24 h will need.

    Args:
        ahead: See `next_day`. [log]
        geometry: Of the position.
    """
    need = np.maximum(ORACLE_LEAST, ahead)
    return Rule(
        name="oracle",
        parameter=float(DAY),
        low=geometry.margin(need),
        aim=geometry.margin(need + ORACLE_OVER),
        high=geometry.margin(2 * need + ORACLE_WIDE),
    )
