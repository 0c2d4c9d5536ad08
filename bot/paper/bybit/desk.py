"""What does Bybit answer to one request, however it arrived?"""

import json
from http import HTTPStatus
from typing import Any

from bot.paper.bybit.codes import WireError, of
from bot.paper.bybit.limits import Limits
from bot.paper.bybit.request import Request, check, parsed
from bot.paper.bybit.routes import OF_THE_DESK, PUBLIC, RIGHTS, SIGNED, TRANSFER
from bot.paper.bybit.wallet import Transfers, query_api
from bot.paper.desk import Asked, Keys, Reply
from bot.paper.engine import Engine
from bot.paper.pace import Pace
from bot.paper.reception import dated
from bot.paper.values import Refused

SHUT_OUT = "access too frequent"
TOO_MANY = "Too many visits. Exceeded the API Rate Limit."


class BybitDesk:
    """Keys, limits and endpoints of one exchange; a `Desk`."""

    def __init__(self, engine: Engine, pace: Pace, *, keys: Keys | None = None) -> None:
        engine.grosses_added = engine.funds_from_wallet = True
        self.engine, self.pace = engine, pace
        self.keys = keys if keys is not None else Keys()
        self.requests: list[tuple[str, str, Request]] = []
        """What arrived and was understood, for tests: method, path, parameters."""
        self.limits = Limits()
        self.transfers = Transfers()

    def answer(self, asked: Asked) -> Reply:
        """Return the answer to a request; it takes effect now or never."""
        now_ms = self.pace.now_ms
        if self.limits.is_banned(now_ms):
            return Reply(status=HTTPStatus.FORBIDDEN, text=SHUT_OUT, kind="text/plain")
        endpoint = self.limits.endpoints.get(asked.path)
        if endpoint is not None and not endpoint.take(now_ms):
            return self.error(asked, WireError(10006, TOO_MANY))
        try:
            return self._reply(asked, 0, "OK", self._value(asked))
        except Refused as refused:
            return self.error(asked, of(refused))
        except WireError as error:
            return self.error(asked, error)

    def error(self, asked: Asked, error: WireError) -> Reply:
        """Return the venue's words for an error."""
        return self._reply(asked, error.code, error.message, {})

    def timed_out(self, asked: Asked) -> Reply:
        """Return the venue's words for an answer that its own inside did not give in time."""
        return self.error(asked, WireError(10000, "Server Timeout"))

    def exhaust(self, asked: Asked, *, ban: bool) -> None:
        """Use the budget of a request's endpoint up, for a fault; or ban the address."""
        endpoint = self.limits.endpoints.get(asked.path, self.limits.address)
        if ban or endpoint is self.limits.address:
            self.limits.ban(self.pace.now_ms)
        else:
            endpoint.exhaust(self.pace.now_ms)

    def _value(self, asked: Asked) -> Any:
        now_ms, found = self.pace.now_ms, (asked.method, asked.path)
        handler = PUBLIC.get(found) or SIGNED.get(found)
        if handler is None and found not in OF_THE_DESK:
            raise WireError(10017, "request path not found or request method is invalid")
        if found not in PUBLIC:
            check(asked, self.keys, self.pace)
        request = parsed(asked, now_ms)
        self.requests.append((asked.method, asked.path, request))
        if handler is not None:
            return handler(self.engine, request)
        if found == RIGHTS:
            return query_api(may_withdraw=self.keys.may_withdraw, key=self.keys.key)
        if found == TRANSFER:
            return self.transfers.transfer(self.engine, request)
        return self.transfers.listed(self.engine, request)

    def _reply(self, asked: Asked, code: int, message: str, result: Any) -> Reply:
        now_ms = self.pace.now_ms
        body = {
            "retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": now_ms,
        }  # fmt: skip
        return Reply(status=HTTPStatus.OK, text=json.dumps(body), headers=self._headers(asked))

    def _headers(self, asked: Asked) -> dict[str, str]:
        now_ms = self.pace.now_ms
        headers = {"Date": dated(now_ms), "Timenow": str(now_ms)}
        endpoint = self.limits.endpoints.get(asked.path)
        if endpoint is not None:
            headers |= {
                "X-Bapi-Limit": str(endpoint.limit),
                "X-Bapi-Limit-Status": str(max(0, endpoint.left(now_ms))),
                "X-Bapi-Limit-Reset-Timestamp": str(endpoint.reset_ms(now_ms)),
            }
        return headers
