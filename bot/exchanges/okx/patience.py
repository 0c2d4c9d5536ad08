"""How are many pages read from an endpoint that may be asked seldom?"""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.errors import Unavailable
from bot.exchanges.client import Client
from bot.exchanges.faults import WaitError
from bot.exchanges.quota import Lane

PAUSE = 0.5
"""Between two tries of a page whose turn has not come. [s]"""


async def waited_for(
    client: Client,
    call: Callable[[dict[str, Any]], Awaitable[Any]],
    parameters: dict[str, Any],
    *,
    sleep: Callable[[float], Awaitable[None]],
    longest: float,
    lane: Lane = Lane.READ,
) -> Any:
    """Return the answer to a read that may wait for its turn in the budget of requests.

    Args:
        client: Of the venue.
        call: Raw.
        parameters: Of it.
        sleep: Waits. [s]
        longest: Wait of one page. [s]
        lane: What it is for.

    Raises:
        ExchangeError: As `Client.read`; `Unavailable` where its turn did not come.
    """
    waited = 0.0
    while True:
        try:
            return await client.read(call, dict(parameters), lane=lane)
        except WaitError as error:
            if waited >= longest:
                raise Unavailable(f"a page must be readable in {longest:.0f} s: {error}") from error
        await sleep(PAUSE)
        waited += PAUSE
