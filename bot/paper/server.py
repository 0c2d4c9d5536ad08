"""How does the paper exchange answer over HTTPS on this machine?"""

import asyncio
import json
from collections import defaultdict
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.paper.binance import wallet
from bot.paper.binance.codes import HOSTS, WireError, of
from bot.paper.binance.request import Keys, Request, check_key, check_signature, parsed
from bot.paper.binance.routes import RESTRICTIONS, ROUTES, Route
from bot.paper.engine import Engine
from bot.paper.faults import Fault, Faults
from bot.paper.pace import Pace
from bot.paper.tls import server_context
from bot.paper.values import Refused

LOOPBACK = "127.0.0.1"
WEIGHT_LIMIT = 2400
"""Of one window."""
WINDOW_MS = 60_000
STRIKES = 5
"""Requests after the first 429 of a window that end in a ban."""
BAN_MS = 120_000
LATENCY_MS = 40
"""Market time that one request takes. [ms]"""
PAGE = "<html><head><title>403 Forbidden</title></head><body>cloudfront</body></html>"


class PaperServer:
    """One paper exchange behind the venue's host names."""

    def __init__(
        self,
        engine: Engine,
        pace: Pace,
        *,
        folder: Path,
        port: int = 0,
        keys: Keys | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.engine, self.pace = engine, pace
        self.keys = keys if keys is not None else Keys()
        self.faults = faults if faults is not None else Faults()
        self.requests: list[tuple[str, str, Request]] = []
        """What arrived and was understood, for tests: method, path, parameters."""
        self._folder, self._port = folder, port
        self._weights: dict[str, _Weights] = defaultdict(_Weights)
        # Each host family has a budget of its own.
        self._runner: web.AppRunner | None = None
        self.address = ""
        self.ca_file = folder / "ca.pem"

    async def __aenter__(self) -> Self:
        context, self.ca_file = server_context(self._folder, HOSTS)
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
        fault = self.faults.choose(raw.method, raw.path, self.pace.now_ms)
        if fault is not None:
            early = await self._misbehave_before(fault, raw)
            if early is not None:
                return early
        response = await self._respond(raw)
        return self._misbehave_after(fault, raw, response) if fault is not None else response

    async def _respond(self, raw: web.Request) -> web.Response:
        try:
            wait = self._weights[_family(raw)].refuses(self.pace.now_ms)
            if wait is not None:
                return self._too_many(raw, wait)
            body = await self._value(raw)
        except Refused as refused:
            error = of(refused)
            return self._json(raw, error.body(), error.status)
        except WireError as error:
            return self._json(raw, error.body(), error.status)
        return self._json(raw, body, HTTPStatus.OK)

    async def _value(self, raw: web.Request) -> Any:
        now_ms = self.pace.now_ms
        found = (raw.method, raw.path)
        route = ROUTES.get(found)
        if route is None and found != RESTRICTIONS:
            raise WireError(-5000, f"Path {raw.path}, Method {raw.method} is invalid", status=404)
        self._weights[_family(raw)].count(route.weight if route is not None else 1, now_ms)
        query = raw.rel_url.raw_query_string
        try:
            body = (await raw.read()).decode()
        except UnicodeDecodeError:
            raise WireError(-1100, "Illegal characters found in body.") from None
        request = parsed(query, body, now_ms)
        self._admit(raw, query, body, request, route)
        self.requests.append((raw.method, raw.path, request))
        if route is None:
            return wallet.restrictions(self.keys.may_withdraw, now_ms)
        return route.handler(self.engine, request)

    def _admit(
        self, raw: web.Request, query: str, body: str, request: Request, route: Route | None
    ) -> None:
        access = route.access if route is not None else "signed"
        if access == "public":
            return
        check_key(raw.headers.get("X-MBX-APIKEY"), self.keys)
        if access == "signed":
            check_signature(query, body, request, self.keys, self.pace)

    def _json(self, raw: web.Request, body: Any, status: int) -> web.Response:
        return web.Response(
            text=json.dumps(body),
            status=status,
            content_type="application/json",
            headers=self._headers(raw),
        )

    def _headers(self, raw: web.Request) -> dict[str, str]:
        now = datetime.fromtimestamp(self.pace.now_ms / 1000, UTC)
        return {
            "X-MBX-USED-WEIGHT-1M": str(self._weights[_family(raw)].used(self.pace.now_ms)),
            "Date": format_datetime(now, usegmt=True),
        }

    def _too_many(self, raw: web.Request, wait_ms: int) -> web.Response:
        banned = self._weights[_family(raw)].is_banned(self.pace.now_ms)
        headers = self._headers(raw) | {"Retry-After": str(max(1, wait_ms // 1000))}
        error = WireError(-1003, "Too many requests; current limit is 2400 per minute.")
        return web.Response(
            text=json.dumps(error.body()),
            status=418 if banned else 429,
            content_type="application/json",
            headers=headers,
        )

    async def _misbehave_before(self, fault: Fault, raw: web.Request) -> web.StreamResponse | None:
        match fault.kind:
            case "abort":
                return self._abort(raw)
            case "http_503":
                return web.Response(text="Service Unavailable", status=503)
            case "html":
                return web.Response(text=PAGE, status=200, content_type="text/html")
            case "empty":
                return web.Response(text="", status=200, content_type="application/json")
            case "rate_429" | "ban_418":
                weights = self._weights[_family(raw)]
                weights.exhaust(self.pace.now_ms, ban=fault.kind == "ban_418")
                return None
            case "slow":
                await asyncio.sleep(fault.seconds)
        return None

    def _misbehave_after(
        self, fault: Fault, raw: web.Request, response: web.Response
    ) -> web.StreamResponse:
        text = response.text or ""
        match fault.kind:
            case "abort_after":
                return self._abort(raw)
            case "http_503_after":
                return web.Response(text="Service Unavailable", status=503)
            case "timeout_1007":
                error = WireError(-1007, "Timeout waiting for response from backend server.")
                return self._json(raw, error.body(), 408)
            case "half_json":
                response.text = text[: len(text) // 2]
            case "rewrite":
                response.text = fault.rewrite(text)
        return response

    @staticmethod
    def _abort(raw: web.Request) -> web.StreamResponse:
        if raw.transport is not None:
            raw.transport.abort()
        # Nobody reads it: the connection is gone.
        return web.Response(status=500)


def _family(raw: web.Request) -> str:
    return raw.path.split("/", 2)[1]


class _Weights:
    """Counts weight per minute of market time, and bans who does not stop."""

    def __init__(self) -> None:
        self._window = 0
        self._used = 0
        self._strikes = 0
        self._banned_until_ms = 0

    def used(self, now_ms: int) -> int:
        """Return the weight of this window."""
        self._roll(now_ms)
        return self._used

    def count(self, weight: int, now_ms: int) -> None:
        """Count a request."""
        self._roll(now_ms)
        self._used += weight

    def refuses(self, now_ms: int) -> int | None:
        """Return how long a client must wait, ``None`` when it need not. [ms]."""
        self._roll(now_ms)
        if now_ms < self._banned_until_ms:
            return self._banned_until_ms - now_ms
        if self._used < WEIGHT_LIMIT:
            return None
        self._strikes += 1
        if self._strikes > STRIKES:
            self._banned_until_ms = now_ms + BAN_MS
            return BAN_MS
        return WINDOW_MS - now_ms % WINDOW_MS

    def is_banned(self, now_ms: int) -> bool:
        """Whether a ban runs."""
        return now_ms < self._banned_until_ms

    def exhaust(self, now_ms: int, *, ban: bool) -> None:
        """Use the window up, for a fault."""
        self._roll(now_ms)
        self._used = WEIGHT_LIMIT
        if ban:
            self._banned_until_ms = now_ms + BAN_MS

    def _roll(self, now_ms: int) -> None:
        if now_ms // WINDOW_MS != self._window:
            self._window, self._used, self._strikes = now_ms // WINDOW_MS, 0, 0
