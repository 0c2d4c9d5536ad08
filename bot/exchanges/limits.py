"""What does a venue count, and what does a request cost there?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bot.domain.timing import WINDOW


class Cost(NamedTuple):
    """Of one request.

    Attributes:
        budget: Pays for it.
        weight: Of it.
    """

    budget: str
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One of the things a venue counts apart from each other.

    Attributes:
        weight: What it allows in a period.
        seconds: The period. [s]
        used: The header of an answer that tells what it has counted in the running period; empty
            where it does not say.
        late: How much after it left a request may be counted. [s]
    """

    weight: int
    seconds: float = 60.0
    used: str = ""
    late: float = WINDOW

    @property
    def span(self) -> float:
        """How long weight counts: the period, and what a request may be on its way. [s]."""
        return self.seconds + self.late


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """All that a venue counts.

    Attributes:
        limits: By name.
        main: Pays for looks at positions, and for what protects them.
        banned_for: Wait after a ban that names none: the shortest the venue gives. [s]
    """

    limits: Mapping[str, Limit]
    main: str
    banned_for: float = 120.0
