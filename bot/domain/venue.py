"""How is the way to a venue?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCondition:
    """How the way to the venue is now.

    Attributes:
        clock_uncertainty: How far our reading of its time may be off. [s]
        is_banned: Whether it asked to wait.
        is_reachable: Whether the last look was complete.
        weight_left: Of the request budget; ``None`` where it is not counted.
    """

    clock_uncertainty: float = 0.0
    is_banned: bool = False
    is_reachable: bool = True
    weight_left: int | None = None
