"""Which bytes between bot and exchange pass, when, and which never do?

It answers in the exchange's name with the exchange's own certificate, so that it sees requests
and can misbehave at a chosen one; what it does then, it does to the TCP connection.
"""

import asyncio
import contextlib
import random
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HEAD_END = b"\r\n\r\n"
HOST = "fapi.binance.com"
"""Under which the exchange is spoken to; its certificate names every host of the venue."""

Kind = Literal[
    "cut_before", "cut_after", "half_before", "half_after", "drop_reply", "delay", "late"
]
"""Cut, or close one half, before or after the request's bytes passed; pass the request and no
reply; hold both back; hold the request back until the bot has given up."""
KINDS: tuple[Kind, ...] = (
    "cut_before", "cut_after", "half_before", "half_after", "drop_reply", "delay", "late",
)  # fmt: skip
HOLD = 0.3
"""How long ``delay`` holds a request. [s]"""
HOLD_LATE = 4.0
"""How long ``late`` does: longer than the bot's patience, shorter than the venue's window. [s]"""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One way to misbehave.

    Attributes:
        kind: What happens.
        method: Only at requests of this method; empty for all.
        path: Only at paths that contain this.
        times: At most so often.
        probability: Of each request that fits. [ratio]
        hits: How often it happened.
    """

    kind: Kind
    method: str = ""
    path: str = ""
    times: int = 1
    probability: float = 1.0
    hits: int = 0

    def fits(self, method: str, path: str) -> bool:
        """Whether it is this request's turn, chance aside."""
        return self.hits < self.times and self.method in ("", method) and self.path in path


class Proxy:
    """Stands before one exchange; one upstream connection for each of the bot's."""

    def __init__(self, upstream: str, ca_file: Path, certificate: Path, *, seed: int = 0) -> None:
        host, _, port = upstream.rpartition(":")
        self._upstream = (host, int(port))
        self._trust = ssl.create_default_context(cafile=str(ca_file))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._chance = random.Random(seed)  # noqa: S311 - faults by seed are no secret
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self.faults: list[Fault] = []
        self.round_trip = 0.0
        """Added to each. [s]"""
        self.asked: list[tuple[str, str]] = []
        """Method and path of each request of which a byte arrived, in order."""

    @property
    def address(self) -> str:
        """Return where the bot connects to."""
        return f"127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Take connections, on the same port each time."""
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._port, ssl=self._context
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections and cut those that are open."""
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def add(self, fault: Fault) -> Fault:
        """Take one more fault."""
        self.faults.append(fault)
        return fault

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._relay(reader, writer)
        except (OSError, asyncio.IncompleteReadError, _CutError, asyncio.CancelledError):
            pass  # an end of a connection is what this is for
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2 * self.round_trip)  # TCP's and TLS's own
        up_reader, up_writer = await asyncio.open_connection(
            *self._upstream, ssl=self._trust, server_hostname=HOST
        )
        try:
            while True:
                first = await reader.read(1)
                if not first:
                    return
                self.asked.append(("", ""))
                place = len(self.asked) - 1
                rest, request = await _message(reader)
                head, request = first + rest, first + request
                self.asked[place] = (head.split(b" ")[0].decode(), head.split(b" ")[1].decode())
                method, path = head.split(b" ", 2)[:2]
                fault = self._choose(method.decode(), path.decode())
                await asyncio.sleep(self.round_trip)
                if fault is not None:
                    await self._before(fault, writer)
                up_writer.write(request)
                await up_writer.drain()
                _, reply = await _message(up_reader)
                if fault is not None:
                    await self._after(fault, writer)
                writer.write(reply)
                await writer.drain()
        finally:
            up_writer.transport.abort()

    def _choose(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.fits(method, path) and self._chance.random() < fault.probability:
                fault.hits += 1
                return fault
        return None

    async def _before(self, fault: Fault, writer: asyncio.StreamWriter) -> None:
        match fault.kind:
            case "cut_before":
                raise _CutError
            case "half_before":
                await _half_close(writer)
            case "delay":
                await asyncio.sleep(HOLD)
            case "late":
                await asyncio.sleep(HOLD_LATE)

    async def _after(self, fault: Fault, writer: asyncio.StreamWriter) -> None:
        match fault.kind:
            case "cut_after":
                raise _CutError
            case "half_after":
                await _half_close(writer)
            case "drop_reply":
                await asyncio.sleep(HOLD_LATE)
                raise _CutError


class _CutError(Exception):
    """The connection ends here."""


async def _half_close(writer: asyncio.StreamWriter) -> None:
    """Tell the bot that nothing more comes, while its own half stays open for a while."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.shutdown(socket.SHUT_WR)
    await asyncio.sleep(HOLD)
    raise _CutError


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return head and all of one message that tells its length."""
    head = await reader.readuntil(HEAD_END)
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    return head, head + await reader.readexactly(length)


@contextlib.asynccontextmanager
async def proxied(upstream: str, ca_file: Path, certificate: Path) -> AsyncIterator[Proxy]:
    """Run a proxy."""
    proxy = Proxy(upstream, ca_file, certificate)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()
