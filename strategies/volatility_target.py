"""Keep the liquidation price a fixed number of standard deviations away.

Use it when you think in "eight sigma of the next eight hours" and want leverage to follow
volatility and nothing else, as funds with a constant volatility do: to first order leverage is
``1 / (multiple * sigma)``. Volatility is smoothed over days: the band widens some hours after a
storm began and narrows days after it ended. It knows neither wicks nor heavy tails and promises no
chance of a hit, so the multiple is your whole safety; to state how often you tolerate a
liquidation, take `hazard`. Let it read 241 hourly bars or more (``accounts.bars``).
"""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.band import Levels, LeverageBand
from bot.domain.market import Market
from bot.domain.position import Side
from bot.domain.risk import PositionRisk
from bot.leverage import distance, volatility
from bot.margin.bands import band_at_distances, check_order

WIDEST = Decimal("0.95")
"""A long cannot stand at 1 or beyond."""
MOST = Decimal("0.90")
"""A target beyond it would leave no room for giving back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How far away, in standard deviations, and when to act.

    Attributes:
        multiple: Target log distance over the standard deviation of the horizon.
        hours: The horizon. [h]
        emergency: Below it the bot acts without waiting, as a multiple of the target's log
            distance.
        trigger: Below it the bot acts, as the same multiple.
        give_back: Beyond it margin returns, as the same multiple.
        least: The trigger is never nearer than this, however dead the market. [ratio]
        most: The target is never farther than this; the other levels follow. [ratio]
    """

    multiple: Decimal = Decimal(8)
    hours: int = 8
    emergency: Decimal = Decimal("0.5")
    trigger: Decimal = Decimal("0.8")
    give_back: Decimal = Decimal("1.4")
    least: Decimal = Decimal("0.03")
    most: Decimal = Decimal("0.50")


class VolatilityTarget:
    """Chooses distances that are proportional to volatility."""

    def __init__(self, settings: Settings) -> None:
        for name in ("multiple", "hours"):
            if not getattr(settings, name) > 0:
                raise ValueError(f"{name} must be > 0, was {getattr(settings, name)}")
        if not 0 < settings.emergency <= settings.trigger < 1 < settings.give_back:
            raise ValueError(
                "multiples must satisfy 0 < emergency <= trigger < 1 < give_back, were "
                f"{settings.emergency}, {settings.trigger}, {settings.give_back}"
            )
        if not 0 < settings.least < settings.most <= MOST:
            raise ValueError(
                f"distances must satisfy 0 < least < most <= {MOST}, were "
                f"{settings.least}, {settings.most}"
            )
        self._settings = settings
        for side in Side:
            nearest, widest = self._ends(side)
            if nearest > widest:
                raise ValueError(
                    "most must leave room for a target beyond a trigger at least, were "
                    f"{settings.most}, {settings.least}"
                )
            # Levels lie closest together at the ends: what is ordered there is ordered anywhere.
            check_order(self._levels(nearest, side))
            check_order(self._levels(widest, side))

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:
        """Return the band at today's volatility.

        Raises:
            ValueError: If the price history is too short or broken.
        """
        settings, side = self._settings, risk.position.side
        per_hour = volatility.smoothed_of_bars(market.bars)
        a_target = float(settings.multiple) * per_hour * float(settings.hours) ** 0.5
        nearest, widest = self._ends(side)
        band = band_at_distances(risk, self._levels(min(max(a_target, nearest), widest), side))
        return LeverageBand(
            distance=band.distance,
            leverage=band.leverage,
            volatility=Decimal(f"{per_hour:.6f}"),
            horizon=settings.hours * 3600,
            why=f"{settings.multiple} standard deviations of {settings.hours} h",
        )

    def _ends(self, side: Side) -> tuple[float, float]:
        """Return the nearest and the farthest log distance of a target."""
        settings = self._settings
        nearest = distance.to_log(settings.least, side) / float(settings.trigger)
        return nearest, distance.to_log(settings.most, side)

    def _levels(self, a_target: float, side: Side) -> Levels:
        settings = self._settings
        return Levels(
            emergency=distance.from_log(a_target * float(settings.emergency), side),
            trigger=distance.from_log(a_target * float(settings.trigger), side),
            target=distance.from_log(a_target, side),
            give_back=min(WIDEST, distance.from_log(a_target * float(settings.give_back), side)),
        )
