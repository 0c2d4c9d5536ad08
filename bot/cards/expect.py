"""How does a card compare what it found with what must be?"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bot.domain.intent import Execution, Outcome
from bot.errors import BotError

NEAR = Decimal("0.000005")
"""Of a price that two work out. [ratio]"""


class CardError(Exception):
    """A card that did not pass; the text says what was and what must have been."""


def same(what: str, found: object, wanted: object) -> None:
    """Go on only if two things are equal.

    Raises:
        CardError: They are not.
    """
    if found != wanted:
        raise CardError(f"{what} must be {wanted}, was {found}")


def holds(what: str, is_so: bool) -> None:  # noqa: FBT001 - the fact that is asked about
    """Go on only if something is so.

    Raises:
        CardError: It is not.
    """
    if not is_so:
        raise CardError(f"must be: {what}")


def near(what: str, found: Decimal | None, wanted: Decimal) -> None:
    """Go on only if a price is another, but for a twentieth of a basis point.

    Raises:
        CardError: It is farther away, or there is none.
    """
    if found is None or abs(found - wanted) / wanted >= NEAR:
        raise CardError(f"{what} must be near {wanted:f}, was {found}")


def ended(done: Execution, outcome: Outcome, code: str = "") -> None:
    """Go on only if a send ended like this, with this code where one is given.

    Raises:
        CardError: It ended in another way.
    """
    found = (done.outcome, done.code if code else "")
    if found != (outcome, code):
        raise CardError(f"must end {outcome} {code}, ended {done.outcome} {done.code} {done.text}")


async def refused(what: str, error: type[BotError], ask: Callable[[], Any]) -> str:
    """Go on only if a question is refused in this way; return the text of the refusal.

    Raises:
        CardError: It was answered.
    """
    try:
        await ask()
    except error as found:
        return str(found)
    raise CardError(f"{what} must raise {error.__name__}, was answered")
