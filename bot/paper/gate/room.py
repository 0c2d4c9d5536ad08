"""What does the venue keep beside its exchange?"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.paper.desk import Keys
from bot.paper.engine import Engine
from bot.paper.gate.listing import listed, named
from bot.paper.gate.request import Request
from bot.paper.values import Contract


@dataclass(slots=True, kw_only=True)
class Room:
    """One account.

    Attributes:
        engine: The exchange.
        keys: Who may ask.
        margin_mode: 0 for a classic account, above for kinds of unified ones.
        is_tiered: Whether maintenance goes by steps.
        splits: Whether positions of one side may be split.
        rights: What the key may write, by the venue's groups; ``None`` for the usual ones.
        coin_positions: What is held of contracts that settle in bitcoin, as the venue lists it;
            ``None`` where that account was never opened. This exchange trades none.
    """

    engine: Engine
    keys: Keys
    margin_mode: int = 0
    is_tiered: bool = True
    splits: bool = False
    rights: tuple[str, ...] | None = None
    coin_positions: list[dict[str, Any]] | None = field(default_factory=list)

    def contracts(self, request: Request) -> list[Contract]:
        """Return what settles in the currency that a request is about."""
        settle = request.choice("settle", ("usdt", "btc"))
        return listed(self.engine.contracts.values(), settle)

    def contract(self, request: Request) -> Contract:
        """Return the contract that a request is about.

        Raises:
            Refused: It is not listed.
        """
        settle = request.choice("settle", ("usdt", "btc"))
        return named(self.engine.contracts.values(), settle, request.text("contract"))


Handler = Callable[[Room, Request], Any]
"""Returns the body."""
