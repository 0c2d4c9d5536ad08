"""Where does it stand which run may write, and how does the next one get its turn?

The row is in the journal, so whoever shares the journal shares the lease, and a run that was
succeeded finds that out in the very transaction that would have written something.
"""

import hashlib
import os
import platform
import secrets
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot.domain.lease import USUAL, Claim, Lease, Terms
from bot.domain.timing import CLOCK_BOUND
from bot.errors import InUse
from bot.journal.faults import damaged

TABLE = """CREATE TABLE lease (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    holder TEXT NOT NULL,
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    expires TEXT NOT NULL,
    crc INTEGER NOT NULL
)"""
_LOOK_EVERY = 1.0
_SHORTEST = 0.001  # readings are not finer than microseconds
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class SureClock(Protocol):
    """Venue time, and how well it is known."""

    def now(self) -> datetime:
        """Return the present instant in venue time. Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Return a reading that only grows. [s]"""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass. [s]"""
        ...

    def uncertainty(self) -> float:
        """Return how far `now` may be off. [s]"""
        ...


def this_machine() -> str:
    """Return what processes that share the operating system's locks have in common.

    A machine that cannot be told is another one each time, and waits.
    """
    try:
        boot = _BOOT.read_text().strip()
    except OSError:
        boot = secrets.token_hex(16)
    return hashlib.sha256(f"plimsoll machine {boot}".encode()).hexdigest()[:16]


def this_process() -> str:
    """Return how people find this process."""
    return f"{platform.node() or 'a machine without a name'}, process {os.getpid()}"


def read(connection: sqlite3.Connection) -> Lease | None:
    """Return the lease as it stands; ``None`` where no run ever took one.

    Raises:
        sqlite3.DatabaseError: It is not what was written.
    """
    row = connection.execute("SELECT holder, name, epoch, expires, crc FROM lease").fetchone()
    if row is None:
        return None
    *columns, crc = row
    if _crc(*columns) != crc:
        raise damaged("its lease is not what was written")
    holder, name, epoch, expires = columns
    try:
        return Lease(holder=holder, name=name, epoch=epoch, expires=datetime.fromisoformat(expires))
    except (TypeError, ValueError) as error:
        raise damaged(f"its lease cannot be read: {error}") from error


def write(connection: sqlite3.Connection, lease: Lease) -> None:
    """Let a lease stand instead of the one before.

    Raises:
        sqlite3.Error: It cannot be written.
    """
    columns = (lease.holder, lease.name, lease.epoch, lease.expires.isoformat())
    connection.execute(
        "INSERT OR REPLACE INTO lease (one, holder, name, epoch, expires, crc)"
        " VALUES (1, ?, ?, ?, ?, ?)",
        (*columns, _crc(*columns)),
    )


def take(connection: sqlite3.Connection, claim: Claim, *, epoch: int) -> None:
    """Take the lease for the run that begins.

    Raises:
        InUse: Another machine holds it, or took it meanwhile.
        sqlite3.Error: It cannot be written.
    """
    found = read(connection)
    if found is not None and not claim.may_follow(found):
        raise taken(found)
    write(connection, claim.lease(epoch))


def taken(lease: Lease) -> InUse:
    """Return the error of whoever has to stay out."""
    return InUse(
        f"this journal is in use by {lease.name} (run {lease.epoch}, lease until "
        f"{lease.expires:%Y-%m-%d %H:%M:%S} UTC of venue time); stop that bot first"
    )


async def await_turn(
    look: Callable[[], Lease | None],
    clock: SureClock,
    *,
    machine: str,
    tell: Callable[[Lease, float], None],
    terms: Terms = USUAL,
) -> Lease | None:
    """Wait until nobody else may write; return the lease that was waited for.

    Args:
        look: Returns the lease as it stands.
        clock: Of the venue.
        machine: This one.
        tell: Called once with the lease and the wait, if there is one. [s]
        terms: Of the venue.

    Raises:
        InUse: The lease is renewed: its holder lives.
    """
    found = look()
    if found is None or found.holder == machine:
        return None
    # By the time it takes a lease to end after the first look it is over, whatever the date in it.
    latest = clock.monotonic() + terms.time_to_live + terms.margin
    is_told = False
    while (wait := _wait(replace(found, terms=terms), clock, latest=latest)) > 0:
        if not is_told:
            tell(found, wait)
            is_told = True
        await clock.sleep(max(_SHORTEST, min(wait, _LOOK_EVERY)))
        now = look()
        if now != found:
            raise taken(found if now is None else now)
    return found


def _wait(lease: Lease, clock: SureClock, *, latest: float) -> float:
    unsure = max(0.0, clock.uncertainty() - CLOCK_BOUND)
    by_date = (lease.free_at - clock.now()) / timedelta(seconds=1) + unsure
    return min(by_date, latest - clock.monotonic())


def _crc(*columns: object) -> int:
    return zlib.crc32(repr(columns).encode(errors="replace"))
