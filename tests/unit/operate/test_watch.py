import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.operate.switches import KILL_FILE, FileSwitchboard
from bot.operate.watch import LONGEST_SILENCE, Watch, uptime

PATIENCE = 10.0
"""Machines are shared: a wait that ends early when all is well may take long when it is not. [s]"""


@pytest.fixture
def board(tmp_path: Path) -> Iterator[FileSwitchboard]:
    with FileSwitchboard(tmp_path) as board:
        yield board


class Hands:
    """A clock that somebody sets."""

    def __init__(self) -> None:
        self.reading = 100.0

    def __call__(self) -> float:
        return self.reading


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - a thread tells nobody when it is done
            await asyncio.sleep(0.005)


async def test_a_file_made_by_anyone_is_seen_without_the_loop_asking(
    board: FileSwitchboard, tmp_path: Path
) -> None:
    with Watch(board, asyncio.get_running_loop()) as watch:
        assert watch.is_alive
        (tmp_path / KILL_FILE).touch()
        await until(lambda: board.state.killed)
    assert not watch.is_alive


async def test_the_thread_has_a_name_and_ends_with_the_program(board: FileSwitchboard) -> None:
    with Watch(board, asyncio.get_running_loop()):
        (thread,) = [t for t in threading.enumerate() if t.name == "switch-watch"]
        assert thread.daemon


async def test_a_loop_that_answers_has_no_stall(board: FileSwitchboard) -> None:
    hands = Hands()
    watch = Watch(board, asyncio.get_running_loop(), now=hands)
    for _ in range(20):
        hands.reading += LONGEST_SILENCE
        watch.look()
        await asyncio.sleep(0)
        assert watch.silence == 0
        assert watch.stalled_for == 0


async def test_a_stall_is_remembered_until_it_is_acknowledged(board: FileSwitchboard) -> None:
    hands = Hands()
    watch = Watch(board, asyncio.get_running_loop(), now=hands)
    watch.look()
    hands.reading += 7  # the loop is blocked: nothing of it runs
    watch.look()
    await asyncio.sleep(0)  # only now it answers, before anyone has asked about the stall
    watch.look()
    await asyncio.sleep(0)
    assert (watch.silence, watch.stalled_for) == (0, 7)
    hands.reading += 6
    assert watch.stalled_for == 7
    watch.acknowledge()
    assert watch.stalled_for == 0


async def test_who_asks_before_the_loop_answers_is_told_the_truth(board: FileSwitchboard) -> None:
    hands = Hands()
    watch = Watch(board, asyncio.get_running_loop(), now=hands)
    # SIGSTOP: neither the loop nor the thread ran.
    hands.reading += 60
    assert watch.stalled_for == 60
    watch.acknowledge()
    assert (watch.silence, watch.stalled_for) == (0, 0)


async def test_a_look_that_hangs_on_the_disk_shows_as_a_stall(board: FileSwitchboard) -> None:
    hands = Hands()
    with board._disk, Watch(board, asyncio.get_running_loop(), now=hands) as watch:
        await asyncio.sleep(0)
        hands.reading += 6
        assert watch.stalled_for == 6


async def test_only_one_question_waits_in_a_blocked_loop(board: FileSwitchboard) -> None:
    asked: list[object] = []

    class Counting(asyncio.SelectorEventLoop):
        def call_soon_threadsafe(self, *args: object, **_: object) -> asyncio.Handle:
            asked.append(args)
            return asyncio.Handle(lambda: None, (), self)

    loop = Counting()
    watch = Watch(board, loop)
    for _ in range(9):
        watch.look()
    loop.close()
    assert len(asked) == 1


async def test_a_closed_loop_is_a_silent_one(board: FileSwitchboard) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    hands = Hands()
    watch = Watch(board, loop, now=hands)
    watch.look()
    hands.reading += 9
    assert watch.stalled_for == 9


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_watch_that_fails_counts_as_killed(tmp_path: Path) -> None:
    class Broken(FileSwitchboard):
        is_broken = False

        def look(self) -> None:
            if self.is_broken:
                raise MemoryError("no room")
            super().look()

    with Broken(tmp_path) as board, Watch(board, asyncio.get_running_loop()) as watch:
        board.is_broken = True
        await until(lambda: not watch.is_alive)
        assert not board.state.allows("add_margin")
        assert board.state.why == "the watch thread failed: MemoryError('no room')"


def test_uptime_only_grows() -> None:
    readings = [uptime() for _ in range(100)]
    assert readings == sorted(readings)
