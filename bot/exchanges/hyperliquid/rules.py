"""What are the rules now: contracts, tiers, fees, and may the key still be used?"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bot.clock import VenueClock
from bot.domain.instrument import MarginRelease
from bot.errors import Incomplete
from bot.exchanges.client import all_of
from bot.exchanges.hyperliquid import parse
from bot.exchanges.hyperliquid.answers import Reader
from bot.exchanges.numbers import instant, positive, rows, table, text
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
        check: Callable[[], Awaitable[None]],
    ) -> None:
        """Take what they are for.

        Args:
            reader: Asks.
            clock: Says when they are old.
            venue: Its id.
            symbols: Unified, whose rules are always needed.
            margin_release: As measured by the owner.
            check: Passes if the key may still be used.
        """
        super().__init__(clock, venue=venue, symbols=symbols, margin_release=margin_release)
        self._reader, self._check = reader, check
        self.coins: dict[str, parse.Coin] = {}
        """By unified name."""
        self.listed: tuple[str, ...] = ()
        """Names of the venue, each at its place."""
        self._fee = Decimal(0)

    async def read(self) -> None:
        """Read all of it.

        Raises:
            ExchangeError: No usable answer, or the key must not be used any more.
        """
        # At the start the key has just been looked at.
        again = [] if self._read_at is None and not self.listed else [self._check()]
        contexts, fees, *_ = await all_of(
            [self._reader.contexts(), self._reader.own("userFees"), *again]
        )
        meta, prices = parse.pair(contexts)
        found = parse.coins(meta)
        self._fee = parse.taker_fee(fees)
        odd = next((c.problem for c in found if c.problem and c.symbol in self._wanted), "")
        if odd:
            raise Incomplete(odd)
        self.coins.clear()
        self.coins.update({coin.symbol: coin for coin in found if not coin.problem})
        self.listed = tuple(coin.name for coin in found)
        self.ids.update({coin.symbol: coin.name for coin in found})
        self._symbols.update({coin.name: coin.symbol for coin in found})
        gone = self.instruments.keys() - self.coins.keys()
        for symbol in gone:  # it was listed, and does not trade any more
            self.instruments[symbol] = replace(self.instruments[symbol], closes_at=instant(0))
        self.price(sorted({*self._wanted, *self.instruments} - gone), prices, is_anew=True)
        self._read_at = self._clock.now()

    def prices(self, answer: Any) -> Sequence[Mapping[str, Any]]:
        """Return the prices of what is listed, each at its place.

        Raises:
            Incomplete: They are not of what was listed when the rules were read.
        """
        meta, found = parse.pair(answer)
        names = tuple(text(row, "name") for row in rows(meta["universe"], "universe"))
        if names != self.listed:
            self.forget()
            raise Incomplete("universe must be the one that the rules are of, was another")
        return found

    def price(
        self,
        symbols: Collection[str],
        prices: Sequence[Mapping[str, Any]],
        *,
        is_anew: bool = False,
    ) -> None:
        """Take over the steps of prices: they follow the mark.

        Args:
            symbols: Unified.
            prices: Of what is listed, each at its place.
            is_anew: Whether all other rules may have changed too.

        Raises:
            Incomplete: A mark is missing.
        """
        for symbol in symbols:
            coin = self.coins.get(symbol)
            if coin is None:
                continue
            mark = positive({"symbol": symbol, **prices[coin.asset]}, "markPx")
            known = self.instruments.get(symbol)
            step = parse.price_step(mark, coin.places)
            if is_anew or known is None or known.price_step != step:
                self.instruments[symbol] = parse.instrument(
                    coin,
                    mark=mark,
                    taker_fee=self._fee,
                    margin_step=self._venue.margin_step,
                    margin_release=self._margin_release,
                )

    def held(self, state: Mapping[str, Any]) -> list[parse.Held]:
        """Return what is held, of an answer of clearinghouseState.

        Raises:
            Incomplete: A row is broken, or of a contract that is not listed.
        """
        found: list[parse.Held] = []
        for row in rows(state.get("assetPositions"), "assetPositions"):
            if text(row, "type") != "oneWay":
                raise Incomplete(f"type of a position must be oneWay, was {row['type']!r}")
            inner = table(row.get("position"), "position")
            symbol = self.symbol({"symbol": text(inner, "coin")})
            found.append(parse.held(inner, self.coins[symbol]))
        if len({one.coin for one in found}) < len(found):
            raise Incomplete("assetPositions must be one of each coin, were more")
        return found

    def symbol(self, row: Mapping[str, Any]) -> str:
        """Return the unified name of what a row is about.

        Raises:
            Incomplete: The venue does not list it.
        """
        symbol = super().symbol(row)
        if symbol not in self.coins:
            raise Incomplete(f"rules of {symbol} must be known, are odd or not listed any more")
        return symbol
