"""What are the rules now: contracts, tiers, fees, the position mode of each symbol?"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.instrument import Contract, MarginRelease, settle_of
from bot.domain.position import PositionMode
from bot.errors import Incomplete
from bot.exchanges.bybit import parse
from bot.exchanges.bybit.answers import Reader, listed
from bot.exchanges.client import all_of
from bot.exchanges.numbers import amount, instant, text
from bot.exchanges.rules import VenueRules

CONTRACTS_PAGE = 1000
USUAL_FEE = Decimal("0.00055")
"""Taker fee of whoever trades little; for the test hosts, which do not tell it. [ratio]"""
PERPETUALS = {Contract.LINEAR: "LinearPerpetual", Contract.INVERSE: "InversePerpetual"}


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
        has_fees: bool,
    ) -> None:
        super().__init__(clock, venue=venue, symbols=symbols, margin_release=margin_release)
        self._reader, self._has_fees = reader, has_fees
        self.modes: dict[str, PositionMode] = {}
        """Of each symbol that was needed so far; here each may have its own."""
        self._raw: dict[str, Mapping[str, Any]] = {}
        self._fees: dict[str, Decimal] = {}

    @property
    def coins(self) -> tuple[str, ...]:
        """What the contracts are settled in; of inverse ones, those that were needed so far."""
        if self._reader.contract is Contract.INVERSE:
            needed = (*self._wanted, *self.instruments)
            return tuple(sorted({settle_of(symbol) for symbol in needed}))
        return tuple(sorted({text(row, "settleCoin") for row in self._raw.values()}))

    async def read(self) -> None:
        """Read all of it.

        Raises:
            ExchangeError: No usable answer.
        """
        api = self._reader.api
        found, fees = await all_of([
            self._reader.all(
                api.publicGetV5MarketInstrumentsInfo,
                {**self._reader.where, "limit": CONTRACTS_PAGE},
                "contracts",
            ),
            self._read_fees(),
        ])  # fmt: skip
        wanted = PERPETUALS[self._reader.contract]
        raw = {parse.unified(r): r for r in found if r.get("contractType") == wanted}
        if not raw:
            raise Incomplete("contracts must list perpetuals, listed none")
        self._raw, self._fees = raw, fees
        self.ids.update({symbol: text(row, "symbol") for symbol, row in raw.items()})
        self._symbols.update({name: symbol for symbol, name in self.ids.items()})
        asked = sorted({*self._wanted, *self.instruments})
        await all_of([self._learn(symbol) for symbol in asked if symbol in self.ids])
        self._read_at = self._clock.now()

    async def configure(self, symbols: Collection[str]) -> None:
        """Read the rules of symbols that are not known yet.

        Raises:
            ExchangeError: No usable answer.
        """
        new = [symbol for symbol in symbols if symbol not in self.instruments]
        await all_of([self._learn(symbol) for symbol in new])

    def seen(self, symbol: str, row: Mapping[str, Any]) -> None:
        """Take over the position mode that a position speaks of.

        Raises:
            Incomplete: It is unknown.
        """
        self._take(symbol, parse.mode_of(row))

    def terms(self, symbol: str, *, is_isolated: bool) -> parse.Terms:
        """Return what a position of a symbol is read by."""
        instrument = self.instruments[symbol]
        return parse.Terms(
            symbol=symbol,
            taker_fee=instrument.taker_fee,
            is_isolated=is_isolated and parse.is_planned(instrument),
            contract=instrument.contract,
        )

    async def _learn(self, symbol: str) -> None:
        """Read the tiers and the mode of a symbol when they are needed: a venue lists hundreds."""
        row, name, api = self._raw.get(symbol), self.ids[symbol], self._reader.api
        if row is None:  # it was listed, and does not trade any more
            self.instruments[symbol] = replace(self.instruments[symbol], closes_at=instant(0))
            return
        where = {**self._reader.where, "symbol": name}
        limits, legs = await all_of([
            self._reader.all(api.publicGetV5MarketRiskLimit, where, "risk limits"),
            self._reader.one(api.privateGetV5PositionList, where, "legs"),
        ])  # fmt: skip
        modes = {parse.mode_of(leg) for leg in listed(legs, "legs") if text(leg, "symbol") == name}
        if len(modes) != 1:
            raise Incomplete(f"legs of {symbol} must be of one position mode, were of {len(modes)}")
        self.instruments[symbol] = parse.instrument(
            row,
            parse.tiers(limits, name, contract=self._reader.contract),
            taker_fee=self._fee(name),
            margin_step=self._venue.margin_step,
            margin_release=self._margin_release,
            contract=self._reader.contract,
        )
        self._take(symbol, *modes)

    def _take(self, symbol: str, mode: PositionMode) -> None:
        self.modes[symbol] = mode
        is_hedge = PositionMode.HEDGE in self.modes.values()
        self.mode = PositionMode.HEDGE if is_hedge else PositionMode.ONE_WAY

    def _fee(self, name: str) -> Decimal:
        if not self._has_fees:
            return USUAL_FEE
        if name not in self._fees:
            raise Incomplete(f"fee rate of {name} must be known, was not listed")
        return self._fees[name]

    async def _read_fees(self) -> dict[str, Decimal]:
        if not self._has_fees:
            return {}
        call = self._reader.api.privateGetV5AccountFeeRate
        found = await self._reader.one(call, self._reader.where, "fees")
        rates = {text(row, "symbol"): amount(row, "takerFeeRate") for row in listed(found, "fees")}
        dear = [name for name, rate in rates.items() if rate >= 1]
        if dear:
            raise Incomplete(f"takerFeeRate of {dear[0]} must be below 1")
        return rates
