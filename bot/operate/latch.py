"""Which byte was put here last, also after a full disk and a restart?"""

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_NOT_FOR_WRITING = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a latch holds.

    Attributes:
        byte: One byte.
        at: When it was last written, also with the same value. Aware UTC.
    """

    byte: bytes
    at: datetime


class Latch:
    """One byte in a file of its own, overwritten in place.

    Its room is taken when the file is made, so a later write needs none: it works on a full disk
    (not on a file system that copies on write; there the write fails and says so). Several
    processes may hold the same latch; each sees what any of them wrote.
    """

    def __init__(self, path: Path, *, values: bytes) -> None:
        """Name a latch; nothing is opened yet.

        Args:
            path: The file.
            values: Every byte it may hold.
        """
        self.path = path
        self._values = values
        self._fd = -1
        self._identity = (0, 0)

    def make(self, byte: bytes) -> None:
        """Make the file with this byte unless it is there; it appears complete or not at all.

        Raises:
            OSError: The folder cannot be written.
        """
        if os.path.lexists(self.path):
            return
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        try:
            fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, byte)
                os.fsync(fd)
            finally:
                os.close(fd)
            # A rename would undo a kill that another process made at the same moment.
            with suppress(FileExistsError):
                os.link(unfinished, self.path)
        finally:
            unfinished.unlink(missing_ok=True)
        _sync_folder(self.path.parent)

    def read(self) -> Reading:
        """Return the byte.

        Raises:
            OSError: The file is gone or cannot be read.
            ValueError: It holds something else than one of its values; the text says what.
        """
        fd = self._open()
        content = os.pread(fd, 2, 0)
        if len(content) != 1 or content not in self._values:
            allowed = self._values.decode()
            raise ValueError(f"must hold one of {' '.join(allowed)}, held {content!r}")
        return Reading(byte=content, at=changed_at(os.fstat(fd)))

    def write(self, byte: bytes) -> None:
        """Overwrite the byte; return when the disk has it.

        Raises:
            OSError: The disk may not have it.
        """
        fd = self._open()
        os.pwrite(fd, byte, 0)
        if os.fstat(fd).st_size != 1:
            os.ftruncate(fd, 1)
        os.fsync(fd)

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> int:
        # The file stays open, so that a process without a free descriptor can still be killed;
        # the look at the path finds out when somebody put another file there.
        found = self.path.stat()
        identity = (found.st_dev, found.st_ino)
        if self._fd < 0 or identity != self._identity:
            self.close()
            try:
                self._fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            except OSError as error:
                if error.errno not in _NOT_FOR_WRITING:
                    raise
                self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            self._identity = identity
        return self._fd


def changed_at(info: os.stat_result) -> datetime:
    """Return when a file was last written; now, where its time is beyond the calendar."""
    try:
        return datetime.fromtimestamp(info.st_mtime, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
