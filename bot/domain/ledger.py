"""What does one line of the venue's own ledger say?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from bot.domain.position import Side


class RowKind(StrEnum):
    """Why collateral moved."""

    MARGIN_ADDED = "margin_added"
    """From the futures wallet into an isolated position; the amount is > 0."""
    MARGIN_REMOVED = "margin_removed"
    """From an isolated position into the futures wallet; the amount is < 0."""
    TRANSFER_IN = "transfer_in"
    """Into ``wallet``; the amount is > 0."""
    TRANSFER_OUT = "transfer_out"
    """Out of ``wallet``; the amount is < 0."""
    FUNDING = "funding"
    FEE = "fee"
    REALIZED_PNL = "realized_pnl"
    INSURANCE = "insurance"
    OTHER = "other"

    @property
    def is_margin(self) -> bool:
        """Whether collateral went between a wallet and a position."""
        return self in (RowKind.MARGIN_ADDED, RowKind.MARGIN_REMOVED)

    @property
    def is_transfer(self) -> bool:
        """Whether collateral went between two wallets."""
        return self in (RowKind.TRANSFER_IN, RowKind.TRANSFER_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One line, as the venue booked it.

    Attributes:
        id: The venue's own, with the list it is from; where it gives none, made of all that the
            line says, so that the same line has the same id in every reading.
        at: When it took effect. Aware UTC, venue time.
        kind: Why collateral moved.
        amount: Signed, as ``wallet`` or the position sees it: > 0 came in. [asset]
        asset: The collateral.
        symbol: Unified name of the contract it is about; empty for transfers.
        side: Of the position; ``None`` where the venue does not say.
        wallet: The wallet that backs it; of a transfer, the one whose view the amount is.
        other: Of a transfer, the other wallet of ours; empty where it is none of ours.
        actor: The venue's word for who or what caused it; empty where it says nothing.
    """

    id: str
    at: datetime
    kind: RowKind
    amount: Decimal
    asset: str
    symbol: str = ""
    side: Side | None = None
    wallet: str = "futures"
    other: str = ""
    actor: str = ""
