"""What do the endpoints of the spot account and of transfers answer?"""

from decimal import Decimal
from typing import Any, Literal

from bot.paper.gate.codes import WireError, wrong
from bot.paper.gate.request import Request
from bot.paper.gate.room import Room
from bot.paper.gate.shape import plain
from bot.paper.values import ZERO, Reason, Refused, Transfer

WALLETS: dict[str, Literal["spot", "futures"]] = {"spot": "spot", "futures": "futures"}
PAGE, MOST = 100, 1000


def spot_accounts(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /spot/accounts: a currency of which nothing is there is not listed."""
    wanted = request.optional("currency")
    return [
        {"available": plain(amount), "currency": ccy, "locked": "0", "update_id": 1}
        for ccy, amount in room.engine.spot.items()
        if amount and wanted in (None, ccy)
    ]


def spot_book(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /spot/account_book: newest first."""
    engine, wanted = room.engine, request.optional("currency")
    since, until = request.whole("from", "0"), request.whole("to", str(2**40))
    rows = [
        _spot_line(moved)
        for moved in engine.transfers
        if wanted in (None, moved.asset)
        and _spot_at(moved) <= engine.now_ms
        and since * 1000 <= _spot_at(moved) < (until + 1) * 1000
        and engine.is_shown(_spot_at(moved))
    ]
    rows.sort(key=lambda row: int(row["time"]), reverse=True)
    return request.numbered(rows, usual=PAGE, most=MOST)


def transfer(room: Room, request: Request) -> dict[str, Any]:
    """POST /wallet/transfers: no name of a client's, and a number is all that is told."""
    source, destination = (WALLETS[request.choice(end, tuple(WALLETS))] for end in ("from", "to"))
    ccy, settle = request.word("currency"), request.word("settle").upper()
    request.word("amount")
    amount = request.decimal("amount")
    if settle != ccy or ccy not in room.engine.cross:
        raise WireError("INVALID_CURRENCY", f"invalid currency: {ccy}")
    if source == destination:
        raise wrong("to")
    try:
        number = room.engine.transfer(source, destination, ccy, amount)
    except Refused as refused:
        if refused.reason is Reason.INSUFFICIENT_BALANCE and source == "futures":
            message = "futures balance not enough"
            raise WireError("FUTURES_BALANCE_NOT_ENOUGH", message) from refused
        raise
    return {"tx_id": number}


def _spot_at(moved: Transfer) -> int:
    """Return when a transfer changes the spot account. [ms]."""
    return moved.at_ms if moved.source == "spot" else moved.arrives_ms


def _spot_line(moved: Transfer) -> dict[str, Any]:
    change: Decimal = -moved.amount if moved.source == "spot" else moved.amount
    return {
        "balance": plain(ZERO),
        "change": plain(change),
        "currency": moved.asset,
        "id": str(moved.id),
        "text": "",
        "time": _spot_at(moved),
        "type": "futures_out" if moved.source == "spot" else "futures_in",
    }
