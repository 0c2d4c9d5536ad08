"""How is one account looked at and acted on, whatever the venue?

Patience, budget, torn looks, outcomes: what holds everywhere. An adapter of a venue adds what is
said and heard there.
"""

import difflib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from bot.clock import VenueClock
from bot.domain.account import Account, Wallet
from bot.domain.action import CancelStop, PlaceStop, is_protective
from bot.domain.intent import Execution, Intent, Outcome, Settlement
from bot.domain.ledger import LedgerRow
from bot.domain.market import Bars, Candle, Market
from bot.domain.observation import Observation
from bot.domain.position import Position
from bot.domain.venue import Allowance, VenueCondition
from bot.errors import ConfigError, Incomplete, Unavailable
from bot.exchanges.client import Client, all_of
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.dialect import Write
from bot.exchanges.faults import WriteError
from bot.exchanges.glance import Glances
from bot.exchanges.mark_history import MarkHistory
from bot.exchanges.numbers import stamp_of
from bot.exchanges.outcomes import Proof, proof_of
from bot.exchanges.quota import Lane
from bot.exchanges.recent_bars import RecentBars
from bot.exchanges.resting import Resting
from bot.exchanges.rules import VenueRules
from bot.exchanges.venue_time import VenueTime
from bot.ports import Gate, StoppedError

START_PAUSES = (0.2, 0.5, 1.0)
"""Between the tries of one step of the start. [s]"""
LONGEST_WAIT = 15.0
"""A look that cannot be paid for within this is missed, so that people see it. [s]"""


class TornError(Exception):
    """Two answers belong to different instants; the next look may be whole."""


class Proving(Protocol):
    """What finds the effect of an intent."""

    async def settle(self, intent: Intent) -> Settlement:
        """Look for the effect of an intent.

        Raises:
            ExchangeError: What would show it could not be read completely.
        """
        ...


