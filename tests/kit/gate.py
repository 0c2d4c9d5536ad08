"""The paper exchange in the words of Gate, and its adapter connected to it."""

from typing import TypeAlias

from bot.exchanges.gate.adapter import GateVenue
from bot.paper.gate.desk import GateDesk
from tests.kit import rigs

Rig: TypeAlias = rigs.Rig[GateDesk]
GATE = rigs.Stand(
    venue="gate",
    desk=GateDesk,
    adapter=GateVenue,
    root="/api/v4",
    settings={"bars": 48},
)
serving, connected = GATE.serving, GATE.connected
