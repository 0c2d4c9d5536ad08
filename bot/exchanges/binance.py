"""How does one Binance USDⓈ-M account look, and how is it acted on?"""

import difflib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from bot.clock import VenueClock
from bot.domain.account import Account
from bot.domain.action import (
    CancelStop,
    PlaceStop,
    is_protective,
)
from bot.domain.instrument import MarginRelease
from bot.domain.intent import Execution, Intent, Outcome, Settlement
from bot.domain.ledger import LedgerRow
from bot.domain.market import Bars, Candle, Market
from bot.domain.observation import Observation
from bot.domain.position import Position
from bot.domain.venue import Allowance, VenueCondition
from bot.errors import ConfigError, Denied, Incomplete, Unavailable
from bot.exchanges import binance_parse as parse
from bot.exchanges.binance_evidence import Evidence
from bot.exchanges.binance_glance import Glance
from bot.exchanges.binance_history import MarkHistory
from bot.exchanges.binance_ledger import Statement
from bot.exchanges.binance_rules import Rules
from bot.exchanges.binance_stops import Stops
from bot.exchanges.binance_time import VenueTime
from bot.exchanges.binance_write import Write, applied, write_for
from bot.exchanges.client import Client, WriteError, all_of
from bot.exchanges.gateway import GatewaySettings
from bot.exchanges.numbers import number, rows, table, text
from bot.exchanges.outcomes import MODE_REFUSED, WORDS, Proof, proof_of
from bot.exchanges.quota import Lane
from bot.ports import Gate, StoppedError

