"""Which process may write this journal, and to this account?

The operating system releases a lock when its process ends, however it ends, so a lock is never
stale; the file stays, because removing it would let two processes hold two files.
"""

import errno
import fcntl
import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Self

from bot.errors import InUse, JournalError
from bot.journal.faults import file_error

_LONGEST_NOTE = 4096


class ProcessLock:
    """A file that one process at a time holds."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def take(cls, path: Path) -> Self:
        """Take the lock of the journal at ``path``, a file beside it.

        Raises:
            InUse: Another process holds it (named by its pid).
            JournalError: The file cannot be made.
        """
        try:
            fd, holder = _lock(path.with_name(path.name + ".lock"), note=f"{os.getpid()}\n")
        except OSError as error:
            raise file_error(path, error) from error
        if fd is None:
            raise InUse(
                f"journal {path} is in use by process {holder or 'unknown'}; "
                "stop that bot, or give this one its own state directory"
            )
        return cls(fd)

    @classmethod
    def take_account(cls, account: str, *, folder: Path, name: str, journal: Path) -> Self:
        """Take the lock of an account, whatever state directory its bots use.

        Args:
            account: What tells it from every other: venue, where that is, id of the key. Only a
                digest of it appears in the name of the file.
            folder: For every bot of this user on this machine the same; made if absent.
            name: For people.
            journal: Which one it is used with, for people.

        Raises:
            InUse: Another process holds it.
            JournalError: The folder cannot be used.
        """
        digest = hashlib.sha256(f"plimsoll account {account}".encode()).hexdigest()[:32]
        note = f"{os.getpid()}, its journal is {journal.absolute()}\n"
        try:
            _make_private(folder)
            fd, holder = _lock(folder / f"account-{digest}.lock", note=note)
        except OSError as error:
            reason = error.strerror or str(error)
            raise JournalError(
                f"locks of accounts {folder}: {reason}; set bot.lock_dir to a folder of your own "
                "that all your bots of this machine share"
            ) from error
        if fd is None:
            raise InUse(
                f"account {name} is in use by process {holder or 'unknown'}; stop that bot first: "
                "two bots on one account act on each other's moves"
            )
        return cls(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def touch(self) -> None:
        """Show whoever tidies up that the file is not forgotten."""
        if self._fd >= 0:
            os.utime(self._fd)

    def release(self) -> None:
        """Let another process take it; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def lock_folder() -> Path:
    """Return where the locks of this user's accounts lie.

    The same for a login shell, a timer and a service: no environment variable moves it, or two
    bots that were started in different ways would not see each other.
    """
    return Path("/tmp") / f"plimsoll-{os.getuid()}"  # noqa: S108 - owner and mode are checked


def _make_private(folder: Path) -> None:
    """Make a folder that only this user can change, or refuse one that is not."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(0, "it must be a folder") from None
        if found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise PermissionError(0, "it must belong to you and nobody else may write it") from None


def _lock(path: Path, *, note: str) -> tuple[int | None, str]:
    """Return the descriptor that holds the lock, or none and who holds it.

    Raises:
        OSError: The file cannot be used.
    """
    fd = _open(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, _LONGEST_NOTE, 0).decode(errors="replace").strip()
        os.close(fd)
        return None, holder
    except OSError:
        os.close(fd)
        raise
    with suppress(OSError):  # a full disk: the lock holds without the note in it
        os.ftruncate(fd, 0)
        os.pwrite(fd, note.encode(errors="replace")[:_LONGEST_NOTE], 0)
    return fd, ""


def _open(path: Path) -> int:
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o600)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, os.O_RDONLY | flags)  # it can be held without a write
