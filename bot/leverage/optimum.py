"""How much leverage belongs to a distance, and which distance to a leverage?

Four kinds of contract, two cases. Write V for the value at mark in the settle currency (linear:
``abs(size) * mark`` in quote; inverse: contracts over mark, in coin). A move against the position
either makes V fall, as with a linear long and an inverse short, or rise, as with the other two; at
log distance a it becomes ``V * exp(-a)`` or ``V * exp(a)``, and the loss is the difference. The
maintenance table has rising rates, so it is the maximum of its lines and no tier is searched for.

Numbers are float64, estimates; `bot.margin` is exact and decides. Both agree to 1e-9.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from bot.domain.instrument import Contract, MarginTier
from bot.leverage import checks, passage
from bot.leverage.arrays import Floats

FARTHEST = 700.0
"""Beyond it ``exp`` of a log distance overflows. [log]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tiers:
    """Maintenance tables as arrays of shape (k,), or (n, k) with one table for each of n units.

    Attributes:
        floor: Where a step begins, ascending, the first 0. [settle]
        rate: Maintenance rates, in [0, 1), never falling. [ratio]
        amount: Deductions, >= 0, never falling. [settle]
        cap: Highest leverage setting of a step, > 0; may be infinite. [x]

    Raises:
        ValueError: If the arrays differ in shape, are empty, or break a condition above.
    """

    floor: Floats
    rate: Floats
    amount: Floats
    cap: Floats

    def __post_init__(self) -> None:
        shape = self.rate.shape
        if not shape or shape[-1] == 0:
            raise ValueError("margin tiers must not be empty")
        if not self.floor.shape == self.amount.shape == self.cap.shape == shape:
            raise ValueError("arrays of margin tiers must have one shape")
        checks.not_negative("notional floor", self.floor)
        checks.not_negative("maintenance amount", self.amount)
        if not ((self.rate >= 0.0) & (self.rate < 1.0)).all():
            raise ValueError("maintenance rates must be in [0, 1)")
        if not (self.cap > 0.0).all():
            raise ValueError("leverage caps must be > 0")
        if self.floor[..., 0].any():
            raise ValueError("first notional floor must be 0")
        for name, values in (
            ("notional floors", self.floor),
            ("maintenance rates", self.rate),
            ("maintenance amounts", self.amount),
        ):
            if (np.diff(values, axis=-1) < 0.0).any():
                raise ValueError(f"{name} must not fall")

    @classmethod
    def flat(cls, rate: npt.ArrayLike) -> Self:
        """Return one tier with a rate, without deduction or cap.

        Args:
            rate: A number, or shape (n,) for n units. [ratio]
        """
        rates = np.asarray(rate, dtype=np.float64)[..., np.newaxis]
        zero = np.zeros_like(rates)
        return cls(floor=zero, rate=rates, amount=zero, cap=np.full_like(rates, np.inf))

    @classmethod
    def of(cls, tiers: Sequence[MarginTier]) -> Self:
        """Return the table of one instrument, shape (k,)."""
        return cls(
            floor=np.array([float(tier.notional_floor) for tier in tiers]),
            rate=np.array([float(tier.maintenance_rate) for tier in tiers]),
            amount=np.array([float(tier.maintenance_amount) for tier in tiers]),
            cap=np.array([float(tier.max_leverage) for tier in tiers]),
        )

    @classmethod
    def stack(cls, tables: Sequence[Self]) -> Self:
        """Return tables of shape (k,) as one of shape (n, k); short ones repeat their last step."""
        longest = max(table.rate.shape[-1] for table in tables)
        at = np.array(
            [np.minimum(np.arange(longest), table.rate.shape[-1] - 1) for table in tables]
        )
        pick = list(zip(tables, at, strict=True))
        return cls(
            floor=np.array([table.floor[k] for table, k in pick]),
            rate=np.array([table.rate[k] for table, k in pick]),
            amount=np.array([table.amount[k] for table, k in pick]),
            cap=np.array([table.cap[k] for table, k in pick]),
        )


