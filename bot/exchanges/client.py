"""How is ccxt held so that nothing is sent twice, altered or hidden?"""

import asyncio
import decimal
import functools
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol
from urllib.parse import parse_qsl, urlsplit

import ccxt.async_support as ccxt

from bot.domain.intent import SignedRequest
from bot.domain.timing import WINDOW
from bot.errors import Denied, ExchangeError, JournalError, Unavailable
from bot.exchanges.gateway import GatewaySettings, look, open_session, texts_of
from bot.exchanges.outcomes import (
    DENIED,
    NO_SUCH_ORDER,
    THROTTLED_STATUS,
    TIME_REFUSED,
    Trace,
)
from bot.exchanges.quota import Lane, Quota
from bot.exchanges.weights import cost_of, cost_of_url
from bot.execute.denial import DenialCode
from bot.ports import BanNote, Clock, Gate, Rng, StoppedError

TOTAL_MS = 3000
"""Patience for one answer; shorter than the window, so looking decides, not the socket. [ms]"""
WINDOW_MS = int(WINDOW * 1000)
AGAIN_WITHIN = 1.0
"""A read that took longer to fail is not asked for again: the poll would be late. [s]"""
AGAIN_AFTER = 0.1
"""Between the two tries of a read. [s]"""
AT_ONCE = 16
"""Reads under way at most; a write waits for none of them."""
ORDERS = frozenset({"/fapi/v1/order", "/fapi/v1/algoOrder"})
SIGNING = frozenset({"timestamp", "recvWindow", "signature"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The one request that a write may become.

    Attributes:
        method: HTTP.
        path: With its leading slash.
        parameters: All of them, apart from time, window and signature.
    """

    method: str
    path: str
    parameters: Mapping[str, str]


class Session(Protocol):
    """What ccxt and this module use of an HTTP client."""

    async def close(self) -> None:
        """Release connections."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writing:
    """A write on its way through the library.

    Attributes:
        expected: What it may become.
        gate: What it must pass.
        signed_ms: The time that is signed. [ms]
    """

    expected: Expected
    gate: Gate
    signed_ms: int


_trace: ContextVar[Trace] = ContextVar("trace")
_writing: ContextVar[_Writing | None] = ContextVar("writing", default=None)
_lane: ContextVar[Lane] = ContextVar("lane", default=Lane.READ)


class Binance(ccxt.binanceusdm):  # type: ignore[misc]  # ccxt is shipped without types
    """ccxt's client with the venue's time, exact numbers and every answer looked at."""

    plimsoll_clock: Clock
    plimsoll_quota: Quota

    def milliseconds(self) -> int:
        """Return venue time. [ms]."""
        return int(self.plimsoll_clock.now().timestamp() * 1000)

    def __del__(self) -> None:
        """Say nothing: the session belongs to `Client`, which closes it."""

    def nonce(self) -> int:
        """Return the time that is signed: of a write the one its intent is given. [ms]."""
        writing = _writing.get()
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
        trace = _trace.get()
        trace.status = code
        headers = {name.lower(): value for name, value in response_headers.items()}
        now = self.plimsoll_clock.monotonic()
        try:
            body = json.loads(response_body)
        except (ValueError, RecursionError):  # no JSON, or too deep to be an answer
            body = None
        if isinstance(body, dict) and isinstance(body.get("code"), int):
            trace.code = body["code"]
            trace.message = str(body.get("msg", ""))[:200]
        # At once: a request that waits for its connection must not leave any more.
        self.plimsoll_quota.note(code, trace.code, headers.get("retry-after", ""), now)
        if code not in THROTTLED_STATUS:  # those name a time themselves
            budget = cost_of(method, urlsplit(url).path, {}).budget
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
        trace, writing = _trace.get(), _writing.get()
        if writing is not None:
            _compare(writing.expected, url, method, body)
            await writing.gate.sent(
                SignedRequest(
                    signed_at=datetime.fromtimestamp(writing.signed_ms / 1000, UTC),
                    window_ms=WINDOW_MS,
                    digest=_digest(method, url, body),
                    is_reduce_only=_is_reduce_only(url, method, body),
                )
            )
        trace.began = True
        cost = cost_of_url(method, url)

        def last_look() -> None:
            # Also before what the HTTP client sends a second time by itself.
            if writing is not None:
                writing.gate.last_look()
            if not self.plimsoll_quota.take(cost, _lane.get(), self.plimsoll_clock.monotonic()):
                raise self._stopped()
            trace.left = True

        token = look.set(last_look)
        try:
            return await super().fetch(url, method, headers, body)
        finally:
            look.reset(token)

    def _stopped(self) -> Exception:
        """Return why a request may not leave, as its caller expects it."""
        wait = self.plimsoll_quota.stopped_for(self.plimsoll_clock.monotonic())
        if _writing.get() is None:
            return WaitError(wait)
        if wait > 0:
            return StoppedError(DenialCode.VENUE_BANNED, str(WaitError(wait)))
        return StoppedError(DenialCode.WEIGHT_EXHAUSTED, str(WaitError(wait)))


UNREADABLE = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError,
)  # fmt: skip
"""What the library raises on an answer of another shape than it knows."""


class Client:
    """Calls to one venue: each with its trace, none repeated."""

    def __init__(
        self,
        *,
        api_key: str,
        secret: str,
        clock: Clock,
        gateway: GatewaySettings | None,
        demo: bool,
        rng: Rng,
        session: Session | None = None,
        bans: BanNote | None = None,
    ) -> None:
        self._clock = clock
        self.quota = Quota(rng, bans=bans)
        """What may be asked, and whether the venue asked to wait."""
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.is_time_refused = False
        """Whether the venue found the time of a request wrong since this was last set."""
        self._secrets = tuple(s for s in (api_key, secret) if s)
        self._session: Session = (
            open_session(gateway, addresses(demo=demo)) if session is None else session
        )
        self.api = Binance(
            {
                "apiKey": api_key,
                "secret": secret,
                "session": self._session,
                "number": str,
                "enableRateLimit": False,
                "timeout": TOTAL_MS,
                "options": {
                    "fetchMargins": False,
                    "recvWindow": WINDOW_MS,
                    "maxRetriesOnFailure": 0,
                    "adjustForTimeDifference": False,
                },
            }
        )
        if demo:
            self.api.enable_demo_trading(True)
        self.api.ssl_context = False  # of ccxt's own session, which is never opened
        self.api.plimsoll_clock = clock
        self.api.plimsoll_quota = self.quota
        seconds, why = (0.0, "") if bans is None else bans.left()
        if seconds > 0:
            self.quota.shut_out(seconds, why, clock.monotonic())
        if self.api.options["maxRetriesOnFailure"] != 0:
            raise RuntimeError("maxRetriesOnFailure must be 0: ccxt would repeat writes")

    async def read(
        self,
        call: Callable[[dict[str, Any]], Awaitable[Any]],
        parameters: dict[str, Any],
        *,
        lane: Lane = Lane.READ,
    ) -> Any:
        """Return the answer to a read; one that failed quickly is asked for once more.

        Raises:
            Unavailable: No answer, too busy, or asked to wait.
            WaitError: The budget is spent, or the venue asked to wait: it was not asked.
            NoSuchOrderError: It was asked about an order, and there is none.
            Denied: Key or permission.
        """
        began = self._clock.monotonic()
        try:
            return await self._read(call, parameters, lane)
        except (NoSuchOrderError, WaitError):
            raise
        except Unavailable:
            now = self._clock.monotonic()
            if now - began > AGAIN_WITHIN or self.quota.stopped_for(now) > 0:
                raise
        await self._clock.sleep(AGAIN_AFTER)
        return await self._read(call, parameters, lane)

    async def _read(
        self,
        call: Callable[[dict[str, Any]], Awaitable[Any]],
        parameters: dict[str, Any],
        lane: Lane,
    ) -> Any:
        self.check_stop()
        if self.quota.left(lane, self._clock.monotonic()) <= 0:
            raise WaitError(0.0)
        async with self._slots:
            return await self._ask(call, parameters, lane)

    async def _ask(
        self,
        call: Callable[[dict[str, Any]], Awaitable[Any]],
        parameters: dict[str, Any],
        lane: Lane,
    ) -> Any:
        trace = Trace()
        tokens = _trace.set(trace), _lane.set(lane)
        try:
            with decimal.localcontext():  # the library rounds its way, for everybody
                return await call(parameters)
        except ccxt.BaseError as error:
            raise self._read_error(trace, error) from None
        except UNREADABLE as error:
            raise Unavailable(f"answer could not be read: {type(error).__name__}") from None
        finally:
            _trace.reset(tokens[0])
            _lane.reset(tokens[1])
            self._note_time(trace)

    async def write(
        self,
        call: Callable[[dict[str, Any]], Awaitable[Any]],
        parameters: dict[str, Any],
        expected: Expected,
        gate: Gate,
        *,
        lane: Lane,
    ) -> Any:
        """Send a write once; return the answer.

        Raises:
            StoppedError: It was stopped before its first byte left.
            JournalError: It is not durable as sent, and did not leave.
            WriteError: Anything else but an answer; what it proves is in its trace.
        """
        trace = Trace()
        wait = self.quota.stopped_for(self._clock.monotonic())
        if wait > 0:
            raise StoppedError(DenialCode.VENUE_BANNED, str(WaitError(wait)))
        writing = _Writing(expected=expected, gate=gate, signed_ms=self.api.milliseconds())
        tokens = _trace.set(trace), _writing.set(writing), _lane.set(lane)
        try:
            with decimal.localcontext():
                return await call(parameters)
        except (StoppedError, JournalError):
            raise
        except Exception as error:  # after a byte left, every fault of the library is unknown
            raise WriteError(trace, self.redacted(str(error))) from error
        finally:
            _trace.reset(tokens[0])
            _writing.reset(tokens[1])
            _lane.reset(tokens[2])
            self._note_time(trace)

    def check_stop(self) -> None:
        """Pass unless the venue asked to wait.

        Raises:
            WaitError: It did.
        """
        wait = self.quota.stopped_for(self._clock.monotonic())
        if wait > 0:
            raise WaitError(wait)

    async def close(self) -> None:
        """Release connections."""
        await self.api.close()
        await self._session.close()

    def redacted(self, text: str) -> str:
        """Return a text without keys and without the signed part of an address."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text.partition("timestamp=")[0][:300]

    def _note_time(self, trace: Trace) -> None:
        if trace.code == TIME_REFUSED:
            self.is_time_refused = True

    def _read_error(self, trace: Trace, error: Exception) -> ExchangeError:
        if trace.code == NO_SUCH_ORDER:
            return NoSuchOrderError(f"{trace.code} {trace.message}")
        if trace.code in DENIED:
            return Denied(f"the venue refuses the key or its rights: {trace.code} {trace.message}")
        if trace.status in THROTTLED_STATUS:
            return Unavailable(f"too many requests: HTTP {trace.status}, {trace.code}")
        if trace.status is None:
            return Unavailable(f"no answer: {type(error).__name__}")
        what = f"HTTP {trace.status}" + (f", {trace.code} {trace.message}" if trace.code else "")
        return Unavailable(f"no usable answer: {what}")


class WaitError(Unavailable):
    """Nothing was asked: the budget is spent, or the venue asked to wait."""

    def __init__(self, wait: float) -> None:
        super().__init__(
            f"the venue asked to wait, {wait:.0f} s are left"
            if wait > 0
            else "the request budget of this minute is spent"
        )


class NoSuchOrderError(Unavailable):
    """The venue answered that it knows no such order."""


class WriteError(Exception):
    """A write that brought no answer; the trace says what that proves."""

    def __init__(self, trace: Trace, text: str) -> None:
        super().__init__(text)
        self.trace, self.text = trace, text


async def all_of(reads: Sequence[Awaitable[Any]]) -> list[Any]:
    """Return every answer, in order; the first failure wins and the rest are awaited.

    Awaited one after another would cost a round trip each; cancelled half-way a connection.
    """
    answers = await asyncio.gather(*reads, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return list(answers)


@functools.cache
def addresses(*, demo: bool) -> tuple[str, ...]:
    """Return the venue's own base addresses."""
    probe = Binance()
    if demo:
        probe.enable_demo_trading(True)
    return tuple(texts_of(probe.urls["api"]))


def _compare(expected: Expected, url: str, method: str, body: Any) -> None:
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    pairs += parse_qsl(body or "", keep_blank_values=True)
    sent = {name: value for name, value in pairs if name not in SIGNING}
    if (method, parts.path, sent) != (expected.method, expected.path, dict(expected.parameters)):
        raise StoppedError(
            DenialCode.REQUEST_MISMATCH,
            f"request must be {expected.method} {expected.path} {dict(expected.parameters)}, "
            f"was {method} {parts.path} {sent}",
        )
    if len(pairs) != len({name for name, _ in pairs}):
        raise StoppedError(DenialCode.REQUEST_MISMATCH, "request repeats a parameter")


def _is_reduce_only(url: str, method: str, body: Any) -> bool | None:
    """Return whether an order that will be sent can only shrink; ``None`` for anything else.

    Read from the bytes, not from what was meant: a library may drop the flag. In hedge mode the
    venue refuses the flag, and the side that closes the named leg is the proof.
    """
    parts = urlsplit(url)
    if method != "POST" or parts.path not in ORDERS:
        return None
    sent = dict(parse_qsl(parts.query) + parse_qsl(body or ""))
    if sent.get("positionSide", "BOTH") != "BOTH":
        return (sent["positionSide"], sent.get("side")) in {("LONG", "SELL"), ("SHORT", "BUY")}
    return "true" in (sent.get("reduceOnly"), sent.get("closePosition"))


def _digest(method: str, url: str, body: Any) -> str:
    whole = f"{method}\n{url}\n{body or ''}"
    return hashlib.sha256(whole.partition("signature=")[0].encode()).hexdigest()
