"""How is the way to a venue?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCondition:
    """How the way to the venue is now.

    Attributes:
        clock_uncertainty: How far our reading of its time may be off. [s]
        is_banned: Whether it asked to wait: nothing is sent.
        ban: Why people must know, where it shut us out; empty where it did not.
        is_reachable: Whether the last look was complete.
        weight_left: Of the request budget for what protects; ``None`` where it is not counted.
        weight_left_optional: Of it for everything else; ``None`` where it is not counted.
    """

    clock_uncertainty: float = 0.0
    is_banned: bool = False
    ban: str = ""
    is_reachable: bool = True
    weight_left: int | None = None
    weight_left_optional: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a venue's request budget allows next.

    Attributes:
        look_in: How long the next look should wait, so that the last of many is not cut off. [s]
        glance_every: How far apart glances at the marks of all positions may be; ``None`` where
            there are none. [s]
    """

    look_in: float = 0.0
    glance_every: float | None = None
