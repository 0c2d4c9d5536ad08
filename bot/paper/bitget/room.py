"""What does the venue keep beside its exchange?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.paper.bitget.listing import is_listed
from bot.paper.bitget.request import Request
from bot.paper.desk import Keys
from bot.paper.engine import Engine
from bot.paper.values import Contract, Holding


@dataclass(slots=True, kw_only=True)
class Room:
    """One account.

    Attributes:
        engine: The exchange.
        keys: Who may ask.
        assets: Whether only the coin itself is margin, or others too.
        is_unified: Whether it became one of the kind that this interface does not serve.
    """

    engine: Engine
    keys: Keys
    assets: Literal["single", "union"] = "single"
    is_unified: bool = False

    def contracts(self) -> list[Contract]:
        """Return all that is listed."""
        return [c for c in self.engine.contracts.values() if is_listed(c)]

    def held(self) -> list[Holding]:
        """Return the open positions."""
        return [h for h in self.engine.holdings.values() if is_listed(self._contract(h))]

    def _contract(self, holding: Holding) -> Contract:
        return self.engine.contracts[holding.symbol]


Handler = Callable[[Room, Request], Any]
"""Returns what stands in ``data``."""
