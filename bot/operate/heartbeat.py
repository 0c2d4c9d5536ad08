"""When did the bot last complete a poll?"""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

FILE_NAME = "heartbeat.json"


def beat(path: Path, *, at: datetime, seq: int, mode: str) -> bool:
    """Replace the heartbeat file in one step; return whether that worked.

    A heartbeat that cannot be written shows as an old one; it never disturbs the poll.

    Args:
        path: The file, in a folder that exists.
        at: When the poll was complete. Aware UTC.
        seq: Number of the poll.
        mode: The mode after it.
    """
    unfinished = path.with_name(path.name + ".new")
    content = {"at": at.isoformat(), "seq": seq, "mode": mode, "pid": os.getpid()}
    try:
        unfinished.write_bytes(orjson.dumps(content))
        unfinished.replace(path)
    except OSError:
        return False
    return True


def read(path: Path) -> dict[str, Any] | None:
    """Return the last heartbeat; ``None`` where there is none that can be read."""
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def age(path: Path, now: datetime) -> float | None:
    """Return how old the last heartbeat is, ``None`` where there is none. [s]

    Args:
        path: The file.
        now: In the same time as the ``at`` of the heartbeats. Aware UTC.
    """
    content = read(path)
    try:
        at = datetime.fromisoformat(content["at"]) if content is not None else None
        return None if at is None else (now - at).total_seconds()
    except (KeyError, TypeError, ValueError):
        return None
