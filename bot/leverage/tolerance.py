"""Which probability per window belongs to a yearly hazard?"""

import math

HOURS_PER_YEAR = 8766.0


def window_tolerance(hazard: float, *, hours: float) -> float:
    """Return the probability allowed per window, ``1 - exp(-hazard * hours / year)``. [ratio].

    Args:
        hazard: Liquidations tolerated per year while standing at the trigger, > 0. [1/year]
        hours: Length of the window, > 0. [h]

    Raises:
        ValueError: If an argument is not positive and finite.
    """
    for name, value in (("hazard", hazard), ("hours", hours)):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be > 0, was {value}")
    return -math.expm1(-hazard * hours / HOURS_PER_YEAR)


def yearly_hazard(tolerance: float, *, hours: float) -> float:
    """Return the hazard whose window tolerance this is; the inverse of `window_tolerance`.

    Raises:
        ValueError: If ``tolerance`` is not in (0, 1) or ``hours`` is not positive.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must be between 0 and 1, was {tolerance}")
    if not (math.isfinite(hours) and hours > 0):
        raise ValueError(f"hours must be > 0, was {hours}")
    return -HOURS_PER_YEAR * math.log1p(-tolerance) / hours
