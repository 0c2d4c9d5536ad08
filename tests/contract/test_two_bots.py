"""Two real bots, one account: the second ends and says why, and the first goes on alone."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.lease import USUAL, Claim
from bot.errors import InUse
from bot.journal.opened import Opened
from bot.journal.queries import JournalReader
from bot.journal.sqlite import SqliteJournal
from bot.paper.binance.codes import HOSTS
from bot.paper.binance.desk import BinanceDesk
from bot.paper.engine import Engine
from bot.paper.pace import FreeRunning
from bot.paper.server import PaperServer
from tests.kit.machines import forget_locks
from tests.kit.paper import an_engine

ROOT = Path(__file__).parents[2]
FROZEN = 7.0
"""Longer than the watch lets pass, so that the bot must look anew and renew its lease. [s]"""
SPEED = 1.0
PATIENCE = 40.0
CONFIG = """
[bot]
mode = "paper"
poll_interval = 1.0
urgent_interval = 0.5
state_dir = "{state}"
lock_dir = "{locks}"

[[accounts]]
name = "main"
symbols = ["BTC/USDT:USDT"]
transfer_from = ["spot"]
margin_release = "pro_rata"
api_key = "paper-key"
secret = "paper-secret"
gateway = {{ address = "{address}", ca_file = "{ca}" }}

[strategy]
path = "strategies.liquidation_buffer:LiquidationBuffer"
emergency = "0.05"
trigger = "0.09"
target = "0.092"
give_back = "0.50"

[limits]
cooldown = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An exchange whose price falls, and where bots are configured."""

    server: PaperServer[BinanceDesk]
    folder: Path

    @property
    def engine(self) -> Engine:
        return self.server.engine

    def writes(self) -> int:
        engine = self.engine
        return len(engine.margin_moves) + len(engine.transfers) + len(engine.trades)

    def now(self, *, plus: float = 0.0) -> datetime:
        """Venue time. [s]"""
        return datetime.fromtimestamp(self.server.pace.now_ms / 1000 + plus, UTC)

    async def start(self, state: str) -> asyncio.subprocess.Process:
        config = self.folder / f"{state}.toml"
        text = CONFIG.format(
            state=self.folder / state,
            locks=self.folder / "locks",
            address=self.server.address,
            ca=self.server.ca_file,
        )
        config.write_text(text)
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run", "-c", str(config)),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )


@pytest.fixture
async def place(tmp_path: Path, authority: Path) -> AsyncIterator[Place]:
    engine = an_engine(symbols=("BTCUSDT",), points=((0, 1.0), (120, 0.9)))
    engine.hold("BTCUSDT", engine.contracts["BTCUSDT"].lot * 200, leverage=12)
    pace = FreeRunning(engine, speed=SPEED)
    async with PaperServer(BinanceDesk(engine, pace), hosts=HOSTS, folder=authority) as server:
        mover = asyncio.create_task(pace.run())
        yield Place(server=server, folder=tmp_path)
        mover.cancel()
        await asyncio.gather(mover, return_exceptions=True)


@asynccontextmanager
async def running(place: Place, state: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A bot that has begun to write."""
    process = await place.start(state)
    try:
        await until(lambda: place.writes() > 0, process)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(holds: Callable[[], bool], process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            assert process.returncode is None, await said(process)
            await asyncio.sleep(0.05)


async def said(process: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(PATIENCE):
        _, errors = await process.communicate()
    return errors.decode()


@pytest.mark.parametrize("other", ["one", "two"], ids=["one state directory", "two of them"])
async def test_a_second_bot_ends_at_once_and_says_who_is_there(place: Place, other: str) -> None:
    async with running(place, "one") as first:
        second = await place.start(other)
        text = await said(second)
        assert second.returncode == 6
        assert f"account main is in use by process {first.pid}, its journal is" in text
        assert "stop that bot first" in text
        assert "paper-key" not in text
        assert not (place.folder / "two" / "journal.sqlite").exists()
        assert first.returncode is None
    assert "paper-key" not in "".join(p.name for p in (place.folder / "locks").iterdir())


async def test_a_bot_that_stands_still_keeps_the_other_out_and_goes_on_alone(place: Place) -> None:
    async with running(place, "one") as first:
        first.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.5)  # what had left arrives
        before, began = place.writes(), asyncio.get_running_loop().time()
        for state in ("one", "two"):
            second = await place.start(state)
            assert f"in use by process {first.pid}" in await said(second)
            assert second.returncode == 6
        await asyncio.sleep(max(0.0, began + FROZEN - asyncio.get_running_loop().time()))
        assert place.writes() == before
        first.send_signal(signal.SIGCONT)
        await until(lambda: place.writes() > before, first)
        first.send_signal(signal.SIGTERM)
        text = await said(first)
        assert first.returncode == 0, text
    with JournalReader.open(place.folder / "one" / "journal.sqlite") as reader:
        status = reader.status(now=datetime.now(UTC))
        assert status.epoch == 1
        assert {action.intent.id[6:10] for action in reader.actions(limit=10**6)} == {"0001"}


async def test_after_the_first_was_killed_the_next_need_not_wait(place: Place) -> None:
    async with running(place, "one") as first:
        first.kill()
        await first.wait()
    before, began = place.writes(), asyncio.get_running_loop().time()
    async with running(place, "one") as second:
        await until(lambda: place.writes() > before, second)
        assert asyncio.get_running_loop().time() - began < 15
    with JournalReader.open(place.folder / "one" / "journal.sqlite") as reader:
        assert reader.status(now=datetime.now(UTC)).epoch == 2


async def test_the_bot_of_another_machine_is_waited_for_and_never_overtaken(place: Place) -> None:
    path = place.folder / "one" / "journal.sqlite"
    claim = Claim(holder="elsewhere", name="elsewhere, process 7", at=place.now())
    async with SqliteJournal.begin(Opened.open(path), claim) as other:
        forget_locks(path)
        refused = await place.start("one")
        while refused.returncode is None:
            await other.renew(place.now(plus=USUAL.time_to_live))
            await asyncio.sleep(0.2)
        assert "in use by elsewhere, process 7 (run 1, lease until 2026-01-05" in await said(
            refused
        )
        assert refused.returncode == 6
        ended = place.now()
        await other.renew(ended)
        async with running(place, "one") as heir:
            first = place.engine.margin_moves[0].at_ms / 1000
            assert first >= (ended + timedelta(seconds=5.5)).timestamp()
            with pytest.raises(InUse, match=f"succeeded by .*, process {heir.pid}:"):
                await other.renew(place.now(plus=USUAL.time_to_live))
    assert place.writes() > 0
