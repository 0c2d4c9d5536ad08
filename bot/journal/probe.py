"""Does a disk that took nothing take writes again?"""

import os
from contextlib import suppress
from pathlib import Path

SIZE = 256 * 1024
"""More than a poll writes. [bytes]"""
NAME = ".plimsoll-probe"


def takes_writes(folder: Path) -> bool:
    """Return whether a file can be written in a folder and is durable; nothing of it stays."""
    file = folder / NAME
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            content = bytes(SIZE)
            is_whole = os.write(number, content) == len(content)
            os.fsync(number)
        finally:
            os.close(number)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            file.unlink()
    return is_whole
