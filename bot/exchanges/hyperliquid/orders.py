"""What became of an order at Hyperliquid?"""

from dataclasses import dataclass
from decimal import Decimal

from bot.errors import Incomplete
from bot.exchanges.faults import NoSuchOrderError
from bot.exchanges.hyperliquid.answers import Reader
from bot.exchanges.numbers import amount, identity, positive, table, text
from bot.exchanges.quota import Lane

OPEN = frozenset({"open", "triggered"})
FILLED = "filled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the venue knows it.

    Attributes:
        number: The venue's.
        coin: The venue's name of its contract.
        status: The venue's word.
        size: As asked. [base]
        left: Not filled. [base]
    """

    number: int
    coin: str
    status: str
    size: Decimal
    left: Decimal

    @property
    def is_cancelled(self) -> bool:
        """Whether it was taken back, by whomever."""
        return self.status == "canceled" or self.status.endswith(("Canceled", "Cancel"))

    @property
    def is_rejected(self) -> bool:
        """Whether it never was."""
        return self.status == "rejected" or self.status.endswith("Rejected")

    @property
    def is_over(self) -> bool:
        """Whether it fills no more."""
        return self.status == FILLED or self.is_cancelled or self.is_rejected


class Orders:
    """Looks for single orders."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def ever(self, which: int | str) -> Order | None:
        """Return an order by the venue's number or our id; ``None`` where there is none such.

        Raises:
            ExchangeError: It could not be read.
        """
        try:
            answer = await self._reader.own("orderStatus", oid=which, lane=Lane.SETTLE)
        except NoSuchOrderError:
            return None
        body = table(answer, "order")
        if body.get("status") != "order":
            raise Incomplete(f"status of an answer must be 'order', was {body.get('status')!r}")
        outer = table(body.get("order"), "order")
        row, status = table(outer.get("order"), "order"), text(outer, "status")
        if which not in (row.get("oid"), row.get("cloid")):
            raise Incomplete(f"order must be {which}, was another")
        found = Order(
            number=int(identity(row, "oid")),
            coin=text(row, "coin"),
            status=status,
            size=positive(row, "origSz"),
            left=amount(row, "sz"),
        )
        if not (found.is_over or status in OPEN):
            raise Incomplete(f"status of order {which} must be known, was {status[:40]!r}")
        return found
