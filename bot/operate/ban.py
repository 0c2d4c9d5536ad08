"""Until when does the venue shut us out, also for the run after this one?

A ban grows each time it is not obeyed. So its end is noted in a file, and a start within it asks
nothing. The machine's clock may be wrong: a note never counts for longer than the longest ban.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import orjson

FILE_NAME = "ban.json"
LONGEST = timedelta(days=3)
"""The venue's longest ban."""


class FileBanNote:
    """A `bot.ports.BanNote` in one file."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        """Make it.

        Args:
            path: The file, in a folder that exists.
            now: The machine's clock. Aware UTC.
        """
        self._path, self._now = path, now

    def left(self) -> tuple[float, str]:
        """Return how long the venue still shuts us out and why; 0 where it does not. [s]."""
        try:
            content = orjson.loads(self._path.read_bytes())
            until, why = datetime.fromisoformat(content["until"]), str(content["why"])
            seconds = (until - self._now()).total_seconds()
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0, ""
        if not 0 < seconds <= LONGEST.total_seconds():
            return 0.0, ""
        return seconds, f"{why}, noted by an earlier run"

    def write(self, seconds: float, why: str) -> None:
        """Remember a ban from now on; a note that cannot be written changes nothing. [s]."""
        until = self._now() + timedelta(seconds=seconds)
        unfinished = self._path.with_name(self._path.name + ".new")
        try:
            unfinished.write_bytes(orjson.dumps({"until": until.isoformat(), "why": why}))
            unfinished.replace(self._path)
        except OSError:
            return
