"""How long does ``decide`` take for a large book?"""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bench.measure import interleaved
from bot.domain.account import Account, Wallet
from bot.domain.instrument import Instrument, MarginRelease, MarginTier
from bot.domain.market import Bars, BookLevel, Market
from bot.domain.observation import Observation
from bot.domain.position import MarginMode, Position, PositionMode
from bot.rebalance.decide import decide
from bot.rebalance.memory import Memory
from bot.rebalance.policy import Policy
from strategies.hazard import Hazard
from strategies.hazard import Settings as HazardSettings
from strategies.liquidation_buffer import LiquidationBuffer
from strategies.liquidation_buffer import Settings as BufferSettings

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TABLE = tuple(
    MarginTier(
        notional_floor=Decimal(floor),
        maintenance_rate=Decimal(rate),
        maintenance_amount=Decimal(amount),
        max_leverage=Decimal(50),
    )
    for floor, rate, amount in (
        ("0", "0.004", "0"),
        ("50000", "0.005", "50"),
        ("600000", "0.0065", "950"),
        ("3000000", "0.01", "11450"),
    )
)


def book(count: int, *, share: str, bars: int = 168) -> Observation:
    """Return an observation of ``count`` positions, each with equity of ``share`` of notional."""
    symbols = [f"C{number:03}/USDT:USDT" for number in range(count)]
    history = [
        Bars(
            opened_at=NOON - timedelta(hours=bars),
            high=tuple(100.7 + number / 1000 for _ in range(bars)),
            low=(99.6,) * bars,
            close=tuple(100.0 + hour % 2 / 2 for hour in range(bars)),
        )
        for number in range(count)
    ]
    return Observation(
        at=NOON,
        account_at=NOON,
        account=Account(
            name="main",
            venue="binanceusdm",
            position_mode=PositionMode.ONE_WAY,
            positions=tuple(
                Position(
                    symbol=symbol,
                    size=Decimal(100),
                    entry_price=Decimal(100),
                    mark_price=Decimal(100),
                    margin=Decimal(10000) * Decimal(share),
                    leverage_setting=Decimal(10),
                    margin_mode=MarginMode.ISOLATED,
                    venue_liquidation_price=None,
                    venue_maintenance_margin=None,
                )
                for symbol in symbols
            ),
            wallets=(
                Wallet(
                    name="futures",
                    currency="USDT",
                    total=Decimal(100_000),
                    free=Decimal(100_000),
                ),
            ),
        ),
        instruments=tuple(
            Instrument(
                symbol=symbol,
                settle="USDT",
                price_step=Decimal("0.01"),
                size_step=Decimal("0.001"),
                min_size=Decimal("0.001"),
                max_market_size=Decimal(1000),
                min_notional=Decimal(5),
                margin_step=Decimal("0.01"),
                taker_fee=Decimal("0.0005"),
                tiers=TABLE,
                margin_release=MarginRelease.PRO_RATA,
            )
            for symbol in symbols
        ),
        markets=tuple(
            Market(
                symbol=symbol,
                mark_price=Decimal(100),
                index_price=Decimal(100),
                mark_at=NOON,
                bars=history[number],
                bids=(BookLevel(price=Decimal("99.9"), size=Decimal(1000)),),
                asks=(BookLevel(price=Decimal("100.1"), size=Decimal(1000)),),
            )
            for number, symbol in enumerate(symbols)
        ),
    )


def run() -> dict[str, Any]:
    """Return the timing of ``decide`` for 100 positions, calm and endangered."""
    calm, endangered = book(100, share="0.5"), book(100, share="0.03")
    hazard, buffer = Hazard(HazardSettings()), LiquidationBuffer(BufferSettings())
    memory, policy = Memory(), Policy()
    timings = interleaved(
        {
            "hazard, calm": lambda: decide(calm, memory, policy, choose=hazard.choose),
            "hazard, all endangered": lambda: decide(
                endangered, memory, policy, choose=hazard.choose
            ),
            "liquidation_buffer, calm": lambda: decide(calm, memory, policy, choose=buffer.choose),
        },
        rounds=100,
    )
    return {
        "what": "decide for 100 positions",
        "aim": "<= 5 ms",
        "rows": {name: asdict(timing) for name, timing in timings.items()},
    }
