"""What are the rules now: contracts, tiers, fees, the position mode?

A maintenance table goes by size, so what holds for a contract follows from what is held of it.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.instrument import Contract, MarginRelease, contract_of
from bot.errors import Denied, Incomplete
from bot.exchanges.client import Client, all_of
from bot.exchanges.numbers import text
from bot.exchanges.okx import parse
from bot.exchanges.okx.answers import listed, single
from bot.exchanges.rules import VenueRules

NOTHING = Decimal(0)


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
        self.contract = (
            Contract.INVERSE
            if any(contract_of(symbol) is Contract.INVERSE for symbol in symbols)
            else Contract.LINEAR
        )
        """What the account trades; all of it is of one kind."""
        self.coins: dict[str, Decimal] = {}
        """In a contract, by symbol; dollars where it is inverse. [base or quote]"""
        self.is_planned = True
        """Whether isolated positions stand by themselves; else they are only shown."""
        self._raw: dict[str, Mapping[str, Any]] = {}
        self._fees: Mapping[str, Any] = {}
        self._tables: dict[str, tuple[parse.Tier, ...]] = {}
        self._held: dict[str, Decimal] = {}

    def symbol(self, row: Mapping[str, Any]) -> str:
        """Return the unified name of what a row is about.

        Raises:
            Incomplete: It is no swap of the account's kind: nothing is known of it, so nothing is
                said of the account at all.
        """
        symbol = self._symbols.get(text(row, "instId"))
        if symbol is None:
            raise Incomplete(
                f"positions must be {self.contract} swaps, {str(row.get('instId'))[:40]} is none: "
                "hold it in another account"
            )
        return symbol

    async def read(self) -> None:
        """Read all of it.

        Raises:
            ExchangeError: No usable answer, or the account cannot hold swaps.
        """
        api = self._client.api
        contracts, config, fees = await all_of(
            [
                self._client.read(api.publicGetPublicInstruments, {"instType": "SWAP"}),
                self._client.read(api.privateGetAccountConfig, {}),
                self._client.read(api.privateGetAccountTradeFee, {"instType": "SWAP"}),
            ]
        )
        row = single(config, "account config")
        owner = parse.owner(row)
        if row["acctLv"] == parse.SPOT:
            raise Denied("the account must be in futures mode: in spot mode it cannot hold swaps")
        self._fees = single(fees, "fees")
        self._take(listed(contracts, "instruments"))
        needed = sorted({*self._wanted, *self.instruments})
        await all_of([self._read_table(symbol) for symbol in needed if symbol in self._raw])
        self.mode, self.is_planned = owner.mode, owner.is_planned
        self._read_at = self._clock.now()

    async def need(self, symbols: Collection[str]) -> None:
        """Read the tables of symbols, unless that of each is known.

        Raises:
            ExchangeError: No usable answer.
        """
        missing = sorted(symbol for symbol in symbols if symbol not in self._tables)
        await all_of([self._read_table(symbol) for symbol in missing])

    def hold(self, held: Mapping[str, Decimal]) -> None:
        """Take the step of each table from what is held now.

        Args:
            held: The larger leg of each symbol; others hold nothing. [contracts]

        Raises:
            Incomplete: A field is missing or makes no sense.
        """
        for symbol in self._tables:
            if self._held.get(symbol) != held.get(symbol, NOTHING):
                self._learn(symbol, held.get(symbol, NOTHING))

    def _take(self, rows: list[dict[str, Any]]) -> None:
        found = [row for row in rows if parse.is_swap(row, self.contract)]
        if not found:
            raise Incomplete(f"instruments must list {self.contract} swaps, listed none")
        for row in found:
            try:
                name, symbol, coins = text(row, "instId"), parse.unified(row), parse.face(row)
            except Incomplete:
                continue  # a contract to come is listed before it has all of its rules
            self.ids[symbol], self._symbols[name] = name, symbol
            self._raw[symbol], self.coins[symbol] = row, coins
        if not self.ids:
            raise Incomplete("instruments must have names and values, had none")

    async def _read_table(self, symbol: str) -> None:
        answer = await self._client.read(
            self._client.api.publicGetPublicPositionTiers,
            {
                "instType": "SWAP",
                "tdMode": "isolated",
                "instFamily": text(self._raw[symbol], "instFamily"),
            },
        )
        self._tables[symbol] = parse.table(listed(answer, "position tiers"), symbol)
        self._learn(symbol, self._held.get(symbol, NOTHING))

    def _learn(self, symbol: str, held: Decimal) -> None:
        row = self._raw[symbol]
        fee = parse.taker_fee(self._fees, text(row, "settleCcy"), self.contract)
        self.instruments[symbol] = parse.instrument(
            row,
            parse.tiers(self._tables[symbol], symbol, held=held, fee=fee, contract=self.contract),
            fee=fee,
            margin_step=self._venue.margin_step,
            margin_release=self._margin_release,
            contract=self.contract,
        )
        self._held[symbol] = held
