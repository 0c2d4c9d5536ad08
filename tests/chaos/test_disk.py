"""What does the bot do when its disk is full?"""

import signal
from pathlib import Path

import pytest

from tests.chaos.beside import beside
from tests.chaos.verdict import belief
from tests.chaos.world import happens, world
from tests.kit.disks import a_small_disk, fill

UNWRITABLE = 4
ROOM = 16
"""More than reserve, journal and log of a run need, so that it is full only when filled. [MiB]"""

pytestmark = pytest.mark.chaos


@beside(seconds=15)
async def test_a_full_disk_does_not_end_protection_and_a_freed_one_knows_of_all_of_it(
    folder: Path,
) -> None:
    with a_small_disk(folder / "disk", mebibytes=ROOM) as disk:
        async with world(folder, state=disk / "state", unlimited=True) as here:
            config = here.config()
            bot = await here.start(config)
            await here.polls(3)
            fill(disk)
            await happens(lambda: "journal_unwritable" in bot.text())
            written = belief(here.journal)
            booked = await here.ledger()
            await here.books_more(booked)
            bot.signal(signal.SIGKILL)
            assert await bot.ended() == -signal.SIGKILL
            during = await here.ledger()
            assert belief(here.journal).events == written.events
            kinds = {effect[0] for effect in during.effects - booked.effects}
            assert kinds <= {"add_margin", "reduce_position"}

            refused = await here.start(config)
            assert await refused.ended() == UNWRITABLE
            assert "disk is full" in refused.text().splitlines()[-1]
            assert (await here.ledger()).effects == during.effects

            (disk / "other.log").unlink()
            again = await here.start(config)
            await here.polls(3)
            await here.settled()
            assert await again.stop() == 0
            assert (await here.verdict()).is_clean
