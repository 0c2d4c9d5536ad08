"""What does the venue keep beside its exchange?"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.paper.desk import Keys
from bot.paper.engine import Engine
from bot.paper.kucoin.request import Request
from bot.paper.values import Contract, Kind


@dataclass(slots=True, kw_only=True)
class Room:
    """One account.

    Attributes:
        engine: The exchange.
        keys: Who may ask.
        is_unified: Whether it is of the new kind, which these endpoints know nothing of.
        adds_margin: Contracts whose positions the venue was told to add margin to by itself.
        moves: Clients' names of margin additions.
    """

    engine: Engine
    keys: Keys
    is_unified: bool = False
    adds_margin: set[str] = field(default_factory=set)
    moves: set[str] = field(default_factory=set)

    def contracts(self) -> list[Contract]:
        """Return all that is listed: perpetuals that settle in quote."""
        return [c for c in self.engine.contracts.values() if c.kind is Kind.LINEAR]


Handler = Callable[[Room, Request], Any]
"""Returns what stands in ``data``."""
