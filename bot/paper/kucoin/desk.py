"""What does KuCoin answer to one request, however it arrived?"""

from http import HTTPStatus
from typing import Any

from bot.paper.desk import Asked, Keys, Reply
from bot.paper.engine import Engine
from bot.paper.kucoin.codes import SUCCESS, WireError, of
from bot.paper.kucoin.limits import PUBLIC, Counts
from bot.paper.kucoin.request import Request, check, parsed
from bot.paper.kucoin.room import Room
from bot.paper.kucoin.routes import routed
from bot.paper.kucoin.shape import written
from bot.paper.pace import Pace
from bot.paper.reception import Reception, dated
from bot.paper.values import Refused


class KucoinDesk(Reception[Room, Request]):
    """Keys, limits and endpoints of one exchange; a `Desk`."""

    def __init__(self, engine: Engine, pace: Pace, *, keys: Keys | None = None) -> None:
        super().__init__(Room(engine=engine, keys=keys if keys is not None else Keys()), pace)
        self.counts = Counts()

    def answer(self, asked: Asked) -> Reply:
        """Return the answer to a request; it takes effect now or never."""
        try:
            data = self._data(asked)
        except Refused as refused:
            return self._error(asked, of(refused))
        except WireError as error:
            return self._error(asked, error)
        return self._reply(asked, HTTPStatus.OK, {"code": str(SUCCESS), "data": data})

    def timed_out(self, asked: Asked) -> Reply:
        """Return the venue's words for an answer that its own inside did not give in time."""
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return self._error(asked, WireError(500000, "Internal Server Error", status=status))

    def exhaust(self, asked: Asked, *, ban: bool) -> None:
        """Refuse a request's pool for a while, for a fault; the venue knows no other ban."""
        self.counts.exhaust(_pool(asked), self.pace.now_ms, is_long=ban)

    def _data(self, asked: Asked) -> Any:
        now_ms = self.pace.now_ms
        found = routed(asked.method, asked.path)
        if found is None:
            raise WireError(404000, "URL Not Found", status=HTTPStatus.NOT_FOUND)
        route, rest = found
        if not self.counts.take(route.pool, route.weight, now_ms):
            status = HTTPStatus.TOO_MANY_REQUESTS
            raise WireError(429000, "Too many requests", status=status)
        if not route.is_public:
            check(asked, self.keys, self.pace)
        request = parsed(asked, now_ms, rest)
        self.requests.append((asked.method, asked.path, request))
        return route.handler(self.room, request)

    def _error(self, asked: Asked, error: WireError) -> Reply:
        return self._reply(asked, error.status, error.body())

    def _reply(self, asked: Asked, status: int, value: Any) -> Reply:
        now_ms = self.pace.now_ms
        limits = self.counts.headers(_pool(asked), now_ms)
        return Reply(
            status=status,
            text=written(value),
            headers={"Date": dated(now_ms), **limits},
        )


def _pool(asked: Asked) -> str:
    found = routed(asked.method, asked.path)
    return PUBLIC if found is None else found[0].pool
