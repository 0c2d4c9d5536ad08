"""Each venue in turn: an exchange with two positions, and its adapter connected."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.exchanges.adapter import Adapter
from tests.kit.paper import a_held_engine
from tests.kit.rigs import Rig, Stand
from tests.kit.stands import STANDS


def named(stand: Stand[Any, Any]) -> str:
    return stand.venue


@pytest.fixture(params=STANDS, ids=named)
def stand(request: pytest.FixtureRequest) -> Stand[Any, Any]:
    """One venue; a test that has a table of its own gives it."""
    found: Stand[Any, Any] = request.param
    return found


@pytest.fixture
async def rig(stand: Stand[Any, Any], authority: Path) -> AsyncIterator[Rig[Any]]:
    """The exchange, in the words of the venue."""
    async with stand.serving(a_held_engine(), authority) as served:
        yield served


@pytest.fixture
async def venue(stand: Stand[Any, Any], rig: Rig[Any]) -> AsyncIterator[Adapter]:
    """The adapter, connected."""
    async with stand.connected(rig) as adapter:
        yield adapter
