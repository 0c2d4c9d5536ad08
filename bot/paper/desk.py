"""What does the paper exchange answer to one request, however it arrived?"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from bot.paper.binance import wallet
from bot.paper.binance.codes import WireError, of
from bot.paper.binance.request import Keys, Request, check_key, check_signature, parsed
from bot.paper.binance.routes import RESTRICTIONS, ROUTES, Route
from bot.paper.binance.weights import HEADERS, LIMITS, Weights, counted_as, weight_of
from bot.paper.engine import Engine
from bot.paper.pace import Pace
from bot.paper.values import Refused

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it stood on the wire.

    Attributes:
        method: HTTP.
        path: With its leading slash.
        query: Raw, without the question mark.
        body: Raw.
        key: The header that names the key; ``None`` where it is absent.
    """

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    key: str | None = None

    @property
    def counted_as(self) -> str:
        """Which weight budget pays for it."""
        return counted_as(self.method, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP.
        text: The body.
        kind: Its content type.
        headers: Besides that.
    """

    status: int
    text: str
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Desk:
    """Keys, weights and endpoints of one exchange; no network."""

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
            wait = self.weights[asked.counted_as].refuses(self.pace.now_ms)
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

    def exhaust(self, asked: Asked, *, ban: bool) -> None:
        """Use the weight budget of a request's family up, for a fault."""
        self.weights[asked.counted_as].exhaust(self.pace.now_ms, ban=ban)

    def _value(self, asked: Asked) -> Any:
        now_ms = self.pace.now_ms
        found = (asked.method, asked.path)
        route = ROUTES.get(found)
        if route is None and found != RESTRICTIONS:
            raise WireError(
                -5000, f"Path {asked.path}, Method {asked.method} is invalid", status=404
            )
        weight = 1 if route is None else _weight(asked, route)
        self.weights[asked.counted_as].count(weight, now_ms)
        try:
            body = asked.body.decode()
        except UnicodeDecodeError:
            raise WireError(-1100, "Illegal characters found in body.") from None
        request = parsed(asked.query, body, now_ms)
        self._admit(asked, body, request, route)
        self.requests.append((asked.method, asked.path, request))
        if route is None:
            return wallet.restrictions(self.keys.may_withdraw, now_ms)
        return route.handler(self.engine, request)

    def _admit(self, asked: Asked, body: str, request: Request, route: Route | None) -> None:
        access = route.access if route is not None else "signed"
        if access == "public":
            return
        check_key(asked.key, self.keys)
        if access == "signed":
            check_signature(asked.query, body, request, self.keys, self.pace)

    def _reply(self, asked: Asked, status: int, value: Any) -> Reply:
        return Reply(status=status, text=json.dumps(value), headers=self._headers(asked))

    def _headers(self, asked: Asked) -> dict[str, str]:
        now_ms = self.pace.now_ms
        return {
            HEADERS[asked.counted_as]: str(self.weights[asked.counted_as].used(now_ms)),
            "Date": format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC), usegmt=True),
        }

    def _too_many(self, asked: Asked, wait_ms: int) -> Reply:
        banned = self.weights[asked.counted_as].is_banned(self.pace.now_ms)
        limit = LIMITS[asked.counted_as]
        error = WireError(-1003, f"Too many requests; current limit is {limit} per minute.")
        return Reply(
            status=HTTPStatus.IM_A_TEAPOT if banned else HTTPStatus.TOO_MANY_REQUESTS,
            text=json.dumps(error.body()),
            headers=self._headers(asked) | {"Retry-After": str(math.ceil(wait_ms / 1000))},
        )


def _weight(asked: Asked, route: Route) -> int:
    return weight_of(asked.path, route.weight, dict(parse_qsl(asked.query)))
