"""When does a run of the bot begin in a journal, and when is it over?"""

import sqlite3

from bot.domain.lease import Claim
from bot.errors import InUse
from bot.journal import chain, database, lease
from bot.journal.ids import Ids
from bot.journal.tip import Tip


def refuse_late(connection: sqlite3.Connection, epoch: int) -> None:
    """Refuse a run after which a later one has begun.

    Raises:
        InUse: One has.
    """
    # Less than its own a run finds that its disk let it not be counted.
    if int(database.meta(connection, "epoch")) <= epoch:
        return
    now = lease.read(connection)
    who = "somebody" if now is None else now.name
    raise InUse(f"run {epoch} of this journal was succeeded by {who}: nothing is written any more")


def begin_epoch(connection: sqlite3.Connection, claim: Claim | None = None) -> tuple[Ids, Tip]:
    """Begin a run: raise the epoch; return its names and how far the journal has come.

    The caller commits before any of the names is used.

    Raises:
        InUse: Another machine holds the lease that is claimed.
    """
    epoch = int(database.meta(connection, "epoch")) + 1
    if claim is not None:
        lease.take(connection, claim, epoch=epoch)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (str(epoch),))
    chain.seal_meta(connection)
    (decision,) = connection.execute("SELECT coalesce(max(row), 0) FROM decisions").fetchone()
    newest = chain.newest(connection)
    instance = database.meta(connection, "instance")
    tip = Tip(
        instance=instance,
        epoch=epoch,
        decision=decision,
        event=newest.row,
        hash=newest.hash.hex(),
    )
    return Ids(instance=instance, epoch=epoch), tip


def next_sequence(connection: sqlite3.Connection) -> int:
    """Return one more than the highest ``seq`` recorded."""
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM decisions").fetchone()
    return int(last) + 1
