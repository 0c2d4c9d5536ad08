"""What stands inside an answer of Bitget, if it is one?"""

from typing import Any

from bot.errors import Incomplete
from bot.exchanges.bitget.dialect import DONE
from bot.exchanges.numbers import rows, table

PRODUCT = "USDT-FUTURES"
"""The contracts of this adapter: those settled in USDT, with an account of their own."""
COIN = "USDT"
MIX = {"productType": PRODUCT}
"""Said with every question about them."""


def listed(answer: Any, what: str) -> list[dict[str, Any]]:
    """Return the rows of an answer.

    Raises:
        Incomplete: It is none, or says that it is not complete.
    """
    return rows(_data(answer, what), what)


def single(answer: Any, what: str) -> dict[str, Any]:
    """Return the one object of an answer.

    Raises:
        Incomplete: As `listed`.
    """
    return table(_data(answer, what), what)


def page(answer: Any, name: str, what: str) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of a page, and where the next one begins; the venue has null for no rows.

    Args:
        answer: The venue's.
        name: Of the rows in it.
        what: They are, for people.

    Raises:
        Incomplete: As `listed`, or a page is without the mark that it must end with.
    """
    found = single(answer, what)
    if name not in found:
        raise Incomplete(f"field {name!r} of {what} must be there, was not")
    listed_rows = [] if found[name] is None else rows(found[name], what)
    end = found.get("endId")
    if listed_rows and not (isinstance(end, str) and end.isascii() and end.isdigit()):
        raise Incomplete(f"field 'endId' of {what} must be digits, was {str(end)[:40]!r}")
    return listed_rows, end or ""


def lines(answer: Any, what: str) -> list[list[Any]]:
    """Return the rows of an answer whose fields have no names.

    Raises:
        Incomplete: As `listed`.
    """
    found = _data(answer, what)
    if not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        raise Incomplete(f"{what} must be a list of rows")
    return found


def _data(answer: Any, what: str) -> Any:
    body = table(answer, what)
    if body.get("code") != DONE:
        raise Incomplete(
            f"{what} must come with code {DONE}, came with {str(body.get('code'))[:20]!r}"
        )
    return body.get("data")
