"""Which process may write this journal?"""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from bot.errors import JournalError
from bot.journal.faults import file_error


class ProcessLock:
    """A file beside the journal that one process at a time holds.

    The operating system releases it when the process ends, however it ends, so a lock is never
    stale; the file stays, because removing it would let two processes hold two files.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def take(cls, path: Path) -> Self:
        """Take the lock of the journal at ``path``.

        Raises:
            JournalError: Another process holds it (named by its pid), or the file cannot be made.
        """
        lock_path = path.with_name(path.name + ".lock")
        try:
            fd = _open(lock_path)
        except OSError as error:
            raise file_error(path, error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            raise JournalError(
                f"journal {path} is in use by process {holder}; "
                "stop that bot, or give this one its own state directory"
            ) from error
        with suppress(OSError):  # a full disk: the lock holds without the number beside it
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        return cls(fd)

    def release(self) -> None:
        """Let another process take it; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _open(lock_path: Path) -> int:
    try:
        return os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(lock_path, os.O_RDONLY | os.O_CLOEXEC)  # it can be held without a write
