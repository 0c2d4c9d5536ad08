"""What is the funding rate of each contract, as lately as anybody needs to know?"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from bot.clock import VenueClock
from bot.errors import Incomplete, Unavailable
from bot.exchanges.kucoin.answers import Reader
from bot.exchanges.numbers import number
from bot.exchanges.quota import Lane

EVERY = timedelta(minutes=10)
"""Nothing depends on it, and each contract is an own request."""


class Funding:
    """The rates of the running intervals, as last read."""

    def __init__(self, reader: Reader, clock: VenueClock, ids: Mapping[str, str]) -> None:
        self._reader, self._clock, self._ids = reader, clock, ids
        self._rates: dict[str, Decimal] = {}
        self._read_at: dict[str, datetime] = {}

    def of(self, symbol: str) -> Decimal | None:
        """Return the rate of a symbol; ``None`` where it is not known. [ratio]."""
        return self._rates.get(symbol)

    async def refresh(self, symbols: Collection[str]) -> None:
        """Read one that is due; one that cannot be read is not known.

        Raises:
            Denied: Key or permission.
        """
        now = self._clock.now()
        due = [s for s in symbols if s not in self._read_at or now - self._read_at[s] >= EVERY]
        if not due:
            return
        symbol = due[0]
        self._read_at[symbol] = now
        self._rates.pop(symbol, None)
        call, asked = (
            self._reader.api.futuresPublicGetFundingRateSymbolCurrent,
            {"symbol": self._ids[symbol]},
        )
        try:
            row = await self._reader.one(call, asked, "funding rate", lane=Lane.TELEMETRY)
            self._rates[symbol] = number({**row, "symbol": symbol}, "value")
        except (Unavailable, Incomplete):
            return