def maintenance(value: npt.ArrayLike, tiers: Tiers) -> Floats:
    """Return the maintenance margin, ``max_k(rate_k * value - amount_k)``. [settle].

    Args:
        value: >= 0, broadcasts against the leading axes of the tables. [settle]
        tiers: Continuous, so that the highest line is the one of the tier.

    Raises:
        ValueError: If a value is negative or not finite.
    """
    values = checks.not_negative("value", value)
    return _highest(values, tiers)


def setting_cap(value: npt.ArrayLike, tiers: Tiers) -> Floats:
    """Return the highest leverage setting that the tier of a value allows. [x].

    Raises:
        ValueError: If a value is negative or not finite.
    """
    values = checks.not_negative("value", value)[..., np.newaxis]
    at = (values >= tiers.floor).sum(axis=-1, keepdims=True) - 1
    caps = np.broadcast_to(tiers.cap, (*at.shape[:-1], tiers.cap.shape[-1]))
    return np.take_along_axis(caps, at, axis=-1)[..., 0]


def equity(
    a_log: npt.ArrayLike,
    *,
    value: npt.ArrayLike,
    tiers: Tiers,
    side: npt.ArrayLike,
    contract: Contract = Contract.LINEAR,
) -> Floats:
    """Return the equity that a position needs at mark to stand at a log distance. [settle].

    The loss on the way plus the maintenance margin at its end.

    Args:
        a_log: In [-700, 700]; 0 is liquidation at mark. [log]
        value: At mark, > 0. [settle]
        tiers: Of the contracts.
        side: +1 long, -1 short.
        contract: Of all units.

    Raises:
        ValueError: If an argument is outside.
    """
    change, values = _change(a_log, side, contract), checks.positive("value", value)
    loss = _turn(side, contract) * change * values
    return np.asarray(_highest(values * (1.0 + change), tiers) + loss)


def leverage(
    a_log: npt.ArrayLike,
    *,
    tiers: Tiers,
    side: npt.ArrayLike,
    value: npt.ArrayLike = 1.0,
    contract: Contract = Contract.LINEAR,
) -> Floats:
    """Return the highest effective leverage that stands at a log distance. [x].

    Args:
        a_log: In [0, 700]. [log]
        tiers: Of the contracts.
        side: +1 long, -1 short.
        value: At mark, > 0; without effect where there is one tier. [settle]
        contract: Of all units.

    Raises:
        ValueError: If an argument is outside, or no equity is needed there: the leverage would be
            without bound.
    """
    checks.not_negative("a_log", a_log)
    need = equity(a_log, value=value, tiers=tiers, side=side, contract=contract)
    if not (need > 0.0).all():
        raise ValueError("leverage must have a bound: a_log and maintenance rate are both 0")
    return np.asarray(np.asarray(value, dtype=np.float64) / need)


def leverage_for(
    tolerance: npt.ArrayLike,
    *,
    sigma: npt.ArrayLike,
    hours: npt.ArrayLike,
    tiers: Tiers,
    side: npt.ArrayLike,
    drift: npt.ArrayLike = 0.0,
    value: npt.ArrayLike = 1.0,
    contract: Contract = Contract.LINEAR,
) -> Floats:
    """Return the highest leverage at which liquidation is touched with a probability at most. [x].

    `leverage` at `passage.distance`; both fall, so no search is needed.

    Args:
        tolerance: In (0, 0.5]. [ratio]
        sigma: > 0. [1/sqrt(h)]
        hours: > 0. [h]
        tiers: Of the contracts.
        side: +1 long, -1 short.
        drift: Of the log price, towards safety. [1/h]
        value: At mark, > 0. [settle]
        contract: Of all units.

    Raises:
        ValueError: As `passage.distance` and `leverage`.
    """
    a_log = passage.distance(tolerance, sigma=sigma, hours=hours, drift=drift)
    return leverage(a_log, tiers=tiers, side=side, value=value, contract=contract)


