"""Keep the chance of touching the liquidation price within a yearly tolerance.

The default. Use it when you think in "one liquidation in so many years": you state the hazard
you tolerate and how long a reaction may take; the distance follows from the volatility of the
last days and a heavy-tailed model of how far prices overshoot it. Calm markets get more
leverage, storms less. This version knows the tail of large coins only, made heavier on purpose.
"""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.band import Levels, LeverageBand
from bot.domain.market import Market
from bot.domain.risk import PositionRisk
from bot.leverage import distance, tail, volatility
from bot.leverage.tolerance import window_tolerance
from bot.margin.bands import band_at_distances

WIDEST = Decimal("0.95")
"""A long cannot stand at 1 or beyond."""
EMERGENCY_FACTOR = 10.0
"""An emergency is where the hazard is this many times the tolerated one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person tolerates.

    Attributes:
        hazard: Liquidations per year while standing at the trigger. [1/year]
        reaction: From a price to a confirmed action, transfers included. [s]
        target: Where the bot aims, as a multiple of the trigger's log distance.
        give_back: Beyond it margin returns, as a multiple of the trigger's log distance.
        least: The trigger is never nearer than this. [ratio]
        most: The target is never farther than this; ``give_back`` follows. [ratio]
    """

    hazard: Decimal = Decimal(1)
    reaction: int = 120
    target: Decimal = Decimal("1.25")
    give_back: Decimal = Decimal("1.8")
    least: Decimal = Decimal("0.03")
    most: Decimal = Decimal("0.50")


class Hazard:
    """Chooses distances from volatility and a tolerated hazard."""

    def __init__(self, settings: Settings) -> None:
        if not 1 < settings.target < settings.give_back:
            raise ValueError(
                "multiples must satisfy 1 < target < give_back, were "
                f"{settings.target}, {settings.give_back}"
            )
        if not 0 < settings.least < settings.most < WIDEST:
            raise ValueError(
                f"distances must satisfy 0 < least < most < {WIDEST}, were "
                f"{settings.least}, {settings.most}"
            )
        self._settings = settings
        # Tails are fitted on whole hours: a shorter reaction is judged over an hour.
        self._hours = max(1.0, settings.reaction / 3600)
        self._tolerance = min(
            tail.EXCEEDANCE, window_tolerance(float(settings.hazard), hours=self._hours)
        )

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:
        """Return the band at today's volatility.

        Raises:
            ValueError: If the price history is too short or broken.
        """
        settings, side = self._settings, risk.position.side
        per_hour = volatility.of_bars(market.bars)
        sigma = per_hour * self._hours**0.5
        shape = tail.prior(side, hours=self._hours)
        a_trigger = max(
            tail.quantile(shape, self._tolerance) * sigma, distance.to_log(settings.least, side)
        )
        a_widest = distance.to_log(settings.most, side)
        a_trigger = min(a_trigger, a_widest / float(settings.target))
        near = min(tail.EXCEEDANCE, EMERGENCY_FACTOR * self._tolerance)
        a_emergency = min(a_trigger, tail.quantile(shape, near) * sigma)
        a_emergency = max(a_emergency, a_trigger / 4)
        band = band_at_distances(
            risk,
            Levels(
                emergency=distance.from_log(a_emergency, side),
                trigger=distance.from_log(a_trigger, side),
                target=distance.from_log(a_trigger * float(settings.target), side),
                give_back=min(
                    WIDEST, distance.from_log(a_trigger * float(settings.give_back), side)
                ),
            ),
        )
        return LeverageBand(
            distance=band.distance,
            leverage=band.leverage,
            volatility=Decimal(f"{per_hour:.6f}"),
            hit_probability=_hit_probability(risk, shape, sigma),
            horizon=int(self._hours * 3600),
            why=f"{settings.hazard} liquidations a year at the trigger",
        )


def _hit_probability(risk: PositionRisk, shape: tail.Tail, sigma: float) -> Decimal | None:
    if risk.distance is None:
        return Decimal(0)
    if risk.distance <= 0:
        return Decimal(1)
    if risk.position.side.sign > 0 and risk.distance >= 1:
        return Decimal(0)
    if sigma <= 0:
        return None
    a_log = distance.to_log(risk.distance, risk.position.side)
    return Decimal(f"{tail.survival(shape, a_log / sigma):.3g}")
