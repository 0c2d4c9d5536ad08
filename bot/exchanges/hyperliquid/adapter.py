"""How does one account at Hyperliquid look, and how is it acted on?

The wallet ``futures`` is the account of perpetuals, ``spot`` the owner's spot wallet, which the bot
sees and cannot draw on: what signs is an agent. Accounts have no keys to read them: whoever knows
an address may look, so what an agent may do is asked for by its own address.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from bot.clock import VenueClock
from bot.domain.intent import Intent
from bot.domain.ledger import LedgerRow
from bot.domain.market import Bars, Market
from bot.domain.observation import Observation
from bot.domain.position import MarginMode, Position, PositionKey
from bot.errors import Denied, Incomplete
from bot.exchanges.adapter import TornError
from bot.exchanges.client import Client, all_of
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.dialect import Write
from bot.exchanges.hyperliquid import parse
from bot.exchanges.hyperliquid.answers import Reader
from bot.exchanges.hyperliquid.evidence import Evidence
from bot.exchanges.hyperliquid.glance import Glance
from bot.exchanges.hyperliquid.history import HyperliquidHistory
from bot.exchanges.hyperliquid.ledger import Statement
from bot.exchanges.hyperliquid.orders import Orders
from bot.exchanges.hyperliquid.rules import Rules
from bot.exchanges.hyperliquid.stops import Stops
from bot.exchanges.hyperliquid.write import COLLATERAL_STEP, applied, write_for
from bot.exchanges.margins import Margins
from bot.exchanges.numbers import instant, table, text, whole
from bot.exchanges.quota import Lane
from bot.exchanges.unlisted import Unlisted
from bot.exchanges.venue_time import VenueTime

INTERVALS = {300: "5m", 900: "15m", 3600: "1h"}
ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.ASCII)
KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}", re.ASCII)
PRICES_EVERY = timedelta(seconds=4)
"""A mark that is held comes with its position at each look, so other prices may be so old."""
DEAREST = 30
"""Weight of a look that reads them. One that did not must leave room for one that does."""
NEVER = datetime.min.replace(tzinfo=UTC)
SEPARATE = frozenset({"default", "disabled"})
"""Accounts whose dollars for perpetuals are apart from all others."""


class _Prices(NamedTuple):
    """Prices of all that is listed, which weigh ten times what an account does.

    Attributes:
        rows: Each at its place.
        at: When they were asked for. Aware UTC.
        told_at: Venue time of an answer beside them. Aware UTC.
        listed: Names of the venue, each at its place.
    """

    rows: Sequence[Mapping[str, Any]]
    at: datetime
    told_at: datetime
    listed: tuple[str, ...]


class HyperliquidVenue(Unlisted):
    """One account; a `Venue`."""

    def __init__(self, settings: ConnectionSettings, client: Client, clock: VenueClock) -> None:
        reader = Reader(client)
        rules = Rules(
            reader,
            clock,
            venue=settings.venue,
            symbols=settings.symbols,
            margin_release=settings.margin_release,
            check=self._check_rights,
        )
        orders = Orders(reader)
        stops = Stops(reader, orders, clock)
        super().__init__(
            settings,
            client,
            clock,
            time=VenueTime(self._ask_time, clock),
            rules=rules,
            glance=Glance(reader, rules),
            stops=stops,
            history=HyperliquidHistory(reader, sleep=clock.sleep),
        )
        self._rules: Rules = rules
        self._reader = reader
        self._margins = Margins(self._read_position, clock, finest=COLLATERAL_STEP)
        self._statement = Statement(reader)
        self._evidence = Evidence(self._statement, orders, stops, self._margins)
        self._keys: frozenset[str] = frozenset()
        """What was held at the last look."""
        self._prices = _Prices((), NEVER, NEVER, ())

    async def rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        """Return every line of the venue's ledger since an instant, by time.

        Raises:
            ExchangeError: A list could not be read to its end.
        """
        return await self._statement.read(
            since,
            self._now(),
            symbols={name: symbol for symbol, name in self._ids.items()},
            has_spot="spot" in self._settings.wallets,
        )

    def _write_for(self, intent: Intent) -> Write | str:
        return write_for(intent, self._rules.coins, self._instruments)

    def _applied(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        return applied(intent, write, answer)

    async def _ask_time(self) -> datetime:
        answer = await self._reader.ask("exchangeStatus")
        return instant(whole(table(answer, "exchangeStatus"), "time"))

    async def _look(self) -> Observation:
        asked_at = self._now()
        state, funds, contexts = await all_of(
            [self._state(), self._funds(), self._contexts(asked_at)]
        )
        held = self._rules.held(state)
        _check_whole(state, held)
        at = instant(whole(state, "time"))
        if contexts is not None:
            self._prices = _Prices(self._rules.prices(contexts), asked_at, at, self._rules.listed)
        prices = self._prices
        wanted = self._settings.symbols
        symbols = list(dict.fromkeys([*wanted, *(one.position.symbol for one in held)]))
        self._rules.price(symbols, prices.rows)
        positions = [self._margins.steady(one.position) for one in held]
        self._margins.saw(_unfunded(one) for one in held if _is_isolated(one))
        wallets = [parse.wallet(state, [one for one in held if not _is_isolated(one)])]
        if funds is not None:
            wallets.append(parse.spot_wallet(funds))
        depths = await self._beside(symbols, positions)
        marks = {position.symbol: position.mark_price for position in positions}
        return self._observation(
            asked_at,
            positions,
            wallets,
            tuple(self._market(symbol, marks.get(symbol), at, depths) for symbol in symbols),
        )

    async def _counted_look(self) -> Observation:
        seen = await super()._counted_look()
        self._look_weight = max(self._look_weight, DEAREST)
        return seen

    async def _state(self) -> dict[str, Any]:
        """Return the account; where something is held no more it is asked for again.

        A broken answer looks like an empty account: absence is believed once two answers agree.

        Raises:
            TornError: They do not.
        """
        state = await self._reader.state()
        found = self._held_in(state)
        if self._keys - found:
            state = await self._reader.state()
            if found != self._held_in(state):
                raise TornError("positions must be the same in two answers, were not")
        self._keys = found
        return state

    def _held_in(self, state: Mapping[str, Any]) -> frozenset[str]:
        return frozenset(str(one.position.key) for one in self._rules.held(state))

    async def _contexts(self, now: datetime) -> Any:
        """Return prices anew; ``None`` where those that are known will do."""
        is_same = self._prices.listed == self._rules.listed
        if is_same and now - self._prices.at < PRICES_EVERY:
            return None
        return await self._reader.contexts()

    async def _funds(self) -> Any:
        if "spot" not in self._settings.wallets:
            return None
        return await self._reader.own("spotClearinghouseState")

    async def _read_position(self, key: PositionKey) -> Position | None:
        """Return one isolated position as it is now; ``None`` where it is not held.

        Raises:
            ExchangeError: No usable answer.
        """
        state = await self._reader.state(lane=Lane.SETTLE)
        held = self._rules.held(state)
        _check_whole(state, held, error=Incomplete)
        return next(
            (_unfunded(one) for one in held if one.position.key == key and _is_isolated(one)), None
        )

    async def _read_depth(self, symbol: str) -> Mapping[str, Any]:
        name = self._ids[symbol]
        return parse.depth(await self._reader.ask("l2Book", coin=name), name)

    async def _read_bars(self, symbol: str, now_ms: int) -> Bars:
        seconds, name = self._settings.bar_seconds, self._ids[symbol]
        span = {
            "coin": name,
            "interval": INTERVALS[seconds],
            "startTime": now_ms - self._settings.bars * seconds * 1000,
            "endTime": now_ms,
        }
        answer = await self._reader.ask("candleSnapshot", req=span)
        return parse.bars(parse.candles(answer, name, symbol), seconds=seconds, now_ms=now_ms)

    def _market(
        self,
        symbol: str,
        mark: Decimal | None,
        at: datetime,
        depths: Mapping[str, Mapping[str, Any]],
    ) -> Market:
        coin = self._rules.coins.get(symbol)
        if coin is None:
            raise Incomplete(f"prices of {symbol} must be listed, were not")
        return parse.market(
            self._prices.rows[coin.asset],
            symbol,
            mark=mark,
            at=self._prices.told_at if mark is None else at,
            bars=self._bars.of(symbol),
            depth=depths.get(symbol),
        )

    async def _check_rights(self) -> None:
        wallet, secret = self._reader.wallet, self._settings.secret
        if not ADDRESS.fullmatch(wallet):
            raise Denied("api_key must be the owner's address: 0x and 40 hexadecimal digits")
        if not KEY.fullmatch(secret):
            raise Denied("secret must be the private key of an agent: 64 hexadecimal digits")
        agent = self._client.api.agent()
        if agent == wallet:
            raise Denied("the key must not be the owner's, which can withdraw: approve an agent")
        role, kind = await all_of(
            [self._reader.ask("userRole", user=agent), self._reader.own("userAbstraction")]
        )
        _check_role(table(role, "userRole"), wallet)
        if not isinstance(kind, str) or not kind:
            raise Incomplete(f"userAbstraction must be a word, was {type(kind).__name__}")
        if kind.strip('"') not in SEPARATE:
            raise Denied(
                f"the account must keep perpetuals apart from spot, is {kind[:40]}: what backs a "
                "position is not told there"
            )


def _check_role(found: Mapping[str, Any], wallet: str) -> None:
    """Accept an agent of the owner, and nobody else.

    Raises:
        Denied: The key must not be used.
        Incomplete: The answer is broken.
    """
    role = text(found, "role")
    if role == "missing":
        raise Denied("the venue refuses the key: it is no agent's, or not any more")
    if role != "agent":
        raise Denied(f"the key must be an agent's, which cannot withdraw, is one of {role[:40]!r}")
    if text(table(found.get("data"), "data of the role"), "user").lower() != wallet:
        raise Denied("the key must be of an agent of the configured address, is another's")


def _is_isolated(one: parse.Held) -> bool:
    return one.position.margin_mode is MarginMode.ISOLATED


def _unfunded(one: parse.Held) -> Position:
    """Return a position with the margin it would have without funding: moves show in it alone."""
    return replace(one.position, margin=one.position.margin + one.paid)


def _check_whole(
    state: Mapping[str, Any],
    held: Collection[parse.Held],
    *,
    error: type[Exception] = TornError,
) -> None:
    """Accept positions only if the account says the same of them.

    An empty list is not flat until that agrees: broken answers arrive as empty lists.

    Raises:
        TornError: They differ, or what ``error`` names.
    """
    everything = parse.totals(state, "marginSummary")
    crossed = parse.totals(state, "crossMarginSummary")
    worth = sum((one.value for one in held), parse.ZERO)
    isolated = sum((one.used for one in held if _is_isolated(one)), parse.ZERO)
    apart = parse.tolerance(worth)
    gaps = (
        worth - everything.worth,
        isolated - (everything.used - crossed.used),
        isolated - (everything.value - crossed.value),
    )
    if any(abs(gap) > apart for gap in gaps):
        raise error(
            f"positions and account must show the same, differ by {', '.join(map(str, gaps))}"
        )
