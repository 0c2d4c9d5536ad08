"""What stands inside an answer of OKX, if it is one?"""

from typing import Any

from bot.errors import Incomplete
from bot.exchanges.numbers import rows, table


def listed(answer: Any, what: str) -> list[dict[str, Any]]:
    """Return the rows of an answer.

    Raises:
        Incomplete: It is none, or says that it is not complete.
    """
    return rows(_data(answer, what), what)


def single(answer: Any, what: str) -> dict[str, Any]:
    """Return the one row of an answer.

    Raises:
        Incomplete: As `listed`, or there is none, or more.
    """
    found = listed(answer, what)
    if len(found) != 1:
        raise Incomplete(f"{what} must be one row, were {len(found)}")
    return found[0]


def lines(answer: Any, what: str) -> list[list[Any]]:
    """Return the rows of an answer whose fields have no names.

    Raises:
        Incomplete: It is none, or says that it is not complete.
    """
    found = _data(answer, what)
    if not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        raise Incomplete(f"{what} must be a list of rows")
    return found


def _data(answer: Any, what: str) -> Any:
    body = table(answer, what)
    if body.get("code") != "0":
        raise Incomplete(f"{what} must come with code 0, came with {str(body.get('code'))[:20]!r}")
    return body.get("data")
