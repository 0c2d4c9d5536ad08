"""Which times do sending, looking and succession have to agree about?

A request is signed, may arrive for a while, and shows in history a little later, all by a clock
that is known only so well. Each side that waits derives its wait from these.
"""

from datetime import timedelta

WINDOW = 5.0
"""How long a venue accepts a request after the time signed in it, where it lets us choose. [s]"""
CLOCK_BOUND = 0.5
"""How far off venue time may be where something is written. [s]"""
HISTORY_LAG = 2.0
"""How long after its effect a move may be missing from the venue's history. [s]"""


def settle_point(window: float) -> timedelta:
    """Return how long after a send no absence of its effect is believed.

    Args:
        window: How long the venue accepts a request. [s]
    """
    return timedelta(seconds=window + CLOCK_BOUND + HISTORY_LAG)
