"""The paper exchange in the words of KuCoin, and its adapter connected to it."""

from typing import TypeAlias

from bot.exchanges.kucoin.adapter import KucoinVenue
from bot.paper.kucoin.desk import KucoinDesk
from tests.kit import rigs
from tests.kit.paper import KEYS

Rig: TypeAlias = rigs.Rig[KucoinDesk]
KUCOIN = rigs.Stand(
    venue="kucoinfutures",
    desk=KucoinDesk,
    adapter=KucoinVenue,
    root="/api",
    settings={"password": KEYS.password, "bars": 48},
)
serving, connected = KUCOIN.serving, KUCOIN.connected
