"""How does one account of Binance futures look, and how is it acted on?"""

from collections.abc import Awaitable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.instrument import Contract
from bot.domain.intent import Intent
from bot.domain.ledger import LedgerRow
from bot.domain.market import Bars, Market
from bot.domain.observation import Observation
from bot.domain.position import Position
from bot.errors import Denied, Incomplete
from bot.exchanges.adapter import Adapter, TornError
from bot.exchanges.binance import parse
from bot.exchanges.binance.evidence import Evidence
from bot.exchanges.binance.family import FAMILIES
from bot.exchanges.binance.glance import Glance
from bot.exchanges.binance.history import BinanceHistory
from bot.exchanges.binance.ledger import Statement
from bot.exchanges.binance.rules import Rules
from bot.exchanges.binance.stops import Stops
from bot.exchanges.binance.write import applied, write_for
from bot.exchanges.client import Client, all_of
from bot.exchanges.connection import ConnectionSettings
from bot.exchanges.dialect import Write
from bot.exchanges.numbers import instant, number, rows, table, text, whole
from bot.exchanges.venue_time import VenueTime

BOOK_LEVELS = 50
INTERVALS = {300: "5m", 900: "15m", 3600: "1h"}


class BinanceVenue(Adapter):
    """One account, of the host that its settings name; a `Venue`."""

    def __init__(self, settings: ConnectionSettings, client: Client, clock: VenueClock) -> None:
        rules = Rules(
            client,
            clock,
            venue=settings.venue,
            symbols=settings.symbols,
            margin_release=settings.margin_release,
        )
        family = self._family = FAMILIES[settings.venue]
        stops = Stops(client, clock, family=family, unit=rules.unit)
        super().__init__(
            settings,
            client,
            clock,
            time=VenueTime(self._ask_time, clock),
            rules=rules,
            glance=Glance(client, rules.ids, family),
            stops=stops,
            history=BinanceHistory(client, family, sleep=clock.sleep),
        )
        self._rules: Rules = rules
        self._evidence = Evidence(
            client, stops, self._ids, family=family, unit=rules.unit, mode=lambda: rules.mode
        )
        self._statement = Statement(client, family)
        self._empty: set[str] = set()
        """Currencies whose spot wallet is known to hold nothing."""

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

    def _write_for(self, intent: Intent) -> Write | str:
        return write_for(intent, self._ids, self._rules.mode, self._instruments, self._family)

    def _applied(self, intent: Intent, write: Write, answer: Any) -> Decimal | None:
        return applied(intent, write, answer, self._instruments)

    async def _ask_time(self) -> datetime:
        answer = await self._ask("PublicGetTime", {})
        return instant(whole(table(answer, "time"), "serverTime"))

    async def _look(self) -> Observation:
        asked_at = self._now()
        wanted = self._settings.symbols
        answers = await all_of([
            self._ask(self._family.positions, {}),
            self._ask(self._family.account, {}),
            self._spot(),
            *self._asked_marks(wanted),
        ])  # fmt: skip
        found, account, spot, *premiums = answers
        held = [row for row in rows(found, "positions") if number(row, "positionAmt") != 0]
        account = table(account, "account")
        maintenance = _check_whole(held, account)
        marks = self._marks(wanted, premiums)
        others = await self._unwatched(held, marks)
        symbols = [*wanted, *others]
        positions = [self._position(row, maintenance) for row in held]
        depths = await self._beside(symbols, positions)
        currencies = frozenset(self._instruments[symbol].settle for symbol in symbols)
        wallets = [w for w in parse.futures_wallets(account) if w.currency in currencies]
        missing = currencies - {wallet.currency for wallet in wallets}
        if missing:
            raise Incomplete(f"account must list wallets of {', '.join(sorted(missing))}")
        if spot is not None:
            wallets += parse.spot_wallets(spot, currencies)
        return self._observation(
            asked_at,
            positions,
            wallets,
            tuple(self._market(symbol, marks, depths) for symbol in symbols),
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
            if symbol in (*self._settings.symbols, *found):
                continue
            if not self._family.marks_at_once:
                (asked,) = self._asked_marks([symbol])
                marks[symbol] = await asked
            self._rules.learn(symbol)
            found.append(symbol)
        await self._rules.configure((*self._settings.symbols, *found))
        return found

    def _asked_marks(self, symbols: Collection[str]) -> list[Awaitable[Any]]:
        """Return the requests that bring the marks of symbols."""
        if self._family.marks_at_once:
            return [self._ask("PublicGetPremiumIndex", {})]
        return [
            self._ask("PublicGetPremiumIndex", {"symbol": self._ids[symbol]}) for symbol in symbols
        ]

    def _marks(self, symbols: Collection[str], answers: list[Any]) -> dict[str, Any]:
        """Return what was said of the mark of each symbol."""
        if not self._family.marks_at_once:
            return dict(zip(symbols, answers, strict=True))
        (listed,) = answers
        named = {text(row, "symbol"): row for row in rows(listed, "marks")}
        return {symbol: named[name] for symbol, name in self._ids.items() if name in named}

    def _position(
        self, row: Mapping[str, Any], maintenance: Mapping[tuple[str, str], Any]
    ) -> Position:
        symbol = self._rules.symbol(row)
        if self._family.contract is Contract.LINEAR:
            return parse.position(row, symbol, self._rules.config(symbol))
        whole_row = {**row, "maintMargin": maintenance[_leg(row)]}
        return parse.coin_position(whole_row, symbol, self._rules.unit(symbol))

    async def _read_depth(self, symbol: str) -> Mapping[str, Any]:
        asked = {"symbol": self._ids[symbol], "limit": BOOK_LEVELS}
        return table(await self._ask("PublicGetDepth", asked), f"book of {symbol}")

    async def _read_bars(self, symbol: str, now_ms: int) -> Bars:
        seconds = self._settings.bar_seconds
        answer = await self._ask(
            "PublicGetMarkPriceKlines",
            {
                "symbol": self._ids[symbol],
                "interval": INTERVALS[seconds],
                "limit": self._settings.bars + 1,
            },
        )
        return parse.bars(answer, symbol, seconds=seconds, now_ms=now_ms)

    def _market(
        self, symbol: str, marks: Mapping[str, Any], depths: Mapping[str, Mapping[str, Any]]
    ) -> Market:
        row = {"symbol": "", **table(marks.get(symbol), f"mark of {symbol}")}
        if row["symbol"] != self._ids[symbol]:
            raise Incomplete(f"mark of {symbol} must be its own, was of {row['symbol']}")
        return parse.market(
            row,
            symbol,
            bars=self._bars.of(symbol),
            depth=depths.get(symbol),
            unit=self._rules.unit(symbol),
        )

    async def _ask(self, name: str, parameters: dict[str, Any]) -> Any:
        """Read from the family's host, by the name of a raw call without it."""
        return await self._client.read(self._family.call(self._client.api, name), parameters)

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


def _check_whole(
    held: list[dict[str, Any]], account: Mapping[str, Any]
) -> Mapping[tuple[str, str], Any]:
    """Accept positions only if the account shows the same ones; return what it has them keep.

    An empty list is not flat until the account agrees: broken answers arrive as empty lists.

    Raises:
        TornError: They differ; the next look may be whole.
    """
    listed = rows(account.get("positions"), "positions of the account")
    theirs = {
        _leg(row): number(row, "positionAmt") for row in listed if number(row, "positionAmt") != 0
    }
    ours = {_leg(row): number(row, "positionAmt") for row in held}
    if ours != theirs:
        raise TornError(
            "positions and account must show the same amounts, showed "
            f"{_named(ours)} and {_named(theirs)}"
        )
    return {_leg(row): row.get("maintMargin") for row in listed}


def _leg(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return which position a row is about; a side that is no word is of none."""
    return text(row, "symbol"), str(row.get("positionSide"))


def _named(amounts: Mapping[tuple[str, str], Decimal]) -> str:
    return ", ".join(f"{symbol} {amount}" for (symbol, _), amount in amounts.items()) or "none"
