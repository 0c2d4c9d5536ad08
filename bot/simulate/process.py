"""How does a process die at any await, without a word?"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any


class KilledError(BaseException):
    """The process is gone; nothing of it may go on. Not an Exception: nobody handles it."""


class Process:
    """Tasks that live and die together."""

    def __init__(self, name: str, *, machine: str, chance: random.Random, crash: float) -> None:
        """Make it alive.

        Args:
            name: For the trace.
            machine: Where it runs.
            chance: Decides when it dies.
            crash: Probability of a crash at each step. [ratio]
        """
        self.name, self.machine = name, machine
        self.epoch = 0
        """Of its run; 0 before that began."""
        self.stalled_for = 0.0
        """How long it stood still, until that is acknowledged: it is its own `Watchdog`. [s]"""
        self._thaws_at = 0.0
        self.is_alive = True
        self.died_at = ""
        """The step at which it died."""
        self._chance, self._crash = chance, crash
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended: list[Callable[[], None]] = []

    def step(self, what: str) -> None:
        """Go one step, or die there.

        Raises:
            KilledError: It is dead.
        """
        if self.is_alive and self._crash and self._chance.random() < self._crash:
            self.kill(what)
        if not self.is_alive:
            raise KilledError(what)

    def freeze(self, seconds: float) -> None:
        """Let it stand still at its next await, as SIGSTOP and SIGCONT do."""
        self._thaws_at = asyncio.get_running_loop().time() + seconds
        self.stalled_for = max(self.stalled_for, seconds)

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still and will go on."""
        return self.is_alive and self._thaws_at > asyncio.get_running_loop().time()

    async def thaw(self) -> None:
        """Wait while it stands still."""
        while (left := self._thaws_at - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110 - it may be frozen again meanwhile
            await asyncio.sleep(left)

    def acknowledge(self) -> None:
        """Forget that it stood still."""
        self.stalled_for = 0.0

    def kill(self, what: str) -> None:
        """End it at once."""
        if not self.is_alive:
            return
        self.is_alive, self.died_at = False, what
        for task in self._tasks:
            task.cancel()
        for tell in self._ended:
            tell()

    def calm(self) -> None:
        """Let it live: it dies no more by chance."""
        self._crash = 0.0

    def on_end(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` when it dies."""
        self._ended.append(tell)

    def start(self, main: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine as part of the process."""
        task = asyncio.get_running_loop().create_task(main, name=self.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
