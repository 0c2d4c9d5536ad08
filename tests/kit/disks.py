"""Real file systems that are small, a way to fill them, and what a file on a disk holds."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def a_small_disk(place: Path, *, mebibytes: int = 4) -> Iterator[Path]:
    """Mount a small real file system; skip the test where that is not allowed.

    Args:
        place: A folder that is made.
        mebibytes: How much it takes. [MiB]
    """
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "plimsoll-test", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)  # noqa: S603 - constants and a folder of ours
    if done.returncode != 0:
        pytest.skip(f"this machine forbids mounting: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S603, S607 - constants and a folder of ours


def only_reading(disk: Path) -> None:
    """Forbid every write to a file system of `a_small_disk`."""
    again = ["mount", "-o", "remount,ro", str(disk)]
    subprocess.run(again, check=True)  # noqa: S603 - constants and a folder of ours


def fill(disk: Path) -> None:
    with (disk / "other.log").open("wb", buffering=0) as other:
        for size in (65536, 4096, 1):
            try:
                while other.write(b"x" * size):
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017 - any number of writes may pass
    assert os.statvfs(disk).f_bavail == 0


def content(path: Path) -> bytes:
    """Return what a file holds now."""
    return path.read_bytes()
