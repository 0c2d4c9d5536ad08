"""Has anyone said kill, and does the event loop still answer?

A thread of its own asks both every 100 ms, so a kill is in memory also while the event loop is
blocked. It has no path to the wire: all it can do is forbid. CPython lets threads take turns
every 5 ms, and what one assigned the next one sees; only a call that keeps the interpreter to
itself, such as one long regular expression, delays thread and event loop alike, and then nothing
is sent either.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from bot.operate.switches import FileSwitchboard

EVERY = 0.1
"""Between two looks. [s]"""
LONGEST_SILENCE = 5.0
"""What the loop planned before a longer one is too old to be sent. [s]"""
_END_WITHIN = 2.0  # a look that hangs on a dead disk must not hold up the end of the program

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def uptime() -> float:
    """Return a reading that only grows, also while the machine sleeps, where it can. [s]."""
    return time.clock_gettime(_CLOCK)


class Watch:
    """Looks at the switches and asks the event loop for a sign of life; the `Watchdog` of the bot.

    Silence is measured from the last answer to the instant somebody asks, not by the thread: after
    SIGSTOP, a long garbage collection or a disk that hangs under the thread itself, whoever asks
    first is told the truth.
    """

    def __init__(
        self,
        switchboard: FileSwitchboard,
        loop: asyncio.AbstractEventLoop,
        *,
        now: Callable[[], float] = uptime,
    ) -> None:
        """Make the watch; `__enter__` starts it.

        Args:
            switchboard: What is looked at.
            loop: What must answer; it runs already.
            now: Readings that only grow. [s]
        """
        self._switchboard, self._loop, self._now = switchboard, loop, now
        self._answered_at = now()
        self._is_asked = False
        self._longest = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="switch-watch", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def silence(self) -> float:
        """How long ago the event loop last answered; about `EVERY` while all is well. [s]."""
        return self._now() - self._answered_at

    @property
    def stalled_for(self) -> float:
        """Longest silence above `LONGEST_SILENCE` since the last `acknowledge`, else 0. [s]."""
        self._note(self.silence)
        return self._longest

    def acknowledge(self) -> None:
        """Forget the stall: the loop dropped its plans and will look anew. Call it there."""
        self._answered_at = self._now()
        self._longest = 0.0

    def look(self) -> None:
        """Take over the switches, then ask the event loop unless a question is still open."""
        self._switchboard.look()
        if not self._is_asked:
            self._is_asked = True
            with suppress(RuntimeError):  # the loop is closed: from now on it is silent
                self._loop.call_soon_threadsafe(self._answer)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._answered_at = self._now()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the thread."""
        self._end.set()
        self._thread.join(_END_WITHIN)

    def _run(self) -> None:
        try:
            while not self._end.wait(EVERY):
                self.look()
        except Exception as error:
            # Who cannot hear a kill any more must not go on as if there were none.
            self._switchboard.distrust(f"the watch thread failed: {error!r}")
            raise

    def _answer(self) -> None:
        self._note(self.silence)
        self._answered_at = self._now()
        self._is_asked = False

    def _note(self, silence: float) -> None:
        if silence > LONGEST_SILENCE:
            self._longest = max(self._longest, silence)
