"""What does the market of one symbol look like now?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLevel:
    """Resting size at one price.

    Attributes:
        price: [quote/base]
        size: [base]
    """

    price: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One completed price bar.

    Attributes:
        opened_at: Aware UTC.
        high: [quote/base]
        low: [quote/base]
        close: [quote/base]
    """

    opened_at: datetime
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Prices, history and resting orders of one symbol.

    Attributes:
        symbol: Unified name.
        mark_price: [quote/base]
        index_price: [quote/base]
        mark_at: The venue's own stamp of the mark. Aware UTC.
        funding_rate: Of the running interval. [ratio]
        bars: Completed bars, time ascending, of ``bar_seconds`` each; may be empty.
        bar_seconds: [s]
        bids: Best first; may be empty where the book was not needed.
        asks: Best first; may be empty where the book was not needed.
    """

    symbol: str
    mark_price: Decimal
    index_price: Decimal
    mark_at: datetime
    funding_rate: Decimal | None = None
    bars: tuple[Bar, ...] = ()
    bar_seconds: int = 3600
    bids: tuple[BookLevel, ...] = ()
    asks: tuple[BookLevel, ...] = ()
