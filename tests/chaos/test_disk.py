"""What does the bot do when its disk is full?"""

import signal
from pathlib import Path

import pytest

from tests.chaos.beside import beside
from tests.chaos.verdict import belief
from tests.chaos.world import Market, happens, world
from tests.kit.disks import a_small_disk, fill

ROOM = 16
"""More than reserve, journal and log of a run need, so that it is full only when filled. [MiB]"""
FALLING = Market(futures="40000", drift=0.45)
"""One emergency after another, and enough for them where the reserve takes no transfers."""

pytestmark = pytest.mark.chaos


@beside(seconds=25)
async def test_a_full_disk_ends_no_protection_and_no_start_and_a_freed_one_knows_of_all_of_it(
    folder: Path,
) -> None:
    with a_small_disk(folder / "disk", mebibytes=ROOM) as disk:
        async with world(folder, FALLING, state=disk / "state", unlimited=True) as here:
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

            anew = await here.start(config)
            await happens(lambda: "journal_unwritable" in anew.text())
            await here.books_more(during)
            anew.signal(signal.SIGKILL)
            assert await anew.ended() == -signal.SIGKILL
            after = await here.ledger()
            assert belief(here.journal).events == written.events
            assert {e[0] for e in after.effects - during.effects} <= {
                "add_margin",
                "reduce_position",
            }

            (disk / "other.log").unlink()
            again = await here.start(config)
            await here.polls(3)
            await here.settled()
            assert await again.stop() == 0
            assert (await here.verdict()).is_clean
