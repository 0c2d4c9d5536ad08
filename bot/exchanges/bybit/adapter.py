"""How does one unified account at Bybit look, and how is it acted on?

The wallet ``futures`` is the unified account, ``spot`` the owner's funding account. Margin mode is
a matter of the account: in any but the isolated one positions are shown and nothing is planned.
Which category is spoken follows from the configured symbols: linear, or inverse of one coin.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.account import Wallet
from bot.domain.action import CancelStop, PlaceStop, ReducePosition
from bot.domain.instrument import Contract, contract_of
from bot.domain.intent import Intent
from bot.domain.ledger import LedgerRow
from bot.domain.market import Bars, Market
from bot.domain.observation import Observation
from bot.domain.position import MarginMode, Position, PositionKey
from bot.errors import Denied, Incomplete
from bot.exchanges.adapter import TornError
from bot.exchanges.amounts import ONE
from bot.exchanges.bybit import parse
from bot.exchanges.bybit.answers import Reader, listed
from bot.exchanges.bybit.evidence import Evidence, filled
from bot.exchanges.bybit.glance import Glance
from bot.exchanges.bybit.held import Held, check_kinds, check_whole
from bot.exchanges.bybit.history import BybitHistory
from bot.exchanges.bybit.ledger import Statement
from bot.exchanges.bybit.orders import OPEN, TAKEN_BACK, Orders
from bot.exchanges.bybit.rules import Rules
from bot.exchanges.bybit.stops import Stops
from bot.exchanges.bybit.write import COLLATERAL_STEP, applied, is_taken, write_for
from bot.exchanges.client import Client, all_of
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.dialect import Write
from bot.exchanges.margins import Margins
from bot.exchanges.numbers import amount, instant, number, rows, table, text, whole
from bot.exchanges.patience import once_known
from bot.exchanges.quota import Lane
from bot.exchanges.unlisted import Unlisted
from bot.exchanges.venue_time import VenueTime

BOOK_LEVELS = 50
COINS_AT_ONCE = 10
"""Whose balances of the funding account one request may ask for; of others it may be more."""
MOST_BARS = 1000
INTERVALS = {300: "5", 900: "15", 3600: "60"}
LEAST_UNIFIED = {Contract.LINEAR: 3, Contract.INVERSE: 5}
"""Kinds of account below are no unified ones, or have their inverse contracts elsewhere."""


class BybitVenue(Unlisted):
    """One account; a `Venue`."""

    def __init__(self, settings: ConnectionSettings, client: Client, clock: VenueClock) -> None:
        reader = Reader(client, contract_of(settings.symbols[0]))
        self._is_demo = settings.mode == "testnet"
        rules = Rules(
            reader,
            clock,
            venue=settings.venue,
            symbols=settings.symbols,
            margin_release=settings.margin_release,
            has_fees=not self._is_demo,
        )
        orders = Orders(reader, rules.ids)
        stops = Stops(reader, orders, clock)
        super().__init__(
            settings,
            client,
            clock,
            time=VenueTime(self._ask_time, clock),
            rules=rules,
            glance=Glance(client, reader, rules.ids),
            stops=stops,
            history=BybitHistory(reader, sleep=clock.sleep),
        )
        self._rules: Rules = rules
        self._reader, self._api = reader, client.api
        self._held_rows = Held(reader)
        self._orders = orders
        self._margins = Margins(self._read_position, clock, finest=COLLATERAL_STEP)
        self._evidence = Evidence(reader, orders, stops, self._margins)
        self._statement = Statement(reader)

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
        return write_for(intent, self._ids, self._rules.modes, self._instruments)

    def _applied(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        return applied(intent, write, answer)

    async def _confirmed(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        """Return the confirmed effect; an order is only taken at first, and looked at."""
        if not isinstance(intent.action, ReducePosition | PlaceStop | CancelStop):
            return self._applied(intent, write, answer)
        if is_taken(write, answer) is None:
            return None
        return await once_known(lambda: self._became(intent), sleep=self._clock.sleep)

    async def _became(self, intent: Intent) -> Decimal | None:
        """Return what an order has done by now; ``None`` while that is not certain."""
        action = intent.action
        match action:
            case ReducePosition(key=key):
                row = await self._orders.now(key.symbol, "orderLinkId", intent.id)
                return None if row is None else filled(row, action)
            case PlaceStop(key=key):
                row = await self._orders.now(key.symbol, "orderLinkId", intent.id)
                return ONE if row is not None and row["orderStatus"] in OPEN else None
            case CancelStop(key=key, stop_id=stop_id):
                row = await self._orders.now(key.symbol, "orderId", stop_id)
                return ONE if row is not None and row["orderStatus"] in TAKEN_BACK else None
            case _:
                return None

    async def _ask_time(self) -> datetime:
        answer = await self._client.read(self._api.publicGetV5MarketTime, {})
        return instant(whole(table(answer, "time"), "time"))

    async def _look(self) -> Observation:
        asked_at = self._now()
        wanted, coins = self._settings.symbols, self._rules.coins
        where = {"accountType": "UNIFIED", "coin": ",".join(coins)}
        found, others, info, balance, free, funds, *tickers = await all_of([
            self._held_rows.own(coins),
            self._held_rows.others(),
            self._reader.one(self._api.privateGetV5AccountInfo, {}, "account"),
            self._reader.one(self._api.privateGetV5AccountWalletBalance, where, "wallet balance"),
            self._free(coins),
            self._funds(coins),
            *(self._ticker(symbol) for symbol in wanted),
        ])  # fmt: skip
        balances = parse.balances(balance)
        check_whole(found, balances, self._reader.contract, self._rules.symbol)
        check_kinds(others, self._reader.contract)
        marks = dict(zip(wanted, tickers, strict=True))
        unwatched = await self._unwatched(found, marks)
        symbols = [*wanted, *unwatched]
        is_isolated = _is_isolated(info, self._reader.contract)
        positions = [self._position(row, is_isolated=is_isolated) for row in found]
        self._margins.saw(p for p in positions if p.margin_mode is MarginMode.ISOLATED)
        depths = await self._beside(symbols, positions)
        currencies = frozenset(self._instruments[symbol].settle for symbol in symbols)
        if not currencies <= set(coins):
            raise TornError(
                f"wallets must be of {', '.join(sorted(currencies))}, were not asked for"
            )
        wallets = [*self._wallets(currencies, balances, free, positions)]
        if funds is not None:
            wallets += parse.funding_wallets(funds, currencies)
        return self._observation(
            asked_at,
            positions,
            wallets,
            tuple(self._market(symbol, marks[symbol], depths) for symbol in symbols),
        )

    async def _free(self, coins: Collection[str]) -> Mapping[str, Any] | None:
        """Return what may be moved, by coin; the test hosts do not tell."""
        if self._is_demo:
            return None
        call, what = self._api.privateGetV5AccountWithdrawal, "transferable amount"
        found = await all_of([
            self._reader.one(call, {"coinName": some}, what) for some in _together(coins)
        ])  # fmt: skip
        name = "availableWithdrawalMap"
        return {coin: n for one in found for coin, n in table(one.get(name), name).items()}

    async def _funds(self, coins: Collection[str]) -> dict[str, Any] | None:
        if "spot" not in self._settings.wallets:
            return None
        call = self._api.privateGetV5AssetTransferQueryAccountCoinsBalance
        what = "funding account"
        found = await all_of([
            self._reader.one(call, {"accountType": "FUND", "coin": some}, what)
            for some in _together(coins)
        ])  # fmt: skip
        return {"balance": [row for one in found for row in rows(one.get("balance"), what)]}

    async def _ticker(self, symbol: str) -> tuple[Mapping[str, Any], int]:
        """Return the ticker of a symbol, and the venue's time of it. [ms]."""
        asked = {**self._reader.where, "symbol": self._ids[symbol]}
        what = f"mark of {symbol}"
        found, answer = await self._reader.stamped(self._api.publicGetV5MarketTickers, asked, what)
        own = [row for row in listed(found, what) if row.get("symbol") == self._ids[symbol]]
        if len(own) != 1:
            raise Incomplete(f"{what} must be its own, was not")
        return own[0], whole(answer, "time")

    async def _unwatched(
        self, held: list[dict[str, Any]], marks: dict[str, tuple[Mapping[str, Any], int]]
    ) -> list[str]:
        """Return held symbols that are not configured, with their marks and rules read."""
        new = sorted({self._rules.symbol(row) for row in held} - set(marks))
        tickers = await all_of([self._ticker(symbol) for symbol in new])
        marks.update(zip(new, tickers, strict=True))
        await self._rules.configure(new)
        return new

    def _position(self, row: Mapping[str, Any], *, is_isolated: bool) -> Position:
        symbol = self._rules.symbol(row)
        self._rules.seen(symbol, row)
        found = parse.position(row, self._rules.terms(symbol, is_isolated=is_isolated))
        is_planned = found.margin_mode is MarginMode.ISOLATED
        return self._margins.steady(found) if is_planned else found

    async def _read_position(self, key: PositionKey) -> Position | None:
        """Return one isolated position as it is now; ``None`` where it is not held.

        Raises:
            ExchangeError: No usable answer.
        """
        asked = {**self._reader.where, "symbol": self._ids[key.symbol]}
        found = await self._reader.one(
            self._api.privateGetV5PositionList, asked, "position", lane=Lane.SETTLE
        )
        for row in listed(found, "position"):
            if number(row, "size") and parse.side_of(row) is key.side:
                return self._position(row, is_isolated=True)
        return None

    def _wallets(
        self,
        currencies: Collection[str],
        balances: Mapping[str, Mapping[str, Any]],
        free: Mapping[str, Any] | None,
        positions: Collection[Position],
    ) -> list[Wallet]:
        missing = [coin for coin in sorted(currencies) if coin not in balances]
        if missing:
            raise Incomplete(f"account must list wallets of {', '.join(missing)}")
        return [
            parse.unified_wallet(
                balances[coin],
                None if free is None else amount(free, coin),
                [p for p in positions if self._instruments[p.symbol].settle == coin],
            )
            for coin in sorted(currencies)
        ]

    async def _read_depth(self, symbol: str) -> Mapping[str, Any]:
        asked = {**self._reader.where, "symbol": self._ids[symbol], "limit": BOOK_LEVELS}
        call = self._api.publicGetV5MarketOrderbook
        return await self._reader.one(call, asked, f"book of {symbol}")

    async def _read_bars(self, symbol: str, now_ms: int) -> Bars:
        seconds = self._settings.bar_seconds
        found = await self._reader.one(
            self._api.publicGetV5MarketMarkPriceKline,
            {
                **self._reader.where,
                "symbol": self._ids[symbol],
                "interval": INTERVALS[seconds],
                "limit": min(self._settings.bars + 1, MOST_BARS),
            },
            f"klines of {symbol}",
        )
        return parse.bars(found, symbol, seconds=seconds, now_ms=now_ms)

    def _market(
        self,
        symbol: str,
        ticker: tuple[Mapping[str, Any], int],
        depths: Mapping[str, Mapping[str, Any]],
    ) -> Market:
        row, at_ms = ticker
        return parse.market(
            row, symbol, at_ms=at_ms, bars=self._bars.of(symbol), depth=depths.get(symbol)
        )

    async def _check_rights(self) -> None:
        if self._is_demo:
            return  # the test hosts have no such endpoint
        found = await self._reader.one(self._api.privateGetV5UserQueryApi, {}, "key rights")
        rights = table(found.get("permissions"), "permissions")
        wallet, trade = (_words(rights, name) for name in ("Wallet", "ContractTrade"))
        if any("withdraw" in word.lower() for word in wallet):
            raise Denied("the API key must not be able to withdraw: turn that right off")
        if found.get("readOnly") != 0 or not {"Order", "Position"} <= trade:
            raise Denied(
                "the API key must be able to trade contracts: turn orders and positions on"
            )
        if "spot" in self._settings.wallets and "AccountTransfer" not in wallet:
            raise Denied(
                "the API key must be able to transfer between accounts of its owner, since "
                "transfer_from names one: turn that right on"
            )


