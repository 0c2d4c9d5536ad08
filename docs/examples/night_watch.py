"""An example of a strategy of one's own: wider distances while you sleep.

    [strategy]
    path = "night_watch.py:NightWatch"    # beside the configuration file, or from the root
    trigger = "0.10"
    night = "1.5"

``choose`` is asked at every poll and for every position, and everything waits until it returns. It
must be pure: all it may depend on is in its arguments, the hour is that of the venue's own mark.
What it cannot do it refuses with a ``ValueError`` whose text says why. A module of yours that lies
beside it is not found: keep it in one file, or install the module.
"""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.band import Levels, LeverageBand
from bot.domain.market import Market
from bot.domain.risk import PositionRisk
from bot.margin.bands import band_at_distances


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person may set; each key of ``[strategy]`` besides ``path`` must be one of these.

    Attributes:
        trigger: Below this distance the bot acts by day. [ratio]
        night: How many times as far by night.
        falls: Hour at which night begins, UTC.
        ends: Hour at which it ends, UTC.
    """

    trigger: Decimal = Decimal("0.08")
    night: Decimal = Decimal("1.5")
    falls: int = 22
    ends: int = 6


class NightWatch:
    """Chooses fixed distances, wider by night."""

    def __init__(self, settings: Settings) -> None:
        if settings.night < 1:
            raise ValueError(f"night must be >= 1, was {settings.night}")
        self._settings = settings

    def choose(self, risk: PositionRisk, market: Market) -> LeverageBand:
        """Return the band of one position."""
        settings, hour = self._settings, market.mark_at.hour
        is_night = hour >= settings.falls or hour < settings.ends
        trigger = settings.trigger * (settings.night if is_night else 1)
        return band_at_distances(
            risk,
            Levels(
                emergency=trigger / 2,
                trigger=trigger,
                target=trigger * Decimal("1.25"),
                give_back=trigger * Decimal("1.8"),
            ),
            why="night" if is_night else "day",
        )
