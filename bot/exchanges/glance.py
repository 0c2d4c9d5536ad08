"""What are the marks now and nothing else, and how often may that be asked?"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from bot.errors import Incomplete
from bot.exchanges.client import Client
from bot.exchanges.numbers import positive
from bot.exchanges.quota import Lane

SHARE = 0.25
"""Of the request budget that glances may take in the long run. [ratio]"""


class Glances(ABC):
    """Reads marks in the lane that gives way to everything else."""

    share: ClassVar = SHARE
    field: ClassVar = "markPrice"
    """Where a row has its mark."""

    def __init__(self, client: Client, ids: Mapping[str, str]) -> None:
        self._client, self._ids = client, ids

    async def marks(self, symbols: Collection[str]) -> Mapping[str, Decimal]:
        """Return the mark of each symbol. [quote/base].

        Raises:
            ExchangeError: No answer, or not of each; nothing is asked where the budget is short.
        """
        names = {self._ids[symbol]: symbol for symbol in sorted(symbols)}
        found = await self._read(list(names))
        marks = {
            names[name]: positive({"symbol": name, **row}, self.field)
            for name, row in found.items()
            if name in names
        }
        if len(marks) < len(names):
            raise Incomplete(f"marks must be of {', '.join(names)}, were of {', '.join(marks)}")
        return marks

    def every(self, count: int, now: float) -> float | None:
        """Return how far apart glances at so many symbols may be; ``None`` for none now. [s].

        Args:
            count: Of symbols.
            now: Monotonic. [s]
        """
        weight = self._weight(count)
        if self._client.quota.left(Lane.GLANCE, now) < weight:
            return None
        return self._client.quota.gap(weight, self.share)

    @abstractmethod
    async def _read(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the row of each symbol and maybe of others, by the venue's name.

        Raises:
            ExchangeError: No usable answer.
        """

    @abstractmethod
    def _weight(self, count: int) -> int:
        """Return what a glance at so many symbols weighs."""
