"""What are the rules now: contracts, risk levels, the position mode?

The rate of maintenance is that of the level which the owner chose for a contract, so what holds
follows from what the position shows.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.instrument import MarginRelease
from bot.errors import Incomplete
from bot.exchanges.client import all_of
from bot.exchanges.kucoin import parse
from bot.exchanges.kucoin.answers import Reader
from bot.exchanges.numbers import positive, text, whole
from bot.exchanges.rules import VenueRules


class Rules(VenueRules):
    """The rules of one account's venue, as last read."""

    def __init__(
        self,
        reader: Reader,
        clock: VenueClock,
        *,
        venue: str,
        symbols: Collection[str],
        margin_release: MarginRelease,
    ) -> None:
        super().__init__(clock, venue=venue, symbols=symbols, margin_release=margin_release)
        self._reader = reader
        self.coins: dict[str, Decimal] = {}
        """In a lot, by symbol. [base]"""
        self.indices: dict[str, str] = {}
        """The venue's name of the index that a symbol follows."""
        self._raw: dict[str, Mapping[str, Any]] = {}
        self._tables: dict[str, tuple[parse.Level, ...]] = {}
        self._rates: dict[str, Decimal | None] = {}

    def symbol(self, row: Mapping[str, Any]) -> str:
        """Return the unified name of what a row is about.

        Raises:
            Incomplete: It is no linear perpetual: nothing is known of it, so nothing is said of
                the account at all.
        """
        symbol = self._symbols.get(text(row, "symbol"))
        if symbol is None:
            raise Incomplete(
                f"positions must be linear perpetuals, {str(row.get('symbol'))[:40]} is none: hold "
                "it in another account"
            )
        return symbol

    async def read(self) -> None:
        """Read all of it.

        Raises:
            ExchangeError: No usable answer.
        """
        api = self._reader.api
        contracts, mode = await all_of(
            [
                self._reader.rows(api.futuresPublicGetContractsActive, {}, "contracts"),
                self._reader.one(api.futuresPrivateGetPositionGetPositionMode, {}, "position mode"),
            ]
        )
        word = whole(mode, "positionMode")
        if word not in parse.MODES:
            raise Incomplete(f"positionMode must be 0 or 1, was {word}")
        self._take(contracts)
        needed = sorted({*self._wanted, *self.instruments})
        await all_of([self._read_table(symbol) for symbol in needed if symbol in self._raw])
        self.mode = parse.MODES[word]
        self._read_at = self._clock.now()

    async def need(self, symbols: Collection[str]) -> None:
        """Read the levels of symbols, unless those of each are known.

        Raises:
            ExchangeError: No usable answer.
        """
        missing = sorted(symbol for symbol in symbols if symbol not in self._tables)
        await all_of([self._read_table(symbol) for symbol in missing])

    def hold(self, rates: Mapping[str, Decimal]) -> None:
        """Take over the rates that positions show.

        Args:
            rates: The higher one of each symbol; others hold nothing. [ratio]

        Raises:
            Incomplete: A field is missing or makes no sense.
        """
        for symbol in self._tables:
            if self._rates.get(symbol) != rates.get(symbol):
                self._learn(symbol, rates.get(symbol))

    def _take(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if not parse.is_linear(row):
                continue
            try:
                name, symbol = text(row, "symbol"), parse.unified(row)
                coins, index = positive(row, "multiplier"), text(row, "indexSymbol")
            except Incomplete:
                continue  # a contract to come is listed before it has all of its rules
            self.ids[symbol], self._symbols[name] = name, symbol
            self._raw[symbol], self.coins[symbol] = row, coins
            self.indices[symbol] = index
        if not self.ids:
            raise Incomplete("contracts must list linear perpetuals, listed none")

    async def _read_table(self, symbol: str) -> None:
        name = self.ids[symbol]
        call = self._reader.api.futuresPublicGetContractsRiskLimitSymbol
        found = await self._reader.rows(call, {"symbol": name}, f"risk levels of {symbol}")
        self._tables[symbol] = parse.table(found, name)
        self._learn(symbol, self._rates.get(symbol))

    def _learn(self, symbol: str, rate: Decimal | None) -> None:
        row = self._raw[symbol]
        self.instruments[symbol] = parse.instrument(
            row,
            parse.tier(self._tables[symbol], symbol, rate=rate, fee=parse.fee(row)),
            margin_step=self._venue.margin_step,
            margin_release=self._margin_release,
        )
        self._rates[symbol] = rate
