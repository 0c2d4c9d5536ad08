"""What can be read of an account without asking where the adapter asks?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bot.domain.position import MarginMode
from bot.exchanges.client import Client

Fate = Literal["standing", "cancelled", "other"]
"""Of a stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A position as another endpoint has it.

    Attributes:
        margin: Without unrealized PnL. [settle]
        entry_price: [quote/base]
        leverage_setting: [x]
        margin_mode: Whose collateral stands behind it.
    """

    margin: Decimal
    entry_price: Decimal
    leverage_setting: Decimal
    margin_mode: MarginMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """How one venue is read beside the adapter.

    Attributes:
        position: Returns the position of a symbol and signed size [base]; ``None`` where it shows
            none.
        wallet: Returns the futures wallet of a currency. [currency]
        fate: Returns what became of the stop of a client id, and of nothing that the adapter
            looks for in a list.
    """

    position: Callable[[Client, str, Decimal], Awaitable[Booked | None]]
    wallet: Callable[[Client, str], Awaitable[Decimal]]
    fate: Callable[[Client, str], Awaitable[Fate]]
