"""How do an exchange and bots run here as processes of their own, and how are they ended?"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from tests.chaos.ledger import Ledger, Reader
from tests.chaos.runner import Order
from tests.chaos.verdict import Belief, Verdict, belief, judge

PATIENCE = 120.0
"""Longest wait for anything that must happen, on a machine that others share. [s]"""
GLANCE = 0.05
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
ROOT = Path(__file__).parents[2]
SERVING = " on https://"
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if "PLIMSOLL" not in name and name != "PYTHONDONTWRITEBYTECODE"
}
"""What a test was told is no setting of the bot; one that is compiled anew starts late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A market that gives a bot something to do in every second.

    Attributes:
        futures: Wallet at the start. [quote]
        spot: Wallet at the start. [quote]
        swing: Half of the way between crest and trough, before the mark smooths it. [ratio]
        drift: Factor on prices over half an hour. [ratio]
        give_back: Distance beyond which the bot gives margin back there. [ratio]
        leverage: Of every position at the start. [x]
    """

    futures: str = "11000"
    spot: str = "60000"
    swing: float = 0.04
    drift: float = 0.9
    give_back: str = "0.061"
    leverage: int = 20

    def text(self) -> str:
        """Return it as a scenario."""
        markets, positions, duration = "", "", 1800
        for symbol, price, size, period in (
            ("BTCUSDT", "60000", "1", 8),
            ("ETHUSDT", "3000", "20", 10),
            ("SOLUSDT", "150", "400", 12),
        ):
            path = ", ".join(
                f'["{second}s", "{self._factor(second, period, duration):.5f}"]'
                for second in range(0, duration, period // 2)
            )
            markets += f'[market.{symbol}]\nprice = "{price}"\nvolatility = "0.01"\n'
            markets += f"path = [{path}]\n"
            positions += f'[[account.positions]]\nsymbol = "{symbol}"\nside = "long"\n'
            positions += f'size = "{size}"\nleverage = {self.leverage}\n'
        return (
            'description = "Up and down, and slowly down."\nstart = 2026-01-05T12:00:00Z\n'
            f'duration = "{duration}s"\nseed = 5\n{markets}'
            f'[account]\nfutures = "{self.futures}"\nspot = "{self.spot}"\n{positions}'
        )

    def _factor(self, second: int, period: int, duration: int) -> float:
        crest = second % period == 0
        drift: float = self.drift ** (second / duration)
        return drift * (1.0 if not second else 1 + (self.swing if crest else -self.swing))


CONFIG = """
[bot]
name = "{name}"
mode = "paper"
poll_interval = 0.5
urgent_interval = 0.2
state_dir = "{state}"

[[accounts]]
name = "main"
venue = "binanceusdm"
symbols = ["BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"]
transfer_from = ["spot"]
reserves = {{ futures = "0", spot = "0" }}
margin_release = "pro_rata"
api_key = "paper-key"
secret = "paper-secret"
gateway = {{ address = "{address}", ca_file = "{ca_file}" }}

[strategy]
path = "strategies.liquidation_buffer:LiquidationBuffer"
emergency = "0.055"
trigger = "0.060"
target = "0.0605"
give_back = "{give_back}"

[limits]
max_margin_per_hour = "10000000"
max_margin_per_day = "10000000"
max_moves_per_hour = 3600
max_moves_per_day = 86400
max_writes_10s = 1000
max_writes_60s = 6000
account_budget = "10"
venue_budget = "10"
global_budget = "10"
min_move = "1"
cooldown = 0
rebalance_interval = 0
give_back_confirmation = 0
only_own_margin = false

[log]
view = "json"
"""


@dataclass(slots=True, kw_only=True)
class Bot:
    """One process of the bot.

    Attributes:
        process: It.
        output: What it printed.
        began: When it was started, by the monotonic clock. [s]
    """

    process: asyncio.subprocess.Process
    output: Path
    began: float

    @property
    def pid(self) -> int:
        """Return its id."""
        return self.process.pid

    def signal(self, number: int) -> None:
        """Send a signal to it and to nothing else."""
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; return how it ended: < 0 is the signal."""
        return await asyncio.wait_for(self.process.wait(), PATIENCE)

    async def stop(self) -> int:
        """Ask it to stop and wait until it did."""
        if self.process.returncode is None:
            self.signal(signal.SIGTERM)
        return await self.ended()

    def text(self) -> str:
        """Return what it printed."""
        return self.output.read_text(encoding="utf-8")


