"""Which exchange does a card begin with?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from bot.paper.engine import Engine
from bot.paper.instruments import CONTRACTS
from bot.paper.market import Path, Scripted

START_MS = int(datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp() * 1000)
PRICES = {"BTCUSDT": 60000.0, "SOLUSDT": 150.0}
FUTURES = Decimal(20000)
"""Wallet beside the margin of positions. [USDT]"""
SPOT = Decimal(5000)
"""The wallet it can be filled from. [USDT]"""
BARS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A position.

    Attributes:
        symbol: The venue's name.
        size: Signed. [base]
        leverage: The setting. [x]
        is_cross: Whether it has no margin of its own.
    """

    symbol: str
    size: str
    leverage: int
    is_cross: bool = False

    def __str__(self) -> str:
        """``50 SOLUSDT at 10x``."""
        return f"{self.size} {self.symbol} at {self.leverage}x" + (", cross" * self.is_cross)


LONG = Held(symbol="SOLUSDT", size="50", leverage=10)
SHORT = Held(symbol="SOLUSDT", size="-50", leverage=10)
BTC = Held(symbol="BTCUSDT", size="0.1", leverage=20)
CROSS = Held(symbol="SOLUSDT", size="50", leverage=10, is_cross=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What must be there before a card; all else is the same for all.

    Attributes:
        held: Positions at the start.
        is_hedge: Whether a symbol can be held on both sides.
        points: (second, factor on the start price), from second 0.
        depth: Factor on the value that rests in the book. [ratio]
        transfer_seconds: How long a transfer is on its way. [s]
        lag_ms: How long after its effect history does not show a row. [ms]
        skew_seconds: How far the machine's clock runs ahead of the venue's. [s]
    """

    held: tuple[Held, ...] = (LONG,)
    is_hedge: bool = False
    points: tuple[tuple[int, float], ...] = ((0, 1.0),)
    depth: float = 1.0
    transfer_seconds: int = 0
    lag_ms: int = 0
    skew_seconds: int = 0

    def __str__(self) -> str:
        """What differs from an empty account, for people."""
        says = [
            "hedge mode" if self.is_hedge else "one-way mode",
            *(str(held) for held in self.held),
            *(["no position"] if not self.held else []),
        ]
        factors = [f"{factor:g}" for _, factor in self.points[1:]]
        extra = {
            f"price goes to {', '.join(factors)} of the start": bool(factors),
            f"book at {self.depth:g} of its depth": self.depth != 1.0,
            f"transfers take {self.transfer_seconds} s": self.transfer_seconds > 0,
            f"history lags {self.lag_ms} ms": self.lag_ms > 0,
            f"machine clock {self.skew_seconds:+d} s": self.skew_seconds != 0,
        }
        return "; ".join([*says, *(text for text, is_said in extra.items() if is_said)])


def engine_of(scene: Scene, prepare: Callable[[Engine], None]) -> Engine:
    """Return the exchange of a scene.

    Args:
        scene: What is there.
        prepare: Has the exchange before anything is held.
    """
    paths = [
        Path(
            contract=CONTRACTS[symbol],
            start=price,
            volatility=0.0,
            points=scene.points,
            depth=((0, scene.depth),),
        )
        for symbol, price in PRICES.items()
    ]
    engine = Engine(
        contracts=CONTRACTS,
        feed=Scripted(paths, start_ms=START_MS, seed=1, hours=BARS + 2),
        start_ms=START_MS,
        transfer_delay_ms=scene.transfer_seconds * 1000,
        history_lag_ms=scene.lag_ms,
    )
    prepare(engine)
    engine.hedge_mode = scene.is_hedge
    engine.cross["USDT"], engine.spot["USDT"] = Decimal(10**6), SPOT
    for held in scene.held:
        engine.hold(
            held.symbol,
            Decimal(held.size),
            leverage=held.leverage,
            isolated=not held.is_cross,
        )
    engine.cross["USDT"] = FUTURES
    return engine
