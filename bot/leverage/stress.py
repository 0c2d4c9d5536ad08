"""Which past and invented disasters would a position not survive, and which must it?"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

import numpy as np

from bot.domain.instrument import Contract
from bot.leverage.arrays import Floats
from bot.leverage.optimum import FARTHEST
from bot.leverage.units import Units, equity_at

ANY = "*"
"""Applies to every coin."""
WEIGHT = 0.25
"""Of stressed observations, and of the buffer that stress may use. [ratio]

Source: Commission Delegated Regulation (EU) 153/2013, article 28.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One disaster.

    Attributes:
        name: Unique within a catalogue.
        date: ISO date or month, empty when it is invented.
        source: Where its numbers come from.
        coins: It happened to these, or ``*``.
        hours: How long it took. [h]
        fall: From mark down, in [0, 1]. [ratio]
        rise: From mark up, >= 0. [ratio]
        gap: Mark beyond index, against either side, in [0, 1). [ratio]
        collateral: Loss of the collateral itself, in [0, 1]. [ratio]
        tiers: Maintenance rates times this, >= 1. [ratio]
        depth: Order books divided by this, >= 1. [ratio]
        silent: The venue does not answer. [min]
        correlated: All coins move at once and alike.
        must_survive: It is a floor of the trigger, not only a line of the report.
    """

    name: str
    date: str
    source: str
    coins: tuple[str, ...]
    hours: float
    fall: float = 0.0
    rise: float = 0.0
    gap: float = 0.0
    collateral: float = 0.0
    tiers: float = 1.0
    depth: float = 1.0
    silent: float = 0.0
    correlated: bool = False
    must_survive: bool = False

    def __post_init__(self) -> None:
        bounds = {
            "fall": (0.0, 1.0), "rise": (0.0, math.inf), "gap": (0.0, 1.0),
            "collateral": (0.0, 1.0), "tiers": (1.0, math.inf), "depth": (1.0, math.inf),
            "silent": (0.0, math.inf), "hours": (0.0, math.inf),
        }  # fmt: skip
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise ValueError(f"{name} of {self.name} must be in [{low}, {high}], was {value}")
        if self.gap >= 1:
            raise ValueError(f"gap of {self.name} must be below 1, was {self.gap}")
        if not (self.name and self.source and self.coins):
            raise ValueError(f"a scenario must have name, source and coins, had {self.name!r}")
        if self.date:
            dt.date.fromisoformat(f"{self.date}-01" if self.date.count("-") == 1 else self.date)
        if self.must_survive and self.fall >= 1:
            raise ValueError(f"{self.name} goes to zero: no leverage of a long survives it")

    def concerns(self, coin: str) -> bool:
        """Whether it may happen to a coin."""
        return ANY in self.coins or coin in self.coins


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Scenarios by unique names; may be empty."""

    scenarios: tuple[Scenario, ...] = ()


def catalogue(table: Mapping[str, Any]) -> Catalogue:
    """Return the scenarios of a parsed file, see ``config/stress.toml``.

    Args:
        table: With a list ``scenario`` of tables whose keys are the fields of `Scenario`.

    Raises:
        ValueError: Naming the scenario and what is wrong with it.
    """
    known = {field.name for field in fields(Scenario)}
    found: list[Scenario] = []
    for row in table.get("scenario", ()):
        unknown = sorted(set(row) - known)
        name = row.get("name", f"number {len(found) + 1}")
        if unknown:
            raise ValueError(f"scenario {name} must not have {', '.join(unknown)}")
        try:
            found.append(Scenario(**{**row, "coins": tuple(row.get("coins", ()))}))
        except TypeError as error:
            raise ValueError(f"scenario {name}: {error}") from error
    if not found:
        raise ValueError("a catalogue must have a scenario")
    if len({scenario.name for scenario in found}) != len(found):
        raise ValueError("names of scenarios must differ")
    return Catalogue(scenarios=tuple(found))


