"""How does a call end that brought no answer?"""

from bot.errors import Unavailable
from bot.exchanges.outcomes import Trace


class WaitError(Unavailable):
    """Nothing was asked: the budget is spent, or the venue asked to wait."""

    def __init__(self, wait: float) -> None:
        super().__init__(
            f"the venue asked to wait, {wait:.0f} s are left"
            if wait > 0
            else "the request budget of this minute is spent"
        )


class NoSuchOrderError(Unavailable):
    """The venue answered that it knows no such order."""


class WriteError(Exception):
    """A write that brought no answer; the trace says what that proves."""

    def __init__(self, trace: Trace, text: str) -> None:
        super().__init__(text)
        self.trace, self.text = trace, text
