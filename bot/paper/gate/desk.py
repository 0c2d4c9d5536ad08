"""What does Gate answer to one request, however it arrived?"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from bot.paper.desk import Asked, Keys, Reply
from bot.paper.engine import Engine
from bot.paper.gate.codes import WireError, of
from bot.paper.gate.limits import LIMITS, USUAL, WINDOW_MS, GateCounts
from bot.paper.gate.request import Request, check, parsed
from bot.paper.gate.room import Room
from bot.paper.gate.routes import Route, found
from bot.paper.pace import Pace
from bot.paper.reception import Reception, dated
from bot.paper.values import Refused


class GateDesk(Reception[Room, Request]):
    """Keys, limits and endpoints of one exchange; a `Desk`."""

    def __init__(self, engine: Engine, pace: Pace, *, keys: Keys | None = None) -> None:
        super().__init__(Room(engine=engine, keys=keys if keys is not None else Keys()), pace)
        self.counts = GateCounts(LIMITS, usual=USUAL, window_ms=WINDOW_MS)

    def answer(self, asked: Asked) -> Reply:
        """Return the answer to a request; it takes effect now or never."""
        known = found(asked.method, asked.path)
        if known is None:
            return self._reply(HTTPStatus.NOT_FOUND, WireError("NOT_FOUND", "no such URL").body())
        route, where = known
        endpoint, now_ms = (route.method, route.template), self.pace.now_ms
        try:
            self._count(endpoint, now_ms)
            status, body = route.status, self._body(asked, route, where)
        except Refused as refused:
            error = of(refused)
            status, body = error.status, error.body()
        except WireError as error:
            status, body = error.status, error.body()
        return self._reply(status, body, self.counts.told(endpoint, now_ms))

    def timed_out(self, asked: Asked) -> Reply:
        """Return the venue's words for an answer that its own inside did not give in time."""
        del asked
        error = WireError("SERVER_ERROR", "Internal server error")
        return self._reply(HTTPStatus.INTERNAL_SERVER_ERROR, error.body())

    def exhaust(self, asked: Asked, *, ban: bool) -> None:
        """Refuse a request's endpoint for a while, for a fault; the venue knows no other ban."""
        known = found(asked.method, asked.path)
        if known is not None:
            endpoint = known[0].method, known[0].template
            self.counts.exhaust(endpoint, self.pace.now_ms, is_long=ban)

    def _count(self, endpoint: tuple[str, str], now_ms: int) -> None:
        if not self.counts.take(endpoint, now_ms):
            status = HTTPStatus.TOO_MANY_REQUESTS
            raise WireError("TOO_MANY_REQUESTS", "Request Rate limit Exceeded", status=status)

    def _body(self, asked: Asked, route: Route, where: Mapping[str, str]) -> Any:
        if not route.is_public:
            check(asked, self.keys, self.pace)
        request = parsed(asked, where, self.pace.now_ms)
        self.requests.append((asked.method, asked.path, request))
        return route.handler(self.room, request)

    def _reply(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
        micro = str(self.pace.now_ms * 1000)
        return Reply(
            status=status,
            text=json.dumps(body),
            headers={
                "Date": dated(self.pace.now_ms),
                "X-In-Time": micro,
                "X-Out-Time": micro,
                **(headers or {}),
            },
        )
