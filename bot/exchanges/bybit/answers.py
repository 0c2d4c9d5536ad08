"""What is inside an answer, and where does a list end?"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.domain.instrument import Contract
from bot.errors import Incomplete
from bot.exchanges.client import Client
from bot.exchanges.numbers import rows, table
from bot.exchanges.quota import Lane

MOST_PAGES = 40
"""Of one list in one reading."""
CATEGORIES = {Contract.LINEAR: "linear", Contract.INVERSE: "inverse"}
"""The venue's word for a kind of contract; all that is asked about contracts names one."""

Call = Callable[[dict[str, Any]], Awaitable[Any]]


def result(answer: Any, what: str) -> dict[str, Any]:
    """Return what an answer brings.

    Raises:
        Incomplete: It is no success, or brings no object.
    """
    found = table(answer, what)
    code = found.get("retCode")
    if isinstance(code, bool) or code != 0:
        raise Incomplete(f"retCode of {what} must be 0, was {code!r}")
    return table(found.get("result"), what)


def listed(found: Mapping[str, Any], what: str) -> list[dict[str, Any]]:
    """Return the list of a result.

    Raises:
        Incomplete: There is none.
    """
    return rows(found.get("list"), what)


class Reader:
    """Asks, and understands the envelope."""

    def __init__(self, client: Client, contract: Contract = Contract.LINEAR) -> None:
        self._client = client
        self.api = client.api
        self.contract = contract
        """Of what the account trades."""
        self.where = {"category": CATEGORIES[contract]}
        """What every request about its contracts says."""

    async def one(
        self, call: Call, parameters: Mapping[str, Any], what: str, *, lane: Lane = Lane.READ
    ) -> dict[str, Any]:
        """Return what one answer brings.

        Raises:
            ExchangeError: No usable answer.
        """
        return result(await self._client.read(call, dict(parameters), lane=lane), what)

    async def stamped(
        self, call: Call, parameters: Mapping[str, Any], what: str, *, lane: Lane = Lane.READ
    ) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """Return what one answer brings, and the answer itself, which has the venue's time.

        Raises:
            ExchangeError: No usable answer.
        """
        answer = await self._client.read(call, dict(parameters), lane=lane)
        return result(answer, what), answer

    async def all(
        self, call: Call, parameters: Mapping[str, Any], what: str, *, lane: Lane = Lane.READ
    ) -> list[dict[str, Any]]:
        """Return every row of a list.

        Some lists have a cursor on their last page too: then an empty page is the end.

        Raises:
            ExchangeError: No usable answer, or it does not end.
        """
        found: list[dict[str, Any]] = []
        cursors = [""]
        for _ in range(MOST_PAGES):
            more = {"cursor": cursors[-1]} if cursors[-1] else {}
            page = await self.one(call, {**parameters, **more}, what, lane=lane)
            new, cursor = listed(page, what), page.get("nextPageCursor")
            if not isinstance(cursor, str):
                raise Incomplete(f"nextPageCursor of {what} must be a word, was {cursor!r}")
            found += new
            if not (cursor and new):
                return found
            if cursor in cursors:
                raise Incomplete(f"nextPageCursor of {what} must go on, was {cursor[:40]!r} again")
            cursors.append(cursor)
        raise Incomplete(f"{what} must be listed to the end, were {len(found)} and more")
