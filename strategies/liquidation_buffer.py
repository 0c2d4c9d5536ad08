"""Keep a fixed distance to the liquidation price.

Use it when you think in "never nearer than 15 percent" and want the same rule in calm and storm.
It knows nothing about volatility: choose the distances for the worst market you expect.
"""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.band import Levels, LeverageBand
from bot.domain.market import Market
from bot.domain.risk import PositionRisk
from bot.margin.bands import band_at_distances, check_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Distances to the liquidation price over mark.

    Attributes:
        emergency: Below it the bot acts without waiting. [ratio]
        trigger: Below it the bot acts. [ratio]
        target: Where it aims. [ratio]
        give_back: Beyond it margin that the bot added returns. [ratio]
    """

    emergency: Decimal = Decimal("0.05")
    trigger: Decimal = Decimal("0.10")
    target: Decimal = Decimal("0.15")
    give_back: Decimal = Decimal("0.25")


class LiquidationBuffer:
    """Chooses the distances of its settings for every position."""

    def __init__(self, settings: Settings) -> None:
        self._levels = Levels(
            emergency=settings.emergency,
            trigger=settings.trigger,
            target=settings.target,
            give_back=settings.give_back,
        )
        check_order(self._levels)
        if self._levels.give_back >= 1:
            raise ValueError(f"give_back must be < 1, was {self._levels.give_back}")

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:  # noqa: ARG002 - the port
        """Return the configured band.

        Raises:
            ValueError: If the position cannot stand at these distances.
        """
        return band_at_distances(risk, self._levels, why="fixed distance")
