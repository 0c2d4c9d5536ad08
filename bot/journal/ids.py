"""How is every decision and intent named, once and never again?"""

import re
import secrets
from dataclasses import dataclass, field

from bot.errors import JournalError

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
INSTANCE_WIDTH = 4
EPOCH_WIDTH = 4
COUNTER_WIDTH = 6


def base36(number: int, *, width: int) -> str:
    """Return a number in lower-case base 36, padded with zeros.

    Raises:
        ValueError: It is negative or does not fit.
    """
    digits, rest = "", number
    while rest > 0:
        rest, digit = divmod(rest, len(DIGITS))
        digits = DIGITS[digit] + digits
    if number < 0 or len(digits) > width:
        raise ValueError(f"number must be 0 or more and fit {width} digits, was {number}")
    return digits.rjust(width, "0")


def epoch_of(name: str) -> int:
    """Return the number of the run that gave a name; 0 where it is no name of a run."""
    found = re.fullmatch(r"(?:pl|dc)[a-z0-9]{4}([a-z0-9]{4})[a-z0-9]{6}", name)
    return int(found[1], len(DIGITS)) if found else 0


def new_instance() -> str:
    """Return a random name for a new journal, so that two bots on one account never collide."""
    return "".join(secrets.choice(DIGITS) for _ in range(INSTANCE_WIDTH))


@dataclass(slots=True, kw_only=True)
class Ids:
    """Names of one run: prefix, instance, epoch, counter; 16 characters of ``[a-z0-9]``.

    The journal raises the epoch durably each time it is opened, before the first name is given,
    so a counter that starts at 0 never repeats a name of an earlier run.

    Attributes:
        instance: 4 characters, fixed when the journal was made.
        epoch: Number of times the journal was opened.
    """

    instance: str
    epoch: int
    _given: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"[a-z0-9]{{{INSTANCE_WIDTH}}}", self.instance):
            raise ValueError(f"instance must be 4 of [a-z0-9], was {self.instance!r}")

    @property
    def before(self) -> tuple[str, str]:
        """Names of intents from the first to before the second are of earlier runs."""
        first, epoch = base36(0, width=EPOCH_WIDTH), base36(self.epoch, width=EPOCH_WIDTH)
        return f"pl{self.instance}{first}", f"pl{self.instance}{epoch}"

    def intent(self) -> str:
        """Return the name of a new intent; venues see it where they take one."""
        return self._next("pl")

    def decision(self) -> str:
        """Return the name of a new decision."""
        return self._next("dc")

    def _next(self, prefix: str) -> str:
        try:
            epoch = base36(self.epoch, width=EPOCH_WIDTH)
            counter = base36(self._given, width=COUNTER_WIDTH)
        except ValueError as error:
            raise JournalError(f"no unused id is left in this journal: {error}") from error
        self._given += 1
        return f"{prefix}{self.instance}{epoch}{counter}"
