"""What can the bot do about a position?"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bot.domain.position import PositionKey


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMargin:
    """Move free collateral into an isolated position.

    Attributes:
        key: The position.
        amount: > 0, a multiple of the margin step. [settle]
        currency: The collateral.
        after_reduction: Re-adds what the reduction before it in the same plan released; sent
            only if that reduction was done.
    """

    key: PositionKey
    amount: Decimal
    currency: str
    after_reduction: bool = False
    kind: Literal["add_margin"] = "add_margin"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMargin:
    """Give margin of an isolated position back to the wallet.

    Attributes:
        key: The position.
        amount: > 0, a multiple of the margin step. [settle]
        currency: The collateral.
    """

    key: PositionKey
    amount: Decimal
    currency: str
    kind: Literal["remove_margin"] = "remove_margin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReducePosition:
    """Close part of a position, reduce-only, immediate or cancel.

    Attributes:
        key: The position.
        size: > 0, a multiple of the lot, at most the position. [base or quote]
        limit_price: Worst price accepted. [quote/base]
    """

    key: PositionKey
    size: Decimal
    limit_price: Decimal
    kind: Literal["reduce_position"] = "reduce_position"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Move collateral between two wallets of the same account.

    Attributes:
        source: Wallet name.
        destination: Wallet name.
        amount: > 0. [currency]
        currency: The collateral.
    """

    source: str
    destination: str
    amount: Decimal
    currency: str
    kind: Literal["transfer"] = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceStop:
    """Leave a reduce-only stop-market order on mark at the venue.

    Attributes:
        key: The position.
        size: > 0, a multiple of the lot; ``None`` closes whatever is open then. [base or quote]
        stop_price: Where it fires. [quote/base]
        is_needed: None stands: it may be placed in degraded mode too.
    """

    key: PositionKey
    size: Decimal | None
    stop_price: Decimal
    is_needed: bool
    kind: Literal["place_stop"] = "place_stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelStop:
    """Take a stop of our own back.

    Attributes:
        key: The position it would close.
        stop_id: The venue's.
        client_id: Ours.
    """

    key: PositionKey
    stop_id: str
    client_id: str
    kind: Literal["cancel_stop"] = "cancel_stop"


Action = AddMargin | RemoveMargin | ReducePosition | Transfer | PlaceStop | CancelStop


def is_protective(action: Action) -> bool:
    """Whether an action adds margin, shrinks a position or leaves a stop."""
    return isinstance(action, AddMargin | ReducePosition | PlaceStop)
