"""What are the rules now: contracts, tiers, the position mode, the settings of each symbol?"""

from collections.abc import Awaitable, Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.instrument import Contract, MarginRelease
from bot.domain.position import PositionMode
from bot.errors import Incomplete
from bot.exchanges.binance import parse
from bot.exchanges.binance.family import COIN, FAMILIES, unit_of
from bot.exchanges.client import Client, all_of
from bot.exchanges.numbers import rows, table, text
from bot.exchanges.rules import VenueRules

CONFIG_EVERY = timedelta(minutes=10)


class Rules(VenueRules):
    """The rules of one account's venue, as last read."""

    def __init__(
        self,
        client: Client,
        clock: VenueClock,
        *,
        venue: str,
        symbols: Collection[str],
        margin_release: MarginRelease,
    ) -> None:
        super().__init__(clock, venue=venue, symbols=symbols, margin_release=margin_release)
        self._client, self._family = client, FAMILIES[venue]
        self._raw: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        self._configs: dict[str, parse.Config] = {}
        self._configs_at: datetime | None = None

    def due(self) -> list[Awaitable[None]]:
        """Return what must be read again by now."""
        found = super().due()
        if not found and self._family.settings and self._is_old(self._configs_at, CONFIG_EVERY):
            return [self._read_configs()]
        return found

    def unit(self, symbol: str) -> Decimal:
        """Return what one of what the wire counts is, of a symbol the venue lists. [base or quote].

        Raises:
            Incomplete: The rules of an inverse one make no sense.
        """
        if self._family.contract is Contract.LINEAR:
            return COIN
        if symbol not in self.instruments:
            self.learn(symbol)
        return unit_of(self.instruments[symbol])

    def config(self, symbol: str) -> parse.Config:
        """Return the settings of a symbol.

        Raises:
            Incomplete: The venue did not list them.
        """
        config = self._configs.get(symbol)
        if config is None:
            raise Incomplete(f"leverage setting of {symbol} must be known, was not listed")
        return config

    async def configure(self, symbols: Collection[str]) -> None:
        """Read the settings of symbols, unless those of each are known.

        Raises:
            ExchangeError: No usable answer.
        """
        if self._family.settings and any(symbol not in self._configs for symbol in symbols):
            await self._read_configs()

    async def read(self) -> None:
        """Read all of it.

        Raises:
            ExchangeError: No usable answer.
        """
        family = self._family
        calls = ("PublicGetExchangeInfo", family.tiers, "PrivateGetPositionSideDual")
        wanted = (*calls, family.settings) if family.settings else calls
        info, brackets, dual, *configs = await all_of([self._ask(name) for name in wanted])
        is_hedge = table(dual, "position mode").get("dualSidePosition")
        if not isinstance(is_hedge, bool):
            raise Incomplete(f"dualSidePosition must be true or false, was {is_hedge!r}")
        tables = {text(row, "symbol"): row for row in rows(brackets, "leverage brackets")}
        if not tables:
            raise Incomplete("leverage brackets must list symbols, listed none")
        self.mode = PositionMode.HEDGE if is_hedge else PositionMode.ONE_WAY
        for row in rows(table(info, "exchangeInfo").get("symbols"), "symbols"):
            if row.get("contractType") != "PERPETUAL" or text(row, "symbol") not in tables:
                continue
            symbol = parse.unified(row)
            self.ids[symbol] = text(row, "symbol")
            self._symbols[text(row, "symbol")] = symbol
            self._raw[symbol] = (row, tables[text(row, "symbol")])
            if symbol in self._wanted or symbol in self.instruments:
                self.learn(symbol)
        for answer in configs:
            self._take_configs(answer)
        self._read_at = self._clock.now()

    def learn(self, symbol: str) -> None:
        """Parse the rules of a symbol when they are needed: a venue lists hundreds.

        Raises:
            Incomplete: A field is missing or makes no sense.
        """
        row, brackets = self._raw[symbol]
        is_linear = self._family.contract is Contract.LINEAR
        self.instruments[symbol] = parse.instrument(
            row,
            parse.tiers(brackets) if is_linear else parse.coin_tiers(brackets),
            margin_step=self._venue.margin_step,
            margin_release=self._margin_release,
        )

    async def _read_configs(self) -> None:
        self._take_configs(await self._ask(self._family.settings))

    async def _ask(self, name: str) -> Any:
        return await self._client.read(self._family.call(self._client.api, name), {})

    def _take_configs(self, answer: Any) -> None:
        for row in rows(answer, "symbol settings"):
            symbol = self._symbols.get(text(row, "symbol"))
            if symbol in self.instruments:
                self._configs[symbol] = parse.config(row)
        self._configs_at = self._clock.now()
