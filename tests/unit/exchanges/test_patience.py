"""How is something read that may not be there yet?"""

from collections.abc import Awaitable, Callable

import pytest

from bot.errors import Denied, ExchangeError, Incomplete, Unavailable
from bot.exchanges.patience import KNOWN_AFTER, once_known

Told = int | ExchangeError | None


def telling(*told: Told) -> tuple[list[Told], Callable[[], Awaitable[int | None]]]:
    """Return what is still to be told, and who tells it one by one."""
    left = list(told)

    async def ask() -> int | None:
        found = left.pop(0)
        if isinstance(found, ExchangeError):
            raise found
        return found

    return left, ask


async def looked(*told: Told) -> tuple[int | None, list[Told], list[float]]:
    """Return what is known in the end, what was not asked for any more, and the waits [s]."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    left, ask = telling(*told)
    return await once_known(ask, sleep=sleep), left, waits


@pytest.mark.parametrize("late", [None, Unavailable("x"), Incomplete("x"), Denied("x")])
async def test_what_is_not_known_yet_or_not_answered_is_asked_for_again(late: Told) -> None:
    assert await looked(late, 7, 8) == (7, [8], [KNOWN_AFTER[1]])


async def test_what_is_known_at_once_is_not_waited_for() -> None:
    assert await looked(0, 1) == (0, [1], [])


async def test_what_stays_unknown_is_given_up_soon() -> None:
    told = [None] * len(KNOWN_AFTER)
    assert await looked(*told, 7) == (None, [7], list(KNOWN_AFTER[1:]))
