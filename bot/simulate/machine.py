"""What do time, switches and people look like to a process of a simulated world?"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.alarm import Alarm
from bot.domain.switch import Switches
from bot.paper.engine import Engine
from bot.simulate.loop import VirtualLoop
from bot.simulate.process import Process

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)


@dataclass(slots=True, kw_only=True)
class Pace:
    """Market time for the exchange; moved by the loop's own time."""

    loop: VirtualLoop
    speed: float = 1.0

    @property
    def now_ms(self) -> int:
        """Market time. [ms]."""
        return START_MS + round(self.loop.time() * 1000)

    def charge(self, milliseconds: int) -> None:
        """Cost nothing: here the network itself takes time."""


@dataclass(slots=True, kw_only=True)
class Machine:
    """The clock of a process's machine; a `bot.ports.Clock`.

    Attributes:
        loop: Whose time passes.
        process: Whose it is.
        skew: How wrong the wall clock is. [s]
    """

    loop: VirtualLoop
    process: Process
    skew: float

    def now(self) -> datetime:
        """Return what the machine believes. Aware UTC."""
        return START + timedelta(seconds=self.loop.time() + self.skew)

    def monotonic(self) -> float:
        """Return a reading that only grows. [s]."""
        return self.loop.time()

    async def sleep(self, seconds: float) -> None:
        """Let time pass. [s]."""
        await asyncio.sleep(seconds)
        await self.process.thaw()


@dataclass(slots=True, kw_only=True)
class Board:
    """The operator's switches; a `Switchboard`."""

    state: Switches = field(default_factory=Switches)


@dataclass(slots=True, kw_only=True)
class Seen:
    """A sink that keeps what people would have seen, and compares it with what is.

    Attributes:
        engine: The exchange.
        records: In order.
        alarms: In order.
        blind: Decisions that overlooked a position.
        check: Called with each record.
    """

    engine: Engine
    blind: list[str] = field(default_factory=list)
    check: Callable[[], None] = lambda: None
    records: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)

    def publish(self, record: dict[str, Any]) -> None:
        """Keep a record."""
        self.records.append(record)
        self.check()
        if record["verdict"] == "not_ready":
            return
        self._compare_wallets(record)
        # Positions only ever shrink and vanish here: one that is still held was held before.
        shown = {(p["symbol"].partition("/")[0], p["side"]) for p in record["positions"]}
        for holding in self.engine.holdings.values():
            key = (holding.symbol.removesuffix("USDT"), "long" if holding.amount > 0 else "short")
            if key not in shown:
                self.blind.append(f"I2: {record['id']} does not see {holding.symbol}")

    def _compare_wallets(self, record: dict[str, Any]) -> None:
        """A spot wallet that holds something now held something when it was looked at.

        Nothing fills it here. The futures wallet is filled by stops that fire at any time.
        """
        held = self.engine.spot["USDT"]
        for wallet in record["wallets"]:
            if wallet["name"] == "spot" and not Decimal(wallet["total"]) and held > 0:
                self.blind.append(f"I2: {record['id']} sees nothing in spot")

    def alarm(self, alarm: Alarm) -> None:
        """Keep an alarm."""
        self.alarms.append(alarm)
