"""Which world does a seed make?"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from bot.simulate.operations import Local, Market, Operation
from bot.simulate.weather import Read, Wire, swarm

PATHS: Mapping[str, tuple[tuple[float, float], ...]] = {
    "crash": ((0.0, 1.0), (0.3, 0.975), (0.7, 0.93), (1.0, 0.94)),
    "gap": ((0.0, 1.0), (0.5, 0.995), (0.51, 0.945), (1.0, 0.95)),
    "wick": ((0.0, 1.0), (0.4, 0.99), (0.5, 0.94), (0.6, 0.985), (1.0, 0.99)),
    "grind": ((0.0, 1.0), (1.0, 0.955)),
    "calm": ((0.0, 1.0), (1.0, 1.0)),
    "recovery": ((0.0, 1.0), (0.3, 0.94), (1.0, 1.02)),
    "rebound": ((0.0, 1.0), (0.2, 0.95), (0.5, 1.06), (1.0, 1.16)),
}
"""Share of the storm and factor on the price; a short position sees the mirror image."""

PRICES = {"BTCUSDT": 60000.0, "ETHUSDT": 3000.0, "SOLUSDT": 150.0, "DOGEUSDT": 0.2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A position at the start.

    Attributes:
        symbol: The venue's id.
        notional: Signed. [quote]
        leverage: Setting, and effective at the start. [x]
    """

    symbol: str
    notional: Decimal
    leverage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One world.

    Attributes:
        seed: Made from it.
        storm: How long faults happen. [s]
        path: Name of the price path.
        held: Positions at the start.
        futures: Left in the wallet after their margins. [quote]
        spot: [quote]
        reserves: Wallet name to what must stay. [quote]
        hedge: Position mode.
        strategy: Where positions shall stand: path and own settings.
        interval: Between routine polls. [s]
        rates: Of each fault class. [ratio]
        crash: Probability of death at each step of the bot. [ratio]
        patience: Of the client for one answer. [s]
        history_lag_ms: Of the venue's history. [ms]
        transfer_ms: A transfer needs so long. [ms]
        disk_delay: Longest commit. [s]
        disk_fails: Commits that fail, of the whole run.
        skew: Of the machine's clock. [s]
        person: Seconds at which a person moves margin by hand.
        second: When the bot stands still for a minute and another machine takes the same journal
            and account over; negative: at its first write after that. [s]
        killed_at: When a person says kill; re-armed when the storm is over. [s]
        target: The only operation that faults are about; ``None`` for all.
        event: What happens when it is about to leave; ``None`` for nothing.
    """

    seed: int
    storm: float
    path: str
    held: tuple[Held, ...]
    futures: Decimal
    spot: Decimal
    reserves: Mapping[str, Decimal]
    hedge: bool
    strategy: Mapping[str, str]
    interval: float
    rates: Mapping[StrEnum, float] = field(default_factory=dict)
    crash: float = 0.0
    patience: float = 3.0
    history_lag_ms: int = 0
    transfer_ms: int = 0
    disk_delay: float = 0.002
    disk_fails: tuple[int, ...] = ()
    skew: float = 0.0
    person: tuple[float, ...] = ()
    killed_at: float | None = None
    second: float | None = None
    target: Operation | None = None
    event: Local | Market | None = None


STRATEGIES: tuple[Mapping[str, str], ...] = (
    {
        "path": "strategies.liquidation_buffer:LiquidationBuffer",
        "emergency": "0.03", "trigger": "0.06", "target": "0.08", "give_back": "0.10",
    },
    {
        "path": "strategies.liquidation_buffer:LiquidationBuffer",
        "emergency": "0.05", "trigger": "0.09", "target": "0.12", "give_back": "0.16",
    },
    {
        "path": "strategies.fixed_leverage:FixedLeverage",
        "target": "9", "minimum": "6", "maximum": "11", "emergency": "15",
    },
    {"path": "strategies.hazard:Hazard", "hazard": "1", "most": "0.15"},
)  # fmt: skip


LATER: tuple[Mapping[str, str], ...] = (
    {
        "path": "strategies.flexible_leverage:FlexibleLeverage",
        "target": "9", "minimum": "6", "maximum": "11", "ripcord": "15",
    },
    {
        "path": "strategies.volatility_target:VolatilityTarget",
        "multiple": "6", "least": "0.05", "most": "0.15",
    },
)  # fmt: skip
"""Strategies that came after the first worlds were drawn."""
JOINED = 0.2
"""Share of worlds that have one of them."""


LONGEST_LAG_MS = 1900
"""Of the venue's history. [ms]"""
THEME = 0.5
"""Rate of the fault that a themed world is about. [ratio]"""
THEMED = 0.4
"""Share of worlds in which one fault hits half of all writes."""


