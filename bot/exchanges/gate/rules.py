"""What are the rules now: contracts, tiers, fees, the position mode?"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.instrument import MarginRelease
from bot.errors import Incomplete
from bot.exchanges.client import Client, all_of
from bot.exchanges.gate import parse
from bot.exchanges.gate.pages import all_pages
from bot.exchanges.numbers import text
from bot.exchanges.rules import VenueRules

PAGE = 1000


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
        self.coins: dict[str, Decimal] = {}
        """In a contract, by symbol. [base]"""
        self._raw: dict[str, Mapping[str, Any]] = {}
        self._fees: Any = {}

    def symbol(self, row: Mapping[str, Any]) -> str:
        """Return the unified name of what a row is about.

        Raises:
            Incomplete: It is no linear contract: nothing is known of it, so nothing is said of the
                account at all.
        """
        symbol = self._symbols.get(text(row, "contract"))
        if symbol is None:
            self.forget()  # it may have been listed since: the next look reads again
            raise Incomplete(
                f"positions must be linear, {str(row.get('contract'))[:40]} is not: hold it in "
                "another account"
            )
        return symbol

    async def read(self) -> None:
        """Read all of it.

        Raises:
            ExchangeError: No usable answer, or the account is of another kind.
        """
        api, where = self._client.api, {"settle": parse.SETTLE}
        listed, account, fees = await all_of([
            all_pages(
                self._client, api.publicFuturesGetSettleContracts, where, "contracts", page=PAGE
            ),
            self._client.read(api.privateFuturesGetSettleAccounts, where),
            self._client.read(api.privateFuturesGetSettleFee, where),
        ])  # fmt: skip
        self.mode, self._fees = parse.owner(account).mode, fees
        self._take(listed)
        needed = sorted({*self._wanted, *self.instruments})
        await all_of([self._learn(symbol) for symbol in needed if symbol in self._raw])
        self._read_at = self._clock.now()

    async def need(self, symbols: Collection[str]) -> None:
        """Read the tables of symbols, unless that of each is known.

        Raises:
            ExchangeError: No usable answer.
        """
        missing = sorted(symbol for symbol in symbols if symbol not in self.instruments)
        await all_of([self._learn(symbol) for symbol in missing])

    def _take(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if not parse.is_linear(row):
                continue
            try:
                name, symbol, coins = text(row, "name"), parse.unified(row), parse.face(row)
            except Incomplete:
                continue  # a contract to come is listed before it has all of its rules
            self.ids[symbol], self._symbols[name] = name, symbol
            self._raw[symbol], self.coins[symbol] = row, coins
        if not self.ids:
            raise Incomplete("contracts must list linear perpetuals, listed none")

    async def _learn(self, symbol: str) -> None:
        """Read the tiers of a symbol when they are needed: the venue lists hundreds."""
        name = self.ids[symbol]
        answer = await self._client.read(
            self._client.api.publicFuturesGetSettleRiskLimitTiers,
            {"settle": parse.SETTLE, "contract": name},
        )
        self.instruments[symbol] = parse.instrument(
            self._raw[symbol],
            parse.tiers(answer, name),
            fee=parse.taker_fee(self._fees, name),
            margin_step=self._venue.margin_step,
            margin_release=self._margin_release,
        )