class Adapter(ABC):
    """One account; a `Venue`.

    Attributes:
        _evidence: Finds the effect of an intent.
    """

    _evidence: Proving

    def __init__(
        self,
        settings: ConnectionSettings,
        client: Client,
        clock: VenueClock,
        *,
        time: VenueTime,
        rules: VenueRules,
        glance: Glances,
        stops: Resting,
        history: MarkHistory,
    ) -> None:
        self._settings, self._client, self._clock = settings, client, clock
        self._time, self._rules, self._glance = time, rules, glance
        self._stops, self._history = stops, history
        self._ids, self._instruments = rules.ids, rules.instruments
        self._bars = RecentBars(self._read_bars, seconds=settings.bar_seconds)
        self._look_weight, self._looked_at = 0, 0.0
        """What the last complete look cost, and when the last one was begun. [s]"""
        self._held = 0
        """Symbols with a position, at the last look."""

    @property
    def window(self) -> float:
        """How long the venue accepts a request after the time signed in it. [s]."""
        return self._client.dialect.window_ms / 1000

    async def start(self) -> None:
        """Learn the clock, the rules, the modes and the rights of the key.

        Nothing can be signed before venue time is known roughly; the rest goes on at once.

        Raises:
            ExchangeError: The venue gave no usable answer, or refuses the key.
            ConfigError: A configured symbol does not exist there.
        """
        await self._patiently(self._time.glance)
        # In this order they are believed: a key that can withdraw is refused before all else.
        steps = (self._check_rights, self._time.measure, self._rules.read)
        await all_of([self._patiently(step) for step in steps])
        for symbol in self._settings.symbols:
            if symbol not in self._rules.ids:
                near = difflib.get_close_matches(symbol, self._rules.ids, n=3)
                hint = f"; did you mean {', '.join(near)}?" if near else ""
                raise ConfigError(
                    f"accounts.symbols: {symbol} does not exist at {self._settings.venue}{hint}"
                )

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do one step of the start, again if the venue does not answer: it is needed now."""
        for pause in START_PAUSES:
            try:
                return await step()
            except (Unavailable, Incomplete):
                await self._clock.sleep(pause)
        return await step()

    async def observe(self, *, at_once: bool = False) -> Observation:
        """Return one complete look; a torn one is read once more.

        Args:
            at_once: Wait only for what the budget lacks, not for the sake of later looks.

        Raises:
            ExchangeError: As the port says.
        """
        await self._afford_a_look(at_once=at_once)
        await self._refresh()
        try:
            return await self._counted_look()
        except TornError:
            pass
        try:
            return await self._counted_look()
        except TornError as torn:
            raise Incomplete(str(torn)) from torn

    async def glance(self, symbols: Collection[str]) -> Mapping[str, Decimal]:
        """Return present marks and nothing else. [quote/base].

        Raises:
            ExchangeError: As the port says.
        """
        return await self._glance.marks(symbols)

    async def marks(self, symbol: str, since: datetime) -> tuple[Candle, ...]:
        """Return every completed hour of mark of a configured symbol, as far as the venue knows.

        Raises:
            ExchangeError: They could not be read to their end.
        """
        return await self._history.read(self._ids[symbol], symbol, since=since, until=self._now())

    async def execute(self, intent: Intent, gate: Gate) -> Execution:
        """Send one action once; whatever happens is an outcome.

        Raises:
            JournalError: The intent is not durable as sent, and did not leave.
        """
        began = self._clock.monotonic()
        if isinstance(intent.action, PlaceStop | CancelStop):
            self._stops.forget()  # one is placed or taken back, or may have been
        write = self._write_for(intent)
        if isinstance(write, str):
            return _refused(intent, "not_representable", write)
        call: Callable[[Any], Awaitable[Any]] = getattr(self._client.api, write.call)
        try:
            answer = await self._client.write(
                call,
                write.given,
                write.expected,
                gate,
                lane=Lane.PROTECT if is_protective(intent.action) else Lane.READ,
            )
        except StoppedError as stopped:
            return _refused(intent, stopped.code, str(stopped))
        except WriteError as error:
            return self._failed(intent, error, latency_ms=self._since(began))
        latency_ms = self._since(began)
        done = await self._confirmed(intent, write, answer)
        return self._judged(intent, done, answer, latency_ms=latency_ms)

    def _failed(self, intent: Intent, error: WriteError, *, latency_ms: int) -> Execution:
        codes = self._client.dialect.codes
        proof, code = proof_of(error.trace, codes)
        if error.trace.code in codes.mode_refused:
            self._rules.forget()  # a person changed the position mode: read it again
        return Execution(
            intent_id=intent.id,
            outcome=Outcome.REJECTED if proof is Proof.NO_EFFECT else Outcome.UNKNOWN,
            code=codes.words.get(code, code),
            text=error.trace.message or error.text,
            latency_ms=latency_ms,
        )

    def _judged(
        self, intent: Intent, done: Decimal | None, answer: Any, *, latency_ms: int
    ) -> Execution:
        if done is None:
            return Execution(
                intent_id=intent.id,
                outcome=Outcome.UNKNOWN,
                code="unexpected_answer",
                text=self._client.redacted(str(answer)),
                latency_ms=latency_ms,
            )
        return Execution(
            intent_id=intent.id, outcome=Outcome.DONE, applied=done, latency_ms=latency_ms
        )

    def allowance(self) -> Allowance:
        """Return what the request budget allows next; no request."""
        now = self._clock.monotonic()
        return Allowance(
            look_in=max(0.0, self._look_in(now)),
            glance_every=self._glance.every(self._held, now),
        )

    def condition(self) -> VenueCondition:
        """Return how the way to the venue is now; no request."""
        quota, now = self._client.quota, self._clock.monotonic()
        return VenueCondition(
            clock_uncertainty=self._clock.uncertainty(),
            is_banned=quota.stopped_for(now) > 0,
            ban=quota.ban(now),
            weight_left=quota.left(Lane.PROTECT, now),
            weight_left_optional=quota.left(Lane.READ, now),
        )

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    async def _afford_a_look(self, *, at_once: bool) -> None:
        """Wait until a look can be paid for in whole: half of one would be paid for nothing.

        Raises:
            Unavailable: That would be too late.
        """
        self._client.check_stop()
        now = self._clock.monotonic()
        wait = self._client.quota.wait(self._look_weight, now) if at_once else self._look_in(now)
        if wait > LONGEST_WAIT:
            raise Unavailable(
                f"the request budget must have {self._look_weight} for a look, has "
                f"{self._client.quota.left(Lane.READ, now)}"
            )
        if wait > 0:
            await self._clock.sleep(wait)
        self._looked_at = self._clock.monotonic()

    def _look_in(self, now: float) -> float:
        return self._client.quota.pause(self._look_weight, since=self._looked_at, now=now)

    async def _counted_look(self) -> Observation:
        before = self._client.quota.spent
        observation = await self._look()
        self._look_weight = self._client.quota.spent - before
        self._held = len({position.symbol for position in observation.account.positions})
        return observation

    async def _beside(
        self,
        symbols: Sequence[str],
        positions: Collection[Position],
        *more: Awaitable[None],
    ) -> Mapping[str, Mapping[str, Any]]:
        """Read stops and bars where they are due, and return the books of what is held.

        Args:
            symbols: Unified, of all markets of the look.
            positions: What is held.
            more: What else is read at once.

        Raises:
            ExchangeError: No usable answer.
        """
        answers = await all_of([
            self._depths(sorted({position.symbol for position in positions})),
            self._stops.refresh(
                {symbol: self._ids[symbol] for symbol in symbols},
                {position.key: position.size for position in positions},
                self._rules.mode,
            ),
            self._bars.refresh(symbols, self._now_ms()),
            *more,
        ])  # fmt: skip
        depths: dict[str, Mapping[str, Any]] = answers[0]
        return depths

    async def _depths(self, symbols: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        answers = await all_of([self._read_depth(symbol) for symbol in symbols])
        return dict(zip(symbols, answers, strict=True))

    def _observation(
        self,
        account_at: datetime,
        positions: Collection[Position],
        wallets: Collection[Wallet],
        markets: tuple[Market, ...],
    ) -> Observation:
        """Return a look of what was read for it, in an order of its own."""
        return Observation(
            at=self._now(),
            account_at=account_at,
            account=Account(
                name=self._settings.account,
                venue=self._settings.venue,
                position_mode=self._rules.mode,
                positions=tuple(sorted(positions, key=lambda position: position.key)),
                wallets=tuple(sorted(wallets, key=lambda w: (w.name, w.currency))),
                stops=self._stops.found,
                stops_at=self._stops.read_at,
            ),
            instruments=tuple(self._instruments[market.symbol] for market in markets),
            markets=markets,
        )

    async def _refresh(self) -> None:
        if self._client.is_time_refused:
            self._client.is_time_refused = False
            await self._time.measure()
        due = [self._time.measure()] if self._time.is_due else []
        await all_of([*due, *self._rules.due()])

    def _now(self) -> datetime:
        return self._clock.now()

    def _now_ms(self) -> int:
        return stamp_of(self._now())

    def _since(self, began: float) -> int:
        return max(0, round((self._clock.monotonic() - began) * 1000))

    # what each venue says and hears

    async def settle(self, intent: Intent) -> Settlement:
        """Look for the effect of an intent in the venue's history.

        Whether an absence may be believed is the caller's to judge, by the settle point.

        Raises:
            ExchangeError: The history could not be read completely.
        """
        return await self._evidence.settle(intent)

    @abstractmethod
    async def rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        """Return every line of the venue's ledger since an instant, by time.

        Raises:
            ExchangeError: A list could not be read to its end.
        """

    @abstractmethod
    async def _check_rights(self) -> None:
        """Pass if the key can do what the bot needs, and cannot withdraw.

        Raises:
            Denied: It must not be used.
            ExchangeError: No usable answer.
        """

    @abstractmethod
    async def _look(self) -> Observation:
        """Look once.

        Raises:
            TornError: Two answers belong to different instants.
            ExchangeError: As the port says.
        """

    @abstractmethod
    def _write_for(self, intent: Intent) -> Write | str:
        """Return the request of an intent, or why there is none."""

    async def _confirmed(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        """Return the confirmed effect, as `_applied`; a venue that only accepts is asked again."""
        return self._applied(intent, write, answer)

    @abstractmethod
    def _applied(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        """Return the confirmed effect, of the action's own unit; ``None`` if none is confirmed."""

    @abstractmethod
    async def _read_depth(self, symbol: str) -> Mapping[str, Any]:
        """Return the book of a symbol as the venue shows it.

        Raises:
            ExchangeError: No usable answer.
        """

    @abstractmethod
    async def _read_bars(self, symbol: str, now_ms: int) -> Bars:
        """Return the completed bars of a symbol.

        Args:
            symbol: Unified.
            now_ms: Venue time. [ms]

        Raises:
            ExchangeError: They could not be read to their end.
        """


def _refused(intent: Intent, code: str, why: str) -> Execution:
    return Execution(intent_id=intent.id, outcome=Outcome.REJECTED, code=code, text=why)
