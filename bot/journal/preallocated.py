"""How is a small file kept that can be written when the disk has no room left?"""

import errno
import fcntl
import os
from pathlib import Path
from typing import Self

from bot.errors import InUse, JournalError
from bot.journal.faults import file_error

_BLOCK = 512  # what st_blocks counts, whatever the file system's own blocks are [bytes]
_COPIES_ON_WRITE = frozenset({"bcachefs", "btrfs", "zfs"})
_MOUNTS = Path("/proc/self/mountinfo")


def create(path: Path, content: bytes) -> None:
    """Write a whole file durably; it appears under its name only when it is complete.

    Raises:
        JournalError: It cannot be written.
    """
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.unlink(missing_ok=True)
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(fd, rest) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        unfinished.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise file_error(path, error) from error


def sync_folder(folder: Path) -> None:
    """Make the names inside a folder durable.

    Raises:
        OSError: The disk refuses.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Preallocated:
    """A file that this process alone writes, in place, never longer or shorter."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def open(cls, path: Path, *, size: int, must_own: bool = True) -> Self:
        """Open an existing file and hold it against other processes.

        The lock is on the file itself: a lock file could not be made on a full disk.

        Args:
            path: The file.
            size: What it must be. [bytes]
            must_own: Refuse a file with holes, unless its file system copies on write anyway.

        Raises:
            JournalError: It is in use, of another size, has holes or cannot be written.
        """
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise file_error(path, error) from error
        try:
            _lock(fd, path)
            _inspect(os.fstat(fd), path, size=size, must_own=must_own)
        except BaseException:
            os.close(fd)
            raise
        return cls(fd)

    def read(self, size: int) -> bytes:
        """Return the whole content.

        Args:
            size: Of the file. [bytes]

        Raises:
            OSError: The disk cannot be read.
        """
        content = os.pread(self._fd, size, 0)
        if len(content) != size:
            raise OSError(errno.EIO, f"{len(content)} of {size} bytes could be read")
        return content

    def overwrite(self, data: bytes, *, at: int, is_durable: bool) -> None:
        """Replace bytes in place.

        Args:
            data: What shall stand there.
            at: From the beginning of the file. [bytes]
            is_durable: Return only when the disk has it; otherwise it survives the end of this
                process, not of the machine.

        Raises:
            OSError: It is not proven to be there.
        """
        written = os.pwrite(self._fd, data, at)
        if written != len(data):
            raise OSError(errno.EIO, f"{written} of {len(data)} bytes could be written")
        if is_durable:
            os.fdatasync(self._fd)

    def close(self) -> None:
        """Let another process have it; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def warning(path: Path) -> str | None:
    """Return why a full disk may stop writes in place after all; ``None`` if nothing is known."""
    try:
        kind = file_system(_MOUNTS.read_text(errors="replace"), path.resolve())
    except OSError:
        return None
    if kind not in _COPIES_ON_WRITE:
        return None
    return (
        f"{path} is on {kind}, which copies on write: on a full disk it may not take what it "
        "was made for; put it on another file system"
    )


def file_system(mounts: str, path: Path) -> str:
    """Return the kind of file system that holds a path; empty if it is not known.

    Args:
        mounts: As in ``/proc/self/mountinfo``.
        path: Absolute, without links.
    """
    found, kind = Path(), ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:  # noqa: PLR2004 - the fifth field is the mount point
            continue
        point = Path(fields[4].replace("\\040", " "))
        # Of two mounts on one place the later hides the earlier.
        if path.is_relative_to(point) and len(point.parts) >= len(found.parts):
            found, kind = point, after.split()[0]
    return kind


def _inspect(status: os.stat_result, path: Path, *, size: int, must_own: bool) -> None:
    if status.st_size != size:
        raise JournalError(
            f"{path} must have {size} bytes, had {status.st_size}, and was left as it is; "
            "move it aside and start again to make a new one"
        )
    owned = status.st_blocks * _BLOCK
    if must_own and owned < size and warning(path) is None:
        raise JournalError(
            f"{path} must own {size} bytes of the disk, owned {owned}: a full disk would stop it; "
            "move it aside and start again on a file system without holes or compression"
        )


def _lock(fd: int, path: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise InUse(
            f"{path} is in use by another process; stop that bot, or give this one its own "
            "state directory"
        ) from error
