"""Does a disk that failed take writes again?"""

import asyncio
from pathlib import Path

from bot.journal.failover import FailoverJournal
from bot.journal.probe import takes_writes
from bot.loop import Loop

PROBE_EVERY = 30.0
"""Between two looks at a disk that failed. [s]"""
PROBES = 2


class DiskWatch:
    """Stops the loop once a disk that failed has taken two probes in a row."""

    def __init__(self, journal: FailoverJournal, folder: Path, loop: Loop) -> None:
        self._journal, self._folder, self._loop = journal, folder, loop
        self.is_back = False
        self._task = asyncio.ensure_future(self._watch())

    async def _watch(self) -> None:
        taken = 0
        while taken < PROBES:
            await asyncio.sleep(PROBE_EVERY)
            is_lost = bool(self._journal.lost or self._journal.reserve_lost)
            # A disk that hangs must not hold up the loop.
            takes = is_lost and await asyncio.to_thread(takes_writes, self._folder)
            taken = taken + 1 if takes else 0
        self.is_back = True
        self._loop.stop()

    async def end(self) -> None:
        """Look no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
