"""Keep the chance of touching the liquidation price within a yearly tolerance.

The default. Use it when you think in "one liquidation in so many years": you state the hazard
you tolerate and how long a reaction may take; the distance follows from a volatility forecast of
hourly mark prices and a heavy-tailed model of how far prices overshoot it. Calm markets get more
leverage, storms less. What is not known widens the band: without a forecast a position stands at
its widest, a coin without fitted tails carries 3x at most, and nothing is given back.
"""

import functools
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from bot.domain.band import Levels, LeverageBand
from bot.domain.instrument import MarginTier
from bot.domain.market import Bars, Market
from bot.domain.position import Side
from bot.domain.risk import PositionRisk
from bot.leverage import band as bands
from bot.leverage import distance, impact, regime, stress, tail
from bot.leverage.library import Library
from bot.leverage.model import Required, required_distance
from bot.leverage.regime import Strain
from bot.leverage.stress import Catalogue
from bot.leverage.tolerance import window_tolerance
from bot.leverage.units import Units
from bot.margin import isolated
from bot.margin.bands import band_at_distances

WIDEST = Decimal("0.95")
"""A long cannot stand at 1 or beyond."""
EMERGENCY_FACTOR = 10.0
"""An emergency is where the hazard is this many times the tolerated one."""
NEAREST_SHARE = 0.25
"""The emergency level is never nearer than this share of the trigger's log distance. [ratio]"""
BLIND_SHARE = 0.5
"""And stands at this share where nothing is known. [ratio]"""
DAYS = 365.25
BASIS_POINT = 1e-4
SLIPPAGE = 0.01
"""Closing all of a position is charged with no more than this, however thin the book. [log]"""
THIN_BOOK = "thin_book"
"""The flag of a book that does not show enough to close all of it."""
REMEMBERED = 64
"""Forecasts of the present hour that are not made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person tolerates.

    Attributes:
        hazard: Liquidations per year while standing at the trigger. [1/year]
        reaction: From a price to a confirmed action, transfers included. [s]
        fast: From a price to a confirmed action with what lies beside the position. [s]
        action: Of that, from sending to confirmed. [s]
        target: Where the bot aims, as a multiple of the trigger's log distance.
        give_back: Beyond it margin returns, as a multiple of the trigger's log distance.
        move_cost: Of one move, in hundredths of a percent of the notional; above 0 target and
            give-back follow from it after Miller and Orr instead of from the multiples. [bp]
        idle_rate: What margin could earn elsewhere. [1/year]
        least: The trigger is never nearer than this. [ratio]
        most: The target is never farther than this; ``give_back`` follows. [ratio]
        models: Fitted volatility and tails; a file, or ``none``.
        stress: Disasters; a file, or ``none``. One marked ``must_survive`` widens the trigger.
    """

    hazard: Decimal = Decimal(1)
    reaction: int = 120
    fast: int = 15
    action: int = 5
    target: Decimal = Decimal("1.25")
    give_back: Decimal = Decimal("1.8")
    move_cost: Decimal = Decimal(0)
    idle_rate: Decimal = Decimal("0.10")
    least: Decimal = Decimal("0.03")
    most: Decimal = Decimal("0.50")
    models: Library = field(default_factory=Library)
    stress: Catalogue = field(default_factory=Catalogue)

    def __post_init__(self) -> None:
        """Refuse what no band can follow from.

        Raises:
            ValueError: Naming the setting.
        """
        if not 1 < self.target < self.give_back:
            raise ValueError(
                "multiples must satisfy 1 < target < give_back, were "
                f"{self.target}, {self.give_back}"
            )
        if not 0 < self.least < self.most < WIDEST:
            raise ValueError(
                f"distances must satisfy 0 < least < most < {WIDEST}, were {self.least}, "
                f"{self.most}"
            )
        if not 0 < self.action <= self.fast <= self.reaction:
            raise ValueError(
                "times must satisfy 0 < action <= fast <= reaction, were "
                f"{self.action}, {self.fast}, {self.reaction}"
            )
        if not (self.move_cost >= 0 and self.idle_rate > 0):
            raise ValueError(
                f"move_cost must be >= 0 and idle_rate > 0, were {self.move_cost}, {self.idle_rate}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Distances:
    """Log distances. [log]."""

    emergency: float
    trigger: float
    target: float
    give_back: float


class Hazard:
    """Chooses distances from a forecast, a tail and a tolerated hazard."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._hours = settings.reaction / 3600
        self._alpha = window_tolerance(float(settings.hazard), hours=self._hours)
        self._required = functools.lru_cache(maxsize=REMEMBERED)(self._ask)

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:
        """Return the band at the present forecast, or the widest one where there is none.

        Raises:
            ValueError: No price liquidates the position at any leverage of the band.
        """
        side = risk.position.side
        hour = int(market.mark_at.timestamp()) // 3600
        strain = _strain(market)
        need = _strained(self._required(market.bars, side, market.symbol, hour), strain)
        slipped, is_thin = _slippage(risk, market)
        a_log = self._distances(risk, need, slipped)
        found = band_at_distances(
            risk,
            Levels(
                emergency=distance.from_log(a_log.emergency, side),
                trigger=distance.from_log(a_log.trigger, side),
                target=distance.from_log(a_log.target, side),
                give_back=min(WIDEST, distance.from_log(a_log.give_back, side)),
            ),
        )
        return LeverageBand(
            distance=found.distance,
            leverage=found.leverage,
            volatility=_volatility(need),
            hit_probability=_hit_probability(risk, need),
            horizon=None if need.hours is None else need.hours * 3600,
            why=self._why(need),
            may_give_back=need.may_give_back,
            flags=(*_flags(need), *strain.features, *((THIN_BOOK,) if is_thin else ())),
            unsurvived=self._unsurvived(risk, need),
        )

    def _ask(self, bars: Bars, side: Side, symbol: str, hour: int) -> Required:
        return required_distance(
            bars,
            side,
            self._hours,
            self._alpha,
            self._settings.models.of(symbol),
            now=datetime.fromtimestamp(hour * 3600, UTC),
        )

    def _distances(self, risk: PositionRisk, need: Required, slipped: float) -> _Distances:
        settings, side = self._settings, risk.position.side
        multiple = float(settings.target)
        widest = distance.to_log(settings.most, side) / multiple
        if need.a_log is None or need.tail is None or need.sigma_h is None or need.hours is None:
            return _Distances(
                emergency=widest * BLIND_SHARE,
                trigger=widest,
                target=widest * multiple,
                give_back=widest * float(settings.give_back),
            )
        sigma_sqrt_h = need.sigma_h / math.sqrt(need.hours)
        near = tail.quantile(need.tail, tail.EXCEEDANCE) * sigma_sqrt_h
        tick = float(risk.instrument.price_step / risk.position.mark_price)
        execution = near * math.sqrt(settings.action / 3600) + 2 * tick + slipped
        floor = stress.floor(settings.stress.scenarios, _coin(risk), side.sign)
        trigger = max(
            need.a_log,
            distance.to_log(settings.least, side),
            floor,
            execution,
            _capped(risk, need.leverage_cap),
        )
        trigger = min(trigger, widest)
        loose = min(tail.EXCEEDANCE, EMERGENCY_FACTOR * (need.alpha or 0.0))
        fast = near * math.sqrt(settings.fast / 3600) + execution
        emergency = min(trigger, max(tail.required(need.tail, loose) * need.sigma_h, fast))
        target, give_back = self._spacing(risk, trigger, sigma_sqrt_h, execution)
        target = max(target, trigger + execution)
        return _Distances(
            emergency=max(emergency, trigger * NEAREST_SHARE),
            trigger=trigger,
            target=target,
            give_back=max(give_back, target + 2 * execution),
        )

    def _spacing(
        self, risk: PositionRisk, trigger: float, sigma_sqrt_h: float, execution: float
    ) -> tuple[float, float]:
        """Return target and give-back. [log]."""
        settings = self._settings
        if not settings.move_cost:
            return trigger * float(settings.target), trigger * float(settings.give_back)
        units = _units(risk)
        found = bands.by_cost(
            units,
            np.array([trigger]),
            np.array([trigger]),
            np.array([execution]),
            fixed=float(settings.move_cost) * BASIS_POINT * units.notional,
            sigma_day=np.array([sigma_sqrt_h * math.sqrt(24.0)]),
            rate_day=float(settings.idle_rate) / DAYS,
        )
        widest = distance.to_log(settings.most, risk.position.side)
        target = min(float(found.target[0]), widest)
        return target, float(found.give_back[0])

    def _unsurvived(self, risk: PositionRisk, need: Required) -> tuple[str, ...]:
        position, reach = risk.position, 0.0
        if need.tail is not None and need.sigma_h is not None and need.hours is not None:
            quantile = tail.quantile(need.tail, tail.EXCEEDANCE)
            reach = quantile * need.sigma_h / math.sqrt(need.hours)
        rate, amount = _table(risk.instrument.tiers)
        return stress.unsurvived(
            self._settings.stress.scenarios,
            coin=_coin(risk),
            side=position.side.sign,
            contract=risk.instrument.contract,
            notional=float(risk.notional),
            equity=float(risk.equity),
            margin=float(position.margin),
            rate=rate,
            amount=amount,
            reach_sqrt_h=reach,
        )

    def _why(self, need: Required) -> str:
        if need.a_log is None:
            return f"no forecast, widest band: {need.refusal}"
        return (
            f"hazard {self._settings.hazard} a year at the trigger, {need.source} forecast, "
            f"{need.origin} tail"
        )


def _strain(market: Market) -> Strain:
    """Return what the look shows beside the bars."""
    funding, mark, index = market.funding_rate, market.mark_price, market.index_price
    return regime.strain(
        basis=float(mark / index - 1) if index > 0 else math.nan,
        funding=None if funding is None else float(funding),
    )


def _strained(need: Required, strain: Strain) -> Required:
    """Return what is needed with the forecast raised; every distance of it scales alike."""
    if need.a_log is None or need.sigma_h is None:
        return need  # what gives nothing back
    return replace(
        need,
        a_log=need.a_log * strain.factor,
        sigma_h=need.sigma_h * strain.factor,
        may_give_back=need.may_give_back and strain.may_give_back,
    )


def _slippage(risk: PositionRisk, market: Market) -> tuple[float, bool]:
    """Return what closing all of a position pays beyond mark, and is the book thin."""
    position = risk.position
    levels = market.bids if position.side is Side.LONG else market.asks
    return impact.slippage(
        ((float(level.price), float(level.size)) for level in levels),
        float(abs(position.size)),
        side=position.side.sign,
        mark=float(position.mark_price),
        most=SLIPPAGE,
    )


def _capped(risk: PositionRisk, leverage: float | None) -> float:
    """Return the log distance at a highest leverage; 0 without one. [log]."""
    if leverage is None:
        return 0.0
    position = risk.position
    at = isolated.distance_at_leverage(
        risk.instrument.contract,
        risk.instrument.tiers,
        size=position.size,
        mark_price=position.mark_price,
        leverage=Decimal(str(leverage)),
    )
    return 0.0 if at is None else distance.to_log(at, position.side)


def _coin(risk: PositionRisk) -> str:
    return risk.position.symbol.partition("/")[0]


@functools.lru_cache(maxsize=REMEMBERED)
def _table(tiers: tuple[MarginTier, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return (
        tuple(float(tier.maintenance_rate) for tier in tiers),
        tuple(float(tier.maintenance_amount) for tier in tiers),
    )


def _units(risk: PositionRisk) -> Units:
    position, instrument = risk.position, risk.instrument
    rate, amount = _table(instrument.tiers)
    return Units(
        notional=np.array([float(risk.notional)]),
        side=np.array([float(isolated.direction(instrument.contract, size=position.size))]),
        rate=np.array([rate]),
        amount=np.array([amount]),
    )


def _volatility(need: Required) -> Decimal | None:
    if need.sigma_h is None or need.hours is None:
        return None
    return Decimal(f"{need.sigma_h / math.sqrt(need.hours):.6f}")


def _flags(need: Required) -> tuple[str, ...]:
    flags = [flag.value for flag in need.flags]
    if need.extrapolated and need.a_log is not None:
        flags.append("extrapolated")
    if need.leverage_cap is not None and need.a_log is not None:
        flags.append("leverage_capped")
    return tuple(flags)


def _hit_probability(risk: PositionRisk, need: Required) -> Decimal | None:
    if risk.distance is None:
        return Decimal(0)
    if risk.distance <= 0:
        return Decimal(1)
    if risk.position.side.sign > 0 and risk.distance >= 1:
        return Decimal(0)
    if need.tail is None or not need.sigma_h:
        return None
    a_log = distance.to_log(risk.distance, risk.position.side)
    return Decimal(f"{tail.hit(need.tail, a_log / need.sigma_h):.3g}")