@dataclass(slots=True, kw_only=True)
class World:
    """One exchange, and the state of the bot that acts there.

    Attributes:
        folder: Of everything here.
        market: At the exchange.
        address: Of the exchange.
        reader: Of its ledger.
        state: The bot's state directory.
    """

    folder: Path
    market: Market
    address: str
    reader: Reader
    state: Path
    _started: list[Bot] = field(default_factory=list)

    @property
    def ca_file(self) -> Path:
        """Return the authority of the exchange."""
        return self.folder / "exchange" / "paper" / "ca.pem"

    @property
    def certificate(self) -> Path:
        """Return key and certificate of the exchange, for a proxy that answers in its name."""
        return self.ca_file.with_name("server.pem")

    @property
    def journal(self) -> Path:
        """Return the bot's journal."""
        return self.state / "journal.sqlite"

    @property
    def steps(self) -> Path:
        """Return the file of steps that runners reached."""
        return self.folder / "steps"

    def config(self, *, address: str = "") -> Path:
        """Write a configuration; return its file.

        Args:
            address: Of what stands before the exchange, where something does.
        """
        file = self.folder / f"bot-{len(list(self.folder.glob('bot-*.toml')))}.toml"
        file.write_text(
            CONFIG.format(
                name="chaos",
                state=self.state,
                address=address or self.address,
                ca_file=self.ca_file,
                give_back=self.market.give_back,
            ),
            encoding="utf-8",
        )
        return file

    async def start(self, config: Path, **how: object) -> Bot:
        """Start the bot; with ``how`` through the runner, else just as a person does."""
        argv = ("run", "-c", str(config))
        output = self.folder / f"out-{len(self._started)}.log"
        if how:
            order = replace(Order(argv=argv, output=str(output)), **how)  # type: ignore[arg-type]  # any field by name
            command = [sys.executable, "-m", "tests.chaos.runner", order.text()]
        else:
            command = [sys.executable, "-m", "bot", *argv]
        began = time.monotonic()
        with output.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=ROOT,
                env=ENVIRONMENT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        bot = Bot(process=process, output=output, began=began)
        self._started.append(bot)
        return bot

    async def until(self, is_so: Callable[[Belief], bool], *, patience: float = PATIENCE) -> Belief:
        """Wait until the journal says so; return what it says.

        Raises:
            AssertionError: It never does; the text is what the last bot printed.
        """
        found: list[Belief] = []

        def look() -> bool:
            if self.journal.exists():
                found.append(belief(self.journal))
            return bool(found) and is_so(found[-1])

        try:
            await happens(look, patience=patience)
        except TimeoutError as error:
            raise AssertionError(f"{error}: {self._started[-1].text()[-3000:]}") from None
        return found[-1]

    async def polls(self, more: int, *, patience: float = PATIENCE) -> Belief:
        """Wait for so many more complete polls; return what the journal says then."""
        before = complete(belief(self.journal)) if self.journal.exists() else 0
        return await self.until(lambda now: complete(now) >= before + more, patience=patience)

    async def settled(self, *, patience: float = PATIENCE) -> Belief:
        """Wait for a complete poll after which nothing is open; return what the journal says."""
        before = complete(belief(self.journal)) if self.journal.exists() else 0
        return await self.until(
            lambda now: not now.open and complete(now) > before, patience=patience
        )

    async def ledger(self) -> Ledger:
        """Return the exchange's ledger."""
        return await asyncio.to_thread(self.reader.ledger, SYMBOLS)

    async def books_more(self, than: Ledger) -> Ledger:
        """Wait until the exchange has booked something else; return its ledger.

        Raises:
            AssertionError: It never does; the text is what the last bot printed.
        """
        limit = time.monotonic() + PATIENCE
        now = await self.ledger()
        while now.effects == than.effects:
            assert time.monotonic() < limit, self._started[-1].text()[-3000:]
            now = await self.ledger()
        return now

    async def verdict(self, acknowledged: frozenset[str] = frozenset()) -> Verdict:
        """Return what is wrong, with every bot ended and nothing open."""
        believed = belief(self.journal)
        assert not believed.open, believed.open
        return judge(
            await self.ledger(),
            believed,
            futures=Decimal(self.market.futures),
            spot=Decimal(self.market.spot),
            acknowledged=acknowledged,
        )

    async def end(self) -> None:
        """End every bot that was started here."""
        for bot in self._started:
            if bot.process.returncode is None:
                bot.signal(signal.SIGKILL)
                await bot.process.wait()


