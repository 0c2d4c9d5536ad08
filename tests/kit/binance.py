"""The paper exchange in the words of Binance, and clients that reach it as they would the venue."""

import contextlib
from collections.abc import AsyncIterator
from typing import TypeAlias

from bot.chance import SeededRng
from bot.exchanges.binance.adapter import BinanceVenue
from bot.exchanges.binance.dialect import DIALECT
from bot.exchanges.client import Client
from bot.paper.binance.desk import BinanceDesk
from tests.kit import rigs
from tests.kit.paper import KEYS

Rig: TypeAlias = rigs.Rig[BinanceDesk]
BINANCE = rigs.Stand(venue="binanceusdm", desk=BinanceDesk, adapter=BinanceVenue)
serving, connection, connected = BINANCE.serving, BINANCE.connection, BINANCE.connected


@contextlib.asynccontextmanager
async def raw_client(rig: Rig, **changes: str) -> AsyncIterator[Client]:
    """Connect unmodified ccxt calls, without the adapter."""
    client = Client(
        dialect=DIALECT,
        api_key=changes.get("api_key", KEYS.key),
        secret=changes.get("secret", KEYS.secret),
        clock=rig.pace,
        gateway=rig.gateway,
        demo=False,
        rng=SeededRng("test"),
    )
    try:
        yield client
    finally:
        await client.close()
