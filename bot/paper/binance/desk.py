"""What does Binance answer to one request, however it arrived?"""

import json
import math
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from bot.paper.binance import wallet
from bot.paper.binance.codes import WireError, of
from bot.paper.binance.request import Request, check_key, check_signature, kind_of, parsed
from bot.paper.binance.routes import RESTRICTIONS, ROUTES, Route
from bot.paper.binance.weights import HEADERS, LIMITS, Weights, counted_as, weight_of
from bot.paper.desk import Asked, Keys, Reply
from bot.paper.engine import Engine
from bot.paper.pace import Pace
from bot.paper.reception import dated
from bot.paper.values import Refused


class BinanceDesk:
    """Keys, weights and endpoints of one exchange; a `Desk`."""

    def __init__(self, engine: Engine, pace: Pace, *, keys: Keys | None = None) -> None:
        self.engine, self.pace = engine, pace
        self.keys = keys if keys is not None else Keys()
        self.requests: list[tuple[str, str, Request]] = []
        """What arrived and was understood, for tests: method, path, parameters."""
        self.weights = {name: Weights(limit) for name, limit in LIMITS.items()}
        """By what requests are counted as."""

    def answer(self, asked: Asked) -> Reply:
        """Return the answer to a request; it takes effect now or never."""
        try:
            wait = self.weights[_counted_as(asked)].refuses(self.pace.now_ms)
            if wait is not None:
                return self._too_many(asked, wait)
            value = self._value(asked)
        except Refused as refused:
            return self.error(asked, of(refused))
        except WireError as error:
            return self.error(asked, error)
        return self._reply(asked, HTTPStatus.OK, value)

    def error(self, asked: Asked, error: WireError) -> Reply:
        """Return the venue's words for an error."""
        return self._reply(asked, error.status, error.body())

    def timed_out(self, asked: Asked) -> Reply:
        """Return the venue's words for an answer that its own inside did not give in time."""
        error = WireError(-1007, "Timeout waiting for response from backend server.", status=408)
        return self.error(asked, error)

    def exhaust(self, asked: Asked, *, ban: bool) -> None:
        """Use the weight budget of a request's family up, for a fault."""
        self.weights[_counted_as(asked)].exhaust(self.pace.now_ms, ban=ban)

    def _value(self, asked: Asked) -> Any:
        now_ms = self.pace.now_ms
        found = (asked.method, asked.path)
        route = ROUTES.get(found)
        if route is None and found != RESTRICTIONS:
            raise WireError(
                -5000, f"Path {asked.path}, Method {asked.method} is invalid", status=404
            )
        weight = 1 if route is None else _weight(asked, route)
        self.weights[_counted_as(asked)].count(weight, now_ms)
        try:
            body = asked.body.decode()
        except UnicodeDecodeError:
            raise WireError(-1100, "Illegal characters found in body.") from None
        request = parsed(asked.query, body, now_ms, kind_of(asked.path))
        self._admit(asked, body, request, route)
        self.requests.append((asked.method, asked.path, request))
        if route is None:
            return wallet.restrictions(self.keys.may_withdraw, now_ms)
        return route.handler(self.engine, request)

    def _admit(self, asked: Asked, body: str, request: Request, route: Route | None) -> None:
        access = route.access if route is not None else "signed"
        if access == "public":
            return
        check_key(asked.headers.get("x-mbx-apikey"), self.keys)
        if access == "signed":
            check_signature(asked.query, body, request, self.keys, self.pace)

    def _reply(self, asked: Asked, status: int, value: Any) -> Reply:
        return Reply(status=status, text=json.dumps(value), headers=self._headers(asked))

    def _headers(self, asked: Asked) -> dict[str, str]:
        now_ms = self.pace.now_ms
        return {
            HEADERS[_counted_as(asked)]: str(self.weights[_counted_as(asked)].used(now_ms)),
            "Date": dated(now_ms),
        }

    def _too_many(self, asked: Asked, wait_ms: int) -> Reply:
        banned = self.weights[_counted_as(asked)].is_banned(self.pace.now_ms)
        limit = LIMITS[_counted_as(asked)]
        error = WireError(-1003, f"Too many requests; current limit is {limit} per minute.")
        return Reply(
            status=HTTPStatus.IM_A_TEAPOT if banned else HTTPStatus.TOO_MANY_REQUESTS,
            text=json.dumps(error.body()),
            headers=self._headers(asked) | {"Retry-After": str(math.ceil(wait_ms / 1000))},
        )


def _weight(asked: Asked, route: Route) -> int:
    return weight_of(asked.path, route.weight, dict(parse_qsl(asked.query)))


def _counted_as(asked: Asked) -> str:
    """Return which weight budget pays for a request."""
    return counted_as(asked.method, asked.path)
