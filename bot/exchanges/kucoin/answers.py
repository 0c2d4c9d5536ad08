"""What stands inside an answer of KuCoin, if it is one?"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.errors import Incomplete
from bot.exchanges.client import Client
from bot.exchanges.numbers import rows, table, whole
from bot.exchanges.quota import Lane

SUCCESS = "200000"
MOST_PAGES = 40
"""Of one list in one reading."""
PAGE = 50

Call = Callable[[dict[str, Any]], Awaitable[Any]]


def data(answer: Any, what: str) -> Any:
    """Return what an answer brings.

    The venue uses the code of a success also where it did nothing: then there is a text and
    nothing else.

    Raises:
        Incomplete: It is no success, or brings nothing.
    """
    body = table(answer, what)
    if body.get("code") != SUCCESS:
        raise Incomplete(f"{what} must come with {SUCCESS}, came with {str(body.get('code'))[:20]}")
    if body.get("data") is None:
        raise Incomplete(f"{what} must bring data, brought {str(body.get('msg'))[:60]!r}")
    return body["data"]


class Reader:
    """Asks, and understands the envelope."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.api = client.api

    async def data(
        self, call: Call, parameters: Mapping[str, Any], what: str, *, lane: Lane = Lane.READ
    ) -> Any:
        """Return what an answer brings.

        Raises:
            ExchangeError: No usable answer.
        """
        return data(await self._client.read(call, dict(parameters), lane=lane), what)

    async def one(
        self, call: Call, parameters: Mapping[str, Any], what: str, *, lane: Lane = Lane.READ
    ) -> dict[str, Any]:
        """Return the object that an answer brings.

        Raises:
            ExchangeError: No usable answer.
        """
        return table(await self.data(call, parameters, what, lane=lane), what)

    async def rows(
        self, call: Call, parameters: Mapping[str, Any], what: str, *, lane: Lane = Lane.READ
    ) -> list[dict[str, Any]]:
        """Return the rows that an answer brings.

        Raises:
            ExchangeError: No usable answer.
        """
        return rows(await self.data(call, parameters, what, lane=lane), what)

    async def pages(
        self, call: Call, parameters: Mapping[str, Any], what: str, *, lane: Lane = Lane.READ
    ) -> list[dict[str, Any]]:
        """Return every row of a list whose pages are numbered.

        Raises:
            ExchangeError: No usable answer, or it does not end.
        """
        found: list[dict[str, Any]] = []
        for number in range(1, MOST_PAGES + 1):
            asked = {**parameters, "currentPage": str(number), "pageSize": str(PAGE)}
            page = await self.one(call, asked, what, lane=lane)
            found += rows(page.get("items"), what)
            if whole(page, "currentPage") != number:
                raise Incomplete(f"{what} must be page {number}, was {page['currentPage']}")
            if number >= whole(page, "totalPage"):
                return found
        raise Incomplete(f"{what} must fit {MOST_PAGES} pages, did not")

    async def lines(
        self, call: Call, parameters: Mapping[str, Any], what: str, *, lane: Lane = Lane.READ
    ) -> list[dict[str, Any]]:
        """Return every row of a list whose pages end with an offset.

        Raises:
            ExchangeError: No usable answer, or it does not end.
        """
        found: list[dict[str, Any]] = []
        older: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            asked = {**parameters, "maxCount": str(PAGE), **older}
            page = await self.one(call, asked, what, lane=lane)
            new = rows(page.get("dataList"), what)
            found += new
            if not isinstance(page.get("hasMore"), bool):
                raise Incomplete(f"hasMore of {what} must be told, was {page.get('hasMore')!r}")
            if not page["hasMore"]:
                return found
            offsets = [whole(row, "offset") for row in new]
            least = min((offset for offset in offsets if offset > 0), default=0)
            if not least or older.get("offset") == str(least):
                raise Incomplete(f"offset of {what} must go on, did not")
            older = {"offset": str(least)}
        raise Incomplete(f"{what} must fit {MOST_PAGES} pages, did not")
