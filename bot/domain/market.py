"""What does the market of one symbol look like now?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLevel:
    """Resting size at one price.

    Attributes:
        price: [quote/base]
        size: [base or quote]
    """

    price: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Completed price bars, time ascending, as the models take them.

    Floats, because nothing exact is ever made of them: they only feed estimates.

    Attributes:
        opened_at: Of the first bar. Aware UTC; ``None`` when there are none.
        seconds: Length of a bar. [s]
        high: [quote/base]
        low: [quote/base]
        close: [quote/base]
    """

    opened_at: datetime | None = None
    seconds: int = 3600
    high: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    close: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """One completed bar, with its own date: histories have gaps.

    Attributes:
        opened_at: Aware UTC.
        high: [quote/base]
        low: [quote/base]
        close: [quote/base]
    """

    opened_at: datetime
    high: float
    low: float
    close: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Prices, history and resting orders of one symbol.

    Attributes:
        symbol: Unified name.
        mark_price: [quote/base]
        index_price: [quote/base]
        mark_at: The venue's own stamp of the mark. Aware UTC.
        funding_rate: Of the running interval. [ratio]
        bars: Price history for volatility; may be empty.
        bids: Best first; may be empty where the book was not needed.
        asks: Best first; may be empty where the book was not needed.
    """

    symbol: str
    mark_price: Decimal
    index_price: Decimal
    mark_at: datetime
    funding_rate: Decimal | None = None
    bars: Bars = Bars()
    bids: tuple[BookLevel, ...] = ()
    asks: tuple[BookLevel, ...] = ()
