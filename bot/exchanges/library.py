"""How is the library held, so that every request and answer passes through our hands?"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MethodType
from typing import Any, ClassVar, NoReturn
from urllib.parse import urlsplit

from bot.domain.intent import SignedRequest
from bot.exchanges.dialect import Dialect, Expected
from bot.exchanges.faults import WaitError
from bot.exchanges.gateway import look
from bot.exchanges.numbers import stamp_of
from bot.exchanges.outcomes import THROTTLED_STATUS, Trace
from bot.exchanges.quota import THROTTLED, Lane, Quota
from bot.execute.denial import DenialCode
from bot.ports import Clock, Gate, StoppedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A write on its way through the library.

    Attributes:
        expected: What it may become.
        gate: What it must pass.
        signed_ms: The time that is signed. [ms]
    """

    expected: Expected
    gate: Gate
    signed_ms: int


trace_of: ContextVar[Trace] = ContextVar("trace")
"""Of the call under way."""
writing_of: ContextVar[Writing | None] = ContextVar("writing", default=None)
"""Of the call under way; ``None`` for a read."""
lane_of: ContextVar[Lane] = ContextVar("lane", default=Lane.READ)
"""Of the call under way."""


class Held:
    """What is laid over a venue's class of the library: its time, exact numbers, every answer read.

    Each adapter makes a class of this one and the library's, this one first.

    Attributes:
        plimsoll_clock: Venue time.
        plimsoll_quota: What may be asked.
        plimsoll_dialect: Of the venue.
        plimsoll_spelt: Names of the class that are no methods, once the library has spelt all.
    """

    plimsoll_clock: Clock
    plimsoll_quota: Quota
    plimsoll_dialect: Dialect
    plimsoll_spelt: ClassVar[tuple[str, ...]]

    def milliseconds(self) -> int:
        """Return venue time. [ms]."""
        return stamp_of(self.plimsoll_clock.now())

    def __del__(self) -> None:
        """Say nothing: the session belongs to `Client`, which closes it."""

    def __dir__(self) -> list[str]:
        """Name what the library has to spell in camel case for each object.

        It does so with every name at each start. Its methods it spells on the class, where they
        stay: naming them again would take four fifths of a start and change nothing.
        """
        kind = type(self)
        if "plimsoll_spelt" in vars(kind):
            return [*kind.plimsoll_spelt, *vars(self)]
        names = list(super().__dir__())
        kind.plimsoll_spelt = tuple(
            name for name in names if not isinstance(getattr(self, name), MethodType)
        )
        return names

    def next_signed(self) -> int:
        """Return the time that the next write is given. [ms]."""
        return self.milliseconds()

    def nonce(self) -> int:
        """Return the time that is signed: of a write the one its intent is given. [ms]."""
        writing = writing_of.get()
        return self.milliseconds() if writing is None else writing.signed_ms

    def seconds(self) -> int:
        """Return venue time. [s]."""
        return self.milliseconds() // 1000

    def microseconds(self) -> int:
        """Return venue time. [us]."""
        return self.milliseconds() * 1000

    def _no_random_id(self, *_: Any) -> NoReturn:
        raise RuntimeError("ids must come from the journal, the library asked for a random one")

    uuid16 = uuid22 = uuid5 = random_bytes = _no_random_id

    def uuid(self) -> str:
        """Return a fixed word: ccxt asks for one when it is made, for a header of proxies."""
        return "plimsoll"

    def on_json_response(self, response_body: str) -> Any:
        """Return the answer with every number as it was written."""
        return json.loads(response_body, parse_float=str, parse_constant=str)

    def on_rest_response(
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        response_headers: Mapping[str, str],
        response_body: str,
        request_headers: Mapping[str, str],
        request_body: str | None,
    ) -> str:
        """Keep what the answer was, for the call that asked."""
        del reason, request_headers, request_body
        trace = trace_of.get()
        trace.status = code
        headers = {name.lower(): value for name, value in response_headers.items()}
        now = self.plimsoll_clock.monotonic()
        try:
            body = json.loads(response_body)
        except (ValueError, RecursionError):  # no JSON, or too deep to be an answer
            body = None
        dialect = self.plimsoll_dialect
        told, text = dialect.told(body)
        if told is not None:
            trace.code, trace.message = told, text[:200]
        if told in dialect.codes.throttled and code not in THROTTLED_STATUS:
            code = THROTTLED
        wait = dialect.wait(headers, self.milliseconds())
        # At once: a request that waits for its connection must not leave any more.
        self.plimsoll_quota.note(code, trace.code, wait, now)
        if code not in THROTTLED_STATUS:  # those name a time themselves
            budget = dialect.cost(method, urlsplit(url).path, "", "").budget
            self.plimsoll_quota.hear(headers, budget, now)
        return response_body

    async def fetch(
        self,
        url: str,
        method: str = "GET",
        headers: Any = None,
        body: Any = None,
    ) -> Any:
        """Send, if it is the request that was meant, once it is durable as sent."""
        trace, writing, dialect = trace_of.get(), writing_of.get(), self.plimsoll_dialect
        parts = urlsplit(url)
        if writing is not None:
            said = dialect.sent(parts.query, body or "")
            _compare(writing.expected, method, parts.path, said)
            await writing.gate.sent(
                SignedRequest(
                    signed_at=datetime.fromtimestamp(writing.signed_ms / 1000, UTC),
                    window_ms=dialect.window_ms,
                    digest=_digest(method, url, body),
                    is_reduce_only=dialect.is_reduce_only(method, parts.path, dict(said)),
                )
            )
        trace.began = True
        cost = dialect.cost(method, parts.path, parts.query, body or "")

        def last_look() -> None:
            # Also before what the HTTP client sends a second time by itself.
            if writing is not None:
                writing.gate.last_look()
            if not self.plimsoll_quota.take(cost, lane_of.get(), self.plimsoll_clock.monotonic()):
                raise self._stopped()
            trace.left = True

        token = look.set(last_look)
        try:
            return await super().fetch(url, method, headers, body)  # type: ignore[misc]  # of the library
        finally:
            look.reset(token)

    def _stopped(self) -> Exception:
        """Return why a request may not leave, as its caller expects it."""
        wait = self.plimsoll_quota.stopped_for(self.plimsoll_clock.monotonic())
        if writing_of.get() is None:
            return WaitError(wait)
        if wait > 0:
            return StoppedError(DenialCode.VENUE_BANNED, str(WaitError(wait)))
        return StoppedError(DenialCode.WEIGHT_EXHAUSTED, str(WaitError(wait)))


def _compare(expected: Expected, method: str, path: str, said: Sequence[tuple[str, str]]) -> None:
    sent = dict(said)
    if (method, path, sent) != (expected.method, expected.path, dict(expected.parameters)):
        raise StoppedError(
            DenialCode.REQUEST_MISMATCH,
            f"request must be {expected.method} {expected.path} {dict(expected.parameters)}, "
            f"was {method} {path} {sent}",
        )
    if len(said) != len(sent):
        raise StoppedError(DenialCode.REQUEST_MISMATCH, "request repeats a parameter")


def _digest(method: str, url: str, body: Any) -> str:
    whole = f"{method}\n{url}\n{body or ''}"
    return hashlib.sha256(whole.partition("signature=")[0].encode()).hexdigest()
