"""What does Hyperliquid answer to one request, however it arrived?"""

from http import HTTPStatus
from typing import Any

from bot.paper.desk import Asked, Keys, Reply
from bot.paper.engine import Engine
from bot.paper.hyperliquid.codes import (
    BodyError,
    WireError,
    no_request,
    refusal,
    said,
    too_many,
)
from bot.paper.hyperliquid.curve import SignatureError
from bot.paper.hyperliquid.limits import Counts, rows_weigh, weight_of
from bot.paper.hyperliquid.room import Request, Room, agent_of
from bot.paper.hyperliquid.routes import ACTIONS, INFO, OF_OWNER
from bot.paper.hyperliquid.signing import decoded, signer
from bot.paper.pace import Pace, age_ms
from bot.paper.reception import Reception

DAY_MS = 86_400_000
REMEMBERED = 100
"""Nonces of a signer; one below all of them is refused."""


class HyperliquidDesk(Reception[Room, Request]):
    """Keys, limits and endpoints of one exchange; a `Desk`."""

    def __init__(self, engine: Engine, pace: Pace, *, keys: Keys | None = None) -> None:
        super().__init__(Room(engine=engine, keys=keys if keys is not None else Keys()), pace)
        self.counts = Counts()

    def answer(self, asked: Asked) -> Reply:
        """Return the answer to a request; it takes effect now or never."""
        if asked.method != "POST" or asked.path not in ("/info", "/exchange"):
            return Reply(status=HTTPStatus.NOT_FOUND, text="", kind="text/plain")
        try:
            body = _table(asked.body)
            kind = _kind(asked.path, body)
            if not self.counts.take(weight_of(asked.path, kind), self.pace.now_ms):
                return too_many()
            if asked.path == "/info":
                return self._told(kind, body)
            return self._done(kind, body)
        except BodyError:
            return no_request()
        except WireError as error:
            return refusal(str(error))

    def about(self, asked: Asked) -> tuple[str, str]:
        """Return method and path of a request, as if each thing that is asked had its own."""
        try:
            kind = _kind(asked.path, _table(asked.body))
        except BodyError:
            return asked.method, asked.path
        return "GET" if asked.path == "/info" else "POST", f"{asked.path}/{kind}"

    def timed_out(self, asked: Asked) -> Reply:
        """Return the venue's words for an answer that its own inside did not give in time."""
        del asked
        return Reply(status=HTTPStatus.BAD_GATEWAY, text="Bad Gateway", kind="text/plain")

    def exhaust(self, asked: Asked, *, ban: bool) -> None:
        """Refuse everything for a while, for a fault; the venue knows no other ban."""
        del asked
        self.counts.exhaust(self.pace.now_ms, is_long=ban)

    def _told(self, kind: str, body: dict[str, Any]) -> Reply:
        request = Request(parameters=body, now_ms=self.pace.now_ms)
        if kind not in INFO:
            raise BodyError(kind)
        self.requests.append(("GET", f"/info/{kind}", request))
        found = INFO[kind](self.room, request)
        if isinstance(found, list):
            self.counts.add(rows_weigh(kind, len(found)), self.pace.now_ms)
        return said(found)

    def _done(self, kind: str, body: dict[str, Any]) -> Reply:
        request = Request(parameters=body["action"], now_ms=self.pace.now_ms)
        if kind not in ACTIONS:
            raise BodyError(kind)
        self._check(kind, body)
        self.requests.append(("POST", f"/exchange/{kind}", request))
        return said({"status": "ok", "response": ACTIONS[kind](self.room, request)})

    def _check(self, kind: str, body: dict[str, Any]) -> None:
        """Accept an action that its signer may do, once and now.

        Raises:
            WireError: It is not accepted.
        """
        envelope = Request(parameters=body, now_ms=self.pace.now_ms)
        nonce = envelope.whole("nonce")
        try:
            who = signer(body)
        except SignatureError:
            raise BodyError("signature") from None
        if kind in OF_OWNER:
            if who != self.room.wallet:
                raise WireError(f"Must deposit before performing actions. User: {who}")
        elif who not in self._signers():
            raise WireError(f"User or API Wallet {who} does not exist.")
        used = self.room.nonces.setdefault(who, set())
        if nonce in used:
            raise WireError("Invalid nonce: duplicate nonce")
        if abs(age_ms(nonce, self.pace)) > DAY_MS or (
            len(used) >= REMEMBERED and nonce < min(used)
        ):
            raise WireError("Invalid nonce: nonce too low")
        if body.get("expiresAfter") is not None and (
            age_ms(envelope.whole("expiresAfter"), self.pace) > 0
        ):
            raise WireError("Action expired.")  # ours
        used.add(nonce)
        if len(used) > REMEMBERED:
            used.remove(min(used))

    def _signers(self) -> tuple[str, ...]:
        keys = self.room.keys
        return (self.room.wallet, agent_of(keys)) if keys.is_valid else (self.room.wallet,)


def _table(raw: bytes) -> dict[str, Any]:
    try:
        body = decoded(raw)
    except ValueError:
        raise BodyError("JSON") from None
    if not isinstance(body, dict):
        raise BodyError("an object")
    return body


def _kind(path: str, body: dict[str, Any]) -> str:
    """Return what is asked, or what shall be done.

    Raises:
        BodyError: It is not told.
    """
    where = body if path == "/info" else body.get("action")
    kind = where.get("type") if isinstance(where, dict) else None
    if not isinstance(kind, str):
        raise BodyError("type")
    return kind
