"""Which orders stand at the venue that close a position when the bot does not?"""

import re
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.position import Position, PositionKey

_OURS = re.compile(r"pl[a-z0-9]{14}")
"""Prefix, instance, epoch, counter: the names a journal gives to intents."""


def is_own_name(name: str) -> bool:
    """Whether the client id of an order has the shape of an intent of this bot."""
    return _OURS.fullmatch(name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingStop:
    """A stop that waits at the venue and may only shrink a position.

    Attributes:
        key: The position it closes.
        stop_id: The venue's.
        client_id: Given by whoever placed it; empty for none.
        size: What it closes; ``None`` for whatever is open then. [base or quote]
        stop_price: Where it fires. [quote/base]
        on_mark: Whether it watches mark; else the last trade.
        is_ours: Placed by this bot; others are shown and never touched.
    """

    key: PositionKey
    stop_id: str
    client_id: str
    size: Decimal | None
    stop_price: Decimal
    on_mark: bool
    is_ours: bool

    def covers(self, position: Position) -> bool:
        """Whether it closes all of a position, and does so on mark."""
        closes_all = self.size is None or self.size == abs(position.size)
        return self.on_mark and closes_all and self.key == position.key
