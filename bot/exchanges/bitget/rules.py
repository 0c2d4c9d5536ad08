"""What are the rules now: contracts, tiers, the position mode?

A rate of maintenance goes by what a position is worth, so what holds for a contract follows from
what is held of it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from bot.clock import VenueClock
from bot.domain.instrument import MarginRelease
from bot.errors import Incomplete
from bot.exchanges.bitget import parse
from bot.exchanges.bitget.answers import COIN, MIX, listed, single
from bot.exchanges.client import Client, all_of
from bot.exchanges.numbers import text
from bot.exchanges.rules import VenueRules


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
        self._client = client
        self._raw: dict[str, Mapping[str, Any]] = {}
        self._tables: dict[str, tuple[parse.Tier, ...]] = {}
        self._held: dict[str, frozenset[parse.Held]] = {}

    async def read(self) -> None:
        """Read all of it.

        Raises:
            ExchangeError: No usable answer.
        """
        call = self._client.api.publicMixGetV2MixMarketContracts
        self._take(listed(await self._client.read(call, dict(MIX)), "contracts"))
        needed = sorted({*self._wanted, *self.instruments} & self._raw.keys())
        await all_of([self._read_mode(), *(self._read_table(symbol) for symbol in needed)])
        self._read_at = self._clock.now()

    async def need(self, symbols: Collection[str]) -> None:
        """Read the tables of symbols, unless that of each is known.

        Raises:
            ExchangeError: No usable answer.
        """
        missing = sorted(symbol for symbol in symbols if symbol not in self._tables)
        await all_of([self._read_table(symbol) for symbol in missing])

    def hold(self, held: Mapping[str, frozenset[parse.Held]]) -> None:
        """Take the step of each table from what is held now.

        Args:
            held: The legs of each symbol; others hold nothing.

        Raises:
            Incomplete: A field is missing or makes no sense.
        """
        for symbol in self._tables:
            if self._held.get(symbol) != held.get(symbol, frozenset()):
                self._learn(symbol, held.get(symbol, frozenset()))

    def _take(self, rows: list[dict[str, Any]]) -> None:
        found = [row for row in rows if parse.is_perpetual(row)]
        for row in found:
            try:
                name, symbol = text(row, "symbol"), parse.unified(row)
            except Incomplete:
                continue  # a contract to come is listed before it has all of its rules
            self.ids[symbol], self._symbols[name] = name, symbol
            self._raw[symbol] = row
        if not self.ids:
            raise Incomplete(f"contracts must list perpetuals settled in {COIN}, listed none")

    async def _read_mode(self) -> None:
        """Read how symbols are held: the same for all, told with the settings of one."""
        symbol = next((wanted for wanted in self._wanted if wanted in self.ids), min(self.ids))
        answer = await self._client.read(
            self._client.api.privateMixGetV2MixAccountAccount,
            {**MIX, "symbol": self.ids[symbol], "marginCoin": COIN},
        )
        self.mode = parse.mode(single(answer, "account settings"))

    async def _read_table(self, symbol: str) -> None:
        answer = await self._client.read(
            self._client.api.publicMixGetV2MixMarketQueryPositionLever,
            {**MIX, "symbol": self.ids[symbol]},
        )
        self._tables[symbol] = parse.table(listed(answer, "position tiers"), symbol)
        self._learn(symbol, self._held.get(symbol, frozenset()))

    def _learn(self, symbol: str, held: frozenset[parse.Held]) -> None:
        row = self._raw[symbol]
        fee = parse.taker_fee(row)
        self.instruments[symbol] = parse.instrument(
            row,
            parse.tier(self._tables[symbol], symbol, held=held, fee=fee),
            margin_step=self._venue.margin_step,
            margin_release=self._margin_release,
        )
        self._held[symbol] = held
