"""What does the venue keep beside its exchange?"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.paper.desk import Keys
from bot.paper.engine import Engine
from bot.paper.hyperliquid.codes import BodyError
from bot.paper.hyperliquid.curve import address_of
from bot.paper.hyperliquid.listing import dollar
from bot.paper.values import ZERO, Holding


def private_of(word: str) -> str:
    """Return the private key that a word of the paper exchange stands for."""
    return hashlib.sha256(word.encode()).hexdigest()


def wallet_of(keys: Keys) -> str:
    """Return the owner's address."""
    return address_of(private_of(keys.key))


def agent_of(keys: Keys) -> str:
    """Return the address of the agent that signs."""
    return address_of(private_of(keys.secret))


@dataclass(slots=True, kw_only=True)
class Room:
    """One account.

    Attributes:
        engine: The exchange.
        keys: The owner's word and the agent's.
        abstraction: How the account keeps its balances.
        nonces: That were used, of each signer.
    """

    engine: Engine
    keys: Keys
    abstraction: str = "disabled"
    nonces: dict[str, set[int]] = field(default_factory=dict)

    @property
    def wallet(self) -> str:
        """The owner's address."""
        return wallet_of(self.keys)

    @property
    def asset(self) -> str:
        """The dollar of the exchange."""
        return dollar(self.engine)

    def held(self, *, isolated: bool) -> list[Holding]:
        """Return the positions with margin of their own, or those without."""
        return [h for h in self.engine.holdings.values() if h.isolated is isolated]

    def paid(self, holding: Holding) -> Any:
        """Return what a position has paid of funding since it was opened."""
        paid = (
            -line.amount
            for line in self.engine.income
            if line.type == "FUNDING_FEE" and line.symbol == holding.symbol
        )
        return sum(paid, ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked.

    Attributes:
        parameters: Of the body, or of its action.
        now_ms: Market time of its arrival. [ms]
    """

    parameters: Mapping[str, Any]
    now_ms: int

    def text(self, key: str, default: str | None = None) -> str:
        """Return a word.

        Raises:
            BodyError: It is missing, or none.
        """
        value = self.parameters.get(key, default)
        if not isinstance(value, str):
            raise BodyError(key)
        return value

    def whole(self, key: str, default: int | None = None) -> int:
        """Return a whole number.

        Raises:
            BodyError: It is missing, or none.
        """
        value = self.parameters.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise BodyError(key)
        return value

    def flag(self, key: str) -> bool:
        """Return a yes or no.

        Raises:
            BodyError: It is missing, or neither.
        """
        value = self.parameters.get(key)
        if not isinstance(value, bool):
            raise BodyError(key)
        return value

    def part(self, value: Any) -> "Request":
        """Return an object within.

        Raises:
            BodyError: It is none.
        """
        if not isinstance(value, dict):
            raise BodyError("an object")
        return Request(parameters=value, now_ms=self.now_ms)
