"""Does a bot that stood still act on what it knew before, or beside a second one?"""

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from bot.domain.alarm import Delivery
from bot.journal.queries import JournalReader
from tests.chaos.beside import beside
from tests.chaos.verdict import belief
from tests.chaos.world import Bot, happens, world

STOPPED = float(os.environ.get("PLIMSOLL_CHAOS_STOP", "2"))
"""How long the bot stands still. [s]"""
STALE = 6.0
"""Longer than a plan lives. [s]"""
IN_USE = 6

pytestmark = pytest.mark.chaos


@beside(seconds=14)
async def test_a_second_bot_is_refused_while_the_first_stands_still(folder: Path) -> None:
    async with world(folder) as here:
        config = here.config()
        first = await here.start(config)
        await here.polls(3)

        first.signal(signal.SIGSTOP)
        await asyncio.sleep(0.2)  # what was on its way arrives
        before = (await here.ledger()).times
        second = await here.start(config)
        assert await second.ended() == IN_USE
        assert f"in use by process {first.pid}" in second.text()
        await asyncio.sleep(STOPPED)
        assert (await here.ledger()).times == before

        first.signal(signal.SIGCONT)
        await here.polls(3)
        await here.settled()
        assert await first.stop() == 0
        assert (await here.verdict()).is_clean


@beside(seconds=18)
async def test_nothing_leaves_of_a_plan_that_was_made_before_a_stall(folder: Path) -> None:
    async with asyncio.TaskGroup() as both:
        both.create_task(_stall(folder / "planned", "record:intents.after", {"dropped"}))
        both.create_task(_stall(folder / "sent", "sent:transfer.after", {"rejected", "dropped"}))


async def _stall(folder: Path, step: str, states: set[str]) -> None:
    """Stop a bot at a step until its plan is stale; see every intent of the plan end unsent."""
    async with world(folder) as here:
        bot = await here.start(
            here.config(), steps=str(here.steps), at=step, signal=int(signal.SIGSTOP)
        )
        await _stands_still(bot)
        planned = {name.partition(":")[2] for name in belief(here.journal).open}
        await asyncio.sleep(STALE)
        bot.signal(signal.SIGCONT)
        after = await here.settled()
        assert await bot.stop() == 0

        ends = {state: planned & after.named(state) for state in states}
        assert planned
        assert all(ends.values())
        assert planned == set().union(*ends.values())
        with JournalReader.open(here.journal) as reader:
            told = {alarm.alarm.code: alarm.told for alarm in reader.alarms()}
        assert [(word.sink, word.delivery) for word in told["stalled"]] == [
            ("log", Delivery.DELIVERED)
        ]
        assert (await here.verdict()).is_clean


async def _stands_still(bot: Bot) -> None:
    def is_stopped() -> bool:
        return psutil.Process(bot.pid).status() == psutil.STATUS_STOPPED

    await happens(is_stopped)
