"""What do rows of candles say, and which bars are over?"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from bot.domain.market import Bars, Candle
from bot.errors import Incomplete
from bot.exchanges.numbers import instant, positive, whole


def candle_rows(value: Any, symbol: str) -> list[list[Any]]:
    """Return rows whose fields have no names.

    Raises:
        Incomplete: It is anything else.
    """
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise Incomplete(f"klines of {symbol} must be a list of rows")
    return value


def candles_of(listed: Iterable[Sequence[Any]], symbol: str) -> tuple[Candle, ...]:
    """Return the rows of candles as they come, each with its date.

    Args:
        listed: Each begins with its opening time [ms], then open, high, low and close.
        symbol: Unified, for people.

    Raises:
        Incomplete: A row is broken.
    """
    found = []
    for row in listed:
        named = dict(zip(("open_at", "open", "high", "low", "close"), row, strict=False))
        named["symbol"] = symbol
        found.append(
            Candle(
                opened_at=instant(whole(named, "open_at")),
                high=float(positive(named, "high")),
                low=float(positive(named, "low")),
                close=float(positive(named, "close")),
            )
        )
    return tuple(found)


def bars_of(found: Sequence[Candle], *, seconds: int) -> Bars:
    """Return candles as bars.

    Args:
        found: Completed, time ascending, without a gap.
        seconds: Length of one. [s]
    """
    return Bars(
        opened_at=found[0].opened_at if found else None,
        seconds=seconds,
        high=tuple(row.high for row in found),
        low=tuple(row.low for row in found),
        close=tuple(row.close for row in found),
    )


def completed(found: Iterable[Candle], *, seconds: int, now_ms: int) -> Bars:
    """Return the bars that are over.

    Args:
        found: Time ascending, without a gap.
        seconds: Length of one. [s]
        now_ms: Venue time. [ms]
    """
    width, now = timedelta(seconds=seconds), instant(now_ms)
    return bars_of([row for row in found if row.opened_at + width <= now], seconds=seconds)
