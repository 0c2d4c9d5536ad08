"""How is a list of Gate read to its end?"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.errors import Incomplete
from bot.exchanges.client import Client
from bot.exchanges.numbers import rows
from bot.exchanges.patience import in_turn
from bot.exchanges.quota import Lane

PAGE = 100
MOST_PAGES = 20
"""Of one list; a bot that needs more was away too long to catch up like this."""


async def all_pages(
    client: Client,
    call: Callable[[dict[str, Any]], Awaitable[Any]],
    asked: Mapping[str, Any],
    what: str,
    *,
    page: int = PAGE,
    is_numbered: bool = False,
    lane: Lane = Lane.READ,
    is_far: Callable[[list[dict[str, Any]]], bool] | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
    longest: float = 0.0,
) -> list[dict[str, Any]]:
    """Return the rows of every page.

    Args:
        client: Asks.
        call: Of one page.
        asked: What each is asked with.
        what: It is, for people.
        page: Rows of one.
        is_numbered: Whether the list counts pages, from 1; else it counts rows before one.
        lane: What it is for.
        is_far: Whether a page ends beyond what is wanted, so that none after it is needed; ``None``
            reads to the end.
        sleep: Waits for the turn of a page; ``None`` does not wait.
        longest: Of such waits. [s]

    Raises:
        ExchangeError: A page is missing, or there are too many.
    """
    found: list[dict[str, Any]] = []
    for number in range(MOST_PAGES):
        place = {"page": number + 1} if is_numbered else {"offset": number * page}
        parameters = {**asked, "limit": page, **place}

        async def ask(parameters: dict[str, Any] = parameters) -> Any:
            return await client.read(call, dict(parameters), lane=lane)

        answer = await (
            ask() if sleep is None else in_turn(ask, sleep=sleep, longest=longest, what=what)
        )
        listed = rows(answer, what)
        found += listed
        if len(listed) < page or (is_far is not None and is_far(listed)):
            return found
    raise Incomplete(f"{what} must fit {MOST_PAGES} pages, did not")
