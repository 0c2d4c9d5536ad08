"""Does a bot that is killed at any step lose or double anything?"""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from tests.chaos.beside import beside
from tests.chaos.kills import ALL, KINDS, Figures, Loop, acknowledged, missing
from tests.chaos.proxy import proxied
from tests.chaos.world import Market, World, nursery, world

KILLS = int(os.environ.get("PLIMSOLL_CHAOS_KILLS", "200"))
A_ROUND = 100
"""Kills at one exchange; then its ledger is judged and another begins."""
SPARE = 6
"""Further exchanges at most, where positions are gone before every step was hit."""
ROUND_TRIP = 0.1
"""Of the network between bot and exchange where restarts are timed. [s]"""

pytestmark = pytest.mark.chaos


@beside(seconds=150)
async def test_a_bot_killed_at_any_step_loses_nothing_and_doubles_nothing(
    folder: Path,
) -> dict[str, str]:
    figures = Figures()
    began = time.monotonic()

    async def rounds(market: Market, name: str) -> None:
        left = -(-KILLS // len(KINDS))
        for number in range(2 * (left // A_ROUND) + SPARE):
            if left <= 0 and not missing(figures, market):
                return
            place = folder / f"{name}-{number}"
            kills = max(1, min(left, A_ROUND))
            left -= await _round(place, market, figures, kills=kills, seed=number)
            assert not figures.lost
            assert not figures.doubled

    await asyncio.gather(*(rounds(market, "-".join(kinds)) for market, kinds in KINDS.items()))

    seconds = time.monotonic() - began
    (folder / "steps.txt").write_text(figures.table(), encoding="utf-8")
    assert [step for step in ALL if not figures.deaths[step]] == []
    assert figures.deaths.total() >= KILLS
    return figures.named() | {"chaos seconds": f"{seconds:.0f}"}


async def _round(folder: Path, market: Market, figures: Figures, *, kills: int, seed: int) -> int:
    async with world(folder, market, unlimited=True) as here, nursery() as forks:
        loop = Loop(here, forks, figures, seed=seed)
        died = await loop.run(kills)
        async with proxied(here.address, here.ca_file, here.certificate) as proxy:
            proxy.round_trip = ROUND_TRIP
            for _ in range(max(1, kills // 30)):
                await _restart(here, figures, proxy.address)
        bot = await here.start(here.config())
        await here.settled()
        assert await bot.stop() == 0
        figures.take(await here.verdict(acknowledged(here.steps)))
        return died


async def _restart(here: World, figures: Figures, address: str) -> None:
    """Start it as a person does, and kill it once it has seen everything once."""
    bot = await here.start(here.config(address=address))
    await here.polls(1)
    figures.ready.append(time.monotonic() - bot.began)
    bot.signal(signal.SIGKILL)
    assert await bot.ended() == -signal.SIGKILL
