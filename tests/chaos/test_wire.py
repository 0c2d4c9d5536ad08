"""What does the bot make of a network that cuts, holds and halves?"""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.beside import beside
from tests.chaos.proxy import KINDS, Fault, proxied
from tests.chaos.world import world

OUTAGE = 3.0
"""How long the exchange cannot be reached. [s]"""

pytestmark = pytest.mark.chaos


@beside(seconds=22)
async def test_a_write_that_the_network_breaks_takes_effect_at_most_once(folder: Path) -> None:
    async with (
        world(folder) as here,
        proxied(here.address, here.ca_file, here.certificate) as proxy,
    ):
        bot = await here.start(here.config(address=proxy.address))
        await here.polls(2)
        faults = [proxy.add(Fault(kind=kind, method="POST", path="Margin")) for kind in KINDS]

        await here.until(lambda _: all(fault.hits for fault in faults))
        believed = await here.settled()
        assert await bot.stop() == 0

        assert (await here.verdict()).is_clean
        assert believed.settled["applied"] > 0
        assert believed.settled["absent"] > 0


@beside(seconds=12)
async def test_an_exchange_that_goes_away_and_comes_back_is_met_again(folder: Path) -> None:
    async with (
        world(folder) as here,
        proxied(here.address, here.ca_file, here.certificate) as proxy,
    ):
        bot = await here.start(here.config(address=proxy.address))
        before = await here.polls(2)
        assert before.decisions["not_ready"] == 0

        await proxy.close()
        await asyncio.sleep(OUTAGE)
        during = await here.until(lambda now: now.reasons["unavailable"] > 0)
        assert bot.process.returncode is None

        await proxy.open()
        await here.polls(3)
        await here.settled()
        assert await bot.stop() == 0
        assert during.decisions["not_ready"] >= 1
        assert (await here.verdict()).is_clean