def distance(scenario: Scenario, side: int) -> float:
    """Return the log move of a scenario against a side, its gap included; may be infinite. [log].

    Args:
        scenario: What happens.
        side: 1 is a long, -1 a short.
    """
    if side > 0:
        return (
            math.inf
            if scenario.fall >= 1
            else -math.log1p(-scenario.fall) - math.log1p(-scenario.gap)
        )
    return math.log1p(scenario.rise) + math.log1p(scenario.gap)


def floor(scenarios: Sequence[Scenario], coin: str, side: int) -> float:
    """Return the least trigger that survives what must be survived; 0 with nothing such. [log].

    Args:
        scenarios: The catalogue.
        coin: Base currency.
        side: 1 is a long, -1 a short.
    """
    must = (s for s in scenarios if s.must_survive and s.concerns(coin))
    return max((distance(s, side) for s in must), default=0.0)


def failed(
    scenarios: Sequence[Scenario],
    units: Units,
    equity: Floats,
    margin: Floats,
    coins: Sequence[str],
    *,
    reach_sqrt_h: Floats,
) -> dict[str, tuple[int, ...]]:
    """Return the positions that each scenario would liquidate, if any, by its name.

    Each is judged for itself: price, gap, loss of collateral, tighter tiers, and the distance a
    price covers while the venue is silent. Depth divides what closing can do and is not judged
    here.

    Args:
        scenarios: The catalogue.
        units: n isolated positions.
        equity: Shape (n,). [quote]
        margin: Shape (n,), the part of it that is collateral. [quote]
        coins: n base currencies.
        reach_sqrt_h: Shape (n,), quantile times volatility: how far a price may go in an hour.
            [log/sqrt(h)]

    Raises:
        ValueError: If shapes differ.
    """
    if not len(units) == len(coins) == equity.shape[0] == margin.shape[0] == reach_sqrt_h.shape[0]:
        raise ValueError("equity, margin, coins and reach must have the number of the units")
    found: dict[str, tuple[int, ...]] = {}
    for scenario in scenarios:
        rate = np.minimum(units.rate * scenario.tiers, 1.0 - 1e-9)
        # A table whose rates grow by a factor stays continuous when its amounts grow alike.
        tight = replace(units, rate=rate, amount=units.amount * scenario.tiers)
        moved = np.array([distance(scenario, int(side)) for side in units.side])
        moved = moved + reach_sqrt_h * math.sqrt(scenario.silent / 60.0)
        left = equity - np.maximum(margin, 0.0) * scenario.collateral
        concerned = np.array([scenario.concerns(coin) for coin in coins])
        lost = np.flatnonzero(concerned & (left <= equity_at(tight, moved)))
        if lost.size:
            found[scenario.name] = tuple(int(n) for n in lost)
    return found


def unsurvived(
    scenarios: Sequence[Scenario],
    *,
    coin: str,
    side: int,
    contract: Contract = Contract.LINEAR,
    notional: float,
    equity: float,
    margin: float,
    rate: Sequence[float],
    amount: Sequence[float],
    reach_sqrt_h: float,
) -> tuple[str, ...]:
    """Return the names of the scenarios that `failed` finds for one position, without arrays.

    Args:
        scenarios: The catalogue.
        coin: Base currency.
        side: 1 is a long, -1 a short.
        contract: Its kind.
        notional: At mark, > 0. [settle]
        equity: [settle]
        margin: The part of it that is collateral. [settle]
        rate: Maintenance rates, rising. [ratio]
        amount: Maintenance amounts, as many. [settle]
        reach_sqrt_h: Quantile times volatility. [log/sqrt(h)]
    """
    found = []
    rises = side if contract is Contract.LINEAR else -side
    for scenario in scenarios:
        if not scenario.concerns(coin):
            continue
        moved = distance(scenario, side) + reach_sqrt_h * math.sqrt(scenario.silent / 60.0)
        there = notional * math.exp(-rises * min(moved, FARTHEST))
        held = max(
            min(r * scenario.tiers, 1.0 - 1e-9) * there - a * scenario.tiers
            for r, a in zip(rate, amount, strict=True)
        )
        left = equity - max(margin, 0.0) * scenario.collateral
        if left <= rises * (notional - there) + held:
            found.append(scenario.name)
    return tuple(found)


