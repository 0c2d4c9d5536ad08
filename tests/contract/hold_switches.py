"""Hold the switches of a directory while the event loop is blocked; say when a kill was seen.

Prints ``ready``, then ``seen`` with the instant of this machine's monotonic clock, then
``stalled`` with what the watch knows of the silence once the loop goes on. [s]
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.operate import watch
from bot.operate.switches import FileSwitchboard

LONGEST_BLOCK = 60.0
watch.LONGEST_SILENCE = 0.5  # so that the test need not last long


def say(what: str, number: float = 0.0) -> None:
    sys.stdout.write(f"{what} {number!r}\n")
    sys.stdout.flush()


def sleep(until: threading.Event) -> None:
    """Block in a call that lets other threads run."""
    until.wait(LONGEST_BLOCK)


def compute(until: threading.Event) -> None:
    """Block in Python code that other threads must interrupt."""
    end = time.monotonic() + LONGEST_BLOCK
    while not until.is_set() and time.monotonic() < end:
        sum(range(1000))


async def main(state_dir: Path, block: Callable[[threading.Event], None] | None) -> None:
    seen = threading.Event()

    def observe() -> None:
        while not board.state.killed:
            time.sleep(0.001)
        say("seen", time.monotonic())
        seen.set()

    with (
        FileSwitchboard(state_dir) as board,
        watch.Watch(board, asyncio.get_running_loop()) as watching,
    ):
        threading.Thread(target=observe, daemon=True).start()
        say("ready")
        if block is not None:
            block(seen)
            say("stalled", watching.stalled_for)
            return
        while not (stalled := watching.stalled_for):  # noqa: ASYNC110 - as the bot's loop asks
            await asyncio.sleep(0.01)
        say("stalled", stalled)


asyncio.run(main(Path(sys.argv[1]), {"sleep": sleep, "compute": compute}.get(sys.argv[2])))
