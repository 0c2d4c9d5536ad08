"""The default strategy as it is shipped, and markets it has fitted models for."""

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import numpy as np

from bot.domain.market import Bars, Market
from bot.files import packaged
from bot.plugins import resolve
from bot.ports import Strategy
from tests.kit.builders import BTC, NOON, a_market

HAZARD = "strategies.hazard:Hazard"
AT_HAND = 912


def shipped(**own: Any) -> Strategy:
    """Return `hazard` with the models and disasters of this checkout."""
    return resolve(HAZARD, {name: str(value) for name, value in own.items()}).strategy


def ignorant(**own: Any) -> Strategy:
    """Return `hazard` that has no models."""
    return shipped(models="none", **own)


def models_file() -> str:
    return str(packaged("models.json"))


def a_walk(seed: int, *, hours: int = AT_HAND, sigma: float = 0.005, last: float = 60_000) -> Bars:
    """Return hourly bars that end at noon with a given close, of a random walk."""
    chance = np.random.Generator(np.random.PCG64(seed))
    steps = chance.standard_t(5, size=hours) * sigma / np.sqrt(5 / 3)
    close = last * np.exp(np.cumsum(steps) - steps.sum())
    reach = np.abs(chance.standard_normal((2, hours))) * sigma / 2
    before = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(close, before) * np.exp(reach[0])
    low = np.minimum(close, before) * np.exp(-reach[1])
    return Bars(
        opened_at=NOON - timedelta(hours=hours),
        high=tuple(high.tolist()),
        low=tuple(low.tolist()),
        close=tuple(close.tolist()),
    )


def a_walked_market(bars: Bars, *, symbol: str = BTC, mark: str = "60000") -> Market:
    """Return a market with these bars."""
    market = a_market(symbol, mark=mark)
    return Market(
        symbol=symbol,
        mark_price=D(mark),
        index_price=D(mark),
        mark_at=NOON,
        bars=bars,
        bids=market.bids,
        asks=market.asks,
    )
