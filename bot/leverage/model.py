"""How far from its liquidation price must a position stand?

The one question a strategy asks of fitted models. The answer is a distance or an explicit refusal;
bad market data never raises and never gives a shorter distance than good data would.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.market import Bars
from bot.domain.position import Side
from bot.leverage import forecast as forecasts
from bot.leverage import history, tail
from bot.leverage.forecast import Flag, Source
from bot.leverage.har import HarModel
from bot.leverage.history import HOUR, History
from bot.leverage.tail import Origin, Tail

HORIZONS = (1, 8, 24)
"""Horizons models are fitted for. [h]"""
UNKNOWN_CAP = 3.0
"""Leverage a symbol without any fitted tail may carry. [x]"""
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """What was fitted for one symbol. The empty value knows nothing and is allowed.

    Attributes:
        own: Regressions of the symbol, by horizon.
        pooled: Regressions over all symbols, by horizon.
        tails: By side and horizon; where one is missing the prior stands.
    """

    own: Mapping[int, HarModel] = field(default_factory=dict)
    pooled: Mapping[int, HarModel] = field(default_factory=dict)
    tails: Mapping[tuple[Side, int], Tail] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return them as plain values for JSON."""
        return {
            "version": VERSION,
            "own": [model.as_dict() for model in self.own.values()],
            "pooled": [model.as_dict() for model in self.pooled.values()],
            "tails": [
                {"side": side.value, "hours": hours, "tail": one.as_dict()}
                for (side, hours), one in self.tails.items()
            ],
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "Models":
        """Return the models of `as_dict`.

        Raises:
            ValueError: If they are of another version or a number is not what it must be.
            KeyError: If a field is missing.
        """
        if raw["version"] != VERSION:
            raise ValueError(f"models must be of version {VERSION}, were {raw['version']}")
        own = [HarModel.from_dict(one) for one in raw["own"]]
        pooled = [HarModel.from_dict(one) for one in raw["pooled"]]
        return cls(
            own={model.hours: model for model in own},
            pooled={model.hours: model for model in pooled},
            tails={
                (Side(one["side"]), int(one["hours"])): Tail.from_dict(one["tail"])
                for one in raw["tails"]
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """A distance, or the reason why there is none.

    Attributes:
        a_log: Log distance to the liquidation price; ``None`` is a refusal. [log]
        refusal: Why there is none; empty where there is one.
        sigma_h: Forecast over the horizon, with floor and limits. [log, over the horizon]
        hours: The horizon that was fitted; at least what was asked for. [h]
        alpha: Tolerance over that horizon. [ratio]
        quantile: Distance over forecast. [standard deviations]
        source: What the forecast comes from.
        origin: What the tail comes from.
        tail: The tail, to weigh other distances with (`tail.hit`).
        flags: What was not as it should be.
        extrapolated: Too few windows were seen to have shown such a rare one.
        may_give_back: Whether margin may be given back on it.
        leverage_cap: Leverage not to be exceeded whatever the distance says. [x]
    """

    a_log: float | None
    refusal: str
    sigma_h: float | None
    hours: int | None
    alpha: float | None
    quantile: float | None
    source: Source
    origin: Origin
    tail: Tail | None
    flags: tuple[Flag, ...]
    extrapolated: bool
    may_give_back: bool
    leverage_cap: float | None


def required_distance(
    bars: Bars,
    side: Side,
    hours: float,
    alpha: float,
    models: Models,
    *,
    now: datetime | None = None,
    index: Bars | None = None,
) -> Required:
    """Return the distance at which a hit within ``hours`` has the chance ``alpha``.

    A horizon between two fitted ones is judged over the longer one, at the same yearly hazard. Who
    tolerates more than 5 % over that horizon gets the distance of 5 %.

    Args:
        bars: Completed hourly bars; 889 of them say all that bars can say.
        side: Of the position.
        hours: From a price to a confirmed action, > 0. [h]
        alpha: In (0, 1). [ratio]
        models: What was fitted.
        now: The present instant; hours between the last bar and it count as missing.
        index: Index bars of the same hours; broken ones confirm nothing and doubt nothing.

    Raises:
        ValueError: If ``hours`` or ``alpha`` is outside: a fault of who asks, not of the market.
    """
    if not (math.isfinite(hours) and hours > 0):
        raise ValueError(f"hours must be > 0, was {hours}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be in (0, 1), was {alpha}")
    window = next((h for h in HORIZONS if h >= hours), None)
    if window is None:
        return _refused(f"no model reaches {hours:g} h: the longest is of {HORIZONS[-1]} h")
    try:
        record = _record(bars, now)
    except (ValueError, OverflowError) as error:
        return _refused(str(error))
    found = forecasts.forecast(
        record,
        window,
        own=models.own.get(window),
        pooled=models.pooled.get(window),
        index=_index(index, now),
    )
    if found.sigma_h is None:
        return _refused("bars are too few or too broken for a forecast", flags=found.flags)
    shape = tail_of(models, side, window)
    stretched = min(tail.EXCEEDANCE, -math.expm1(math.log1p(-alpha) * window / hours))
    quantile = tail.required(shape, stretched)
    cap = leverage_cap(shape)
    return Required(
        a_log=quantile * found.sigma_h,
        refusal="",
        sigma_h=found.sigma_h,
        hours=window,
        alpha=stretched,
        quantile=quantile,
        source=found.source,
        origin=shape.origin,
        tail=shape,
        flags=found.flags,
        extrapolated=shape.is_extrapolated(stretched),
        may_give_back=found.may_give_back and cap is None,
        leverage_cap=cap,
    )


def tail_of(models: Models, side: Side, hours: int) -> Tail:
    """Return the fitted tail of a side and one of `HORIZONS`; the prior where there is none."""
    return models.tails.get((side, hours)) or tail.prior(side, hours=hours)


def leverage_cap(shape: Tail) -> float | None:
    """Return the leverage not to be exceeded on a tail; ``None`` for any fitted one. [x]."""
    return UNKNOWN_CAP if shape.origin is Origin.PRIOR else None


def _record(bars: Bars, now: datetime | None) -> History:
    found = history.of_bars(bars)
    if now is None:
        return found
    hour = int(now.timestamp()) // HOUR
    # A record that ended long ago says nothing; there is no need to spell its silence out.
    if hour > found.start + len(found) + forecasts.AT_HAND:
        raise ValueError("bars ended more than a month ago")
    return found.padded(hour)


def _index(bars: Bars | None, now: datetime | None) -> History | None:
    """Return the record of an index, ``None`` where it cannot be read: then no spike is doubted."""
    if bars is None:
        return None
    try:
        return _record(bars, now)
    except (ValueError, OverflowError):
        return None


def _refused(why: str, flags: tuple[Flag, ...] = (Flag.NO_FORECAST,)) -> Required:
    return Required(
        a_log=None,
        refusal=why,
        sigma_h=None,
        hours=None,
        alpha=None,
        quantile=None,
        source=Source.NONE,
        origin=Origin.PRIOR,
        tail=None,
        flags=flags,
        extrapolated=True,
        may_give_back=False,
        leverage_cap=UNKNOWN_CAP,
    )
