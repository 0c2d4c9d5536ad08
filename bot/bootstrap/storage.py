"""Which journal and which reserve does a run write, and what if their disk fails?"""

import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from bot.chance import SeededRng
from bot.domain.lease import Claim, Lease
from bot.errors import JournalLost
from bot.journal.database import meta
from bot.journal.opened import Opened
from bot.journal.reserve import Reserve
from bot.journal.sqlite import SqliteJournal
from bot.ports import Rng


def reserve_of(journal: Path) -> Path:
    """Return the file of the emergency reserve beside a journal."""
    return journal.with_name(journal.name + ".reserve")


def opened_or_lost(path: Path, stack: contextlib.AsyncExitStack) -> Opened | JournalLost:
    """Return the journal at ``path``, locked, or why its disk takes nothing.

    Raises:
        JournalError: In use, damaged or newer than this program.
    """
    try:
        return stack.enter_context(Opened.open(path))
    except JournalLost as lost:
        return lost


def rng_of(opened: Opened | JournalLost) -> Rng:
    """Return the chance of the run that begins next: another one for each journal and run."""
    if isinstance(opened, JournalLost):
        return SeededRng(str(opened))
    return SeededRng(" ".join(meta(opened.connection, name) for name in ("instance", "epoch")))


async def writable(
    path: Path,
    opened: Opened | JournalLost,
    stack: contextlib.AsyncExitStack,
    *,
    claim: Callable[[Callable[[], Lease | None]], Awaitable[Claim]],
    thin_before: datetime | None = None,
) -> tuple[SqliteJournal, Reserve | None]:
    """Return journal and reserve, ready to be written.

    Where the disk takes nothing, the journal is one that refuses each write, and what the reserve
    holds stays there; without either, the reserve is ``None``.

    Args:
        path: The journal.
        opened: What came of opening it.
        stack: Closes both.
        claim: Returns the claim to its lease, when it is this run's turn.
        thin_before: Inputs of older hold decisions are forgotten; ``None`` keeps them.

    Raises:
        InUse: Another machine holds the lease.
        JournalError: Damaged or absent.
    """
    try:
        async with contextlib.AsyncExitStack() as attempt:
            if isinstance(opened, JournalLost):
                raise opened
            attempt.enter_context(opened)  # its lock is free again if the rest fails
            claimed = await claim(opened.lease)
            journal = await attempt.enter_async_context(SqliteJournal.begin(opened, claimed))
            reserve = attempt.enter_context(Reserve.open(reserve_of(path)))
            await adopt(journal, reserve)
            if thin_before is not None:
                await journal.thin(thin_before)
            stack.push_async_exit(attempt.pop_all())
            return journal, reserve
    except JournalLost as lost:
        return await _lost(path, lost, stack)


async def adopt(journal: SqliteJournal, reserve: Reserve) -> None:
    """Take what the emergency reserve holds over into the journal, oldest first.

    Raises:
        JournalError: Not durable; the rest stays in the reserve.
    """
    kept = reserve.kept()
    await journal.outrun(reserved.intent.id for reserved in kept)
    for reserved in kept:
        await journal.adopt(reserved)
        reserve.release(reserved.intent.id)


async def _lost(
    path: Path, lost: JournalLost, stack: contextlib.AsyncExitStack
) -> tuple[SqliteJournal, Reserve | None]:
    reserve = _reserve_of_lost(path, stack)
    given = [kept.intent.id for kept in reserve.kept()] if reserve else ()
    still = SqliteJournal.still(path, str(lost), given=given)
    journal = await stack.enter_async_context(still)
    return journal, reserve if reserve and reserve.free else None


def _reserve_of_lost(path: Path, stack: contextlib.AsyncExitStack) -> Reserve | None:
    try:
        return stack.enter_context(Reserve.open(reserve_of(path)))
    except JournalLost:
        return None
