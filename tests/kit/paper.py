"""Paper exchanges with markets of a test's own, before anybody serves them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from bot.paper.desk import Keys
from bot.paper.engine import Engine
from bot.paper.instruments import CONTRACTS
from bot.paper.market import HISTORY_HOURS, Scripted
from bot.paper.market import Path as PricePath

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
PRICES = {
    "BTCUSDT": 60000.0,
    "BTCUSDC": 60000.0,
    "ETHUSDT": 3000.0,
    "SOLUSDT": 150.0,
    "DOGEUSDT": 0.2,
}
FAST = 1e6
KEYS = Keys()
NAME = "pltest0001000001"
"""Of an intent, where it does not matter."""


def an_engine(
    *,
    symbols: Sequence[str] = ("BTCUSDT", "SOLUSDT"),
    futures: str = "20000",
    spot: str = "5000",
    volatility: float = 0.002,
    points: tuple[tuple[int, float], ...] = ((0, 1.0),),
    seed: int = 1,
    hours: int = HISTORY_HOURS,
) -> Engine:
    """Return an exchange with money and no positions."""
    paths = [
        PricePath(
            contract=CONTRACTS[symbol],
            start=PRICES[symbol],
            volatility=volatility,
            points=points,
        )
        for symbol in symbols
    ]
    engine = Engine(
        contracts=CONTRACTS,
        feed=Scripted(paths, start_ms=START_MS, seed=seed, hours=hours),
        start_ms=START_MS,
    )
    engine.cross["USDT"], engine.spot["USDT"] = Decimal(futures), Decimal(spot)
    return engine


def a_held_engine() -> Engine:
    """Return an exchange where 50 SOL are held with 10x, and a short of a tenth of a coin."""
    engine = an_engine()
    engine.hold("SOLUSDT", Decimal(50), leverage=10)
    engine.hold("BTCUSDT", Decimal("-0.1"), leverage=20)
    return engine


def a_hedged_engine() -> Engine:
    """Return an exchange in hedge mode with both legs of a symbol."""
    engine = an_engine()
    engine.hedge_mode = True
    engine.hold("SOLUSDT", Decimal(50), leverage=10)
    engine.hold("SOLUSDT", Decimal(-20), leverage=10)
    return engine