def growth(scenario: Scenario, coins: Sequence[str], side: int) -> Floats:
    """Return prices over mark when a scenario hits all coins it concerns. Shape (d,). [ratio].

    Args:
        scenario: What happens.
        coins: d base currencies.
        side: 1 lets prices fall, -1 rise.
    """
    there = 1.0 - scenario.fall if side > 0 else 1.0 + scenario.rise
    return np.array([there if scenario.concerns(coin) else 1.0 for coin in coins])


class Rule(StrEnum):
    """Against margin that rises just when everybody needs money."""

    NONE = "none"
    BUFFER = "buffer"
    WEIGHT = "weight"
    FLOOR = "floor"


def steadied(
    a_log: Floats, rule: Rule, *, stressed: Floats, long_run: Floats, in_stress: bool
) -> Floats:
    """Return a required distance after one anti-procyclical rule. [log].

    Args:
        a_log: Required by the model. [log]
        rule: ``buffer`` holds 25 % more and lets stress use it; ``weight`` mixes 25 % of the
            stressed distance in; ``floor`` never goes below the long-run one.
        stressed: Distance under stress. [log]
        long_run: Distance with the volatility of ten years. [log]
        in_stress: The market is under stress now.

    Source: Commission Delegated Regulation (EU) 153/2013, article 28.
    """
    match rule:
        case Rule.NONE:
            return a_log
        case Rule.BUFFER:
            return a_log if in_stress else a_log * (1.0 + WEIGHT)
        case Rule.WEIGHT:
            return (1.0 - WEIGHT) * a_log + WEIGHT * stressed
        case Rule.FLOOR:
            return np.maximum(a_log, long_run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Procyclicality:
    """How much required margin swings.

    Attributes:
        peak_to_trough: 99 % over 1 % quantile. [ratio]
        rise_day: 99 % quantile of the relative rise over a day. [ratio]
        rise_week: Of that over five days. [ratio]
        mean: [quote]
    """

    peak_to_trough: float
    rise_day: float
    rise_week: float
    mean: float


def procyclicality(required: Floats, *, per_day: int) -> Procyclicality:
    """Return how a series of required margins swings.

    Args:
        required: Shape (t,), time ascending, > 0, more than five days. [quote]
        per_day: Values per day, >= 1.

    Raises:
        ValueError: If the series is too short or not positive.

    Source: Murphy, Vasios and Vause (2014).
    """
    if per_day < 1 or required.shape[0] <= 5 * per_day:
        raise ValueError("a series must be longer than five days")
    if not (np.isfinite(required) & (required > 0)).all():
        raise ValueError("required margins must be finite and > 0")
    low, high = np.quantile(required, (0.01, 0.99))

    def rise(days: int) -> float:
        step = days * per_day
        return float(np.quantile(required[step:] / required[:-step] - 1.0, 0.99))

    return Procyclicality(
        peak_to_trough=float(high / low),
        rise_day=rise(1),
        rise_week=rise(5),
        mean=float(required.mean()),
    )


def scan(price_range: float, volatility_range: float) -> Floats:
    """Return the 16 cells of a SPAN-like scan. Shape (16, 3).

    Columns: relative price move, relative volatility move, share of the loss that counts. Moves of
    nothing, a third, two thirds and all of the range, volatility up and down, and two extremes of
    three ranges of which a third counts.

    Args:
        price_range: In (0, 1/3). [ratio]
        volatility_range: In [0, 1). [ratio]

    Raises:
        ValueError: If a range is outside: three ranges down must leave a price.
    """
    if not (0 < price_range < 1 / 3 and 0 <= volatility_range < 1):
        raise ValueError(
            f"ranges must be in (0, 1/3) and [0, 1), were {price_range}, {volatility_range}"
        )
    thirds = (0.0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1.0, -1.0)
    cells = [
        (part * price_range, sign * volatility_range, 1.0)
        for part in thirds
        for sign in (1.0, -1.0)
    ]
    cells += [(3.0 * price_range, 0.0, 1 / 3), (-3.0 * price_range, 0.0, 1 / 3)]
    return np.array(cells)
