"""How does one classic account at KuCoin look, and how is it acted on?

Sizes are lots at the venue and coins everywhere else: they change in `parse` and `write`. The
wallet that the bot calls ``futures`` is the futures account, ``spot`` the funding account.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.action import CancelStop, PlaceStop, ReducePosition
from bot.domain.intent import Intent
from bot.domain.ledger import LedgerRow
from bot.domain.market import Bars, Market
from bot.domain.observation import Observation
from bot.domain.position import MarginMode, Position, PositionKey
from bot.errors import Denied, Incomplete
from bot.exchanges.adapter import TornError
from bot.exchanges.amounts import ONE
from bot.exchanges.client import Client, all_of
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.dialect import Write
from bot.exchanges.kucoin import parse
from bot.exchanges.kucoin.answers import Reader
from bot.exchanges.kucoin.bars import IndexBars, IndexHistory
from bot.exchanges.kucoin.evidence import Evidence
from bot.exchanges.kucoin.funding import Funding
from bot.exchanges.kucoin.glance import Glance
from bot.exchanges.kucoin.ledger import Statement
from bot.exchanges.kucoin.orders import OPEN, Orders, is_taken_back
from bot.exchanges.kucoin.rules import Rules
from bot.exchanges.kucoin.stops import Stops
from bot.exchanges.kucoin.write import applied, is_taken, write_for
from bot.exchanges.margins import Margins
from bot.exchanges.numbers import amount, instant, number, text, whole
from bot.exchanges.patience import once_known
from bot.exchanges.quota import Lane
from bot.exchanges.unlisted import Unlisted
from bot.exchanges.venue_time import VenueTime

AGREES = Decimal("0.05")
"""Gap between the margins of positions and what the account says: marks move. [ratio]"""
WITHDRAWS, TRADES, MOVES = "Transfer", "Futures", "InnerTransfer"
"""Rights of a key; the venue's first word means to take money out of it."""
ZERO = Decimal(0)


