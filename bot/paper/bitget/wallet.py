"""What do the endpoints of the spot account answer?"""

from typing import Any, Literal

from bot.paper.bitget.codes import WireError, wrong
from bot.paper.bitget.listing import COIN
from bot.paper.bitget.request import Request
from bot.paper.bitget.room import Room
from bot.paper.bitget.shape import plain
from bot.paper.values import Reason, Refused, Transfer

WALLETS: dict[str, Literal["spot", "futures"]] = {"spot": "spot", "usdt_futures": "futures"}
ACCOUNTS = {wallet: word for word, wallet in WALLETS.items()}
PAGE = 500


def assets(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v2/spot/account/assets: of one coin, or of each that is there."""
    wanted = request.optional("coin")
    return [
        {
            "coin": coin,
            "available": plain(amount),
            "frozen": "0",
            "locked": "0",
            "limitAvailable": "0",
            "uTime": str(room.engine.now_ms),
        }
        for coin, amount in room.engine.spot.items()
        if (amount if wanted is None else coin == wanted.upper())
    ]


def transfer(room: Room, request: Request) -> dict[str, Any]:
    """POST /api/v2/spot/wallet/transfer."""
    source, destination = (
        WALLETS[request.choice(end, tuple(WALLETS))] for end in ("fromType", "toType")
    )
    if request.text("coin").upper() != COIN:
        raise WireError(41104, f"Unsupported coin: {request.text('coin')}")
    name = request.name("clientOid")
    try:
        number = room.engine.transfer(
            source, destination, COIN, request.decimal("amount"), client_id=name
        )
    except Refused as refused:
        if refused.reason is Reason.DUPLICATE_ID:
            raise WireError(43118, "clientOrderId duplicate") from refused
        if refused.reason is Reason.INSUFFICIENT_BALANCE:
            message = "Exceeds the maximum amount that can be transferred"
            raise WireError(43117, message) from refused
        raise
    return {"transferId": str(number), "clientOid": name}


def records(room: Room, request: Request) -> list[dict[str, Any]]:
    """GET /api/v2/spot/account/transferRecords: newest first."""
    limit, older = request.whole("limit", "100"), request.whole("idLessThan", str(2**62))
    if not 1 <= limit <= PAGE:
        raise wrong("limit")
    since, until = request.whole("startTime", "0"), request.whole("endTime", str(2**53))
    coin = request.text("coin").upper()
    wanted = {key: request.optional(key) for key in ("fromType", "clientOid")}
    rows = [
        _record(room, moved)
        for moved in reversed(room.engine.transfers)
        if moved.asset == coin
        and moved.id < older
        and since <= moved.at_ms <= until
        and room.engine.is_shown(moved.at_ms)
    ]
    return [row for row in rows if all(v in (None, row[key]) for key, v in wanted.items())][:limit]


def _record(room: Room, moved: Transfer) -> dict[str, Any]:
    return {
        "coin": moved.asset,
        "status": "Successful" if moved.arrives_ms <= room.engine.now_ms else "Processing",
        "toType": ACCOUNTS["spot" if moved.destination == "spot" else "futures"],
        "toSymbol": "",
        "fromType": ACCOUNTS["spot" if moved.source == "spot" else "futures"],
        "fromSymbol": "",
        "size": plain(moved.amount),
        "ts": str(moved.at_ms),
        "clientOid": moved.client_id,
        "transferId": str(moved.id),
    }
