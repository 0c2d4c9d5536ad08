"""One exchange with one position, and the adapter connected to it."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from bot.exchanges.binance import BinanceVenue
from tests.kit.paper import Rig, an_engine, connected, serving


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    """An exchange on loopback where 50 SOL are held with 10x."""
    engine = an_engine()
    engine.hold("SOLUSDT", Decimal(50), leverage=10)
    async with serving(engine, authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[BinanceVenue]:
    """The adapter, connected."""
    async with connected(rig) as adapter:
        yield adapter
