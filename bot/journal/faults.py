"""What should a person do about a journal that cannot be used?"""

import errno
import shlex
import sqlite3
from pathlib import Path

from bot.errors import JournalError, JournalLost

_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; free space there and start again",
    sqlite3.SQLITE_BUSY: "another program holds a write lock on it; end that program",
    sqlite3.SQLITE_LOCKED: "another program holds a write lock on it; end that program",
    sqlite3.SQLITE_CORRUPT: "it is damaged and was left as it is",
    sqlite3.SQLITE_NOTADB: "it is not a database and was left as it is; check the path",
    sqlite3.SQLITE_READONLY: "it cannot be written; check owner, permissions and read-only mounts",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the path, its owner and permissions",
    sqlite3.SQLITE_PERM: "it cannot be opened; check the path, its owner and permissions",
    sqlite3.SQLITE_IOERR: "the disk reports an error; check the disk and its free space",
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_LOST = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,  # what lies beside it cannot be made
)
_FILE_ADVICE = {
    errno.EDQUOT: "free space there and start again",
    errno.ENOSPC: "free space there and start again",
    errno.EIO: "check the disk",
    errno.EROFS: "mount that file system for writing and start again",
}
_PRIMARY = 0xFF  # extended codes carry the primary code in their low byte


def journal_error(path: Path, error: sqlite3.Error) -> JournalError:
    """Return the error of a database as one that says what to do.

    It is a `JournalLost` where the disk is at fault and not what it holds.
    """
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & _PRIMARY
    advice = _ADVICE.get(primary) if primary is not None else None
    text = f"journal {path}: {advice or 'it cannot be used'} ({error})"
    if primary in _LOST:
        return JournalLost(text)
    return JournalError(f"{text}; {start_new(path)}" if primary in _DAMAGED else text)


def damaged(finding: str) -> sqlite3.DatabaseError:
    """Return the error of a database whose content is not what was written."""
    error = sqlite3.DatabaseError(finding)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def start_new(path: Path) -> str:
    """Return how to go on without the journal at ``path``.

    An old copy is not advised: it would give ids again that the venue has seen, and would not
    know what was sent since.
    """
    files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", ".tip"))]
    present = " ".join(shlex.quote(str(file)) for file in files if file.exists())
    aside = path.with_name(path.name + ".aside")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.aside-{number}")
    folder = shlex.quote(str(aside))
    return (
        "to go on without it, compare positions, open orders and the newest margin moves and "
        f"transfers with the venue, run `mkdir {folder} && mv {present} {folder}` and start again: "
        "a new journal is made, the bot goes on from what the venue shows and gives back no "
        "margin that it added before"
    )


def file_error(path: Path, error: OSError) -> JournalError:
    """Return the error of a file as one that names the journal and the reason.

    It is a `JournalLost` where the disk takes nothing.
    """
    reason = error.strerror or type(error).__name__
    advice = _FILE_ADVICE.get(error.errno or 0, "check the path, its owner and permissions")
    kind = JournalLost if error.errno in _FILE_ADVICE else JournalError
    return kind(f"journal {path}: {reason}; {advice}")