START_PAUSES = (0.2, 0.5, 1.0)
"""Between the tries of one step of the start. [s]"""
LONGEST_WAIT = 15.0
"""A look that cannot be paid for within this is missed, so that people see it. [s]"""
BOOK_LEVELS = 50
INTERVALS = {300: "5m", 900: "15m", 3600: "1h"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """How one account is reached.

    Attributes:
        account: Its name in records.
        venue: The venue's id.
        api_key: Of the venue.
        secret: Of the venue.
        symbols: Unified names to watch.
        wallets: ``futures``, and ``spot`` where transfers may come from it.
        mode: ``live`` and ``testnet`` choose the venue's hosts.
        gateway: Answers for the venue's hosts; ``None`` in live and testnet mode.
        margin_release: As measured by a person; UNKNOWN takes the capability table's.
        bar_seconds: Length of price bars. [s]
        bars: How many.
    """

    account: str
    venue: str
    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    symbols: tuple[str, ...]
    wallets: tuple[str, ...] = ("futures",)
    mode: Literal["paper", "testnet", "live"] = "paper"
    gateway: GatewaySettings | None = None
    margin_release: MarginRelease = MarginRelease.UNKNOWN
    bar_seconds: int = 3600
    bars: int = 912


class BinanceVenue:
    """One account; a `Venue`."""

    def __init__(self, settings: ConnectionSettings, client: Client, clock: VenueClock) -> None:
        self._settings, self._client, self._clock = settings, client, clock
        self._rules = Rules(
            client,
            clock,
            venue=settings.venue,
            symbols=settings.symbols,
            margin_release=settings.margin_release,
        )
        self._ids, self._instruments = self._rules.ids, self._rules.instruments
        self._bars: dict[str, Bars] = {}
        self._stops = Stops(client, clock)
        self._glance = Glance(client, self._ids)
        self._evidence = Evidence(client, self._stops, self._ids)
        self._time = VenueTime(client, clock)
        self._statement = Statement(client)
        self._look_weight, self._looked_at = 0, 0.0
        """What the last complete look cost, and when the last one was begun. [s]"""
        self._held = 0
        """Symbols with a position, at the last look."""
        self._empty: set[str] = set()
        """Currencies whose spot wallet is known to hold nothing."""

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
            if symbol not in self._ids:
                near = difflib.get_close_matches(symbol, self._ids, n=3)
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
        except _TornError:
            pass
        try:
            return await self._counted_look()
        except _TornError as torn:
            raise Incomplete(str(torn)) from torn

    async def execute(self, intent: Intent, gate: Gate) -> Execution:
        """Send one action once; whatever happens is an outcome.

        Raises:
            JournalError: The intent is not durable as sent, and did not leave.
        """
        began = self._clock.monotonic()
        if isinstance(intent.action, PlaceStop | CancelStop):
            self._stops.forget()
        write = write_for(intent, self._ids, self._rules.mode, self._instruments)
        if isinstance(write, str):
            return self._refused(intent, "not_representable", write)
        call: Callable[[dict[str, Any]], Awaitable[Any]] = getattr(self._client.api, write.call)
        try:
            answer = await self._client.write(
                call,
                dict(write.expected.parameters),
                write.expected,
                gate,
                lane=Lane.PROTECT if is_protective(intent.action) else Lane.READ,
            )
        except StoppedError as stopped:
            return self._refused(intent, stopped.code, str(stopped))
        except WriteError as error:
            proof, code = proof_of(error.trace)
            if error.trace.code in MODE_REFUSED:
                self._rules.forget()  # a person changed the position mode: read it again
            return Execution(
                intent_id=intent.id,
                outcome=Outcome.REJECTED if proof is Proof.NO_EFFECT else Outcome.UNKNOWN,
                code=WORDS.get(code, code),
                text=error.trace.message or error.text,
                latency_ms=self._since(began),
            )
        return self._judge(intent, write, answer, latency_ms=self._since(began))

    async def settle(self, intent: Intent) -> Settlement:
        """Look for the effect of an intent in the venue's history.

        Whether an absence may be believed is the caller's to judge, by the settle point.

        Raises:
            ExchangeError: The history could not be read completely.
        """
        return await self._evidence.settle(intent, self._rules.mode)

    async def rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        """Return every line of the venue's ledger since an instant, by time.

        Raises:
            ExchangeError: A list could not be read to its end.
        """
        return await self._statement.read(
            since,
            self._now(),
            ids={symbol: self._ids[symbol] for symbol in self._instruments},
            has_spot="spot" in self._settings.wallets,
        )

    async def marks(self, symbol: str, since: datetime) -> tuple[Candle, ...]:
        """Return every completed hour of mark of a configured symbol, as far as the venue knows.

        Raises:
            ExchangeError: They could not be read to their end.
        """
        history = MarkHistory(self._client, sleep=self._clock.sleep)
        return await history.read(self._ids[symbol], symbol, since=since, until=self._now())

    async def glance(self, symbols: Collection[str]) -> Mapping[str, Decimal]:
        """Return present marks and nothing else. [quote/base].

        Raises:
            ExchangeError: As the port says.
        """
        return await self._glance.marks(symbols)

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

    # looking

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
        return observation

    async def _look(self) -> Observation:
        asked_at = self._now()
        api = self._client.api
        wanted = self._settings.symbols
        answers = await all_of([
            self._client.read(api.fapiPrivateV3GetPositionRisk, {}),
            self._client.read(api.fapiPrivateV3GetAccount, {}),
            self._spot(),
            *(
                self._client.read(api.fapiPublicGetPremiumIndex, {"symbol": self._ids[symbol]})
                for symbol in wanted
            ),
        ])  # fmt: skip
        found, account, spot, *premiums = answers
        held = [row for row in rows(found, "positions") if number(row, "positionAmt") != 0]
        account = table(account, "account")
        _check_whole(held, account)
        marks = dict(zip(wanted, premiums, strict=True))
        others = await self._unwatched(held, marks)
        symbols = [*wanted, *others]
        positions = tuple(
            sorted((self._position(row) for row in held), key=lambda position: position.key)
        )
        held_symbols = {position.symbol for position in positions}
        self._held = len(held_symbols)
        depths, *_ = await all_of([
            self._depths(held_symbols),
            self._stops.refresh(
                {symbol: self._ids[symbol] for symbol in symbols},
                {position.key: position.size for position in positions},
                self._rules.mode,
            ),
            self._read_bars(symbols),
        ])  # fmt: skip
        currencies = frozenset(self._instruments[symbol].settle for symbol in symbols)
        wallets = [w for w in parse.futures_wallets(account) if w.currency in currencies]
        missing = currencies - {wallet.currency for wallet in wallets}
        if missing:
            raise Incomplete(f"account must list wallets of {', '.join(sorted(missing))}")
        if spot is not None:
            wallets += parse.spot_wallets(spot, currencies)
        return Observation(
            at=self._now(),
            account_at=asked_at,
            account=Account(
                name=self._settings.account,
                venue=self._settings.venue,
                position_mode=self._rules.mode,
                positions=positions,
                wallets=tuple(sorted(wallets, key=lambda w: (w.name, w.currency))),
                stops=self._stops.found,
                stops_at=self._stops.read_at,
            ),
            instruments=tuple(self._instruments[symbol] for symbol in symbols),
            markets=tuple(self._market(symbol, marks, depths) for symbol in symbols),
        )

    async def _spot(self) -> Any:
        """Return the rows of the spot wallet; a currency that vanished is asked for by name.

        The short list leaves out what is 0, so a broken answer looks like an empty wallet. The
        long list has a row for every currency; it is read only when something is missing.
        """
        if "spot" not in self._settings.wallets:
            return None
        api = self._client.api
        short = rows(await self._client.read(api.sapiV3PostAssetGetUserAsset, {}), "spot wallet")
        listed = {text(row, "asset") for row in short}
        wanted = {self._instruments[symbol].settle for symbol in self._settings.symbols}
        if wanted - listed - self._empty:
            account = table(await self._client.read(api.privateGetAccount, {}), "spot account")
            whole_list = rows(account.get("balances"), "balances")
            short = [row for row in whole_list if text(row, "asset") in wanted | listed]
            missing = wanted - {text(row, "asset") for row in short}
            if missing:
                raise Incomplete(f"balances must list {', '.join(sorted(missing))}, did not")
        self._empty = {text(row, "asset") for row in short if not number(row, "free")}
        return short

    async def _unwatched(self, held: list[dict[str, Any]], marks: dict[str, Any]) -> list[str]:
        """Return held symbols that are not configured, with their marks and rules read."""
        found: list[str] = []
        for row in held:
            symbol = self._rules.symbol(row)
            if symbol not in marks:
                marks[symbol] = await self._client.read(
                    self._client.api.fapiPublicGetPremiumIndex, {"symbol": self._ids[symbol]}
                )
                self._rules.learn(symbol)
                found.append(symbol)
        await self._rules.configure((*self._settings.symbols, *found))
        return found

    def _position(self, row: Mapping[str, Any]) -> Position:
        symbol = self._rules.symbol(row)
        return parse.position(row, symbol, self._rules.config(symbol))

    async def _depths(self, symbols: set[str]) -> dict[str, Mapping[str, Any]]:
        ordered = sorted(symbols)
        answers = await all_of(
            [
                self._client.read(
                    self._client.api.fapiPublicGetDepth,
                    {"symbol": self._ids[symbol], "limit": BOOK_LEVELS},
                )
                for symbol in ordered
            ]
        )
        return {
            symbol: table(answer, f"book of {symbol}")
            for symbol, answer in zip(ordered, answers, strict=True)
        }

    async def _read_bars(self, symbols: list[str]) -> None:
        seconds = self._settings.bar_seconds
        now_ms = self._now_ms()
        newest = now_ms - now_ms % (seconds * 1000) - seconds * 1000
        due = [s for s in symbols if self._last_bar_ms(s) < newest]
        answers = await all_of(
            [
                self._client.read(
                    self._client.api.fapiPublicGetMarkPriceKlines,
                    {
                        "symbol": self._ids[symbol],
                        "interval": INTERVALS[seconds],
                        "limit": self._settings.bars + 1,
                    },
                )
                for symbol in due
            ]
        )
        for symbol, answer in zip(due, answers, strict=True):
            self._bars[symbol] = parse.bars(answer, symbol, seconds=seconds, now_ms=now_ms)

    def _last_bar_ms(self, symbol: str) -> int:
        bars = self._bars.get(symbol)
        if bars is None or bars.opened_at is None:
            return 0
        first = int(bars.opened_at.timestamp() * 1000)
        return first + (len(bars.close) - 1) * bars.seconds * 1000

    def _market(
        self, symbol: str, marks: Mapping[str, Any], depths: Mapping[str, Mapping[str, Any]]
    ) -> Market:
        row = {"symbol": "", **table(marks[symbol], f"mark of {symbol}")}
        if row["symbol"] != self._ids[symbol]:
            raise Incomplete(f"mark of {symbol} must be its own, was of {row['symbol']}")
        return parse.market(
            row, symbol, bars=self._bars.get(symbol, Bars()), depth=depths.get(symbol)
        )

    async def _refresh(self) -> None:
        if self._client.is_time_refused:
            self._client.is_time_refused = False
            await self._time.measure()
        due = [self._time.measure()] if self._time.is_due else []
        await all_of([*due, *self._rules.due()])

    async def _check_rights(self) -> None:
        if self._settings.mode == "testnet":
            return  # the test hosts have no such endpoint
        answer = table(
            await self._client.read(self._client.api.sapiGetAccountApiRestrictions, {}),
            "key restrictions",
        )
        if answer.get("enableWithdrawals") is not False:
            raise Denied("the API key must not be able to withdraw: turn that right off")
        if answer.get("enableFutures") is not True:
            raise Denied("the API key must be able to trade futures: turn that right on")

    # acting

    def _judge(self, intent: Intent, write: Write, answer: Any, *, latency_ms: int) -> Execution:
        done = applied(intent, write, answer)
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

    @staticmethod
    def _refused(intent: Intent, code: str, why: str) -> Execution:
        return Execution(intent_id=intent.id, outcome=Outcome.REJECTED, code=code, text=why)

    def _now(self) -> datetime:
        return self._clock.now()

    def _now_ms(self) -> int:
        return int(self._now().timestamp() * 1000)

    def _since(self, began: float) -> int:
        return max(0, round((self._clock.monotonic() - began) * 1000))


class _TornError(Exception):
    """Two answers belong to different instants."""


def _check_whole(held: list[dict[str, Any]], account: Mapping[str, Any]) -> None:
    """Accept positions only if the account shows the same ones.

    An empty list is not flat until the account agrees: broken answers arrive as empty lists.

    Raises:
        _TornError: They differ; the next look may be whole.
    """
    listed = rows(account.get("positions"), "positions of the account")
    theirs = {
        (text(row, "symbol"), row.get("positionSide")): number(row, "positionAmt")
        for row in listed
        if number(row, "positionAmt") != 0
    }
    ours = {
        (text(row, "symbol"), row.get("positionSide")): number(row, "positionAmt") for row in held
    }
    if ours != theirs:
        raise _TornError(
            "positions and account must show the same amounts, showed "
            f"{_named(ours)} and {_named(theirs)}"
        )


def _named(amounts: Mapping[tuple[str, Any], Decimal]) -> str:
    return ", ".join(f"{symbol} {amount}" for (symbol, _), amount in amounts.items()) or "none"