def _together(coins: Collection[str]) -> list[str]:
    """Return coins as the venue takes them: some at once, parted by commas."""
    named = list(coins)
    return [",".join(named[n : n + COINS_AT_ONCE]) for n in range(0, len(named), COINS_AT_ONCE)]


def _words(rights: Mapping[str, Any], name: str) -> set[str]:
    found = rights.get(name)
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise Incomplete(f"{name} of permissions must be a list of words, was {found!r}")
    return set(found)


def _is_isolated(info: Mapping[str, Any], contract: Contract) -> bool:
    """Return whether the account is in isolated mode.

    Raises:
        Denied: It is no unified account, or none that has such contracts.
        Incomplete: Its mode is unknown.
    """
    kind = whole(info, "unifiedMarginStatus")
    if kind < LEAST_UNIFIED[Contract.LINEAR]:
        raise Denied("the account must be a unified trading account: upgrade it")
    if kind < LEAST_UNIFIED[contract]:
        raise Denied(
            "the unified account must be of version 2.0 to have inverse contracts: upgrade it"
        )
    mode = text(info, "marginMode")
    if mode not in parse.MODES:
        raise Incomplete(f"marginMode must be one of {', '.join(parse.MODES)}, was {mode!r}")
    return mode == parse.ISOLATED
