"""A network of a given round trip in front of an address on this machine."""

import asyncio
from types import TracebackType
from typing import Self

CHUNK = 64 * 1024


class Delayed:
    """Carries bytes to an address and back, each half a round trip later.

    The machine answers a connection at once; here the first bytes wait for the round trip that a
    connection takes as well.
    """

    def __init__(self, target: str, *, round_trip: float) -> None:
        """Make it.

        Args:
            target: ``host:port``.
            round_trip: [s]
        """
        self._host, _, port = target.rpartition(":")
        self._port, self._trip = int(port), round_trip
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self._host, 0)
        self.address = f"{self._host}:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        opened = loop.time() + self._trip
        there, back = await asyncio.open_connection(self._host, self._port)
        for source, sink, earliest in ((reader, back, opened), (there, writer, 0.0)):
            task = loop.create_task(self._carry(source, sink, earliest))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, earliest: float
    ) -> None:
        """Write what is read, half a round trip later and in order, until it ends."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, chunk = await under_way.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not chunk:
                    break
                sink.write(chunk)
            sink.close()

        delivering = loop.create_task(deliver())
        try:
            while True:
                try:
                    chunk = await source.read(CHUNK)
                except ConnectionError:
                    chunk = b""
                under_way.put_nowait((max(loop.time(), earliest) + self._trip / 2, chunk))
                if not chunk:
                    break
            await delivering
        finally:
            delivering.cancel()
