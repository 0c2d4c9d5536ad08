"""What does the venue keep beside its exchange?"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.paper.desk import Keys
from bot.paper.engine import Engine
from bot.paper.okx.request import Request
from bot.paper.values import Contract


@dataclass(slots=True, kw_only=True)
class Room:
    """One account.

    Attributes:
        engine: The exchange.
        keys: Who may ask.
        level: Account mode: ``1`` spot, ``2`` futures, ``3`` several currencies, ``4`` portfolio.
        transfers: Clients' names of transfers, with the exchange's number.
    """

    engine: Engine
    keys: Keys
    level: Literal["1", "2", "3", "4"] = "2"
    transfers: dict[str, int] = field(default_factory=dict)

    def contracts(self) -> list[Contract]:
        """Return all that is listed."""
        return list(self.engine.contracts.values())


Handler = Callable[[Room, Request], list[dict[str, Any]] | list[list[str]]]
"""Returns what stands in ``data``."""
