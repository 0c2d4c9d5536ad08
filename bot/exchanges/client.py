"""How is ccxt held so that nothing is sent twice, altered or hidden?"""

import asyncio
import decimal
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import ccxt.async_support as ccxt

from bot.errors import Denied, ExchangeError, JournalError, Unavailable
from bot.exchanges.dialect import Dialect, Expected
from bot.exchanges.faults import NoSuchOrderError, WaitError, WriteError
from bot.exchanges.gateway import GatewaySettings, open_session, texts_of
from bot.exchanges.library import Writing, lane_of, trace_of, writing_of
from bot.exchanges.outcomes import THROTTLED_STATUS, Trace
from bot.exchanges.quota import Lane, Quota
from bot.execute.denial import DenialCode
from bot.ports import BanNote, Clock, Gate, Rng, StoppedError

TOTAL_MS = 3000
"""Patience for one answer; shorter than the window, so looking decides, not the socket. [ms]"""
AGAIN_WITHIN = 1.0
"""A read that took longer to fail is not asked for again: the poll would be late. [s]"""
AGAIN_AFTER = 0.1
"""Between the two tries of a read. [s]"""
AT_ONCE = 16
"""Reads under way at most; a write waits for none of them."""


class Session(Protocol):
    """What ccxt and this module use of an HTTP client."""

    async def close(self) -> None:
        """Release connections."""
        ...


UNREADABLE = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError,
)  # fmt: skip
"""What the library raises on an answer of another shape than it knows."""


class Client:
    """Calls to one venue: each with its trace, none repeated."""

    def __init__(
        self,
        *,
        dialect: Dialect,
        api_key: str,
        secret: str,
        password: str = "",
        clock: Clock,
        gateway: GatewaySettings | None,
        demo: bool,
        rng: Rng,
        session: Session | None = None,
        bans: BanNote | None = None,
    ) -> None:
        self._clock = clock
        self.dialect = dialect
        self.quota = Quota(dialect.budgets, rng, bans=bans)
        """What may be asked, and whether the venue asked to wait."""
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.is_time_refused = False
        """Whether the venue found the time of a request wrong since this was last set."""
        self._secrets = tuple(s for s in (api_key, secret, password) if s)
        self._session: Session = (
            open_session(gateway, addresses(dialect, demo=demo)) if session is None else session
        )
        self.api = dialect.library(
            {
                "apiKey": api_key,
                "secret": secret,
                "password": password,
                "session": self._session,
                "number": str,
                "enableRateLimit": False,
                "timeout": TOTAL_MS,
                "timeout_on_exit": 0,  # a rest for a session of its own, which there is none of
                "options": {
                    "recvWindow": dialect.window_ms,
                    "maxRetriesOnFailure": 0,
                    "adjustForTimeDifference": False,
                    **dialect.options,
                },
            }
        )
        if demo:
            getattr(self.api, dialect.rehearsal)(True)
        self.api.ssl_context = False  # of ccxt's own session, which is never opened
        self.api.plimsoll_clock = clock
        self.api.plimsoll_quota = self.quota
        self.api.plimsoll_dialect = dialect
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
        tokens = trace_of.set(trace), lane_of.set(lane)
        try:
            with decimal.localcontext():  # the library rounds its way, for everybody
                return await call(parameters)
        except ccxt.BaseError as error:
            raise self._read_error(trace, error) from None
        except UNREADABLE as error:
            raise Unavailable(f"answer could not be read: {type(error).__name__}") from None
        finally:
            trace_of.reset(tokens[0])
            lane_of.reset(tokens[1])
            self._note_time(trace)

    async def write(
        self,
        call: Callable[[Any], Awaitable[Any]],
        parameters: Any,
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
        writing = Writing(expected=expected, gate=gate, signed_ms=self.api.next_signed())
        tokens = trace_of.set(trace), writing_of.set(writing), lane_of.set(lane)
        try:
            with decimal.localcontext():
                return await call(parameters)
        except (StoppedError, JournalError):
            raise
        except Exception as error:  # after a byte left, every fault of the library is unknown
            raise WriteError(trace, self.redacted(str(error))) from error
        finally:
            trace_of.reset(tokens[0])
            writing_of.reset(tokens[1])
            lane_of.reset(tokens[2])
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
        if trace.code in self.dialect.codes.time_refused:
            self.is_time_refused = True

    def _read_error(self, trace: Trace, error: Exception) -> ExchangeError:
        if trace.code in self.dialect.codes.no_such_order:
            return NoSuchOrderError(f"{trace.code} {trace.message}")
        if trace.code in self.dialect.codes.denied:
            return Denied(f"the venue refuses the key or its rights: {trace.code} {trace.message}")
        if trace.status in THROTTLED_STATUS or trace.code in self.dialect.codes.throttled:
            return Unavailable(f"too many requests: HTTP {trace.status}, {trace.code}")
        if trace.status is None:
            return Unavailable(f"no answer: {type(error).__name__}")
        what = f"HTTP {trace.status}" + (f", {trace.code} {trace.message}" if trace.code else "")
        return Unavailable(f"no usable answer: {what}")


async def all_of(reads: Sequence[Awaitable[Any]]) -> list[Any]:
    """Return every answer, in order; the first failure wins and the rest are awaited.

    Awaited one after another would cost a round trip each; cancelled half-way a connection.
    """
    answers = await asyncio.gather(*reads, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return list(answers)


def addresses(dialect: Dialect, *, demo: bool) -> tuple[str, ...]:
    """Return the venue's own base addresses, or those of its test hosts."""
    probe = dialect.library()
    if demo:
        getattr(probe, dialect.rehearsal)(True)
    return tuple(probe.implode_hostname(text) for text in texts_of(probe.urls["api"]))