def value_for(
    equity_now: npt.ArrayLike,
    *,
    a_log: npt.ArrayLike,
    tiers: Tiers,
    side: npt.ArrayLike,
    contract: Contract = Contract.LINEAR,
) -> Floats:
    """Return the largest value that an equity carries at a log distance. [settle].

    `equity` is the maximum of lines in the value, so its inverse is the minimum of theirs.

    Args:
        equity_now: At mark, > 0. [settle]
        a_log: In [0, 700]. [log]
        tiers: Of the contracts.
        side: +1 long, -1 short.
        contract: Of all units.

    Raises:
        ValueError: If an argument is outside, or no equity is needed there.
    """
    checks.not_negative("a_log", a_log)
    held = checks.positive("equity_now", equity_now)[..., np.newaxis]
    change = _change(a_log, side, contract)[..., np.newaxis]
    slope = tiers.rate * (1.0 + change) + np.abs(change)
    if not (slope > 0.0).all():
        raise ValueError("value must have a bound: a_log and a maintenance rate are both 0")
    return np.asarray(((held + tiers.amount) / slope).min(axis=-1))


def log_distance(
    equity_now: npt.ArrayLike,
    *,
    value: npt.ArrayLike,
    tiers: Tiers,
    side: npt.ArrayLike,
    contract: Contract = Contract.LINEAR,
) -> Floats:
    """Return the log distance to liquidation; the inverse of `equity`. [log].

    Args:
        equity_now: At mark, of either sign. [settle]
        value: At mark, > 0. [settle]
        tiers: Of the contracts.
        side: +1 long, -1 short.
        contract: Of all units.

    Returns:
        Infinite where no price liquidates, e.g. a fully covered long; -inf where every price does.

    Raises:
        ValueError: If an argument is outside.
    """
    turn = _turn(side, contract)
    move = _move(equity_now, value, tiers, turn)
    with np.errstate(divide="ignore"):
        return np.asarray(turn * np.log1p(np.maximum(turn * move, -1.0)))