class KucoinVenue(Unlisted):
    """One account; a `Venue`."""

    def __init__(self, settings: ConnectionSettings, client: Client, clock: VenueClock) -> None:
        reader = Reader(client)
        rules = Rules(
            reader,
            clock,
            venue=settings.venue,
            symbols=settings.symbols,
            margin_release=settings.margin_release,
        )
        orders = Orders(reader, rules.ids)
        stops = Stops(reader, orders, clock, rules.coins)
        glance = Glance(client, reader, rules.ids)
        super().__init__(
            settings,
            client,
            clock,
            time=VenueTime(self._ask_time, clock),
            rules=rules,
            glance=glance,
            stops=stops,
            history=IndexHistory(reader, rules.indices, sleep=clock.sleep),
        )
        self._rules: Rules = rules
        self._glance: Glance = glance
        self._reader, self._api, self._orders = reader, client.api, orders
        self._coins = rules.coins
        self._paged = IndexBars(
            reader, rules.indices,
            seconds=settings.bar_seconds, count=settings.bars, sleep=clock.sleep,
        )  # fmt: skip
        self._funding = Funding(reader, clock, self._ids)
        self._margins = Margins(self._read_position, clock)
        self._evidence: Evidence = Evidence(reader, orders, stops, self._margins, self._coins)
        self._statement = Statement(reader)
        self._empty: set[str] = set()
        """Currencies of which the funding account is known to hold nothing."""

    async def rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        """Return every line of the venue's ledger since an instant, by time.

        Raises:
            ExchangeError: A list could not be read to its end.
        """
        return await self._statement.read(
            since, self._now(), ids=self._ids, has_spot="spot" in self._settings.wallets
        )

    def _write_for(self, intent: Intent) -> Write | str:
        return write_for(intent, self._ids, self._rules.mode, self._instruments, self._coins)

    def _applied(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        return applied(intent, write, answer)

    async def _confirmed(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        """Return the confirmed effect; an order is only taken at first, and looked at."""
        if not isinstance(intent.action, ReducePosition | PlaceStop | CancelStop):
            return self._applied(intent, write, answer)
        if not is_taken(intent, answer):
            return None
        return await once_known(lambda: self._became(intent), sleep=self._clock.sleep)

    async def _became(self, intent: Intent) -> Decimal | None:
        """Return what an order has done by now; ``None`` while that is not certain."""
        action = intent.action
        match action:
            case ReducePosition(key=key):
                row = await self._orders.named(key.symbol, intent.id)
                return None if row is None else self._evidence.filled(row, action)
            case PlaceStop(key=key):
                row = await self._orders.named(key.symbol, intent.id)
                return ONE if row is not None and row["status"] == OPEN else None
            case CancelStop(key=key, stop_id=stop_id):
                row = await self._orders.numbered(key.symbol, stop_id)
                return ONE if row is not None and is_taken_back(row) else None
            case _:
                return None

    async def _ask_time(self) -> datetime:
        found = await self._reader.data(self._api.futuresPublicGetTimestamp, {}, "time")
        return instant(whole({"time": found}, "time"))

    async def _look(self) -> Observation:
        asked_at = self._now()
        wanted = self._settings.symbols
        coins = sorted({self._instruments[symbol].settle for symbol in wanted})
        found, funds, accounts, marks = await all_of([
            self._reader.rows(self._api.futuresPrivateGetPositions, {}, "positions"),
            self._funds(coins),
            self._accounts(coins),
            self._marks(wanted),
        ])  # fmt: skip
        held = [row for row in found if parse.is_held(row)]
        if not held:
            await self._check_kind()  # it may have been made another one meanwhile
        symbols = list(dict.fromkeys([*wanted, *(self._rules.symbol(row) for row in held)]))
        await self._rules.need(symbols)
        accounts |= await self._accounts(self._settles(symbols) - set(accounts))
        marks |= await self._marks([symbol for symbol in symbols if symbol not in marks])
        for coin, account in accounts.items():
            _check_whole(coin, held, account)
        self._rules.hold(self._rates(held))
        positions = [self._position(row) for row in held]
        self._margins.saw(p for p in positions if p.margin_mode is MarginMode.ISOLATED)
        wallets = [parse.futures_wallet(accounts[coin], coin) for coin in sorted(accounts)]
        if funds is not None:
            wallets += parse.funding_wallets(funds, frozenset(accounts))
        depths = await self._beside(symbols, positions, self._funding.refresh(symbols))
        return self._observation(
            asked_at,
            positions,
            wallets,
            tuple(self._market(symbol, marks[symbol], depths) for symbol in symbols),
        )

    def _settles(self, symbols: Iterable[str]) -> set[str]:
        return {self._instruments[symbol].settle for symbol in symbols}

    async def _accounts(self, coins: Collection[str]) -> dict[str, dict[str, Any]]:
        call = self._api.futuresPrivateGetAccountOverview
        wanted = sorted(coins)
        found = await all_of([
            self._reader.one(call, {"currency": coin}, f"account in {coin}") for coin in wanted
        ])  # fmt: skip
        return dict(zip(wanted, found, strict=True))

    async def _marks(self, symbols: Sequence[str]) -> dict[str, dict[str, Any]]:
        found = await all_of([self._glance.row(self._ids[symbol]) for symbol in symbols])
        return dict(zip(symbols, found, strict=True))

    async def _funds(self, coins: Collection[str]) -> list[dict[str, Any]] | None:
        """Return the rows of the funding account; one that is missing is asked for again.

        The list leaves out what was never there, so a broken answer looks like an empty account:
        absence is believed once two answers agree on it.
        """
        if "spot" not in self._settings.wallets:
            return None
        found = await self._ask_funds(coins)
        if set(coins) - {text(row, "currency") for row in found} - self._empty:
            found = await self._ask_funds(coins)
        self._empty = set(coins) - {text(row, "currency") for row in found}
        return found

    async def _ask_funds(self, coins: Collection[str]) -> list[dict[str, Any]]:
        pages = await all_of([
            self._reader.rows(
                self._api.privateGetAccounts, {"currency": coin, "type": "main"}, "funding account"
            )
            for coin in coins
        ])  # fmt: skip
        found = [row for page in pages for row in page]
        names = [(text(row, "currency"), text(row, "type")) for row in found]
        if len(set(names)) < len(names) or any(kind != "main" for _, kind in names):
            raise Incomplete("funding account must be listed once for each currency, was not")
        return found

    def _rates(self, held: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
        """Return the higher maintenance rate of each symbol. [ratio]."""
        rates: dict[str, Decimal] = {}
        for row in held:
            if parse.is_isolated(row):
                symbol = self._rules.symbol(row)
                rates[symbol] = max(rates.get(symbol, ZERO), parse.rate(row))
        return rates

    def _position(self, row: Mapping[str, Any]) -> Position:
        symbol = self._rules.symbol(row)
        return parse.position(row, symbol, coins=self._coins[symbol])

    async def _read_position(self, key: PositionKey) -> Position | None:
        """Return one isolated position as it is now; ``None`` where it is not held.

        Raises:
            ExchangeError: No usable answer.
        """
        call = self._api.futuresPrivateGetPositions
        found = await self._reader.rows(call, {}, "positions", lane=Lane.SETTLE)
        for row in found:
            if parse.is_held(row) and row.get("symbol") == self._ids[key.symbol]:
                position = self._position(row)
                if position.key == key and position.margin_mode is MarginMode.ISOLATED:
                    return position
        return None

    async def _read_depth(self, symbol: str) -> Mapping[str, Any]:
        asked, what = {"symbol": self._ids[symbol]}, f"book of {symbol}"
        found = await self._reader.one(self._api.futuresPublicGetLevel2Depth100, asked, what)
        if found.get("symbol") != self._ids[symbol]:
            raise Incomplete(f"{what} must be its own, was not")
        return found

    async def _read_bars(self, symbol: str, now_ms: int) -> Bars:
        return await self._paged.read(symbol, now_ms)

    def _market(
        self, symbol: str, mark: Mapping[str, Any], depths: Mapping[str, Mapping[str, Any]]
    ) -> Market:
        return parse.market(
            mark,
            symbol,
            funding=self._funding.of(symbol),
            bars=self._bars.of(symbol),
            depth=depths.get(symbol),
            coins=self._coins[symbol],
        )

    async def _check_rights(self) -> None:
        key, _ = await all_of([
            self._reader.one(self._api.privateGetUserApiKey, {}, "key rights"),
            self._check_kind(),
        ])  # fmt: skip
        rights = {word.strip() for word in text(key, "permission").split(",")}
        if WITHDRAWS in rights or any("withdraw" in word.lower() for word in rights):
            raise Denied("the API key must not be able to withdraw: turn that right off")
        if TRADES not in rights:
            raise Denied("the API key must be able to trade futures: turn that right on")
        if "spot" in self._settings.wallets and MOVES not in rights:
            raise Denied(
                "the API key must be able to transfer between accounts of its owner, since "
                "transfer_from names one: turn flexible transfers on"
            )

    async def _check_kind(self) -> None:
        """Pass if the account is of the kind that these endpoints show.

        Of a unified one they show nothing, and nothing of that is flat.

        Raises:
            Denied: It is of another kind.
            ExchangeError: No usable answer.
        """
        mode = await self._reader.one(self._api.utaPrivateGetAccountMode, {}, "account mode")
        if text(mode, "selfAccountMode") != parse.CLASSIC:
            raise Denied("the account must be a classic one: unified accounts are not supported")


def _check_whole(coin: str, held: Iterable[Mapping[str, Any]], account: Mapping[str, Any]) -> None:
    """Accept positions only if the account says that they hold what they show.

    An empty list is not flat until that agrees. Whether the account counts profit in is not clear
    from what the venue writes, so either will do.

    Raises:
        TornError: They differ; the next look may be whole.
    """
    own = [row for row in held if row.get("settleCurrency") == coin]
    told = number(account, "positionMargin")
    margins = sum((amount(row, "posMargin") for row in own), ZERO)
    profits = sum((number(row, "unrealisedPnl") for row in own), ZERO)
    room = margins * AGREES
    if not margins + min(profits, ZERO) - room <= told <= margins + max(profits, ZERO) + room:
        raise TornError(
            f"margin of positions in {coin} must be what the account says, {told}, was {margins}"
        )
