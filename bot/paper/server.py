"""How does the paper exchange answer over HTTPS on this machine?"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from aiohttp import web

from bot.paper.desk import Asked, Desk, about
from bot.paper.faults import Faults
from bot.paper.mishaps import distorted, instead
from bot.paper.tls import server_context

LOOPBACK = "127.0.0.1"
LATENCY_MS = 40
"""Market time that one request takes. [ms]"""


D = TypeVar("D", bound=Desk)


class PaperServer(Generic[D]):
    """One paper exchange behind the venue's host names."""

    def __init__(
        self,
        desk: D,
        *,
        hosts: Sequence[str],
        folder: Path,
        port: int = 0,
        faults: Faults | None = None,
    ) -> None:
        """Take what answers.

        Args:
            desk: Answers.
            hosts: The venue's names.
            folder: Of certificates.
            port: Of this machine; 0 takes a free one.
            faults: How it misbehaves.
        """
        self.desk = desk
        self.engine, self.pace = desk.engine, desk.pace
        self._hosts = hosts
        self.faults = faults if faults is not None else Faults()
        self._folder, self._port = folder, port
        self._runner: web.AppRunner | None = None
        self.address = ""
        self.ca_file = folder / "ca.pem"

    async def __aenter__(self) -> Self:
        context, self.ca_file = server_context(self._folder, self._hosts)
        app = web.Application(client_max_size=64 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self._port, ssl_context=context)
        await site.start()
        port = self._runner.addresses[0][1]
        self.address = f"{LOOPBACK}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, raw: web.Request) -> web.StreamResponse:
        self.pace.charge(LATENCY_MS)
        asked = Asked(
            method=raw.method,
            path=raw.path,
            query=raw.rel_url.raw_query_string,
            body=await raw.read(),
            headers={name.lower(): value for name, value in raw.headers.items()},
        )
        fault = self.faults.choose(*about(self.desk, asked), self.pace.now_ms)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        reply = None if fault is None else instead(fault, self.desk, asked)
        if reply is None:
            reply = self.desk.answer(asked)
            if fault is not None:
                reply = distorted(fault, self.desk, asked, reply)
        if fault is not None and fault.kind in ("abort", "abort_after"):
            if raw.transport is not None:
                raw.transport.abort()
            return web.Response(status=500)  # nobody reads it: the connection is gone
        return web.Response(
            text=reply.text, status=reply.status, content_type=reply.kind, headers=reply.headers
        )
