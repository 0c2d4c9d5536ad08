"""How is something read whose turn in the budget of requests may be far off?"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import Unavailable
from bot.exchanges.faults import WaitError

T = TypeVar("T")
PAUSE = 0.5
"""Between two tries. [s]"""


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