def liquidation(
    equity_now: npt.ArrayLike,
    *,
    mark: npt.ArrayLike,
    value: npt.ArrayLike,
    tiers: Tiers,
    side: npt.ArrayLike,
    contract: Contract = Contract.LINEAR,
) -> Floats:
    """Return the mark price at which equity equals maintenance margin. [quote/base].

    Args:
        equity_now: At mark, of either sign. [settle]
        mark: > 0. [quote/base]
        value: At mark, > 0. [settle]
        tiers: Of the contracts.
        side: +1 long, -1 short.
        contract: Of all units.

    Returns:
        0 or infinity where no positive price is the one; `log_distance` tells whether the position
        is then safe or lost.

    Raises:
        ValueError: If an argument is outside.
    """
    price, turn = checks.positive("mark", mark), _turn(side, contract)
    factor = np.maximum(1.0 + turn * _move(equity_now, value, tiers, turn), 0.0)
    if contract is Contract.LINEAR:
        return np.asarray(price * factor)
    with np.errstate(divide="ignore"):
        return np.asarray(price / factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The prices at which equity exceeds maintenance margin lie between two.

    Attributes:
        below: 0 where nothing liquidates below. [quote/base]
        above: Infinite where nothing liquidates above. [quote/base]
    """

    below: float
    above: float

    @property
    def is_empty(self) -> bool:
        """Whether every price liquidates."""
        return self.below >= self.above


def reflexive(
    tiers: Tiers, *, size: float, entry: float, cash: float, coins: float, haircut: float
) -> Span:
    """Return the healthy prices of a linear position with collateral of its own coin.

    In each tier equity minus maintenance margin is a line in the price,
    ``cash + amount - size * entry + P * (size - rate * abs(size) + (1 - haircut) * coins)``; the
    lowest of them must be positive.

    Args:
        tiers: Of the contract, shape (k,).
        size: Signed, not 0. [base]
        entry: > 0. [quote/base]
        cash: Collateral in quote. [quote]
        coins: Collateral in the coin, >= 0. [base]
        haircut: Share of the coins' value that does not count, in [0, 1]. [ratio]

    Raises:
        ValueError: If an argument is outside.
    """
    if not (math.isfinite(size) and size != 0.0):
        raise ValueError(f"size must be finite and not 0, was {size}")
    if not 0.0 <= haircut <= 1.0:
        raise ValueError(f"haircut must be in [0, 1], was {haircut}")
    checks.positive("entry", entry)
    checks.finite("cash", cash)
    checks.not_negative("coins", coins)
    below, above = 0.0, math.inf
    for rate, amount in zip(tiers.rate.tolist(), tiers.amount.tolist(), strict=True):
        fixed = cash + amount - size * entry
        slope = size - rate * abs(size) + (1.0 - haircut) * coins
        if slope > 0.0:
            below = max(below, -fixed / slope)
        elif slope < 0.0:
            above = min(above, max(fixed / -slope, 0.0))
        elif fixed <= 0.0:
            above = 0.0
    return Span(below=below, above=above)


def kelly_cap(
    highest: npt.ArrayLike, *, drift: npt.ArrayLike, sigma: npt.ArrayLike, fraction: float = 0.5
) -> Floats:
    """Return a leverage capped by a fraction of growth-optimal leverage. [x].

    ``min(highest, fraction * drift / sigma**2)``, 0 where the drift is against the position. Off
    unless a person states a drift: it cannot be estimated from the data at hand.

    Args:
        highest: The cap of safety, >= 0. [x]
        drift: Expected excess return of the position. [1/h]
        sigma: > 0. [1/sqrt(h)]
        fraction: Of the optimum, in (0, 1]; half is customary. [ratio]

    Raises:
        ValueError: If an argument is outside.

    Source: Thorp (2006), the continuous case.
    """
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"fraction must be in (0, 1], was {fraction}")
    volatility = checks.positive("sigma", sigma)
    best = fraction * checks.finite("drift", drift) / (volatility * volatility)
    return np.minimum(checks.not_negative("highest", highest), np.maximum(best, 0.0))


def _turn(side: npt.ArrayLike, contract: Contract) -> Floats:
    # -1 where the value falls on the way to liquidation, +1 where it rises.
    sides = np.asarray(side, dtype=np.float64)
    if not (np.abs(sides) == 1.0).all():
        raise ValueError("side must be +1 or -1")
    return np.asarray(-sides if contract is Contract.LINEAR else sides)


def _change(a_log: npt.ArrayLike, side: npt.ArrayLike, contract: Contract) -> Floats:
    distances = np.asarray(a_log, dtype=np.float64)
    if not (np.abs(distances) <= FARTHEST).all():
        raise ValueError(f"a_log must be in [{-FARTHEST}, {FARTHEST}]")
    return np.asarray(np.expm1(_turn(side, contract) * distances))


def _move(equity_now: npt.ArrayLike, value: npt.ArrayLike, tiers: Tiers, turn: Floats) -> Floats:
    # The loss per value that uses up the buffer, nearest tier.
    held = checks.finite("equity_now", equity_now)[..., np.newaxis]
    values = checks.positive("value", value)[..., np.newaxis]
    buffer = held + tiers.amount - values * tiers.rate
    slope = 1.0 + turn[..., np.newaxis] * tiers.rate
    return np.asarray((buffer / (values * slope)).min(axis=-1))


def _highest(values: Floats, tiers: Tiers) -> Floats:
    # Tier by tier: a maximum along a last axis of a few numbers is slower than a few maxima.
    found = values * tiers.rate[..., 0] - tiers.amount[..., 0]
    for k in range(1, tiers.rate.shape[-1]):
        found = np.maximum(found, values * tiers.rate[..., k] - tiers.amount[..., k])
    return np.asarray(found)
