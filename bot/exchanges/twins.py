"""Which lines of two lists are the two ends of one transfer?"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")
LONGEST_WAY = timedelta(hours=1)
"""A transfer that left before an instant may arrive, and be booked, after it."""
TOGETHER_MS = 10_000
"""So long after it happened a transfer may be in one list and not yet in the other. [ms]"""


def may_be_one(left_ms: int, booked_ms: int) -> bool:
    """Whether a transfer that left then may have been booked then.

    Args:
        left_ms: As the list of transfers has it. [ms]
        booked_ms: As the wallet has it. [ms]
    """
    return abs(booked_ms - left_ms) <= LONGEST_WAY.total_seconds() * 1000


def taken(others: list[T], is_same: Callable[[T], bool]) -> T | None:
    """Return the first line that is the same, and take it out: it is the twin of one only."""
    for place, other in enumerate(others):
        if is_same(other):
            return others.pop(place)
    return None
