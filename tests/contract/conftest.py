"""One exchange with one position, the adapter connected to it, and an open journal."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from bot.exchanges.adapter import Adapter
from bot.journal.sqlite import SqliteJournal
from tests.kit.binance import Rig, connected, serving
from tests.kit.paper import an_engine


@pytest.fixture
async def rig(authority: Path) -> AsyncIterator[Rig]:
    """An exchange on loopback where 50 SOL are held with 10x."""
    engine = an_engine()
    engine.hold("SOLUSDT", Decimal(50), leverage=10)
    async with serving(engine, authority) as served:
        yield served


@pytest.fixture
async def venue(rig: Rig) -> AsyncIterator[Adapter]:
    """The adapter, connected."""
    async with connected(rig) as adapter:
        yield adapter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is made, in a folder that is not there yet."""
    return tmp_path / "state" / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    """A new journal, open."""
    async with SqliteJournal.open(path) as journal:
        yield journal
