"""How do requests travel in a world without sockets?

Signing, status mapping and every parser of ccxt run unmodified.
"""

import asyncio
import dataclasses
import random
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp.client_reqrep import ConnectionKey

from bot.exchanges.gateway import look
from bot.paper.binance.desk import BinanceDesk
from bot.paper.binance.routes import WRITES
from bot.paper.desk import JSON, Asked, Reply
from bot.simulate.operations import Operation, operation_of
from bot.simulate.process import Process
from bot.simulate.trace import Trace
from bot.simulate.weather import (
    BANNED,
    BEFORE,
    NO_BYTE_LEFT,
    Fate,
    Read,
    Weather,
    Wire,
    distorted,
    instead,
)

HISTORY = frozenset({"history", "transfer", "allOrders", "algoOrder", "openAlgoOrders"})
"""Ends of paths that tell what became of a write."""
UNASKED = frozenset({"timestamp", "recvWindow", "signature", "endTime"})
"""Parameters that say when it is asked, not what."""
LONGEST_LAG = 1.9
"""Of those: what the bot relies on, and the README says. [s]"""
LONGEST_STALE = 10.0
"""Of all other answers. [s]"""


@dataclass(slots=True, kw_only=True)
class Sent:
    """One write that left a client.

    Attributes:
        at: Virtual time of its first byte. [s]
        operation: What it does; ``None`` for a read.
        process: Who sent it.
        machine: Where that ran.
        epoch: Of its run.
        method: HTTP.
        path: Of the endpoint.
        content: Query and body as they left.
        fault: What happened to it.
        effects: How often it took effect.
        landed: When it did. [s]
    """

    at: float
    operation: Operation | None
    process: str
    machine: str
    epoch: int
    method: str
    path: str
    content: str
    fault: Wire | None
    effects: int = 0
    landed: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Network:
    """Everything between the processes and one exchange.

    Attributes:
        desk: The exchange.
        weather: What goes wrong.
        chance: For distortions.
        trace: Of the run.
        advance: Moves the market to the present.
        around: Books what a request does.
        before: Happens when a write is about to leave.
        is_under_way: Whether an operation is planned, in flight or unsettled.
        refused: Writes whose connection failed.
        struck: Which fault has hit which write.
        shown: How often a fault of reading hit while one was.
        marks: What the venue shows instead of a mark price for a while.
        writes: Every write whose first byte left, in order.
        disobeyed: Requests that left although the venue had asked their client to wait.
    """

    desk: BinanceDesk
    weather: Weather
    chance: random.Random
    trace: Trace
    advance: Callable[[], None]
    around: Callable[[Callable[[], Reply]], Reply]
    before: Callable[[Operation, Process], Awaitable[None]]
    is_under_way: Callable[[Operation], bool]
    shown: int = 0
    refused: int = 0
    struck: set[tuple[Operation, Wire]] = field(default_factory=set)
    marks: Callable[[str], str] = str
    writes: list[Sent] = field(default_factory=list)
    disobeyed: list[str] = field(default_factory=list)
    _told: dict[str, float] = field(default_factory=dict)
    _last: dict[tuple[str, str, str], tuple[float, Reply]] = field(default_factory=dict)

    async def carry(self, asked: Asked, process: Process) -> Reply:
        """Carry one request and bring its reply, as far as the weather lets it.

        Raises:
            aiohttp.ClientError: The connection failed.
            TimeoutError: The client lost its patience.
        """
        content = f"{asked.query}{asked.body.decode(errors='replace')}"
        operation = operation_of(asked.method, asked.path, content)
        is_write = operation is not None
        fate = self.weather.fate(operation)
        process.step("before connect")
        if operation is not None:
            await self.before(operation, process)
        await asyncio.sleep(fate.connect)
        await process.thaw()
        process.step("connected")
        if operation is not None and fate.fault in NO_BYTE_LEFT:
            self.refused += 1
            self.struck.add((operation, fate.fault))
        _refuse(fate)
        look.get()()
        if operation is not None and fate.fault is not None:
            self.struck.add((operation, fate.fault))
        now = asyncio.get_running_loop().time()
        if now < self.told(process):
            self.disobeyed.append(
                f"P18: {asked.method} {asked.path} left {self.told(process) - now:.3f} s too early"
            )
        sent = Sent(
            at=now,
            operation=operation,
            process=process.name,
            machine=process.machine,
            epoch=process.epoch,
            method=asked.method,
            path=asked.path,
            content=content,
            fault=fate.fault,
        )
        if is_write:
            self.writes.append(sent)
            self.trace.add("left", process.name, asked.method, asked.path, content)
        arrived: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._send(asked, fate, sent, arrived)
        process.step("sent")
        try:
            reply = await asyncio.wait_for(asyncio.shield(arrived), fate.patience)
        except TimeoutError:
            await process.thaw()
            raise
        finally:
            arrived.cancel()
        await process.thaw()
        process.step("answered")
        wait = asked_to_wait(reply)
        if wait > 0:
            until = asyncio.get_running_loop().time() + wait
            self._told[process.name] = max(until, self.told(process))
        return reply

    def told(self, process: Process) -> float:
        """Return until when a client must not ask, as far as it knows. Virtual time [s]."""
        return self._told.get(process.name, 0.0)

    def _send(self, asked: Asked, fate: Fate, sent: Sent, arrived: asyncio.Future[Reply]) -> None:
        loop = asyncio.get_running_loop()

        def deliver(*, is_first: bool) -> None:
            reply = self._effect(asked, fate, sent)
            lost = (Wire.LOST_REQUEST, Wire.LOST_REPLY)
            if is_first and reply is not None and fate.fault not in lost:
                loop.call_later(fate.back, _resolve, arrived, reply)

        loop.call_later(fate.outward, lambda: deliver(is_first=True))
        if fate.again is not None:
            loop.call_later(fate.outward + fate.again, lambda: deliver(is_first=False))

    def _effect(self, asked: Asked, fate: Fate, sent: Sent) -> Reply | None:
        """Return the venue's reply; the request takes effect here or never."""
        if fate.fault is Wire.LOST_REQUEST:
            return None
        self.advance()

        def error(wire: Any) -> Reply:
            return self.desk.error(asked, wire)

        if fate.fault in BEFORE:
            return instead(fate.fault, error)
        reply = self.around(lambda: self.desk.answer(asked))
        if (asked.method, asked.path) in WRITES:
            if reply.status == 200:  # noqa: PLR2004 - the venue says yes
                sent.effects += 1
                sent.landed.append(asyncio.get_running_loop().time())
            self.trace.add("arrived", asked.path, sent.content, str(reply.status))
        else:
            reply = self._shown(asked, reply)
        return distorted(fate.fault, reply, error, self.chance) if fate.fault else reply

    def _shown(self, asked: Asked, reply: Reply) -> Reply:
        """Return what a reader is shown: the truth, or an older one."""
        key = (asked.method, asked.path, _question(asked))
        now = asyncio.get_running_loop().time()
        before = self._still_shown(key, now)
        if asked.path.endswith("premiumIndex"):
            reply = dataclasses.replace(reply, text=self.marks(reply.text))
        if before is not None and self._shows(Read.STALE):
            return before
        if before is not None and asked.path.endswith("/account") and self._shows(Read.TORN):
            return before
        self._last[key] = (now, reply)
        if asked.path.endswith("positionRisk") and self._shows(Read.EMPTY_POSITIONS):
            return Reply(status=200, text="[]", headers=reply.headers)
        return reply

    def _still_shown(self, key: tuple[str, str, str], now: float) -> Reply | None:
        """Return the last answer, if the venue may still show one as old as that."""
        at, reply = self._last.get(key, (0.0, None))
        oldest = LONGEST_LAG if key[1].rpartition("/")[2] in HISTORY else LONGEST_STALE
        return reply if now - at <= oldest else None

    def _shows(self, fault: Read) -> bool:
        target = self.weather.target
        if target is not None and not self.is_under_way(target):
            return False
        is_shown = self.weather.shows(fault)
        self.shown += is_shown
        return is_shown


def asked_to_wait(reply: Reply) -> float:
    """Return how long a client that got this reply must not ask; 0 where it may. [s]."""
    is_firewall = reply.status == 403 and reply.kind != JSON  # noqa: PLR2004 - HTTP forbidden
    return float(reply.headers.get("Retry-After", BANNED if is_firewall else 0))


def _question(asked: Asked) -> str:
    """Return what is asked: an old answer is one to the same question."""
    parts = asked.query.split("&")
    return "&".join(part for part in parts if part.partition("=")[0] not in UNASKED)


def _resolve(arrived: asyncio.Future[Reply], reply: Reply) -> None:
    if not arrived.done():
        arrived.set_result(reply)


def _refuse(fate: Fate) -> None:
    key = ConnectionKey("fapi.binance.com", 443, True, True, None, None, None)
    match fate.fault:
        case Wire.REFUSED:
            raise aiohttp.ClientConnectorError(key, ConnectionRefusedError(111, "refused"))
        case Wire.DNS:
            raise aiohttp.ClientConnectorDNSError(key, socket.gaierror(-2, "not known"))
        case Wire.TLS:
            raise aiohttp.ClientConnectorSSLError(key, OSError("handshake failed"))
