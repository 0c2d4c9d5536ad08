"""Follow the leverage of a flexible-leverage token: a band, a slow way home, a ripcord.

Use it when you hold what such a token would hold, or want its habits: leave the position alone
between ``minimum`` and ``maximum``, come back only just inside when it leaves them, and pull the
ripcord without waiting. With slow recentering it moves less money than `fixed_leverage` and stands
nearer to its maximum. It ignores volatility.

The token's chunks are ``limits.max_margin_per_action`` and ``max_reduction_per_action`` here. A
step that was cut goes on towards the aim it began with, chunk by chunk, ``cooldown`` apart, also
once it is inside the band; it ends when the aim is reached, by whatever. With an ``interval`` there
is a step inside the band whenever nothing was traded for so long. What wallets lack for a step is
closed, as the token does. ``limits.cooldown`` and ``rebalance_interval`` count as well. One habit
is not followed: a larger position where leverage is low; margin that the bot added returns instead.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bot.domain.band import Levels, LeverageBand
from bot.domain.market import Market
from bot.domain.past import Carried, Past
from bot.domain.risk import PositionRisk
from bot.leverage.flexible import (
    Method,
    State,
    Venue,
    Verdict,
    is_there,
    next_leverage,
    verdict,
)
from bot.margin.bands import band_at_leverages

HALF = Decimal("0.5")
KIND = "flexible_leverage 1"
INSTANTS = ("since", "rested", "pulled")
HERE = "here"
EDGE = Decimal("0.05")
"""A step inside the band is due from this share of its way on, so that rounding ends it. [ratio]"""
NEAR = Decimal("0.001")
"""A step shorter than this is none. [x]"""
LONGEST = 1_000_000_000
"""Of a wait. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Effective leverages, ``0 < minimum < maximum <= ripcord`` with the target between them.

    Attributes:
        target: Where the token would aim in the long run. [x]
        minimum: Below it margin returns. [x]
        maximum: Above it the bot acts. [x]
        ripcord: Above it the bot acts without waiting. [x]
        recentering_speed: Share of the way to the target per step, in (0, 1]. [ratio]
        inset: How far inside minimum and maximum an action ends, as a share of the way between
            them, in (0, 0.5): with 0 the next tick would be outside again. [ratio]
        cooldown: Between two chunks of a step; until then only the ripcord acts. [s]
        interval: After so long without a trade there is a step inside the band, too; 0 is never,
            else >= cooldown. [s]
    """

    target: Decimal = Decimal(2)
    minimum: Decimal = Decimal("1.7")
    maximum: Decimal = Decimal("2.3")
    ripcord: Decimal = Decimal("2.7")
    recentering_speed: Decimal = Decimal("0.05")
    inset: Decimal = Decimal("0.05")
    cooldown: int = 0
    interval: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A step that is under way, or may be.

    Attributes:
        aim: Where it leads; ``None`` where none is. [x]
        since: When it was first due at this aim.
        rested: When a step ended although nothing was traded; ``None`` for never.
        pulled: When the ripcord was due meanwhile: a move since then has ended the step.
        waits: Between two chunks of it, when nothing but the ripcord acts.
    """

    aim: Decimal | None = None
    since: datetime | None = None
    rested: datetime | None = None
    pulled: datetime | None = None
    waits: bool = False

    def carried(self) -> Carried | None:
        """Return it as it is carried; ``None`` for nothing."""
        values = [] if self.aim is None else [("aim", str(self.aim))]
        for name in INSTANTS:
            at: datetime | None = getattr(self, name)
            if at is not None:
                values.append((name, at.isoformat()))
        return Carried(kind=KIND, values=tuple(values)) if values else None


