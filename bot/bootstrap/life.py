"""How does a run begin, and what ends it?"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from bot import files
from bot.bootstrap.again import archive_of
from bot.bootstrap.assembly import assemble
from bot.bootstrap.configured import connection_of, pace_of, strategy_of
from bot.bootstrap.disk import DiskWatch
from bot.bootstrap.recall import memory_before
from bot.bootstrap.sinks import sinks_of, tell
from bot.bootstrap.storage import opened_or_lost, rng_of, writable
from bot.bootstrap.turn import account_lock, claim_to
from bot.clock import VenueClock
from bot.domain.lease import Terms
from bot.exchanges.connect import ConnectionSettings, GatewaySettings, connect
from bot.journal.authority import LeaseKeeper
from bot.journal.failover import FailoverJournal
from bot.journal.lease import this_machine, this_process
from bot.loop import Loop
from bot.operate import ban
from bot.operate.ban import FileBanNote
from bot.operate.switches import FileSwitchboard
from bot.operate.watch import Watch
from bot.pace import Pace
from bot.ports import BanNote, Clock, Rng, Sink, Venue
from bot.settings import Loaded

FILES_NOT_KEPT = "this run can be replayed only while the files of its strategy do not change"
DISK_BACK = "the disk takes writes again: the bot begins anew and takes the reserve over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one run of the bot differs from the configuration.

    Attributes:
        clock: Venue time.
        journal: The journal's file.
        switches: Folder of the operator's switches; ``None`` takes the state directory.
        gateway: Overrides the account's.
        sinks: Besides log and MQTT.
        polls: Stop after so many; ``None`` for no limit.
        seconds: Stop after so much time of the clock; ``None`` for no limit. [s]
    """

    clock: Clock
    journal: Path
    switches: Path | None = None
    gateway: GatewaySettings | None = None
    sinks: Sequence[Sink] = ()
    polls: int | None = None
    seconds: float | None = None


async def run(loaded: Loaded, how: Run) -> None:
    """Run the bot until it is told to stop, or ``how`` says so.

    Once a disk that failed takes writes again it begins anew, the one way there is from the
    emergency reserve back into the journal.

    Raises:
        BotError: It cannot start, or can no longer be sure of its journal.
    """
    began = how.clock.monotonic()
    while await _run(loaded, how):
        if how.seconds is not None:
            spent = how.clock.monotonic() - began
            began += spent
            how = replace(how, seconds=max(0.0, how.seconds - spent))


async def _run(loaded: Loaded, how: Run) -> bool:
    """Run once; return whether to begin anew."""
    settings = loaded.settings
    async with contextlib.AsyncExitStack() as stack:
        switchboard = FileSwitchboard(how.switches or settings.bot.state_dir)
        stack.callback(switchboard.close)
        watch = stack.enter_context(Watch(switchboard, asyncio.get_running_loop()))
        connection = connection_of(settings, how.gateway)
        lock = stack.enter_context(account_lock(settings, connection, journal=how.journal))
        opened = opened_or_lost(how.journal, stack)
        clock = VenueClock(how.clock)
        # Before a run begins: whether the one before is over is a question of venue time.
        bans = FileBanNote(how.journal.with_name(ban.FILE_NAME), how.clock.now)
        venue = await stack.enter_async_context(_venue(connection, clock, rng_of(opened), bans))
        sinks = await sinks_of(settings, stack, how.sinks)
        days = settings.journal.keep_inputs_days
        journal, reserve = await writable(
            how.journal,
            opened,
            stack,
            claim=lambda lease: claim_to(
                lease,
                clock,
                machine=this_machine(),
                name=this_process(),
                sinks=sinks,
                terms=Terms(window=venue.window),
            ),
            thin_before=how.clock.now() - timedelta(days=days) if days else None,
        )
        authority = LeaseKeeper(journal, clock, is_shared=settings.journal.shared, touch=lock.touch)
        stack.push_async_callback(authority.release)
        failover = FailoverJournal(journal, reserve)
        memory = memory_before(how.journal, settings.accounts[0].name, reserve)
        strategy = strategy_of(settings)
        try:
            files.keep(strategy.files, archive_of(how.journal))
        except OSError as error:  # protecting does not need them
            tell(sinks, clock, "files_not_kept", f"{FILES_NOT_KEPT}: {error.strerror}")
        loop = assemble(
            loaded,
            strategy=strategy,
            venue=venue,
            journal=failover,
            fallback=failover,
            book=failover,
            ids=journal.ids,
            first_sequence=journal.next_seq,
            clock=clock,
            sinks=sinks,
            memory=memory,
            switchboard=switchboard,
            watchdog=watch,
            authority=authority,
        )
        stack.push_async_callback(loop.close)
        await loop.recover()
        disk = DiskWatch(failover, how.journal.parent, loop)
        stack.push_async_callback(disk.end)
        is_told = await _until_told(loop, pace_of(settings), how)
        if disk.is_back and not is_told:
            tell(sinks, clock, "disk_back", DISK_BACK)
        return disk.is_back and not is_told


@contextlib.asynccontextmanager
async def _venue(
    connection: ConnectionSettings, clock: VenueClock, rng: Rng, bans: BanNote
) -> AsyncIterator[Venue]:
    venue = await connect(connection, clock, rng=rng, bans=bans)
    try:
        yield venue
    finally:
        await venue.close()


async def _until_told(loop: Loop, pace: Pace, how: Run) -> bool:
    """Run the loop; return whether a signal or ``how`` ended it."""
    began = how.clock.monotonic()
    polls, is_told = 0, False

    def is_over() -> bool:
        nonlocal polls, is_told
        polls += 1
        is_late = how.seconds is not None and how.clock.monotonic() - began >= how.seconds
        is_told = is_told or is_late or (how.polls is not None and polls >= how.polls)
        return is_told

    def stop() -> None:
        nonlocal is_told
        is_told = True
        loop.stop()

    running = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        running.add_signal_handler(number, stop)
    try:
        await loop.run(pace, is_over=is_over)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            running.remove_signal_handler(number)
    return is_told