async def happens(is_so: Callable[[], bool], *, patience: float = PATIENCE) -> None:
    """Wait for something.

    Raises:
        TimeoutError: It does not happen.
    """
    limit = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > limit:
            raise TimeoutError(f"not within {patience} s")
        await asyncio.sleep(GLANCE)


def complete(believed: Belief) -> int:
    """Return how many polls had a complete answer."""
    return believed.decisions.total() - believed.decisions["not_ready"]


@contextlib.asynccontextmanager
async def world(
    folder: Path,
    market: Market | None = None,
    *,
    state: Path | None = None,
    unlimited: bool = False,
) -> AsyncIterator[World]:
    """Run an exchange of its own.

    Args:
        folder: Takes everything.
        market: At the exchange.
        state: The bot's state directory; a folder of its own where not given.
        unlimited: Whether the exchange counts no request weight.
    """
    market = market or Market()
    scenario, config = _prepare(folder, market)
    argv = [
        "paper", "--serve-only", "--scenario", str(scenario), "--speed", "1", "--port", "0",
        "-c", str(config),
    ]  # fmt: skip
    output = folder / "exchange.log"
    command = [sys.executable, "-m", "bot", *argv]
    if unlimited:
        order = Order(argv=tuple(argv), output=str(output), unlimited=True)
        command = [sys.executable, "-m", "tests.chaos.runner", order.text()]
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=ENVIRONMENT, stdout=file, stderr=file
        )
    try:
        address = await _address(output, process)
        here = World(
            folder=folder,
            market=market,
            address=address,
            reader=Reader(address, folder / "exchange" / "paper" / "ca.pem"),
            state=state or folder / "state",
        )
        try:
            yield here
        finally:
            await here.end()
    finally:
        if process.returncode is None:
            process.kill()  # it keeps nothing that anybody reads later
            await process.wait()


def _prepare(folder: Path, market: Market) -> tuple[Path, Path]:
    """Write what the exchange is started with; return scenario and configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    scenario, config = folder / "chaos.toml", folder / "exchange.toml"
    scenario.write_text(market.text(), encoding="utf-8")
    config.write_text(
        CONFIG.format(
            name="exchange",
            state=folder / "exchange",
            address="127.0.0.1:1",
            ca_file="none",
            give_back=market.give_back,
        ),
        encoding="utf-8",
    )
    return scenario, config


async def _address(output: Path, process: asyncio.subprocess.Process) -> str:
    await happens(lambda: SERVING in _text(output) or process.returncode is not None)
    said = _text(output)
    assert SERVING in said, f"the exchange must start, said {said}"
    return said.split(SERVING)[1].split(",")[0]


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


class Nursery:
    """A process that has everything imported and forks a bot for each order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, order: Order, *, limit: float) -> int:
        """Run one bot to its end, ended by SIGKILL after a time; return how it ended. [s]."""
        pid = (await self._say(order.text()))["began"]
        ended = asyncio.ensure_future(self._hear())
        done, _ = await asyncio.wait({ended}, timeout=limit)
        if not done:
            os.kill(pid, signal.SIGKILL)
        return (await ended)["ended"]

    async def _say(self, line: str) -> dict[str, int]:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()
        return await self._hear()

    async def _hear(self) -> dict[str, int]:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        found: dict[str, int] = json.loads(line)
        return found


@contextlib.asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    """Run a nursery."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.chaos.runner",
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Nursery(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
