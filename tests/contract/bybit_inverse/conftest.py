"""An exchange with positions that are margined in coin, in the words of Bybit, and its adapter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.exchanges.bybit.adapter import BybitVenue
from tests.kit.bybit import INVERSE, Rig
from tests.kit.coins import a_coin_account


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    """The exchange."""
    async with INVERSE.serving(a_coin_account(), authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[BybitVenue]:
    """The adapter, connected; it watches bitcoin only."""
    async with INVERSE.connected(rig) as adapter:
        yield adapter
