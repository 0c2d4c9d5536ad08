"""How is something read that may not be there yet, or whose turn may be far off?"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import ExchangeError, Unavailable
from bot.exchanges.faults import WaitError

T = TypeVar("T")
PAUSE = 0.5
"""Between two tries. [s]"""
KNOWN_AFTER = (0.0, 0.1, 0.3)
"""Before each look at an order that was only taken: it is matched beside its answer. [s]"""


async def in_turn(
    ask: Callable[[], Awaitable[T]],
    *,
    sleep: Callable[[float], Awaitable[None]],
    longest: float,
    pause: float = PAUSE,
    what: str = "a page",
) -> T:
    """Return the answer to a read that may wait for its turn.

    Args:
        ask: Asks once.
        sleep: Waits. [s]
        longest: All waits together. [s]
        pause: Between two tries. [s]
        what: It is, for people.

    Raises:
        ExchangeError: As ``ask``; `Unavailable` where its turn did not come.
    """
    waited = 0.0
    while True:
        try:
            return await ask()
        except WaitError as error:
            if waited >= longest:
                raise Unavailable(f"{what} must be readable: {error}") from error
        await sleep(pause)
        waited += pause


async def once_known(
    ask: Callable[[], Awaitable[T | None]], *, sleep: Callable[[float], Awaitable[None]]
) -> T | None:
    """Return what became of an order that was only taken; ``None`` where it is not known soon.

    Nothing is lost by that, nor by an answer that fails: it is settled later, as unknown.

    Args:
        ask: Asks once; ``None`` while it is not certain.
        sleep: Waits. [s]
    """
    for pause in KNOWN_AFTER:
        if pause:
            await sleep(pause)
        try:
            found = await ask()
        except ExchangeError:
            continue
        if found is not None:
            return found
    return None
