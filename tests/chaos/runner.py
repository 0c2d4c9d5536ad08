"""How does a bot run that ends or stops itself at a chosen step?

``python -m tests.chaos.runner ORDER`` is ``python -m bot`` with the seam around it that notes each
step in a file and raises a signal at one of them. Without an order it reads one a line and forks
for each, so that a start costs no import.
"""

import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from typing import Literal

from bot import bootstrap, cli
from bot.exchanges import connect
from bot.paper.binance.weights import Weights
from tests.chaos import seam

__all__ = ["Distortion", "Order", "main"]

BLOCKED = 2.0
"""How long a blocked event loop does nothing. [s]"""
WARM = (bootstrap, connect)
"""Imported before a fork, not after it."""
Distortion = Literal["", "hidden", "silent", "lost"]
DISTORTIONS = {
    "hidden": seam.hide_history,
    "silent": seam.silence_history,
    "lost": seam.lose_journal,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How one process runs.

    Attributes:
        argv: What follows ``plimsoll``.
        output: File that takes what it prints.
        steps: File that takes each step it reaches; empty watches nothing.
        at: The step at which the signal is raised; empty for never.
        signal: The signal; SIGUSR1 blocks the event loop for ``BLOCKED`` and nothing else.
        shift: Added to the machine's clock. [s]
        shift_later: Added to it from ``shift_after`` on. [s]
        shift_after: From the start of the process. [s]
        distortion: What is wrong with the world: ``hidden`` or ``silent`` history, ``lost``
            journal, or nothing.
        unlimited: Whether an exchange counts no request weight: a loop of restarts needs more
            than a bot may use.
    """

    argv: tuple[str, ...]
    output: str
    steps: str = ""
    at: str = ""
    signal: int = signal.SIGKILL
    shift: float = 0.0
    shift_later: float = 0.0
    shift_after: float = 0.0
    distortion: Distortion = ""
    unlimited: bool = False

    def text(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))


def run(order: Order) -> None:
    """Be the process of an order; does not return."""
    output = os.open(order.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for fd, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(fd, target)
    if order.signal == signal.SIGUSR1:
        signal.signal(signal.SIGUSR1, lambda *_: time.sleep(BLOCKED))
    if order.steps:
        steps = seam.Steps(order.steps, at=order.at, signal=order.signal)
        steps.reached("began")
        seam.watch(steps)
    if order.distortion:
        DISTORTIONS[order.distortion]()
    if order.shift or order.shift_after:
        seam.shift_clock(first=order.shift, later=order.shift_later, after=order.shift_after)
    if order.unlimited:
        Weights.count = lambda *_: None  # type: ignore[method-assign]  # the test is the exchange's owner
    sys.argv = ["plimsoll", *order.argv]
    cli.main()


def _forked(order: Order) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        run(order)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def nursery() -> None:
    """Run the orders of standard input, one after another, and print when each began and ended.

    What ended keeps its id until the next order, so that a late signal meets nobody else.
    """
    pid = 0
    for line in sys.stdin:
        if pid:
            os.waitpid(pid, 0)
        pid = _forked(_order(line))
        print(json.dumps({"began": pid}), flush=True)
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert found is not None
        ended = found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
        print(json.dumps({"ended": ended}), flush=True)


def _order(line: str) -> Order:
    return Order(**json.loads(line))


def main() -> None:
    """Run one order, or be a nursery."""
    if len(sys.argv) > 1:
        run(_order(sys.argv[1]))
    else:
        nursery()


if __name__ == "__main__":
    main()
