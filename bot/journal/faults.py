"""What should a person do about a journal that cannot be used?"""

import errno
import sqlite3
from pathlib import Path

from bot.errors import JournalError

_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; free space there and start again",
    sqlite3.SQLITE_BUSY: "another program holds a write lock on it; end that program",
    sqlite3.SQLITE_LOCKED: "another program holds a write lock on it; end that program",
    sqlite3.SQLITE_CORRUPT: (
        "it is damaged and was left as it is; move it aside with its -wal file, restore a copy or "
        "start with a new one, and compare open positions by hand first"
    ),
    sqlite3.SQLITE_NOTADB: "it is not a database and was left as it is; check the path",
    sqlite3.SQLITE_READONLY: "it cannot be written; check owner, permissions and read-only mounts",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the path, its owner and permissions",
    sqlite3.SQLITE_PERM: "it cannot be opened; check the path, its owner and permissions",
    sqlite3.SQLITE_IOERR: "the disk reports an error; check the disk and its free space",
}
_FILE_ADVICE = {
    errno.EDQUOT: "free space there and start again",
    errno.ENOSPC: "free space there and start again",
    errno.EIO: "check the disk",
    errno.EROFS: "mount that file system for writing and start again",
}
_PRIMARY = 0xFF  # extended codes carry the primary code in their low byte


def journal_error(path: Path, error: sqlite3.Error) -> JournalError:
    """Return the error of a database as one that says what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    advice = _ADVICE.get(code & _PRIMARY) if code is not None else None
    return JournalError(f"journal {path}: {advice or 'it cannot be used'} ({error})")


def file_error(path: Path, error: OSError) -> JournalError:
    """Return the error of a file as one that names the journal and the reason."""
    reason = error.strerror or type(error).__name__
    advice = _FILE_ADVICE.get(error.errno or 0, "check the path, its owner and permissions")
    return JournalError(f"journal {path}: {reason}; {advice}")
