"""Does a machine whose clock is wrong still send in the venue's time?"""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.chaos.beside import beside
from tests.chaos.verdict import belief
from tests.chaos.world import Market, world

HOUR = 3600.0
STEP_AFTER = 3.0
"""When the clock jumps, from the start of the process. [s]"""

pytestmark = pytest.mark.chaos


@beside(seconds=14)
async def test_a_clock_that_is_wrong_and_then_set_changes_nothing(folder: Path) -> None:
    async with asyncio.TaskGroup() as both:
        both.create_task(_run_with(folder / "fast", shift=HOUR, later=-HOUR))
        both.create_task(_run_with(folder / "slow", shift=-HOUR, later=HOUR))


async def _run_with(folder: Path, *, shift: float, later: float) -> None:
    async with world(folder) as here:
        began = here.reader.now_ms()
        bot = await here.start(
            here.config(), shift=shift, shift_later=later, shift_after=STEP_AFTER
        )
        await here.polls(10)
        believed = await here.settled()
        assert await bot.stop() == 0

        ledger = await here.ledger()
        assert all(began <= at <= here.reader.now_ms() for at in ledger.times)
        assert ledger.times[-1] - began > STEP_AFTER * 1000  # it went on after the jump
        assert believed.decisions["not_ready"] == 0
        assert (await here.verdict()).is_clean


@beside(seconds=6)
async def test_a_send_is_found_again_although_the_clock_was_set_since(folder: Path) -> None:
    """What was sent by a clock an hour fast is looked for at the instant it was sent."""
    # However long a busy machine lets nobody look, nothing is liquidated meanwhile.
    async with world(folder, Market(swing=0.01, drift=1.0)) as here:
        killed = await here.start(
            here.config(), steps=str(here.steps), at="wire:add_margin.sent", shift=HOUR
        )
        assert await killed.ended() == -signal.SIGKILL
        assert belief(here.journal).open

        bot = await here.start(here.config(), shift=-HOUR)
        await here.settled()
        assert await bot.stop() == 0
        assert (await here.verdict()).is_clean