SUCCEEDED = 0.08
"""Share of worlds with faults in which another machine takes over."""


def _strategy(seed: int, drawn: Mapping[str, str]) -> Mapping[str, str]:
    """Return a world's strategy; later ones are drawn apart, so that nothing is drawn anew."""
    draw = random.Random(f"strategy {seed}")
    return draw.choice(LATER) if draw.random() < JOINED else drawn


def _second(seed: int) -> float | None:
    """Return when another machine takes over; drawn apart, so that nothing else is drawn anew."""
    draw = random.Random(f"second {seed}")
    if draw.random() >= SUCCEEDED:
        return None
    return draw.choice((1, -1, -1)) * draw.uniform(1.0, 20.0)


def case_of(seed: int, *, faults: float) -> Case:
    """Return the world of a seed.

    Args:
        seed: Any number.
        faults: The highest rate a fault class may have, but for the one that a themed world is
            about; 0 for fair weather. [ratio]
    """
    draw = random.Random(f"case {seed}")
    symbols = draw.sample(tuple(PRICES), k=draw.choice((1, 1, 2, 3)))
    hedge = draw.random() < 0.25  # noqa: PLR2004 - a quarter
    held = tuple(
        Held(
            symbol=symbol,
            notional=Decimal(draw.randrange(2_000, 20_000)) * draw.choice((1, 1, 1, -1)),
            leverage=draw.choice((8, 10, 15, 20)),
        )
        for symbol in symbols
    )
    total = sum((abs(h.notional) for h in held), Decimal(0))
    rich = Decimal(draw.choice(("0.02", "0.06", "0.15", "0.4")))
    is_bad = faults > 0
    theme: dict[StrEnum, float] = {}
    if is_bad and draw.random() < THEMED:
        theme = {draw.choice(tuple(Wire)): THEME}
    faults *= draw.choice((0.1, 0.4, 1.0))
    return Case(
        seed=seed,
        storm=draw.uniform(15, 45),
        path=draw.choice(tuple(PATHS)[:-1]),
        held=held,
        futures=(total * rich * Decimal(draw.choice(("0.3", "1")))).quantize(Decimal("0.01")),
        spot=(total * rich).quantize(Decimal("0.01")),
        reserves={
            "futures": Decimal(draw.choice(("0", "50"))),
            "spot": Decimal(draw.choice(("0", "100"))),
        },
        hedge=hedge,
        strategy=_strategy(seed, draw.choice(STRATEGIES)),
        interval=draw.choice((1.0, 2.0, 5.0)),
        rates=swarm(draw, Wire, most=faults) | swarm(draw, Read, most=faults) | theme,
        crash=draw.choice((0.0, 0.0, 0.002, 0.01, 0.03)) if is_bad else 0.0,
        patience=draw.uniform(0.2, 3.0) if is_bad else 3.0,
        # An effect that lands late is also shown late: both must fit before the settle point.
        history_lag_ms=LONGEST_LAG_MS
        if Wire.LATE_INSIDE in theme
        else draw.choice((0, 0, 500, LONGEST_LAG_MS))
        if is_bad
        else 0,
        transfer_ms=draw.choice((0, 0, 700, 4000)),
        disk_delay=draw.choice((0.0005, 0.005, 0.05)),
        disk_fails=tuple(draw.sample(range(200), k=draw.choice((0, 0, 1, 2)))) if is_bad else (),
        skew=draw.choice((0.0, 0.0, 0.9, -1.1, 3600.0, -3600.0)),
        killed_at=draw.choice((None, None, None, draw.uniform(3, 30))),
        second=_second(seed) if is_bad else None,
        person=tuple(draw.uniform(3, 40) for _ in range(draw.choice((0, 0, 1)))),
    )
