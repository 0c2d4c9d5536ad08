"""Does a byte of a write leave after a person said kill, while nothing of the loop runs?"""

import signal
import time
from pathlib import Path

import pytest

from bot.domain.intent import IntentState
from bot.journal.queries import JournalReader
from bot.operate.switches import KILL_FILE, KILL_LATCH
from tests.chaos.beside import Figures, beside
from tests.chaos.proxy import proxied
from tests.chaos.runner import BLOCKED
from tests.chaos.world import happens, world

STEP = "sent:add_margin.after"
"""Signed, durable as sent, and not a byte of it has left."""
READS = ("GET",)
READ_BY_POST = "/sapi/v3/asset/getUserAsset"

pytestmark = pytest.mark.chaos


@beside(seconds=12)
async def test_a_kill_is_seen_while_the_loop_is_blocked_and_no_byte_leaves_after_it(
    folder: Path,
) -> Figures:
    async with (
        world(folder) as here,
        proxied(here.address, here.ca_file, here.certificate) as proxy,
    ):
        config = here.config(address=proxy.address)
        bot = await here.start(config, steps=str(here.steps), at=STEP, signal=int(signal.SIGUSR1))
        await happens(lambda: here.steps.exists() and STEP in here.steps.read_text())
        told, before = time.monotonic(), len(proxy.asked)
        (here.state / KILL_FILE).touch()
        await happens(lambda: (here.state / KILL_LATCH).read_bytes() == b"K")
        seen = time.monotonic() - told
        assert seen < BLOCKED / 2, "the loop must still be blocked"
        booked = await here.ledger()

        await here.until(lambda now: not now.open)
        await happens(lambda: '"mode":"killed"' in bot.text())
        await here.polls(2)
        assert await bot.stop() == 0
        after = await here.start(config)  # killed, also after a restart
        await here.polls(2)
        assert await after.stop() == 0

        (stopped,) = _sent_at(here.steps.read_text())
        with JournalReader.open(here.journal) as reader:
            (found,) = (a for a in reader.actions() if a.intent.id == stopped)
        assert (found.intent.state, found.code) == (IntentState.REJECTED, "killed")
        later = proxy.asked[before:]
        assert [(m, p) for m, p in later if m not in READS and READ_BY_POST not in p] == []
        assert len(later) > len(READS)
        assert (await here.ledger()).effects == booked.effects
        assert (await here.verdict()).is_clean
    return {"chaos kill seen, loop blocked": f"{seen * 1000:.0f} ms, goal 250 ms"}


def _sent_at(steps: str) -> set[str]:
    """Return the intent that the first such step was about."""
    line = next(line for line in steps.splitlines() if line.startswith(STEP))
    return {fact.partition(":")[2] for fact in line.split() if fact.startswith("sent:pl")}
