"""How does an event loop run on virtual time, the same way every time?

The ready queue is shuffled by the seed, so that nothing can rely on an order asyncio does not
promise. Rests on private parts of CPython's loop; `tests/simulation` checks them first.
"""

import asyncio
import random
from collections import deque
from typing import Any, NoReturn


class DeadlockError(Exception):
    """Everything waits and nothing is due: the run can never end."""


class _Nothing:
    """A selector without sockets: waiting moves virtual time."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        """Let virtual time pass until the next timer."""
        if timeout is None:
            raise DeadlockError("every task waits and no timer is due")
        self._loop.skip(timeout)
        return []

    def close(self) -> None:
        """Nothing is held."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop whose time jumps to the next timer when nothing is ready."""

    def __init__(self, seed: str) -> None:
        super().__init__()
        self._now = 0.0
        self._chance = random.Random(seed)
        self._selector = _Nothing(self)
        self._ready: deque[Any]  # made by CPython's own loop
        self.steps = 0
        """Turns so far."""

    def time(self) -> float:
        """Return virtual time. [s]."""
        return self._now

    def skip(self, seconds: float) -> None:
        """Let virtual time pass. [s]."""
        self._now += seconds

    def _run_once(self) -> None:
        self.steps += 1
        if len(self._ready) > 1:
            ready = list(self._ready)
            self._chance.shuffle(ready)
            self._ready.clear()
            self._ready.extend(ready)
        super()._run_once()  # type: ignore[misc]  # private to CPython, typed nowhere

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """Nobody wakes this loop from another thread."""

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> NoReturn:  # type: ignore[override]  # never returns
        """Refuse: a thread would not be the same twice."""
        raise RuntimeError(f"a simulated run has no threads: {executor} {func} {args}")
