"""Follow the leverage of a flexible-leverage token: a band, a slow way home, a ripcord.

Use it when you hold what such a token would hold, or want its habits: leave the position alone
between ``minimum`` and ``maximum``, come back only just inside when it leaves them, and pull the
ripcord without waiting. With slow recentering it moves less money than `fixed_leverage` and stands
nearer to its maximum. It ignores volatility.

The token's chunks are ``limits.max_margin_per_action`` and ``max_reduction_per_action`` here, its
cooldown is ``limits.cooldown``, its interval ``limits.rebalance_interval``. Two of its habits are
not followed: a step inside the band once a day, because inside it the bot leaves a position alone,
and a larger position where leverage is low: margin that the bot added returns instead.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from bot.domain.band import Levels, LeverageBand
from bot.domain.market import Market
from bot.domain.risk import PositionRisk
from bot.leverage.flexible import Method, next_leverage
from bot.margin.bands import band_at_leverages

HALF = Decimal("0.5")


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
    """

    target: Decimal = Decimal(2)
    minimum: Decimal = Decimal("1.7")
    maximum: Decimal = Decimal("2.3")
    ripcord: Decimal = Decimal("2.7")
    recentering_speed: Decimal = Decimal("0.05")
    inset: Decimal = Decimal("0.05")


class FlexibleLeverage:
    """Chooses the leverages of its settings and aims where the token's next step does."""

    def __init__(self, settings: Settings) -> None:
        if not settings.minimum < settings.maximum:
            raise ValueError(
                f"minimum must be < maximum, were {settings.minimum}, {settings.maximum}"
            )
        if not 0 < settings.inset < HALF:
            raise ValueError(f"inset must be between 0 and 0.5, was {settings.inset}")
        self._settings = settings
        nothing = timedelta()
        self._method = Method(
            target=settings.target,
            minimum=settings.minimum,
            maximum=settings.maximum,
            ripcord=settings.ripcord,
            recentering_speed=settings.recentering_speed,
            interval=nothing,
            cooldown=nothing,
            ripcord_cooldown=nothing,
            slippage=Decimal(0),
            ripcord_slippage=Decimal(0),
        )

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:  # noqa: ARG002 - the port
        """Return the band around the token's next step.

        Without equity left, and from the ripcord on, that is just inside the maximum.

        Raises:
            ValueError: If a leverage is so low that it has no liquidation price.
        """
        settings, leverage = self._settings, risk.leverage
        inset = settings.inset * (settings.maximum - settings.minimum)
        step = settings.maximum
        if leverage is not None and leverage < settings.ripcord:
            step = next_leverage(self._method, leverage)
        return band_at_leverages(
            risk,
            Levels(
                emergency=settings.ripcord,
                trigger=settings.maximum,
                target=min(max(step, settings.minimum + inset), settings.maximum - inset),
                give_back=settings.minimum,
            ),
            why="flexible leverage",
        )
