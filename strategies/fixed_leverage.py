"""Keep effective leverage near a target, in the words of flexible-leverage tokens.

Use it when you think in leverage: "three times, never above four". Above ``maximum`` the bot
de-levers towards the target, by ``recentering_speed`` of the way; below ``minimum`` margin that
it added returns. It ignores volatility, so a calm and a wild market get the same leverage.
"""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.band import Levels, LeverageBand
from bot.domain.market import Market
from bot.domain.risk import PositionRisk
from bot.margin.bands import band_at_leverages


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Effective leverages, ``0 < minimum < target < maximum <= emergency``.

    Attributes:
        target: Where the bot aims. [x]
        minimum: Below it margin returns. [x]
        maximum: Above it the bot acts. [x]
        emergency: Above it the bot acts without waiting (the ripcord). [x]
        recentering_speed: Share of the way to the target per step, in (0, 1]. [ratio]
    """

    target: Decimal = Decimal(3)
    minimum: Decimal = Decimal(2)
    maximum: Decimal = Decimal(4)
    emergency: Decimal = Decimal(6)
    recentering_speed: Decimal = Decimal(1)


class FixedLeverage:
    """Chooses the leverages of its settings, re-centred step by step."""

    def __init__(self, settings: Settings) -> None:
        if not (0 < settings.minimum < settings.target < settings.maximum <= settings.emergency):
            raise ValueError(
                "leverages must satisfy 0 < minimum < target < maximum <= emergency, were "
                f"{settings.minimum}, {settings.target}, {settings.maximum}, {settings.emergency}"
            )
        if not 0 < settings.recentering_speed <= 1:
            raise ValueError(
                f"recentering_speed must be in (0, 1], was {settings.recentering_speed}"
            )
        self._settings = settings

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:  # noqa: ARG002 - the port
        """Return the band around the next step towards the target.

        The step is ``clamp(now * (1 - speed) + target * speed, minimum, maximum)``; it stays
        strictly inside the band so that a step always has room on both sides.

        Raises:
            ValueError: If a leverage is so low that it has no liquidation price.
        """
        settings = self._settings
        target = settings.target
        if risk.leverage is not None and settings.recentering_speed < 1:
            speed = settings.recentering_speed
            step = risk.leverage * (1 - speed) + settings.target * speed
            inside = (settings.target + settings.maximum) / 2
            floor = (settings.target + settings.minimum) / 2
            target = min(max(step, floor), inside)
        return band_at_leverages(
            risk,
            Levels(
                emergency=settings.emergency,
                trigger=settings.maximum,
                target=target,
                give_back=settings.minimum,
            ),
            why="fixed leverage",
        )
