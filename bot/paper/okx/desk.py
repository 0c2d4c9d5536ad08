"""What does OKX answer to one request, however it arrived?"""

import json
from http import HTTPStatus
from typing import Any

from bot.paper.desk import Asked, Keys, Reply
from bot.paper.engine import Engine
from bot.paper.okx.codes import WireError, of
from bot.paper.okx.limits import LIMITS, USUAL, WINDOW_MS
from bot.paper.okx.request import Request, check, parsed
from bot.paper.okx.room import Room
from bot.paper.okx.routes import ROUTES
from bot.paper.pace import Pace
from bot.paper.reception import Reception, dated
from bot.paper.values import Refused
from bot.paper.windows import Counts


class OkxDesk(Reception[Room, Request]):
    """Keys, limits and endpoints of one exchange; a `Desk`."""

    def __init__(self, engine: Engine, pace: Pace, *, keys: Keys | None = None) -> None:
        super().__init__(Room(engine=engine, keys=keys if keys is not None else Keys()), pace)
        self.counts = Counts(LIMITS, usual=USUAL, window_ms=WINDOW_MS)

    def answer(self, asked: Asked) -> Reply:
        """Return the answer to a request; it takes effect now or never."""
        try:
            data = self._data(asked)
        except Refused as refused:
            return self.error(of(refused))
        except WireError as error:
            return self.error(error)
        return self._reply(HTTPStatus.OK, {"code": "0", "data": data, "msg": ""})

    def error(self, error: WireError) -> Reply:
        """Return the venue's words for an error."""
        return self._reply(error.status, error.body())

    def timed_out(self, asked: Asked) -> Reply:
        """Return the venue's words for an answer that its own inside did not give in time."""
        del asked
        return self.error(WireError(50004, "API endpoint request timeout", status=400))

    def exhaust(self, asked: Asked, *, ban: bool) -> None:
        """Refuse a request's endpoint for a while, for a fault; the venue knows no other ban."""
        self.counts.exhaust((asked.method, asked.path), self.pace.now_ms, is_long=ban)

    def _data(self, asked: Asked) -> Any:
        now_ms = self.pace.now_ms
        route = ROUTES.get((asked.method, asked.path))
        if route is None:
            raise WireError(404, "Not Found", status=HTTPStatus.NOT_FOUND)
        if not self.counts.take((asked.method, asked.path), now_ms):
            raise WireError(50011, "Too Many Requests", status=HTTPStatus.TOO_MANY_REQUESTS)
        if not route.is_public:
            check(asked, self.keys, self.pace)
        request = parsed(asked, now_ms)
        self.requests.append((asked.method, asked.path, request))
        return route.handler(self.room, request)

    def _reply(self, status: int, value: Any) -> Reply:
        return Reply(
            status=status,
            text=json.dumps(value),
            headers={"Date": dated(self.pace.now_ms)},
        )
