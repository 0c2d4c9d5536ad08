"""An example of a strategy that looks back: it stays careful for hours after a narrow escape.

    [strategy]
    path = "after_the_storm.py:AfterTheStorm"
    trigger = "0.10"
    hours = 12

``past`` is what came before: ``past.now`` is the instant of this look, ``past.moved_at`` when the
bot last moved margin or size of the position, and ``past.of(KIND)`` the few texts that its last
band carried. They are kept with every decision, so that a restart and a replay find them. They are
a hint: they may be missing at any time, and what does not fit or has another kind is nothing.
Change the kind when a value changes its meaning. At most 16 texts, together 1,000 characters of
ASCII.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from bot.domain.band import Levels, LeverageBand
from bot.domain.market import Market
from bot.domain.past import Carried, Past
from bot.domain.risk import PositionRisk
from bot.margin.bands import band_at_distances

KIND = "after_the_storm 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person may set.

    Attributes:
        trigger: Below this distance the bot acts. [ratio]
        careful: How many times as far after an escape.
        hours: How long it stays careful. [h]
    """

    trigger: Decimal = Decimal("0.08")
    careful: Decimal = Decimal("1.5")
    hours: int = 12


class AfterTheStorm:
    """Chooses fixed distances, wider for some hours after a position stood below its trigger."""

    def __init__(self, settings: Settings) -> None:
        if settings.careful < 1:
            raise ValueError(f"careful must be >= 1, was {settings.careful}")
        self._settings = settings

    def choose(self, risk: PositionRisk, market: Market, past: Past | None = None) -> LeverageBand:
        """Return the band of one position."""
        past = past or Past(now=market.mark_at)
        escaped_at = past.of(KIND).instant("escaped_at")
        if risk.distance is not None and risk.distance < self._settings.trigger:
            escaped_at = past.now
        is_careful = escaped_at is not None and past.now - escaped_at < timedelta(
            hours=self._settings.hours
        )
        trigger = self._settings.trigger * (self._settings.careful if is_careful else 1)
        band = band_at_distances(
            risk,
            Levels(
                emergency=trigger / 2,
                trigger=trigger,
                target=trigger * Decimal("1.25"),
                give_back=trigger * Decimal("1.8"),
            ),
            why="after an escape" if is_careful else "",
        )
        if escaped_at is None or not is_careful:
            return band
        value = ("escaped_at", escaped_at.isoformat())
        return replace(band, carry=Carried(kind=KIND, values=(value,)))