class FlexibleLeverage:
    """Chooses the leverages of its settings and aims where the token's next step does."""

    def __init__(self, settings: Settings) -> None:
        if not settings.minimum < settings.maximum:
            raise ValueError(
                f"minimum must be < maximum, were {settings.minimum}, {settings.maximum}"
            )
        if not 0 < settings.inset < HALF:
            raise ValueError(f"inset must be between 0 and 0.5, was {settings.inset}")
        for name in ("cooldown", "interval"):
            if not 0 <= getattr(settings, name) <= LONGEST:
                raise ValueError(f"{name} must be in [0, {LONGEST}], was {getattr(settings, name)}")
        self._settings = settings
        nothing = timedelta()
        self._method = Method(
            target=settings.target,
            minimum=settings.minimum,
            maximum=settings.maximum,
            ripcord=settings.ripcord,
            recentering_speed=settings.recentering_speed,
            interval=timedelta(seconds=settings.interval) if settings.interval else timedelta.max,
            cooldown=timedelta(seconds=settings.cooldown),
            ripcord_cooldown=nothing,
            slippage=Decimal(0),
            ripcord_slippage=Decimal(0),
        )
        self._venue = Venue(name=HERE, chunk=Decimal(1), ripcord_chunk=Decimal(1))
        inset = settings.inset * (settings.maximum - settings.minimum)
        self._highest, self._lowest = settings.maximum - inset, settings.minimum + inset
        self._rest = Levels(
            emergency=settings.ripcord,
            trigger=settings.maximum,
            target=self._highest,
            give_back=settings.minimum,
        )

    def choose(
        self,
        risk: PositionRisk,
        market: Market,
        past: Past | None = None,
    ) -> LeverageBand:
        """Return the band around the token's next step.

        Without equity left, and from the ripcord on, that is just inside the maximum.

        Raises:
            ValueError: If a leverage is so low that it has no liquidation price.
        """
        past = past or Past(now=market.mark_at)
        leverage = risk.leverage
        known, last = _under_way(self._method, past)
        if leverage is None or leverage >= self._method.ripcord:
            step, levels = replace(known, pulled=past.now), self._rest
            if known.aim is None:
                step = replace(known, pulled=None)
        else:
            step = self._next(leverage, known, last, past.now)
            levels = self._levels(leverage, step)
        found = band_at_leverages(risk, levels, why="flexible leverage")
        return replace(found, carry=step.carried(), may_give_back=not step.waits)

    def _next(self, leverage: Decimal, known: _Step, last: datetime | None, now: datetime) -> _Step:
        """Return the step that is due or under way."""
        if last is None and not self._settings.interval:
            last = now  # as if it had just begun: no step inside the band is due
        state = State(aim=known.aim, traded=() if last is None else ((HERE, last),))
        due = verdict(state, self._method, self._venue, now=now, leverage=leverage)
        if due is Verdict.NOTHING:
            return replace(known, waits=known.aim is not None)
        if due is Verdict.ITERATE:
            if not self._is_through(known, leverage):
                return replace(known, pulled=None)
            known = self._rested(now)
            if self._is_inside(leverage):
                return known
        aim = self._clamped(next_leverage(self._method, leverage))
        step = _Step(aim=aim, since=now, rested=known.rested)
        is_nothing = self._is_inside(leverage) and _is_near(step, leverage)
        return self._rested(now) if is_nothing else step

    def _rested(self, now: datetime) -> _Step:
        """Return what is left of a step that ends with nothing to trade: the interval begins."""
        return _Step(rested=now if self._settings.interval else None)

    def _levels(self, leverage: Decimal, step: _Step) -> Levels:
        """Return the levels that let the bot do what is due where the position stands."""
        if step.aim is None:
            aim = self._clamped(next_leverage(self._method, leverage))
            return replace(self._rest, target=aim)
        levels = replace(self._rest, target=step.aim)
        if step.waits:
            return replace(levels, trigger=self._settings.ripcord)
        if not self._is_inside(leverage):
            return levels
        due = leverage + EDGE * (step.aim - leverage)
        if step.aim < leverage:
            return replace(levels, trigger=due)
        return replace(levels, give_back=due)

    def _is_through(self, step: _Step, leverage: Decimal) -> bool:
        assert step.aim is not None  # noqa: S101 - who iterates has one
        return _is_near(step, leverage) or is_there(self._method, step.aim, leverage)

    def _is_inside(self, leverage: Decimal) -> bool:
        return self._settings.minimum <= leverage <= self._settings.maximum

    def _clamped(self, leverage: Decimal) -> Decimal:
        return min(max(leverage, self._lowest), self._highest)


def _is_near(step: _Step, leverage: Decimal) -> bool:
    return step.aim is not None and abs(step.aim - leverage) < NEAR


def _under_way(method: Method, past: Past) -> tuple[_Step, datetime | None]:
    """Return what is carried of a step as far as it can be true, and when was last traded."""
    carried, moved_at = past.of(KIND), past.moved_at
    aim, (since, rested, pulled) = carried.number("aim"), map(carried.instant, INSTANTS)
    if rested is not None and rested > past.now:
        rested = None
    last = max((at for at in (moved_at, rested) if at is not None), default=None)
    # Without a move since it was due no chunk was traded: the next step is another one.
    is_begun = since is not None and moved_at is not None and since <= moved_at
    is_over = pulled is not None and moved_at is not None and pulled <= moved_at
    if aim is None or not is_begun or is_over or not method.minimum < aim < method.maximum:
        return _Step(rested=rested), last
    return _Step(aim=aim, since=since, rested=rested, pulled=pulled), last
