"""An exchange with positions that are margined in coin, in the words of OKX, and its adapter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.exchanges.okx.adapter import OkxVenue
from tests.kit.coins import a_coin_account
from tests.kit.okx import INVERSE, Rig


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    """The exchange."""
    async with INVERSE.serving(a_coin_account(), authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[OkxVenue]:
    """The adapter, connected; it watches bitcoin only."""
    async with INVERSE.connected(rig) as adapter:
        yield adapter
