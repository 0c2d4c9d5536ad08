"""How do scenarios that mostly wait run side by side, each still a test of its own?"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self

AT_ONCE = 3
"""Scenarios that run at a time: they wait more than they work, and the machine has two cores."""

Figures = dict[str, str]
"""By name, what a scenario measured."""
Scenario = Callable[[Path], Coroutine[Any, Any, Figures | None]]
"""Runs in a folder of its own."""

SECONDS: dict[Scenario, float] = {}
"""About how long each scenario takes. [s]"""


class Scenes:
    """A thread whose event loop runs scenarios, the longest first."""

    def __init__(self, scenarios: Iterable[Scenario], folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="scenes")
        self._turn = asyncio.Semaphore(AT_ONCE)
        self.figures: Figures = {}
        """Of all scenarios that have been asked for."""
        self._running = {
            scenario: asyncio.run_coroutine_threadsafe(self._run(scenario), self._loop)
            for scenario in sorted(scenarios, key=SECONDS.__getitem__, reverse=True)
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def result(self, scenario: Scenario) -> Figures:
        """Wait for a scenario; return what it measured, or raise what it raised."""
        future: Future[Figures | None] = self._running[scenario]
        found = future.result() or {}
        self.figures |= found
        return found

    async def _run(self, scenario: Scenario) -> Figures | None:
        async with self._turn:
            folder = self._folder / scenario.__name__
            folder.mkdir()
            return await scenario(folder)

    async def _end(self) -> None:
        """End what nobody waits for any more; each scenario ends its processes."""
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


def beside(*, seconds: float) -> Callable[[Scenario], Callable[..., None]]:
    """Make a test of a scenario that runs beside the others.

    Args:
        seconds: About how long it takes. [s]
    """

    def test_of(scenario: Scenario) -> Callable[..., None]:
        SECONDS[scenario] = seconds

        def test(scenes: Scenes, record_testsuite_property: Callable[[str, object], None]) -> None:
            for name, value in scenes.result(scenario).items():
                record_testsuite_property(name, value)

        test.__name__, test.__doc__ = scenario.__name__, scenario.__doc__
        test.__module__ = scenario.__module__
        test.scenario = scenario  # type: ignore[attr-defined]  # what a selection is made from
        return test

    return test_of
