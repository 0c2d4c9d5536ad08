"""The paper exchange in the words of OKX, and its adapter connected to it."""

from typing import TypeAlias

from bot.exchanges.okx.adapter import OkxVenue
from bot.paper.okx.desk import OkxDesk
from tests.kit import rigs
from tests.kit.paper import KEYS

Rig: TypeAlias = rigs.Rig[OkxDesk]
OKX = rigs.Stand(
    venue="okx",
    desk=OkxDesk,
    adapter=OkxVenue,
    root="/api/v5",
    settings={"password": KEYS.password, "bars": 48},
)
serving, connected = OKX.serving, OKX.connected
INVERSE = rigs.Stand(
    venue="okx",
    desk=OkxDesk,
    adapter=OkxVenue,
    root="/api/v5",
    settings={"password": KEYS.password, "bars": 24, "symbols": ("BTC/USD:BTC",)},
)
"""The same, for an account of positions that are margined in bitcoin."""
