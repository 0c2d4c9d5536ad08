"""An exchange with two positions that speaks Hyperliquid, and its adapter connected to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.exchanges.hyperliquid.adapter import HyperliquidVenue
from tests.kit.hyperliquid import Rig, connected, serving
from tests.kit.paper import a_held_engine


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    """The exchange."""
    async with serving(a_held_engine(), authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[HyperliquidVenue]:
    """The adapter, connected."""
    async with connected(rig) as adapter:
        yield adapter
