"""Worlds that are made beside other tests end with whoever asked for them."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from tests.simulation.early import ROOT

ASKS = """
import sys, time
from tests.simulation.early import Early
early = Early(100_000)
print(early._process.pid, flush=True)
time.sleep(600)
"""


ENDS = """
import threading, time
from tests.simulation.early import _end_with_parent
threading.Thread(target=_end_with_parent, daemon=True).start()
time.sleep(0.3)
"""


def is_there(group: int) -> bool:
    with suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


def test_worlds_end_when_the_run_that_asked_for_them_is_killed() -> None:
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", ASKS], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        group = int(run.stdout.readline())
        assert is_there(group)
        run.send_signal(signal.SIGKILL)
    until = time.monotonic() + 60
    while is_there(group) and time.monotonic() < until:
        time.sleep(0.2)
    still = is_there(group)
    if still:
        os.killpg(group, signal.SIGKILL)
    assert not still


def test_what_is_done_ends_by_itself_while_the_run_goes_on() -> None:
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", ENDS], cwd=ROOT, stdin=subprocess.PIPE, process_group=0
    ) as made:
        assert made.wait(30) == 0
